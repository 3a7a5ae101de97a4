"""Level events as CSV: ``ts,type,side,price_ticks,qty,id``; ns since the epoch, ticks of 0.1 USD, millionths of BTC.

Events of one time are a message, and the first message is the snapshot. A level keeps one id until its quantity
changes, which is a ``cancel`` and an ``add``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from backtest.data.columns import BUY, SELL
from backtest.data.market import Market
from backtest.data.tally import Tally
from backtest.errors import DataError
from simulator.market.recorded import EVENTS_HEADER, EVENTS_LOTS, EVENTS_PAIR

_SIDES = {"buy": BUY, "sell": SELL}
_KINDS = ("trade", "add", "cancel")
_Event = tuple[int, str, int, int, int]


def read(path: Path, market: Market) -> None:
    """Read a file. Raises OSError or DataError."""
    rows = market.rows(EVENTS_PAIR)
    if rows is None:
        return
    for ns, group in groupby(_events(path, market.tally), key=lambda event: event[0]):
        levels = []
        for _, kind, side, ticks, lots in group:
            if kind == "trade":
                rows.trade(ns, 0, side, ticks, lots)
            else:
                levels.append((side, ticks, lots if kind == "add" else 0))
        if levels:
            rows.change(ns, 0, not rows.reader.synced, levels)


def _events(path: Path, tally: Tally) -> Iterator[_Event]:
    with path.open(encoding="utf-8", newline="") as file:
        if file.readline().strip() != EVENTS_HEADER:
            raise DataError(f"{path}: its first line is not {EVENTS_HEADER}")
        for line, row in enumerate(csv.reader(file), 2):
            try:
                ns, kind, side, ticks, qty, _ = row
                if kind not in _KINDS:
                    raise ValueError(f"{kind!r} is no event")
                yield int(ns), kind, _SIDES[side], int(ticks), int(qty) * EVENTS_LOTS
            except (ValueError, KeyError) as error:
                tally.note(str(path), line, str(error))
