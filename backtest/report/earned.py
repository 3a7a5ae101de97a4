"""The figures that the reports of both engines have, and mean the same in both."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from decimal import Decimal

import msgspec

from shared.attribution import Attribution, MarkedFill, markouts
from shared.numbers import plain

# Instead of a rule of the queue, where every single order is known.
LEVEL3 = "level3"


class BoundShown(msgspec.Struct, frozen=True, kw_only=True):
    """The same requests under one rule of the queue; ``orders`` are those with any fill."""

    queue: str
    fills: int
    orders: int
    pnl: str


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the profit (:mod:`shared.attribution`); they and ``unexplained`` add up to it."""

    spread: str
    adverse: str
    drift: str
    fees: str
    fx: str
    rounding: str
    unexplained: str


class Earned(msgspec.Struct, frozen=True, kw_only=True):
    """The profit on data, and where it comes from. Money is decimal text in ``currency``; ``*_s`` are s, ``*_bps`` bp.

    ``seconds`` are of data, ``wall_s`` what they took. ``markouts_bps`` is the mean by horizon (s),
    ``markout_errors_bps`` its standard error; null without fills. ``outside_depth_share`` is the share of fills of
    orders whose place in the queue the data did not show, null without fills. ``coverage_bps`` is how far from the mid
    the data's levels reach, by pair. ``level3`` are the pairs whose queues the data have order by order; ``queue`` is
    ``level3`` where all do. ``queue_ahead_at_fill`` is what was still ahead of orders at their first fill, by pair, in
    the base asset: more than 0 where a trade at a worse price or the other side reached them.
    """

    strategy: str
    pairs: list[str]
    rows: int
    seconds: float
    wall_s: float
    rows_per_s: float
    queue: str
    level3: list[str]
    currency: str
    fills: int
    pnl: str
    attribution: Parts
    pnl_per_fill_bps: float | None
    turnover: str
    markouts_bps: dict[str, float | None]
    markout_errors_bps: dict[str, float | None]
    bounds: dict[str, BoundShown]
    outside_depth_share: float | None
    coverage_bps: dict[str, float | None]
    queue_ahead_at_fill: dict[str, dict[str, float | None]]


def queue_name(queue: str, pairs: Collection[str], level3: Collection[str]) -> str:
    """Return the rule of the queue of a run: none is needed where every pair has single orders."""
    return LEVEL3 if set(level3) == set(pairs) else queue


def parts_of(parts: Attribution, pnl: Decimal) -> Parts:
    """Return the parts of a profit as text."""
    return Parts(
        spread=plain(parts.spread),
        adverse=plain(parts.adverse),
        drift=plain(parts.drift),
        fees=plain(parts.fees),
        fx=plain(parts.fx),
        rounding=plain(parts.rounding),
        unexplained=plain(parts.unexplained(pnl)),
    )


def turnover_of(fills: Sequence[MarkedFill]) -> Decimal:
    """Return what the fills' sides were worth together, in the trading currency."""
    return sum((fill.qty * fill.price * fill.rate for fill in fills), Decimal(0))


def mean_markouts(fills: Sequence[MarkedFill]) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Return the mean markout in bp by horizon (s) and its standard error; None where they are not known."""
    means = markouts(fills)
    return (
        {f"{each.horizon_s:g}": _or_none(each.mean_bps) for each in means},
        {f"{each.horizon_s:g}": _or_none(each.error_bps) for each in means},
    )


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
