"""The pure market maker, for those who know it from Hummingbot; docs/strategies.md maps the names.

    bid of level i = reference - fee - bid spread - i·spacing - skew·(position - target) / limit

and the ask on the other side; distances are in bp of the mid, and the maker fee always comes on top of the spread. It
is :class:`~strategy.models.market_maker.MarketMaker` with a choice of reference price, spreads for each side, and rules
about which orders stand: ping-pong, hanging orders, order optimisation, a moving price band and an order override.
There is no theory behind the spreads: calibrate them by backtests.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from shared import limits
from shared.messages import Orders, Quote, Side, Target
from strategy.interface import SettingError, Trigger, View
from strategy.models import market_maker
from strategy.models.hanging import HangingOrders
from strategy.models.levels import NoQuotes
from strategy.models.market_maker import MarketMaker
from strategy.models.optimisation import Optimisation
from strategy.models.price_band import PriceBand
from strategy.models.quoting import BP, SIDES, Level, fee_bps, require_positive, require_range, rounded_away, slot_name
from strategy.models.reference import OF_TRADES, PriceType, Reference


class Override(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One order of an order override: its distance over the maker fee and its size in the trading currency."""

    side: Side
    spread_bps: float
    size: Decimal

    def __post_init__(self) -> None:
        require_range(self, 0, 1000, "spread_bps")
        require_positive(self, "size")


class Settings(market_maker.Settings, frozen=True, kw_only=True):
    """The market maker's settings and these; distances in bp of the mid, money in the trading currency, times in s.

    ``bid_spread_bps`` and ``ask_spread_bps`` take the place of ``edge_bps`` on their side. ``ping_pong`` leaves out as
    many of the nearest levels as the strategy has bought (or sold) more than sold. ``hanging_orders`` lets a filled
    order's partner stay until the mid is ``hanging_cancel_bps`` away. ``optimise_orders`` quotes no nearer than just
    before the others' best price, past ``optimise_depth`` of it. ``band_ceiling_bps`` and ``band_floor_bps`` bound a
    band around the mid of every ``band_refresh_s``. Quotes are around the ``price_type`` of the pair or of
    ``price_source``. ``overrides`` are quoted instead of the levels. Distances follow the market only if asked to.
    """

    usual_volatility: float | None = None
    forecast_horizon_s: float | None = None
    bid_spread_bps: float | None = None
    ask_spread_bps: float | None = None
    ping_pong: bool = False
    hanging_orders: bool = False
    hanging_cancel_bps: float = 100.0
    optimise_orders: bool = False
    optimise_depth: Decimal = Decimal(0)
    band_ceiling_bps: float | None = None
    band_floor_bps: float | None = None
    band_refresh_s: float = 86_400.0
    price_type: PriceType = PriceType.MID
    price_source: str | None = None
    overrides: list[Override] = []

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self, 0, 1000, "bid_spread_bps", "ask_spread_bps")
        require_positive(self, "hanging_cancel_bps", "band_ceiling_bps", "band_floor_bps", "band_refresh_s")
        for name in ("bid_spread_bps", "ask_spread_bps"):
            value = getattr(self, name)
            if value is not None and value < self.min_edge_bps:
                raise SettingError(name, f"{value} is below min_edge_bps {self.min_edge_bps}")
        if not self.optimise_depth >= 0:
            raise SettingError("optimise_depth", f"must be 0 or more, found {self.optimise_depth}")
        if self.price_source is not None and self.price_type in OF_TRADES:
            raise SettingError("price_source", f"has no {self.price_type}: only prices of its book")
        for side in SIDES:
            if sum(order.side == side for order in self.overrides) > 20:
                raise SettingError("overrides", f"must be 20 a side at most, found more on the {side} side")

    def depth(self) -> int:
        """Return the number of quotes of the side that has more of them."""
        counts = [sum(order.side == side for order in self.overrides) for side in SIDES]
        return max(counts) or self.levels


