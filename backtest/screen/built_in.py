"""The rules that the fast engine has in Rust: a quoter at a fixed distance, and the project's market maker.

Money is in units of ``10 ** -(price precision + quantity precision + 6) / 2`` of the trading currency: a lot at a tick
is worth two million of them, and a mid between two ticks is whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, TypedDict, runtime_checkable

from backtest.exact.history import Mids
from backtest.screen.played import Counts, Pace, Played, ScreenFill, operation
from shared.config import Trading
from shared.messages import Pair, Side
from strategy.interface import HEADROOM
from strategy.models.market_maker import Settings


@dataclass(frozen=True, slots=True)
class FixedRule:
    """Two quotes of ``qty`` lots at a distance from the mid; a side that would pass ``max_position`` is left."""

    distance_bps: float
    qty: int
    max_position: int
    price_step: int


@dataclass(frozen=True, slots=True)
class MakerRule:
    """The market maker's settings, the pair's steps and minimums, and the limits."""

    sizes: list[int]
    quotes_bids: bool
    quotes_asks: bool
    fee_bps: float
    edge_bps: float
    min_edge_bps: float
    spacing_bps: float
    tolerance_bps: float
    skew_bps: float
    usual_volatility: float | None
    forecast_horizon_s: float | None
    inventory_target: int
    limit: int
    max_position: int
    max_order: int
    min_order: int
    cost_min: int
    qty_min: int
    qty_step: int
    price_step: int


Rule = FixedRule | MakerRule


class Screening(TypedDict):
    """The outcome as Rust gives it."""

    fills: list[tuple[int, int, Side, int, int, int | None, int, int | None]]
    requests: list[tuple[int, int, Side | None, int | None, int | None]]
    touch_ts: list[int]
    touch_bids: list[int]
    touch_asks: list[int]
    decisions: int
    submits: int
    amends: int
    cancels: int
    refused: int
    position: int


@runtime_checkable
class RustMarket(Protocol):
    """The one method of Rust's queue market that the reference does not have."""

    def screen(self, rule: Rule, every_ns: int | None, delays_ns: tuple[int, int, int, int], end_ts: int) -> Screening:
        """Play the market to its end."""


def maker_rule(settings: Settings, trading: Trading, pair: Pair, maker_fee: str) -> MakerRule | None:
    """Return the rule of these settings; None for a setting that only the class in Python knows."""
    others = (settings.max_order_age_s, settings.price_ceiling, settings.price_floor, settings.guard)
    if settings.filled_order_delay_s or any(setting is not None for setting in others):
        return None

    def units(amount: Decimal) -> int:
        return int(amount.scaleb(pair.price_precision + pair.qty_precision + 6) * 2)

    limit = min(settings.max_position or trading.max_position_size, trading.max_position_size)
    return MakerRule(
        sizes=[units(size) for size in settings.sizes or [settings.size] * settings.levels],
        quotes_bids=settings.sides in ("both", "buy"),
        quotes_asks=settings.sides in ("both", "sell"),
        fee_bps=float(maker_fee) * 100,
        edge_bps=settings.edge_bps,
        min_edge_bps=settings.min_edge_bps,
        spacing_bps=settings.spacing_bps,
        tolerance_bps=settings.tolerance_bps,
        skew_bps=settings.skew_bps,
        usual_volatility=settings.usual_volatility,
        forecast_horizon_s=settings.forecast_horizon_s,
        inventory_target=units(settings.inventory_target),
        limit=units(limit),
        max_position=units(limit * HEADROOM),
        max_order=units(trading.max_order_size * HEADROOM),
        min_order=units(trading.min_order_size),
        cost_min=units(Decimal(pair.cost_min)),
        qty_min=pair.qty_min,
        qty_step=pair.qty_increment,
        price_step=pair.price_increment,
    )


def play(market: RustMarket, rule: Rule, pace: Pace, end_ts: int) -> Played:
    """Play a market of one pair by a rule in Rust."""
    delays_ns = (pace.one_way_ns, pace.submit_ns, pace.amend_ns, pace.cancel_ns)
    made = market.screen(rule, pace.every_ns, delays_ns, end_ts)
    return Played(
        [ScreenFill(*fill) for fill in made["fills"]],
        Mids(made["touch_ts"], made["touch_bids"], made["touch_asks"]),
        Counts(made["decisions"], made["submits"], made["amends"], made["cancels"], made["refused"]),
        made["position"],
        [operation(*request) for request in made["requests"]],
    )
