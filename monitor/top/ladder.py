"""A pair's book with own quotes in place: always the touch and own quotes, then the best levels that fit.

Level numbers show where levels are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from monitor.model.sections import BookShown, OrderShown
from monitor.ui.levels import level_row, nearest, own_by_price
from monitor.ui.text import DASH, Column, Piece, Row, Tone, fill, fitting, plain, table, width_of
from shared.messages import BookState

COLUMNS = (
    Column("", 4, right=False),
    Column("#", 3, least=2),
    Column("price", 0),
    Column("quantity", 2, least=11),
    Column("own", 1, least=10),
)


def ladder(symbol: str, book: BookShown | None, orders: Sequence[OrderShown], width: int, height: int) -> list[Row]:
    """Return the title, asks down to the touch, bids from the touch down."""
    if book is None:
        return [_title(symbol, None, width)]
    own = {side: own_by_price([order for order in orders if order.side == side]) for side in ("sell", "buy")}
    if not book.bids or not book.asks:
        why = plain(book.why or "no book yet", Tone.WARN)
        return [_title(symbol, book, width), *_not_live(why, own, width)][:height]
    room = max(1, (height - 1) // 2)
    asks = nearest(book.asks, own["sell"], room, rising=True)
    bids = nearest(book.bids, own["buy"], room, rising=False)
    rows = [level_row("ask", level, own["sell"]) for level in reversed(asks)]
    rows += [level_row("bid", level, own["buy"]) for level in bids]
    return [_title(symbol, book, width), *table(COLUMNS, rows, width)[1:]][:height]


def _title(symbol: str, book: BookShown | None, width: int) -> Row:
    state = "no book" if book is None else "stale" if book.stale and book.state == BookState.LIVE else book.state
    pieces = [plain(f"{symbol} {state}", Tone.HEAD)]
    if book is not None and book.mid is not None:
        pieces.append((f"mid {book.mid}", Tone.HEAD))
        if book.spread_bps is not None:
            pieces.append((f"{book.spread_bps:.2f} bp", Tone.HEAD))
    room = width - len(" own")
    row = fitting(pieces, room, gap=1)
    return fill((*row, (" " * max(0, room - width_of(row)) + " own", Tone.HEAD)), width)


def _not_live(why: Piece, own: dict[str, dict[str, Decimal]], width: int) -> list[Row]:
    """Return the reason and own quotes, which are shown also without a book."""
    rows = [
        [(word, tone), DASH, (price, Tone.OWN), DASH, (format(qty, "f"), Tone.OWN)]
        for word, side, tone in (("ask", "sell", Tone.BAD), ("bid", "buy", Tone.GOOD))
        for price, qty in sorted(own[side].items(), key=lambda item: -Decimal(item[0]))
    ]
    return [(why,), *table(COLUMNS, rows, width)[1:]]
