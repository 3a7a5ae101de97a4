"""The distance from the mid that trades reach, and the mid's path between them, of one pair's recorded rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.data.columns import SELL, Columns, Kind
from backtest.exact.history import Mids
from backtest.exact.replayed import Tape, merge
from backtest.venue.implementation import Market, load_market
from backtest.venue.queue_market import Stop

BP = 1e-4
Times = np.ndarray[tuple[int], np.dtype[np.int64]]
Values = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Takers by time (ns since the epoch): how far each reached from the mid just before it, in bp.

    ``spans`` are the times with a book of both sides. ``half_spreads_bps`` are those that the takers met, ``tick_bps``
    is the price step at the last of them.
    """

    ts: Times
    depth_bps: Values
    half_spreads_bps: Values
    tick_bps: float
    mids: Mids
    spans: list[tuple[int, int]]

    @property
    def live_ns(self) -> int:
        """Return the time with a book."""
        return sum(end - begin for begin, end in self.spans)


class _Reader:
    """Plays a tape of one pair and notes what its takers reached."""

    def __init__(self, tape: Tape, step: int) -> None:
        self._tape, self._step = tape, step
        self._market: Market = load_market(1)
        tape.play_on(self._market)
        self._touch: tuple[int, int] | None = None
        self._since = 0
        self._mids = Mids()
        self._spans: list[tuple[int, int]] = []
        self._rows: list[tuple[int, float, float]] = []
        # The taker whose trades come: time, side and the touch that it met.
        self._taker: tuple[int, int] | None = None
        self._met: tuple[int, int] | None = None

    def read(self) -> Arrivals:
        """Return what all rows have."""
        end_ts = int(self._tape.exchange_ts[-1])
        stop = int(Stop.TOUCH | Stop.TRADE | Stop.MARK)
        while True:
            why, _, first, end = self._market.advance(end_ts, stop)
            if not why:
                break
            if why & Stop.TRADE:
                self._take(first, end)
            self._note_touch()
        self._end_span(end_ts)
        ts, depths, spreads = zip(*self._rows, strict=True) if self._rows else ((), (), ())
        tick_bps = 2 * self._step / sum(self._met) / BP if self._met else 0.0
        return Arrivals(
            np.array(ts, np.int64),
            np.array(depths, np.float64),
            np.array(spreads, np.float64),
            tick_bps,
            self._mids,
            self._spans,
        )

    def _take(self, first: int, end: int) -> None:
        """Note the trades of a message; those of one time and side are one taker's."""
        tape = self._tape
        for row in range(first, end):
            if tape.kind[row] != Kind.TRADE:
                continue
            taker = int(tape.exchange_ts[row]), int(tape.side[row])
            is_same = taker == self._taker
            if not is_same:
                self._taker, self._met = taker, self._touch
            if self._met is None:
                continue
            bid, ask = self._met
            # In half ticks, so that a trade at the touch has the very depth of the half spread.
            beyond = 2 * int(tape.ticks[row]) - (bid + ask)
            depth_bps = (-beyond if taker[1] == SELL else beyond) / (bid + ask) / BP
            if is_same and self._rows:
                depth_bps = max(depth_bps, self._rows.pop()[1])
            self._rows.append((taker[0], depth_bps, (ask - bid) / (bid + ask) / BP))

    def _note_touch(self) -> None:
        bid = ask = None
        if self._market.is_live(0):
            bid, ask = self._market.best(0, "buy"), self._market.best(0, "sell")
        touch = (bid[0], ask[0]) if bid is not None and ask is not None else None
        now = self._market.now()
        if touch is not None:
            self._mids.add(now, *touch)
            if self._touch is None:
                self._since = now
        else:
            self._end_span(now)
        self._touch = touch

    def _end_span(self, now: int) -> None:
        if self._touch is not None:
            self._spans.append((self._since, now))
            self._touch = None


def measure(columns: Columns) -> Arrivals:
    """Return the arrivals of a pair's rows."""
    return _Reader(merge({columns.pair.symbol: columns}), columns.pair.price_increment).read()
