"""A market maker: levels of quotes around the mid, shifted against the inventory, never inside the maker fee.

    stretch = volatility / usual_volatility, 1 to 10
    distance of level i = maker fee + stretch·(edge + i·spacing) ± (stretch·skew·(position - target) / limit - forecast)

A quote that the mid moves through within seconds is a loss: so distances grow with the volatility above what they were
set for, and both sides lean with what the mid is expected to do (:mod:`strategy.signals.forecast`).
Until these signals are valid, and without their settings, the stretch is 1 and the forecast 0.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from shared.clock import SECOND
from shared.messages import Orders, OrderState, Position, Quote, Side, Target
from strategy.interface import SettingError, Strategy, Trigger, View
from strategy.models.guard import Guard, GuardSettings, Stance
from strategy.models.quoting import (
    BP,
    SIDES,
    Ladder,
    Level,
    fee_bps,
    require_positive,
    require_range,
    rounded_away,
    slot_name,
)
from strategy.signals.values import Needs

VOLATILITY_HALF_LIFE_S = 300.0
# So far distances grow, and both sides lean: what moves the mid further is no case for quotes.
STRETCH_MOST, FORECAST_MOST_BPS = 10.0, 10.0


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The market maker's settings; distances in basis points of the mid, money in the trading currency, times in s.

    ``edge_bps`` is on top of the maker fee; the skew must leave ``min_edge_bps`` of it. ``sizes`` gives each level its
    own size instead of ``size``. ``skew_bps`` is how far both sides shift when the position is at its maximum.
    ``usual_volatility`` (bp per √s) is what edge, spacing and skew are set for: above it they grow in proportion; None
    leaves them. ``forecast_horizon_s`` is how far ahead the mid is forecast, to lean both sides by it; None does not.
    ``tolerance_bps`` is how far the wanted price may drift before a quote moves; an order older than
    ``max_order_age_s`` moves at any drift. After a fill its side waits ``filled_order_delay_s``. At ``price_ceiling``
    and above only sells are quoted, at ``price_floor`` and below only buys. ``max_position`` is capped by
    ``trading.max_position_size``; ``inventory_target`` is the position that the skew pulls towards. ``guard``
    gives way on a side whose fills lose.
    """

    levels: int = 2
    size: Decimal = Decimal(100)
    sizes: list[Decimal] = []
    edge_bps: float = 2.5
    min_edge_bps: float = 0.0
    spacing_bps: float = 1.5
    tolerance_bps: float = 0.5
    skew_bps: float = 3.0
    usual_volatility: float | None = 1.0
    forecast_horizon_s: float | None = 10.0
    inventory_target: Decimal = Decimal(0)
    max_position: Decimal | None = None
    max_order_age_s: float | None = None
    filled_order_delay_s: float = 0.0
    price_ceiling: Decimal | None = None
    price_floor: Decimal | None = None
    sides: Literal["both", "buy", "sell"] = "both"
    guard: GuardSettings | None = None

    def __post_init__(self) -> None:
        require_range(self, 1, 20, "levels")
        if self.sizes and len(self.sizes) != self.levels:
            raise SettingError("sizes", f"must have one size for each of {self.levels} levels, found {len(self.sizes)}")
        for size in [self.size, *self.sizes]:
            if not size > 0:
                raise SettingError("size", f"must be above 0, found {size}")
        require_range(self, 0, 1000, "edge_bps", "min_edge_bps", "spacing_bps", "tolerance_bps", "skew_bps")
        if self.min_edge_bps > self.edge_bps:
            raise SettingError("min_edge_bps", f"{self.min_edge_bps} is above edge_bps {self.edge_bps}")
        if self.levels > 1 and self.spacing_bps == 0:
            raise SettingError("spacing_bps", "must be above 0 with more than one level")
        require_positive(self, "max_position", "price_ceiling", "price_floor", "max_order_age_s")
        require_range(self, 0.01, 1000, "usual_volatility")
        require_range(self, 1, 600, "forecast_horizon_s")
        require_range(self, 0, 3600, "filled_order_delay_s")
        if self.price_ceiling is not None and self.price_floor is not None and self.price_floor >= self.price_ceiling:
            raise SettingError("price_floor", f"{self.price_floor} is not below price_ceiling {self.price_ceiling}")


