"""The figures that the reports of both engines have, and mean the same in both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from shared.attribution import Attribution, MarkedFill, markouts
from shared.numbers import plain


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
    the data's levels reach, by pair.
    """

    strategy: str
    pairs: list[str]
    rows: int
    seconds: float
    wall_s: float
    rows_per_s: float
    queue: str
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
