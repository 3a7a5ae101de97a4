"""From wanted prices to quotes: rounding, the fee, sizes within the limits, and prices kept within the tolerance."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

import msgspec

from shared.messages import Quote, Side
from shared.numbers import notional, unscale
from strategy.interface import HEADROOM, SettingError, View

BP = 1e-4
SIDES: tuple[Side, Side] = ("buy", "sell")


class Level(NamedTuple):
    """One wanted quote: price in ticks, size in the trading currency."""

    slot: str
    price: int
    size: Decimal


def slot_name(side: Side, level: int) -> str:
    """Return the slot of a level: ``b0`` is the nearest bid; from the eleventh on it is a letter."""
    return f"{'b' if side == 'buy' else 'a'}{'0123456789abcdefghij'[level]}"


def fee_bps(view: View) -> float:
    """Return the maker fee in bp: a quote nearer to the mid loses by every fill."""
    return float(view.fees.maker) * 100


def rounded_away(view: View, side: Side, price: float) -> int:
    """Return the price rounded away from the touch to the pair's increment, and short of the other side's touch."""
    step = view.pair.price_increment
    if side == "buy":
        return int(min(price, view.book.asks[0][0] - step) // step) * step
    return -int(-max(price, view.book.bids[0][0] + step) // step) * step


def lots_within(view: View, price: int, size: Decimal, room: Decimal) -> int:
    """Return lots worth ``size`` at ``price``, rounded down, within what the risk gate takes; 0 below any minimum.

    ``size`` is converted at the quote's own price, so that the lots do not change with the mid. The limits count as
    the risk gate counts.
    """
    pair = view.pair
    most = min(room, view.max_order * HEADROOM)
    if price <= 0 or min(size, most) < view.min_order:
        return 0
    unit = unscale(price, pair.price_precision)
    lots = int(min(size / (unit * view.rate), most / view.worth(unit)) * 10**pair.qty_precision)
    lots -= lots % pair.qty_increment
    cost = notional(price, lots, pair.price_precision, pair.qty_precision)
    if cost * view.rate < view.min_order:
        # Rounding down must not take a size below the minimum that it met.
        step = unit * view.rate * unscale(pair.qty_increment, pair.qty_precision)
        lots = int((view.min_order / step).to_integral_value(ROUND_CEILING)) * pair.qty_increment
        cost = notional(price, lots, pair.price_precision, pair.qty_precision)
    if lots < pair.qty_min or cost < Decimal(pair.cost_min):
        return 0
    return lots


class Ladder:
    """The quotes of both sides; within the tolerance one keeps its price, and so its place in the queue.

    ``nearest_bps`` is the least distance from the mid over the maker fee at which a price is kept.
    """

    def __init__(self, tolerance_bps: float, nearest_bps: float) -> None:
        self._tolerance_bps = tolerance_bps
        self._nearest_bps = nearest_bps
        self._prices: dict[str, int] = {}

    def clear(self) -> None:
        """Forget every price."""
        self._prices.clear()

    def release(self, slot: str) -> None:
        """Forget a slot's price: it moves at any drift, however small."""
        self._prices.pop(slot, None)

    def resume(self, quotes: Iterable[Quote]) -> None:
        """Hold the prices of these quotes, and no others."""
        self._prices = {quote.slot: quote.price for quote in quotes}

    def quotes(self, view: View, side: Side, mid: float, levels: Iterable[Level], room: Decimal) -> list[Quote]:
        """Return one side's quotes, the first levels taking the room first."""
        quotes = []
        for slot, wanted, size in levels:
            held = self._prices.get(slot)
            price = held if held is not None and self._keeps(view, side, held, wanted, mid) else wanted
            qty = lots_within(view, price, size, room)
            if qty == 0:
                self._prices.pop(slot, None)
                continue
            self._prices[slot] = price
            room -= view.worth(unscale(price, view.pair.price_precision)) * unscale(qty, view.pair.qty_precision)
            quotes.append(Quote(slot=slot, side=side, price=price, qty=qty))
        return quotes

    def _keeps(self, view: View, side: Side, held: int, wanted: int, mid: float) -> bool:
        if abs(held - wanted) > self._tolerance_bps * BP * mid:
            return False
        away = mid * (fee_bps(view) + self._nearest_bps) * BP
        if side == "buy":
            return held < view.book.asks[0][0] and held <= mid - away
        return held > view.book.bids[0][0] and held >= mid + away


def require_range(settings: msgspec.Struct, lowest: float, highest: float, *names: str) -> None:
    """Raise :class:`SettingError` for the first of the settings outside the range; one that is None is not set."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and not lowest <= value <= highest:
            raise SettingError(name, f"must be {lowest:g} to {highest:g}, found {value}")


def require_positive(settings: msgspec.Struct, *names: str) -> None:
    """Raise :class:`SettingError` for the first of the settings at or below 0; one that is None is not set."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and not value > 0:
            raise SettingError(name, f"must be above 0, found {value}")
