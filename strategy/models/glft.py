"""Guéant, Lehalle and Fernandez-Tapia's market maker, "Dealing with the inventory risk" (2013), in closed form.

With inventory q, volatility σ, risk aversion γ and arrivals at distance δ of A·exp(-kδ) a second, far from any end:

    distance of the bid = (1/γ)·ln(1 + γ/k) + (2q + 1)/2 · √( σ²·γ / (2·k·A) · (1 + γ/k)^(1 + k/γ) )
    distance of the ask = (1/γ)·ln(1 + γ/k) - (2q - 1)/2 · √( … )

It is the asymptotic solution of Avellaneda and Stoikov's problem with a bounded inventory, so no horizon is to choose:
the root holds the time that inventory takes to leave. Prices are in bp of the mid, so σ is in bp per √s, γ and k in
1/bp, A in arrivals per second; q is the position in units of ``size``. The maker fee is added to both distances, as in
:mod:`strategy.models.avellaneda_stoikov`.

Calibration: A and k from the arrivals by depth (``tradebyte calibrate``, which shows the fit's range and error); σ is
measured; γ sets how far the quotes lean against the position.
"""

from __future__ import annotations

import math

import msgspec

from strategy.interface import View
from strategy.models.avellaneda_stoikov import VolatilitySettings
from strategy.models.levels import LevelModel, Nearest, NoQuotes
from strategy.models.quoting import BP, fee_bps, require_range


class Settings(VolatilitySettings, frozen=True, kw_only=True):
    """``risk_aversion`` (γ) and ``arrival_decay`` (k) in 1/bp, ``arrival_rate`` (A) per second."""

    risk_aversion: float = 0.1
    arrival_decay: float = 0.7
    arrival_rate: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self, 1e-6, 10, "risk_aversion")
        require_range(self, 1e-3, 100, "arrival_decay")
        require_range(self, 1e-5, 10_000, "arrival_rate")


class Glft(LevelModel):
    """Quotes at the closed form's distances; no quotes until the volatility is valid."""

    Settings = Settings

    def __init__(self, settings: msgspec.Struct) -> None:
        assert isinstance(settings, Settings)
        super().__init__(settings, settings.volatility_needs())
        self.settings = settings
        gamma, k = settings.risk_aversion, settings.arrival_decay
        ratio = gamma / k
        self._half_bps = math.log1p(ratio) / gamma
        # The root's factor of σ; the power is taken through the logarithm, which stays exact for a small γ/k.
        power = math.exp((1 + 1 / ratio) * math.log1p(ratio))
        self._per_sigma = math.sqrt(gamma / (2 * k * settings.arrival_rate) * power)

    def nearest(self, view: View, mid: float) -> Nearest | NoQuotes:
        """Return bid and ask by the formula above."""
        sigma = self.settings.volatility_signal(view)
        if not sigma.is_valid:
            return NoQuotes("the volatility is not valid yet")
        q, step_bps = self.inventory(view), sigma.value * self._per_sigma
        base_bps = self._half_bps + fee_bps(view)
        bid_bps = base_bps + (2 * q + 1) / 2 * step_bps
        ask_bps = base_bps - (2 * q - 1) / 2 * step_bps
        return Nearest(mid * (1 - bid_bps * BP), mid * (1 + ask_bps * BP))
