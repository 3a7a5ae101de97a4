"""Avellaneda and Stoikov's market maker, "High-frequency trading in a limit order book" (2008), with a rolling horizon.

With mid s, inventory q, volatility σ, risk aversion γ, horizon τ, and arrivals at distance δ of A·exp(-kδ):

    reservation price = s - q·γ·σ²·τ                       (their equation 29)
    bid and ask = reservation price ∓ (γ·σ²·τ / 2 + (1/γ)·ln(1 + γ/k))       (half of their 30)

σ² is the *variance*. Prices are in bp of the mid, so σ is in bp per √s, τ in s, γ and k in 1/bp; q is the position in
units of ``size``. Their T - t shrinks to the close of a day; this market has none, so τ stays ``horizon_s``. The maker
fee is added to both distances: with exponential arrivals that is the exact optimum, as a fee f only turns the gain δ
into δ - f.

Calibration: k from the arrivals by depth (``tradebyte calibrate``); σ is measured; γ·σ²·τ is how many bp the quotes
move for each ``size`` held, so choose γ for the shift wanted at the position limit.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from strategy.interface import View
from strategy.models.levels import LevelModel, LevelSettings, Nearest, NoQuotes
from strategy.models.quoting import BP, fee_bps, require_range
from strategy.signals.values import Needs, Signal


class VolatilitySettings(LevelSettings, frozen=True, kw_only=True):
    """Settings of the models that measure volatility: the estimator and its half-life."""

    volatility: Literal["ewma", "parkinson"] = "ewma"
    volatility_half_life_s: float = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self, 10, 86_400, "volatility_half_life_s")

    def volatility_needs(self) -> Needs:
        """Return what the host must keep for the chosen estimator."""
        if self.volatility == "ewma":
            return Needs(volatility_half_life_s=self.volatility_half_life_s)
        return Needs(parkinson_half_life_s=self.volatility_half_life_s)

    def volatility_signal(self, view: View) -> Signal:
        """Return the chosen estimate in bp per √s."""
        return view.signals.volatility if self.volatility == "ewma" else view.signals.parkinson


class Settings(VolatilitySettings, frozen=True, kw_only=True):
    """``risk_aversion`` (γ) and ``arrival_decay`` (k) in 1/bp, ``horizon_s`` (τ)."""

    risk_aversion: float = 0.02
    arrival_decay: float = 0.7
    horizon_s: float = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self, 1e-6, 10, "risk_aversion")
        require_range(self, 1e-3, 100, "arrival_decay")
        require_range(self, 1, 86_400, "horizon_s")


class AvellanedaStoikov(LevelModel):
    """Quotes around the reservation price; no quotes until the volatility is valid."""

    Settings = Settings

    def __init__(self, settings: msgspec.Struct) -> None:
        assert isinstance(settings, Settings)
        super().__init__(settings, settings.volatility_needs())
        self.settings = settings

    def nearest(self, view: View, mid: float) -> Nearest | NoQuotes:
        """Return bid and ask by the formula above."""
        sigma = self.settings.volatility_signal(view)
        if not sigma.is_valid:
            return NoQuotes("the volatility is not valid yet")
        gamma, k = self.settings.risk_aversion, self.settings.arrival_decay
        risk_bps = gamma * sigma.value**2 * self.settings.horizon_s
        shift_bps = -self.inventory(view) * risk_bps
        half_bps = risk_bps / 2 + math.log1p(gamma / k) / gamma + fee_bps(view)
        return Nearest(mid * (1 + (shift_bps - half_bps) * BP), mid * (1 + (shift_bps + half_bps) * BP))
