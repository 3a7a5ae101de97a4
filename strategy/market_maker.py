"""A market maker: levels of quotes around the mid, shifted against the inventory, never inside the maker fee."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from shared.messages import Quote, Side, Target
from shared.numbers import notional, unscale
from strategy.interface import Strategy, View

BP = 1e-4


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The market maker's settings; distances in basis points of the mid, money in quote currency.

    ``edge_bps`` counts over the maker fee. ``skew_bps`` is how far both sides shift when the position is at its
    maximum. ``tolerance_bps`` is how far the wanted price may drift before a quote moves. ``max_position`` is capped by
    ``trading.max_position_size``; ``inventory_target`` is the position the skew pulls towards.
    """

    levels: int = 2
    size: Decimal = Decimal(100)
    edge_bps: float = 1.5
    spacing_bps: float = 1.5
    tolerance_bps: float = 0.5
    skew_bps: float = 3.0
    inventory_target: Decimal = Decimal(0)
    max_position: Decimal | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= 20:
            raise ValueError(f"levels must be 1 to 20, found {self.levels}")
        if not self.size > 0:
            raise ValueError(f"size must be above 0, found {self.size}")
        for name in ("edge_bps", "spacing_bps", "tolerance_bps", "skew_bps"):
            value = getattr(self, name)
            if not 0 <= value <= 1000:
                raise ValueError(f"{name} must be 0 to 1000, found {value}")
        if self.levels > 1 and self.spacing_bps == 0:
            raise ValueError("spacing_bps must be above 0 with more than one level")
        if self.max_position is not None and not self.max_position > 0:
            raise ValueError(f"max_position must be above 0, found {self.max_position}")


class MarketMaker(Strategy):
    """Quotes ``levels`` a side; a quote keeps its price, and so its place in the queue, within the tolerance."""

    Settings = Settings

    def __init__(self, settings: msgspec.Struct) -> None:
        assert isinstance(settings, Settings)
        self.settings = settings
        self._prices: dict[str, int] = {}

    def on_book(self, view: View) -> Target | None:
        """All quotes for the book as it is now."""
        if not view.book.bids or not view.book.asks:
            self._prices.clear()
            return view.withdraw("one side of the book is empty")
        mid = (view.book.bids[0][0] + view.book.asks[0][0]) / 2
        position = self._position(view, mid)
        limit = min(self.settings.max_position or view.max_position, view.max_position)
        tilt = max(-1.0, min(1.0, float((position - self.settings.inventory_target) / limit)))
        quotes = self._side(view, "buy", mid, tilt, limit - position)
        quotes += self._side(view, "sell", mid, tilt, limit + position)
        return view.target(quotes, f"position {position:.2f}")

    def _position(self, view: View, mid: float) -> Decimal:
        """The account's position in quote currency at the mid."""
        base = unscale(view.position.account_position, view.pair.qty_precision)
        return base * Decimal(mid).scaleb(-view.pair.price_precision)

    def _side(self, view: View, side: Side, mid: float, tilt: float, room: Decimal) -> list[Quote]:
        quotes = []
        for level in range(self.settings.levels):
            slot = f"{'b' if side == 'buy' else 'a'}{level}"
            price = self._price(view, side, level, mid, tilt)
            held = self._prices.get(slot)
            if held is not None and self._holds(view, side, held, price, mid):
                price = held
            qty = self._qty(view, price, min(self.settings.size, room))
            if qty == 0:
                self._prices.pop(slot, None)
                continue
            self._prices[slot] = price
            room -= notional(price, qty, view.pair.price_precision, view.pair.qty_precision)
            quotes.append(Quote(slot=slot, side=side, price=price, qty=qty))
        return quotes

    def _price(self, view: View, side: Side, level: int, mid: float, tilt: float) -> int:
        """The wanted price: away from the mid by fee, edge and level, shifted against the inventory."""
        fee_bps = float(view.fees.maker) * 100
        away = fee_bps + self.settings.edge_bps + level * self.settings.spacing_bps
        shift = -self.settings.skew_bps * tilt
        sign = -1 if side == "buy" else 1
        # The skew may take the edge, never the fee: inside it every fill loses by itself.
        distance = max(away + sign * shift, fee_bps)
        return self._clear(view, side, mid * (1 + sign * distance * BP))

    def _clear(self, view: View, side: Side, price: float) -> int:
        """Rounded away from the touch to the pair's increment, and on our own side of the other touch."""
        step = view.pair.price_increment
        if side == "buy":
            return int(min(price, view.book.asks[0][0] - step) // step) * step
        return -int(-max(price, view.book.bids[0][0] + step) // step) * step

    def _holds(self, view: View, side: Side, held: int, wanted: int, mid: float) -> bool:
        if abs(held - wanted) > self.settings.tolerance_bps * BP * mid:
            return False
        break_even = mid * float(view.fees.maker) * 100 * BP
        if side == "buy":
            return held < view.book.asks[0][0] and held <= mid - break_even
        return held > view.book.bids[0][0] and held >= mid + break_even

    def _qty(self, view: View, price: int, worth: Decimal) -> int:
        """Lots worth ``worth`` at ``price``, rounded down; 0 when below any minimum."""
        pair = view.pair
        if price <= 0 or worth < view.min_order:
            return 0
        lots = int(worth / unscale(price, pair.price_precision) * 10**pair.qty_precision)
        lots -= lots % pair.qty_increment
        cost = notional(price, lots, pair.price_precision, pair.qty_precision)
        # Rounding down may not take a size below the minimum that it met.
        if cost < view.min_order:
            lots += pair.qty_increment
            cost = notional(price, lots, pair.price_precision, pair.qty_precision)
        if lots < pair.qty_min or cost < Decimal(pair.cost_min):
            return 0
        return lots
