"""Made-up days of BTC/USD: levels that wander around a mid that does, and trades at the touch."""

from __future__ import annotations

from random import Random

import pyarrow as pa

from backtest.data.columns import BUY, SCHEMA, SELL, Columns, Flag, Kind
from backtest.exact.pairs import pair_message
from shared.clock import MS

BEGIN = 1_800_000_000 * 10**9
LOT = 1_000


def day(seed: int, messages: int, gap_at: int = -1) -> Columns:
    """A day of so many messages; one is a mark, with a snapshot after it."""
    rng = Random(seed)
    rows: list[tuple[int, int, int, int, int, int, int]] = []
    mid, ts, needs_snapshot = 652_000, BEGIN, True
    for number in range(messages):
        ts += rng.randint(1, 60) * MS
        mid += rng.choice((-9, -4, 0, 0, 0, 0, 4, 9))
        if number == gap_at:
            rows.append((ts, ts, Kind.MARK, BUY, 0, 1, Flag.LAST))
            needs_snapshot = True
        elif needs_snapshot:
            needs_snapshot = False
            levels = [
                (side, mid + sign * (1 + 3 * step)) for side, sign in ((BUY, -1), (SELL, 1)) for step in range(12)
            ]
            rows += _message(ts, Kind.SNAPSHOT, [(*level, rng.randint(1, 900) * LOT) for level in levels])
        elif rng.random() < 0.3:
            side = rng.choice((BUY, SELL))
            price = mid + rng.randint(0, 14) * (1 if side == BUY else -1)
            rows += _message(ts, Kind.TRADE, [(side, price, rng.randint(1, 300) * LOT)])
        else:
            rows += _message(ts, Kind.LEVEL, _moved(rng, mid))
    columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)]
    return Columns(pair_message("BTC/USD"), 0, pa.Table.from_arrays(columns, schema=SCHEMA))


def _moved(rng: Random, mid: int) -> list[tuple[int, int, int]]:
    """Changes that leave a sound book around the mid: what stands on the wrong side of it goes."""
    gone = [(BUY, mid + step, 0) for step in range(12)] + [(SELL, mid - step, 0) for step in range(12)]
    added = []
    for side, sign in ((BUY, -1), (SELL, 1)):
        added.append((side, mid + sign * rng.randint(1, 3), rng.randint(1, 600) * LOT))
        added.append((side, mid + sign * rng.randint(1, 300), rng.randint(0, 900) * LOT))
    return gone + added


def _message(ts: int, kind: Kind, levels: list[tuple[int, int, int]]) -> list[tuple[int, int, int, int, int, int, int]]:
    rows = []
    for at, (side, price, lots) in enumerate(levels):
        flags = Flag.FIRST if kind is Kind.SNAPSHOT and at == 0 else Flag(0)
        if at == len(levels) - 1:
            flags |= Flag.LAST
        rows.append((ts, ts + 5 * MS, int(kind), side, price, lots, int(flags)))
    return rows
