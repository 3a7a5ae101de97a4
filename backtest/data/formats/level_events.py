"""Level events as CSV: ``ts,type,side,price_ticks,qty,id``; ns since the epoch, ticks of 0.1 USD, millionths of BTC.

Events of one time are a message, and the first message is the snapshot. A level keeps one id until its quantity
changes, which is a ``cancel`` and an ``add``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from backtest.data.columns import BUY, SELL, Mark
from backtest.data.formats.lines import Lines, time_of
from backtest.data.market import Market
from backtest.data.rows import bounded
from simulator.market.recorded import EVENTS_HEADER, EVENTS_LOTS, EVENTS_PAIR

HEADER: Final = EVENTS_HEADER.split(",")
_SIDES: Final = {"buy": BUY, "sell": SELL}
_KINDS: Final = ("trade", "add", "cancel")
_Event = tuple[int, str, int, int, int]


def read(lines: Lines, market: Market) -> Iterator[None]:
    """Read a file. Raises DataError."""
    rows = market.rows(EVENTS_PAIR)
    if rows is None:
        return
    is_first = True
    for ns, group in groupby(_events(lines), key=lambda event: None if event is None else event[0]):
        if ns is None:
            market.mark_all(Mark.UNREADABLE, 0)
            continue
        # By side and price: what was cancelled and added again at one moment did not leave the queue.
        levels: dict[tuple[int, int], int] = {}
        for _, kind, side, ticks, lots in filter(None, group):
            if kind == "trade":
                rows.trade(ns, 0, side, ticks, lots)
            else:
                levels[side, ticks] = lots if kind == "add" else 0
        if levels:
            rows.change(ns, 0, is_first, [(*level, lots) for level, lots in levels.items()])
            is_first = False
        if lines.is_part_full():
            yield


def _events(lines: Lines) -> Iterator[_Event | None]:
    """Yield the rows, None for a bad one."""
    for row in lines.rows():
        try:
            ns, kind, side, ticks, qty, _ = row
            if kind not in _KINDS:
                raise ValueError(f"{kind!r} is no event")
            event = (time_of(ns, 1), kind, _SIDES[side], bounded(int(ticks), 1), bounded(int(qty) * EVENTS_LOTS))
        except (ValueError, KeyError) as error:
            lines.note(error)
            yield None
            continue
        yield event
