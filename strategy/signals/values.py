"""Signals as a strategy reads them, and the declaration of those that it needs."""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.messages import Side

Horizon = Literal[1, 10]
HORIZONS: tuple[Horizon, ...] = (1, 10)


class Signal(msgspec.Struct, frozen=True):
    """One value; meaningless unless ``is_valid``."""

    value: float = 0.0
    is_valid: bool = False


class Markout(msgspec.Struct, frozen=True):
    """The mean markout of own fills in bp, for us above 0, with its standard error; meaningless unless ``is_valid``."""

    mean_bps: float = 0.0
    stderr_bps: float = 0.0
    is_valid: bool = False


NO_SIGNAL, NO_MARKOUT = Signal(), Markout()


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """Every signal of a symbol; what the strategy does not need is never valid.

    ``volatility`` and ``parkinson`` are in bp per √s, ``forecast`` is the mid's expected move in bp. ``imbalance`` is
    -1 (all asks) to 1 (all bids). ``microprice`` is in ticks, ``order_flow`` the mid's move in ticks that the flow
    explains. ``buy_intensity`` and ``sell_intensity`` are trades per second by the taker's side. Markouts are of own
    buys and sells, after 1 and 10 s.
    """

    volatility: Signal = NO_SIGNAL
    parkinson: Signal = NO_SIGNAL
    forecast: Signal = NO_SIGNAL
    imbalance: Signal = NO_SIGNAL
    microprice: Signal = NO_SIGNAL
    order_flow: Signal = NO_SIGNAL
    buy_intensity: Signal = NO_SIGNAL
    sell_intensity: Signal = NO_SIGNAL
    buy_markout_1s: Markout = NO_MARKOUT
    buy_markout_10s: Markout = NO_MARKOUT
    sell_markout_1s: Markout = NO_MARKOUT
    sell_markout_10s: Markout = NO_MARKOUT

    @staticmethod
    def of_values(values: dict[str, list[float]]) -> Signals:
        """Return the signals of :meth:`values`; what is none, as of another version, is left out."""
        made: dict[str, Signal | Markout] = {}
        for name, parts in values.items():
            match getattr(NO_SIGNALS, name, None), parts:
                case Signal(), [value]:
                    made[name] = Signal(value, True)
                case Markout(), [mean, error]:
                    made[name] = Markout(mean, error, True)
        return msgspec.structs.replace(NO_SIGNALS, **made)

    def values(self) -> dict[str, list[float]]:
        """Return those that are valid as a target carries them: a signal's value, a markout's mean and error."""
        named = zip(self.__struct_fields__, msgspec.structs.astuple(self), strict=True)
        return {name: list(msgspec.structs.astuple(each)[:-1]) for name, each in named if each.is_valid}

    def markout(self, side: Side, horizon_s: Horizon) -> Markout:
        """Return the markout of own fills of one side."""
        if side == "buy":
            return self.buy_markout_1s if horizon_s == 1 else self.buy_markout_10s
        return self.sell_markout_1s if horizon_s == 1 else self.sell_markout_10s


NO_SIGNALS = Signals()


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """The signals that a strategy needs, each with its half-life or horizon in s, or window in bp; None costs nothing.

    ``trades`` asks for :attr:`View.trades`, ``price_source`` for another pair's book in :attr:`View.source`.
    """

    trades: bool = False
    volatility_half_life_s: float | None = None
    parkinson_half_life_s: float | None = None
    forecast_horizon_s: float | None = None
    imbalance_window_bps: float | None = None
    microprice: bool = False
    order_flow_half_life_s: float | None = None
    intensity_half_life_s: float | None = None
    markout_half_life_s: float | None = None
    price_source: str | None = None

    @property
    def is_any(self) -> bool:
        """True if the host must keep any signal or trades up to date."""
        return self != msgspec.structs.replace(NOTHING, price_source=self.price_source)

    @property
    def every_book(self) -> bool:
        """True if a signal changes with a book whose touch has the same prices."""
        return self.microprice or self.imbalance_window_bps is not None or self.order_flow_half_life_s is not None

    @property
    def public_trades(self) -> bool:
        """True if the host must take in public trades."""
        return self.trades or self.intensity_half_life_s is not None


NOTHING = Needs()
