"""A pair's book with own quotes where they stand: touch and own quotes always, the best levels in what room is left.

A core. Level numbers show where levels are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from monitor.sections import BookShown, OrderShown
from monitor.views.top.text import DASH, Column, Piece, Row, Tone, fill, fitting, plain, table, width_of

COLUMNS = (
    Column("", 4, right=False),
    Column("#", 3, least=2),
    Column("price", 0),
    Column("quantity", 2, least=11),
    Column("own", 1, least=10),
)
Level = tuple[str, str, int]  # price, quantity (empty where the book does not have it), number from the touch


def ladder(symbol: str, book: BookShown | None, orders: Sequence[OrderShown], width: int, height: int) -> list[Row]:
    """The title, asks down to the touch, bids from the touch down."""
    if book is None:
        return [_title(symbol, None, width)]
    own = {side: _own([order for order in orders if order.side == side]) for side in ("sell", "buy")}
    if not book.bids or not book.asks:
        why = plain(book.why or "no book yet", Tone.WARN)
        return [_title(symbol, book, width), *_not_live(why, own, width)][:height]
    room = max(1, (height - 1) // 2)
    asks = _levels(book.asks, own["sell"], room, rising=True)
    bids = _levels(book.bids, own["buy"], room, rising=False)
    rows = [_row("ask", level, own["sell"]) for level in reversed(asks)]
    rows += [_row("bid", level, own["buy"]) for level in bids]
    return [_title(symbol, book, width), *table(COLUMNS, rows, width)[1:]][:height]


def _title(symbol: str, book: BookShown | None, width: int) -> Row:
    state = "no book" if book is None else "stale" if book.stale and book.state == "live" else book.state
    pieces = [plain(f"{symbol} {state}", Tone.HEAD)]
    if book is not None and book.mid is not None:
        pieces.append((f"mid {book.mid}", Tone.HEAD))
        if book.spread_bps is not None:
            pieces.append((f"{book.spread_bps:.2f} bp", Tone.HEAD))
    room = width - len(" own")
    row = fitting(pieces, room, gap=1)
    return fill((*row, (" " * max(0, room - width_of(row)) + " own", Tone.HEAD)), width)


def _own(orders: Sequence[OrderShown]) -> dict[str, Decimal]:
    """What remains of own orders, by price."""
    found: dict[str, Decimal] = {}
    for order in orders:
        if order.is_live:
            found[order.price] = found.get(order.price, Decimal(0)) + Decimal(order.qty) - Decimal(order.filled)
    return found


def _levels(side: Sequence[tuple[str, str]], own: dict[str, Decimal], room: int, *, rising: bool) -> list[Level]:
    """Up to ``room`` levels, best first: the touch, own quotes nearest to it, then whatever else is best."""
    there = {price: (price, qty, number) for number, (price, qty) in enumerate(side, 1)}
    missing = [(price, "", 0) for price in own if price not in there]
    every: list[Level] = sorted([*there.values(), *missing], key=lambda level: Decimal(level[0]), reverse=not rising)
    wanted = [level for level in every if level[0] in own or level[2] == 1]
    wanted += [level for level in every if level not in wanted]
    kept = wanted[:room]
    return [level for level in every if level in kept]


def _row(word: str, level: Level, own: dict[str, Decimal]) -> list[Piece]:
    price, qty, number = level
    ours = own.get(price)
    tone = Tone.OWN if ours is not None else Tone.PLAIN
    return [
        (word, Tone.BAD if word == "ask" else Tone.GOOD),
        (str(number), Tone.QUIET) if number else DASH,
        (price, tone),
        (qty, Tone.PLAIN) if qty else DASH,
        (format(ours, "f"), tone) if ours is not None else ("", tone),
    ]


def _not_live(why: Piece, own: dict[str, dict[str, Decimal]], width: int) -> list[Row]:
    """Own quotes are told also where the book is not known."""
    rows = [
        [(word, tone), DASH, (price, Tone.OWN), DASH, (format(qty, "f"), Tone.OWN)]
        for word, side, tone in (("ask", "sell", Tone.BAD), ("bid", "buy", Tone.GOOD))
        for price, qty in sorted(own[side].items(), key=lambda item: -Decimal(item[0]))
    ]
    return [(why,), *table(COLUMNS, rows, width)[1:]]