class MarketMaker(Strategy):
    """Quotes ``levels`` on each side; within the tolerance a quote keeps its price, and so its place in the queue."""

    Settings = Settings
    trigger = Trigger.TOUCH

    def __init__(self, settings: msgspec.Struct) -> None:
        assert isinstance(settings, Settings)
        self.settings = settings
        self._guard = Guard(settings.guard)
        self.needs = self._guard.needs(
            Needs(
                volatility_half_life_s=None if settings.usual_volatility is None else VOLATILITY_HALF_LIFE_S,
                forecast_horizon_s=settings.forecast_horizon_s,
            )
        )
        self._ladder = Ladder(settings.tolerance_bps, settings.min_edge_bps)
        self._position_seen: Position | None = None
        self._waits_until: dict[Side, int] = {"buy": 0, "sell": 0}

    def on_book(self, view: View) -> Target | None:
        """Return all quotes for the book as it is now."""
        if not view.book.bids or not view.book.asks:
            self._ladder.clear()
            return view.withdraw("one side of the book is empty")
        self._note_fill(view)
        mid = (view.book.bids[0][0] + view.book.asks[0][0]) / 2
        limit, stretch = self._limit(view), self._stretch(view)
        shift_bps = self._shift_bps(view, stretch)
        quotes: list[Quote] = []
        for side in SIDES:
            stance = self._guard.stance(view, side)
            if self._may_quote(view, side, mid) and not stance.is_left:
                levels = self._side(view, side, mid, stretch, shift_bps, stance)
                quotes += self._ladder.quotes(view, side, mid, levels, view.room(side, limit))
        return view.target(quotes, f"position {view.position_worth():.2f}")

    def on_order(self, view: View, orders: Orders) -> Target | None:
        """Give up the price of an order that is too old."""
        oldest = self.settings.max_order_age_s
        if oldest is None:
            return None
        for order in orders.orders:
            age_s = (orders.ts - order.changed_ts) / SECOND
            if order.state is OrderState.OPEN and age_s > oldest:
                self._ladder.release(order.slot)
        return None

    def resume(self, target: Target) -> None:
        """Hold the prices of a published target."""
        self._ladder.resume(target.quotes)

    def _limit(self, view: View) -> Decimal:
        return min(self.settings.max_position or view.max_position, view.max_position)

    def _tilt(self, view: View) -> float:
        """Return how far the position is from its target, by the limit: -1 to 1."""
        away = view.position_worth() - self.settings.inventory_target
        return max(-1.0, min(1.0, float(away / self._limit(view))))

    def _size(self, level: int) -> Decimal:
        return self.settings.sizes[level] if self.settings.sizes else self.settings.size

    def _note_fill(self, view: View) -> None:
        before, now = self._position_seen, view.position
        self._position_seen = now
        if before is None or now.fills == before.fills or not self.settings.filled_order_delay_s:
            return
        until = view.now + int(self.settings.filled_order_delay_s * SECOND)
        if now.position >= before.position:
            self._waits_until["buy"] = until
        if now.position <= before.position:
            self._waits_until["sell"] = until

    def _may_quote(self, view: View, side: Side, mid: float) -> bool:
        if self.settings.sides not in ("both", side) or view.now < self._waits_until[side]:
            return False
        price = Decimal(mid).scaleb(-view.pair.price_precision)
        ceiling, floor = self.settings.price_ceiling, self.settings.price_floor
        if side == "buy":
            return ceiling is None or price < ceiling
        return floor is None or price > floor

    def _stretch(self, view: View) -> float:
        """Return how much larger distances are than they were set."""
        usual, volatility = self.settings.usual_volatility, view.signals.volatility
        if usual is None or not volatility.is_valid:
            return 1.0
        return min(max(1.0, volatility.value / usual), STRETCH_MOST)

    def _shift_bps(self, view: View, stretch: float) -> float:
        """Return how far both sides move up: against the position, and with what the mid is expected to do."""
        forecast = view.signals.forecast
        lean = max(-FORECAST_MOST_BPS, min(FORECAST_MOST_BPS, forecast.value)) if forecast.is_valid else 0.0
        return lean - stretch * self.settings.skew_bps * self._tilt(view)

    def _side(
        self, view: View, side: Side, mid: float, stretch: float, shift_bps: float, stance: Stance
    ) -> list[Level]:
        levels = []
        for level in range(self.settings.levels):
            away = stretch * (self.settings.edge_bps + level * self.settings.spacing_bps)
            price = self._price(view, side, mid, fee_bps(view) + away + stance.widen_bps, shift_bps)
            levels.append(Level(slot_name(side, level), price, self._size(level)))
        return levels

    def _price(self, view: View, side: Side, mid: float, away: float, shift_bps: float) -> int:
        """Return the wanted price: so far from the mid in bp, both sides shifted against inventory and with the mid."""
        sign = -1 if side == "buy" else 1
        # The shift may reduce the edge to its minimum, but never the fee: inside the fee every fill is a loss.
        distance = max(away + sign * shift_bps, fee_bps(view) + self.settings.min_edge_bps)
        return rounded_away(view, side, mid * (1 + sign * distance * BP))
