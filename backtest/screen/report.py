"""The report of ``tradebyte screen``: that of the exact engine, without what only the executor knows."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from backtest.report.earned import BoundShown, Earned, mean_markouts, parts_of, queue_name, turnover_of
from backtest.report.figures import quantiles
from backtest.screen.moves import Moves
from backtest.screen.played import Pace
from backtest.screen.run import PairRun
from shared.attribution import Attribution
from shared.clock import MS, SECOND
from shared.config import Trading
from shared.kraken.counters import TIERS
from shared.numbers import plain


class ScreenReport(Earned, frozen=True, kw_only=True):
    """The object that ``tradebyte screen --json`` prints.

    ``engine`` is ``rust`` where a built-in rule played, ``python`` where the strategy's own class did.
    ``queue_ahead_at_arrival`` is what was ahead of filled orders as they came to rest, by pair, in the base asset.
    ``rate_level_highest`` is the highest level of each pair's counter, which Kraken keeps within ``rate_level_most``;
    ``rate_rejects`` are the requests that it would have rejected for that.
    """

    engine: str
    moves: Moves
    every_ms: float | None
    latency_ms: float
    position: dict[str, float]
    order_age_s: dict[str, float | None]
    queue_ahead_at_arrival: dict[str, dict[str, float | None]]
    decisions: int
    requests: int
    refused: int
    rate_points: float
    rate_level_highest: dict[str, float]
    rate_level_most: float
    rate_rejects: int


def make(runs: list[PairRun], strategy: str, queue: str, pace: Pace, trading: Trading) -> ScreenReport:
    """Return the report of all pairs' runs."""
    fills = [fill for run in runs for fill in run.account.fills]
    parts = sum((run.account.parts for run in runs), Attribution())
    pnl = sum((run.account.pnl for run in runs), Decimal(0))
    turnover, (means, errors) = turnover_of(fills), mean_markouts(fills)
    wall_s, rows = sum(run.wall_s for run in runs), sum(run.rows for run in runs)
    counts = [run.played.counts for run in runs]
    ages = [(fill.ts - fill.opened_ts) / SECOND for run in runs for fill in run.played.fills]
    level3 = [run.symbol for run in runs if run.is_by_order]
    outside = sum(run.stats["outside_fills"] for run in runs)
    return ScreenReport(
        strategy=strategy,
        engine="rust" if all(run.is_built_in for run in runs) else "python",
        pairs=[run.symbol for run in runs],
        rows=rows,
        seconds=max(run.seconds for run in runs),
        wall_s=round(wall_s, 4),
        rows_per_s=round(rows / wall_s),
        queue=queue_name(queue, [run.symbol for run in runs], level3),
        level3=level3,
        moves=pace.moves,
        every_ms=None if pace.every_ns is None else pace.every_ns / MS,
        latency_ms=pace.one_way_ns / MS,
        currency=trading.currency,
        fills=len(fills),
        pnl=plain(pnl),
        attribution=parts_of(parts, pnl),
        pnl_per_fill_bps=float(pnl / turnover) * 10_000 if turnover else None,
        markouts_bps=means,
        markout_errors_bps=errors,
        bounds=_bounds(runs),
        outside_depth_share=outside / len(fills) if fills else None,
        coverage_bps={run.symbol: run.coverage_bps for run in runs},
        queue_ahead_at_arrival={run.symbol: quantiles(_firsts(run, "ahead")) for run in runs},
        queue_ahead_at_fill={run.symbol: quantiles(_firsts(run, "ahead_at_fill")) for run in runs},
        turnover=plain(turnover),
        position={run.symbol: run.played.position / 10**run.qty_precision for run in runs},
        order_age_s=quantiles(ages),
        decisions=sum(each.decisions for each in counts),
        requests=sum(each.submits + each.amends + each.cancels for each in counts),
        refused=sum(each.refused for each in counts),
        rate_points=sum(run.rate.points for run in runs),
        rate_level_highest={run.symbol: round(run.rate.highest, 2) for run in runs},
        rate_level_most=TIERS[trading.tier].threshold,
        rate_rejects=sum(run.rate.over for run in runs),
    )


def _firsts(run: PairRun, name: Literal["ahead", "ahead_at_fill"]) -> list[float]:
    """Return a quantity of each filled order at its first fill, in the base asset, where it is known."""
    first: dict[int, int | None] = {}
    for fill in run.played.fills:
        first.setdefault(fill.order_id, fill.ahead if name == "ahead" else fill.ahead_at_fill)
    return [lots / 10**run.qty_precision for lots in first.values() if lots is not None]


def _bounds(runs: list[PairRun]) -> dict[str, BoundShown]:
    bounds = {}
    for name in runs[0].bounds:
        theirs = [run.bounds[name] for run in runs]
        pnl = sum((each.pnl for each in theirs), Decimal(0))
        fills, orders = sum(each.fills for each in theirs), sum(each.orders for each in theirs)
        bounds[name] = BoundShown(queue=theirs[0].queue, fills=fills, orders=orders, pnl=plain(pnl))
    return bounds
