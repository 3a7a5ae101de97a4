"""The report as files: JSON, Parquet tables, and a page."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from backtest.errors import DataError
from backtest.exact.run import Outcome
from backtest.report.delays import Delays
from backtest.report.figures import Course, Curve
from backtest.report.page import page
from backtest.report.report import Report
from shared.attribution import HORIZONS_S, MarkedFill
from shared.numbers import text


def write(folder: Path, report: Report, outcome: Outcome, course: Course, delays: Delays) -> None:
    """Write everything into a folder, which is made. Raises DataError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
        (folder / "report.html").write_text(page(report, outcome, course, delays), encoding="utf-8")
        for name, table in tables(outcome, course).items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror or error}; name another folder with --out") from error


def tables(outcome: Outcome, course: Course) -> dict[str, pa.Table]:
    """Return fills, changes of own orders, the touch, and the equity as tables; times in ns since the epoch."""
    return {
        "fills": _fills(outcome, course.fills),
        "orders": _orders(outcome),
        "touch": _touch(outcome),
        "equity": _equity(course.curve),
    }


def _fills(outcome: Outcome, fills: list[MarkedFill]) -> pa.Table:
    rows = []
    for fill, mark in zip(outcome.fills, fills, strict=True):
        place = outcome.places.get(fill.number)
        rows.append(
            {
                "ts": fill.ns,
                "symbol": fill.pair.symbol,
                "order": fill.number,
                "cl_ord_id": fill.cl_ord_id,
                "side": fill.side,
                "price": text(fill.price, fill.pair.price_precision),
                "qty": text(fill.qty, fill.pair.qty_precision),
                "fee": text(fill.fee, fill.pair.cost_precision),
                "is_maker": fill.maker,
                "mid": str(mark.mid),
                "order_age_s": (fill.ns - outcome.opened[fill.number]) / 1e9,
                "queue_ahead_lots": place[0] if place is not None and place[1] else None,
                **{f"markout_{h:g}s_bps": mark.markout_bps(h) for h in HORIZONS_S},
            }
        )
    names = ["ts", "symbol", "order", "cl_ord_id", "side", "price", "qty", "fee", "is_maker", "mid", "order_age_s"]
    empty = pa.table({name: pa.array([], pa.int64() if name == "ts" else pa.string()) for name in names})
    return pa.Table.from_pylist(rows) if rows else empty


def _orders(outcome: Outcome) -> pa.Table:
    changes = outcome.order_changes
    arrived = {number: lots for number, (lots, is_known) in outcome.places.items() if is_known}
    return pa.table(
        {
            "ts": pa.array([change.ts for change in changes], pa.int64()),
            "order": pa.array([change.number for change in changes], pa.int64()),
            "symbol": pa.array([change.symbol for change in changes], pa.string()),
            "side": pa.array([change.side for change in changes], pa.string()),
            "price_ticks": pa.array([change.price for change in changes], pa.int64()),
            "remaining_lots": pa.array([change.remaining for change in changes], pa.int64()),
            "queue_ahead_at_arrival_lots": pa.array([arrived.get(change.number) for change in changes], pa.int64()),
            "queue_ahead_at_fill_lots": pa.array(
                [outcome.ahead_at_fill.get(change.number) for change in changes], pa.int64()
            ),
        }
    )


def _touch(outcome: Outcome) -> pa.Table:
    parts = [
        pa.table(
            {
                "ts": pa.array(mids.ts, pa.int64()),
                "symbol": pa.array([symbol] * len(mids.ts), pa.string()),
                "bid_ticks": pa.array(mids.bids, pa.int64()),
                "ask_ticks": pa.array(mids.asks, pa.int64()),
            }
        )
        for symbol, mids in outcome.mids.items()
    ]
    return pa.concat_tables(parts)


def _equity(curve: Curve) -> pa.Table:
    columns = {"ts": pa.array(curve.ts, pa.int64()), "equity": pa.array(curve.equity, pa.float64())}
    for symbol, values in curve.inventory.items():
        columns[f"inventory {symbol}"] = pa.array(values, pa.float64())
    return pa.table(columns)
