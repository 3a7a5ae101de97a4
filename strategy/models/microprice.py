"""A market maker around a fair price: the mid, moved by microprice, book imbalance and order flow.

    fair = mid + microprice_weight·(microprice - mid) + imbalance_bps·imbalance + order_flow_weight·order flow
    bid and ask = fair ∓ (maker fee + edge) - skew·(position / limit)

The microprice is the touch weighted by the other side's quantity (Stoikov, "The micro-price", 2018, names it as the
first approximation). The imbalance, -1 to 1, counts the lots within ``imbalance_window_bps`` of the mid: where a tick
is small, as for BTC/USD, the touch alone is noise. The order flow is the move that Cont, Kukanov and Stoikov's model
explains. Distances are in bp of the mid.

Calibration: regress the mid's move over the life of a quote, some seconds, on the three signals, and take the
coefficients as weights; half of them is a cautious beginning.
"""

from __future__ import annotations

import msgspec

from strategy.interface import Trigger, View
from strategy.models.levels import LevelModel, LevelSettings, Nearest, NoQuotes
from strategy.models.quoting import BP, fee_bps, require_range
from strategy.signals.values import Needs


class Settings(LevelSettings, frozen=True, kw_only=True):
    """Weights of the signals (a weight of 0 needs no signal), the edge over the maker fee, the skew at the limit."""

    edge_bps: float = 1.5
    skew_bps: float = 3.0
    microprice_weight: float = 1.0
    imbalance_bps: float = 0.5
    imbalance_window_bps: float = 1.0
    order_flow_weight: float = 0.0
    order_flow_half_life_s: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self, 0, 1000, "edge_bps", "skew_bps")
        require_range(self, -10, 10, "microprice_weight", "order_flow_weight")
        require_range(self, -100, 100, "imbalance_bps")
        require_range(self, 0.01, 1000, "imbalance_window_bps")
        require_range(self, 0.1, 3600, "order_flow_half_life_s")


class Microprice(LevelModel):
    """Quotes around the fair price; no quotes while a signal with a weight is not valid."""

    Settings = Settings
    trigger = Trigger.BOOK

    def __init__(self, settings: msgspec.Struct) -> None:
        assert isinstance(settings, Settings)
        needs = Needs(
            microprice=settings.microprice_weight != 0,
            imbalance_window_bps=settings.imbalance_window_bps if settings.imbalance_bps else None,
            order_flow_half_life_s=settings.order_flow_half_life_s if settings.order_flow_weight else None,
        )
        super().__init__(settings, needs)
        self.settings = settings

    def nearest(self, view: View, mid: float) -> Nearest | NoQuotes:
        """Return bid and ask around the fair price."""
        settings, signals = self.settings, view.signals
        fair = mid
        if settings.microprice_weight:
            if not signals.microprice.is_valid:
                return NoQuotes("the microprice is not valid")
            fair += settings.microprice_weight * (signals.microprice.value - mid)
        if settings.imbalance_bps:
            if not signals.imbalance.is_valid:
                return NoQuotes("the imbalance is not valid")
            fair += settings.imbalance_bps * signals.imbalance.value * BP * mid
        if settings.order_flow_weight:
            if not signals.order_flow.is_valid:
                return NoQuotes("the order flow is not valid yet")
            fair += settings.order_flow_weight * signals.order_flow.value
        tilt = max(-1.0, min(1.0, float(view.position_worth() / self.limit(view))))
        centre = fair - mid * settings.skew_bps * tilt * BP
        half = mid * (fee_bps(view) + settings.edge_bps) * BP
        return Nearest(centre - half, centre + half)