class PureMarketMaker(MarketMaker):
    """Quotes the market maker's levels around the reference, as far as the rules let them stand."""

    Settings = Settings

    def __init__(self, settings: msgspec.Struct) -> None:
        assert isinstance(settings, Settings)
        super().__init__(settings)
        self.pure = settings
        self.needs = msgspec.structs.replace(
            self.needs, trades=settings.price_type is PriceType.LAST_TRADE, price_source=settings.price_source
        )
        whole_book = settings.optimise_orders or settings.price_type is PriceType.MICROPRICE
        self.trigger = Trigger.BOOK if whole_book else Trigger.TOUCH
        self._reference = Reference(settings.price_type, settings.price_source)
        self._band = PriceBand(settings.band_ceiling_bps, settings.band_floor_bps, settings.band_refresh_s)
        self._optimisation = Optimisation(settings.optimise_depth) if settings.optimise_orders else None
        most = limits.QUOTES_PER_TARGET - 2 * settings.depth()
        hangs = settings.hanging_orders and most > 0
        self._hanging = HangingOrders(settings.hanging_cancel_bps, most) if hangs else None
        self._quotes: list[Quote] = []

    def on_book(self, view: View) -> Target | None:
        """Return all quotes for the book as it is now."""
        self._quotes = []
        if not view.book.bids or not view.book.asks:
            self._ladder.clear()
            return view.withdraw("one side of the book is empty")
        self._note_fill(view)
        mid = (view.book.bids[0][0] + view.book.asks[0][0]) / 2
        reference = self._reference.price(view, mid)
        if isinstance(reference, NoQuotes):
            self._ladder.clear()
            return view.withdraw(reference.why)
        for side in SIDES:
            self._quotes += self._side_quotes(view, side, mid, reference)
        return view.target(self._quotes, f"position {view.position_worth():.2f}")

    def on_order(self, view: View, orders: Orders) -> Target | None:
        """Note own fills and resting orders; give up the price of an order that is too old."""
        if not orders.valid:
            return None
        strategy = view.position.strategy
        self._reference.on_order(orders, strategy)
        if self._optimisation is not None:
            self._optimisation.on_order(orders)
        if self._hanging is not None:
            self._hanging.note(orders, strategy, self._quotes, self.pure.depth())
        return super().on_order(view, orders)

    def _side_quotes(self, view: View, side: Side, mid: float, reference: float) -> list[Quote]:
        room = view.room(side, self._limit(view))
        quotes: list[Quote] = []
        if self._hanging is not None:
            quotes, room = self._hanging.quotes(view, side, mid, room)
        stance = self._guard.stance(view, side)
        if stance.is_left or not self._may_quote(view, side, mid) or not self._band.allows(side, view.now, mid):
            return quotes
        levels = self._levels(view, side, mid, reference, stance.widen_bps)
        if self.pure.ping_pong:
            levels = levels[self._ahead(view, side, mid) :]
        return quotes + self._ladder.quotes(view, side, mid, levels, room)

    def _levels(self, view: View, side: Side, mid: float, reference: float, widen_bps: float) -> list[Level]:
        """Return one side's levels; the optimisation moves the nearest one, and the others with it."""
        settings, sign = self.pure, -1 if side == "buy" else 1
        own = settings.bid_spread_bps if side == "buy" else settings.ask_spread_bps
        edge = settings.edge_bps if own is None else own
        wanted = [(edge + n * settings.spacing_bps, self._size(n)) for n in range(settings.levels)]
        if settings.overrides:
            wanted = [(order.spread_bps, order.size) for order in settings.overrides if order.side == side]
        stretch = self._stretch(view)
        centre = reference + mid * self._shift_bps(view, stretch) * BP
        least = mid * (fee_bps(view) + settings.min_edge_bps) * BP
        levels, back = [], 0.0
        for number, (spread_bps, size) in enumerate(wanted):
            away = mid * (fee_bps(view) + stretch * spread_bps + widen_bps) * BP
            price = mid + sign * max(sign * (centre - mid) + away, least)
            if number == 0 and self._optimisation is not None:
                back = self._optimisation.price(view, side, price) - price
            slot = self._hanging.slot(side, number) if self._hanging is not None else slot_name(side, number)
            levels.append(Level(slot, rounded_away(view, side, price + back), size))
        return levels

    def _ahead(self, view: View, side: Side, mid: float) -> int:
        """Return how many more fills of ``size`` the strategy has on this side than on the other, 0 or more."""
        price = Decimal(mid).scaleb(-view.pair.price_precision) * view.rate
        held = Decimal(view.position.position).scaleb(-view.pair.qty_precision) * price / self.pure.size
        return max(0, round(held if side == "buy" else -held))
