"""Share what models with levels have in common: settings, fee, limits, and the guard, behind a nearest bid and ask."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from shared.messages import Quote, Side, Target
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
from strategy.signals.values import NOTHING, Needs


class LevelSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The settings of every model with levels; distances in bp of the mid, money in the trading currency.

    ``levels`` quotes a side of ``size`` each, ``spacing_bps`` apart, never nearer to the mid than the maker fee and
    ``min_edge_bps``. A quote moves when the wanted price has drifted by more than ``tolerance_bps``. ``max_position``
    is capped by ``trading.max_position_size``. ``guard`` gives way on a side that loses.
    """

    levels: int = 2
    size: Decimal = Decimal(100)
    spacing_bps: float = 1.5
    min_edge_bps: float = 0.0
    tolerance_bps: float = 0.5
    max_position: Decimal | None = None
    guard: GuardSettings | None = None

    def __post_init__(self) -> None:
        require_range(self, 1, 20, "levels")
        require_positive(self, "size", "max_position")
        require_range(self, 0, 1000, "spacing_bps", "min_edge_bps", "tolerance_bps")
        if self.levels > 1 and self.spacing_bps == 0:
            raise SettingError("spacing_bps", "must be above 0 with more than one level")


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest bid and ask that a model wants, in ticks, before fee, limits and rounding."""

    bid: float
    ask: float


@dataclass(frozen=True, slots=True)
class NoQuotes:
    """No quotes are wanted; ``why`` is for people."""

    why: str


class LevelModel(Strategy):
    """Quotes ``levels`` a side behind the nearest prices that a model gives (:meth:`nearest`)."""

    trigger = Trigger.TOUCH

    def __init__(self, settings: LevelSettings, needs: Needs = NOTHING) -> None:
        self._levels = settings
        self._guard = Guard(settings.guard)
        self._ladder = Ladder(settings.tolerance_bps, settings.min_edge_bps)
        self.needs = self._guard.needs(needs)

    @abstractmethod
    def nearest(self, view: View, mid: float) -> Nearest | NoQuotes:
        """Return the wanted nearest prices; both must fall, or stay, as the position rises."""

    def inventory(self, view: View) -> float:
        """Return the position in units of ``size``."""
        return float(view.position_worth() / self._levels.size)

    def limit(self, view: View) -> Decimal:
        """Return the largest position of either sign, in the trading currency."""
        return min(self._levels.max_position or view.max_position, view.max_position)

    def on_book(self, view: View) -> Target | None:
        """Return all quotes for the book as it is now."""
        if not view.book.bids or not view.book.asks:
            self._ladder.clear()
            return view.withdraw("one side of the book is empty")
        mid = (view.book.bids[0][0] + view.book.asks[0][0]) / 2
        wanted = self.nearest(view, mid)
        if isinstance(wanted, NoQuotes):
            self._ladder.clear()
            return view.withdraw(wanted.why)
        quotes: list[Quote] = []
        left = ""
        for side in SIDES:
            stance = self._guard.stance(view, side)
            if stance.is_left:
                left += f"; {side} left by its markouts"
                continue
            price = wanted.bid if side == "buy" else wanted.ask
            levels = self._side(view, side, mid, price, stance)
            quotes += self._ladder.quotes(view, side, mid, levels, view.room(side, self.limit(view)))
        return view.target(quotes, f"position {view.position_worth():.2f}{left}")

    def resume(self, target: Target) -> None:
        """Hold the prices of a published target."""
        self._ladder.resume(target.quotes)

    def _side(self, view: View, side: Side, mid: float, price: float, stance: Stance) -> list[Level]:
        """Return the levels of one side: the nearest outside the fee, the others behind it."""
        sign = -1 if side == "buy" else 1
        least = mid * (fee_bps(view) + self._levels.min_edge_bps) * BP
        away = max(sign * (price - mid) + mid * stance.widen_bps * BP, least)
        spacing = mid * self._levels.spacing_bps * BP
        return [
            Level(
                slot_name(side, level),
                rounded_away(view, side, mid + sign * (away + level * spacing)),
                self._levels.size,
            )
            for level in range(self._levels.levels)
        ]
