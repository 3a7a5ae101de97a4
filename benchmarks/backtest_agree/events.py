"""A tape as other backtesters take it: changes of levels and trades in one file, without snapshots or a depth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from backtest.data.columns import BUY, SELL, Flag, Kind
from backtest.exact.replayed import Tape
from shared.messages import Pair

Row = tuple[int, bool, int, int, int, bool]
"""Time, true if it is a trade, side, ticks, lots, true if it is the last of its message."""


class Touch(NamedTuple):
    """The best prices and what stands there."""

    bid: int
    bid_lots: int
    ask: int
    ask_lots: int


class Book:
    """The recorded levels by side and price."""

    def __init__(self, depth: int) -> None:
        self.sides: tuple[dict[int, int], dict[int, int]] = {}, {}
        self._depth = depth

    def set(self, side: int, ticks: int, lots: int) -> None:
        """Set what the record has at a price; 0 removes the level."""
        if lots:
            self.sides[side][ticks] = lots
        else:
            self.sides[side].pop(ticks, None)

    def best(self, side: int) -> int | None:
        """Return the best price of a side, None if it is empty."""
        levels = self.sides[side]
        return (max(levels) if side == BUY else min(levels)) if levels else None

    def touch(self) -> Touch | None:
        """Return the best of both sides, None if one is empty."""
        bid, ask = self.best(BUY), self.best(SELL)
        if bid is None or ask is None:
            return None
        return Touch(bid, self.sides[BUY][bid], ask, self.sides[SELL][ask])

    def beyond(self) -> list[tuple[int, int]]:
        """Return the levels that are past the depth, by side and price: the record does not follow them any more."""
        levels = []
        for side in (BUY, SELL):
            prices = self.sides[side]
            if self._depth and len(prices) > self._depth:
                levels += [(side, ticks) for ticks in sorted(prices, reverse=side == BUY)[self._depth :]]
        return levels


def rows(tape: Tape) -> list[Row]:
    """Return the rows of the only pair; what a snapshot leaves out and what leaves the depth is removed by rows."""
    made: list[Row] = []
    book = Book(tape.depths[0])
    names = ("exchange_ts", "kind", "side", "ticks", "lots", "flags")
    for ts, kind, side, ticks, lots, flags in zip(*(getattr(tape, name).tolist() for name in names), strict=True):
        is_last = bool(flags & Flag.LAST)
        if kind == Kind.MARK:
            continue
        if kind == Kind.TRADE:
            made.append((ts, True, side, ticks, lots, is_last))
            continue
        if flags & Flag.FIRST:
            made += [(ts, False, old, price, 0, False) for old in (BUY, SELL) for price in book.sides[old]]
            book = Book(tape.depths[0])
        book.set(side, ticks, lots)
        gone = book.beyond() if is_last else []
        made.append((ts, False, side, ticks, lots, is_last and not gone))
        for left, (old, price) in enumerate(gone, 1 - len(gone)):
            book.set(old, price, 0)
            made.append((ts, False, old, price, 0, not left))
    return made


def save(file: Path, made: list[Row], pair: Pair, rule: dict[str, float], more: dict[str, list[int]]) -> None:
    """Write rows, the rule's numbers with the pair's, and more columns, for a Python that knows nothing of ours."""
    numbers = {
        "tick": 10.0**-pair.price_precision,
        "lot": 10.0**-pair.qty_precision,
        "price_precision": pair.price_precision,
        "qty_precision": pair.qty_precision,
        **rule,
    }
    names = ("ts", "is_trade", "side", "ticks", "lots", "is_last")
    columns = {name: np.array(values) for name, values in zip(names, zip(*made, strict=True), strict=True)}
    columns |= {name: np.array(values, np.int64) for name, values in more.items()}
    np.savez(file, rule=np.array(json.dumps(numbers)), **columns)  # type: ignore[arg-type]


def touches(made: list[Row]) -> dict[str, list[int]]:
    """Return the touch after each message that changes it: its time, prices and lots."""
    columns: dict[str, list[int]] = {f"touch_{name}": [] for name in ("ts", *Touch._fields)}
    book, last = Book(0), None
    for ts, is_trade, side, ticks, lots, is_last in made:
        if is_trade:
            continue
        book.set(side, ticks, lots)
        touch = book.touch() if is_last else None
        if touch is not None and touch != last:
            for column, value in zip(columns.values(), (ts, *touch), strict=True):
                column.append(value)
            last = touch
    return columns
