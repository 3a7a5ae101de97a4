"""The window's tables as rows of text in tones: ladder, profit, processes.

Prices and quantities are the digits that were published; what is not known is ``-``.
"""

from __future__ import annotations

from typing import Final

from monitor.model.ages import SHORT, age
from monitor.model.sections import OrderShown
from monitor.ui.levels import level_row, nearest, own_by_price
from monitor.ui.profit import NOTHING, first_pairs, pair_amounts, total_amounts
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import DASH, Row, Tone, count, milliseconds, money, plain, toned
from shared import limits

LADDER: Final = ("", "#", "price", "quantity", "own")
PROFIT: Final = ("pair", "position", "worth", "made", "realised", "unrealised", "fees")
PROCESSES: Final = ("process", "state", "up", "MB", "lag ms", "restarts", "missed")


def ladder(snapshot: Snapshot, symbol: str, levels: int = limits.DESKTOP_LADDER_LEVELS) -> list[Row]:
    """Return asks down to the touch, mid and spread, bids from the touch down; own orders also without a book."""
    book = snapshot.books.get(symbol)
    orders = [order for order in snapshot.orders.orders if order.symbol == symbol]
    if book is None:
        return []
    rows = [*reversed(_side("ask", "sell", book.asks, orders, levels))]
    if book.mid is not None:
        spread = f"{book.spread_bps:.2f} bp" if book.spread_bps is not None else "-"
        mid = (("mid", Tone.HEAD), ("", Tone.HEAD), (book.mid, Tone.HEAD), (spread, Tone.HEAD), ("", Tone.HEAD))
        rows.append(mid)
    else:
        why = plain(f"book {book.state}", Tone.WARN)
        rows.append((why, ("", Tone.HEAD), ("", Tone.HEAD), plain(book.why, Tone.WARN), ("", Tone.HEAD)))
    return [*rows, *_side("bid", "buy", book.bids, orders, levels)]


def _side(word: str, side: str, book: list[tuple[str, str]], orders: list[OrderShown], levels: int) -> list[Row]:
    own = own_by_price([order for order in orders if order.side == side])
    return [level_row(word, level, own) for level in nearest(book, own, levels, rising=word == "ask")]


def profit(snapshot: Snapshot) -> list[Row]:
    """Return each pair in its quote asset, then the total in the currency; only positions while profit is not known.

    Positions are the base's over all its pairs, beside the first of them.
    """
    held = first_pairs(snapshot)
    rows: list[Row] = []
    for pair in snapshot.books:
        made = snapshot.profit.pairs.get(pair) if snapshot.profit.valid else None
        amounts = (DASH,) * 4 if made is None else pair_amounts(snapshot, pair, made)
        rows.append(((pair, Tone.PLAIN), *held.get(pair, (NOTHING, NOTHING)), *amounts))
    if not snapshot.profit.valid:
        return rows
    head = ((f"total {snapshot.profit.currency}", Tone.HEAD), ("", Tone.HEAD), ("", Tone.HEAD))
    rows.append((*head, *total_amounts(snapshot)))
    fx = money(snapshot.profit.total.fx, signed=True)
    if fx != "0.00":
        rows.append((("fx", Tone.PLAIN), NOTHING, NOTHING, (fx, toned(fx)), *(NOTHING,) * 3))
    return rows


def processes(snapshot: Snapshot) -> list[Row]:
    """Return each process's state and figures."""
    tones = {"ready": Tone.GOOD, "dead": Tone.BAD, "halted": Tone.WARN}
    return [
        (
            (name, Tone.PLAIN),
            plain(f"{one.state}: {one.why}" if one.why else one.state, tones.get(one.state, Tone.WARN)),
            (age(one.uptime_s, SHORT), Tone.PLAIN),
            (count(int(one.rss_mb)) if one.rss_mb is not None else "-", Tone.PLAIN),
            (milliseconds(one.loop_lag_ms), Tone.PLAIN),
            (count(one.restarts), Tone.WARN if one.restarts else Tone.PLAIN),
            (count((one.gaps or 0) + (one.drops or 0)), Tone.WARN if one.gaps or one.drops else Tone.PLAIN),
        )
        for name, one in snapshot.processes.items()
    ]
