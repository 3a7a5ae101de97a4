"""An inventory grid around a reference price: each step bought below is offered one spacing higher, and so on.

With reference r, spacing s and position q in units of ``size``:

    bid of level i = r·(1 - s·(q + i + 1)),  ask of level i = r·(1 - s·(q - i - 1))

So the position alone says where the grid stands, also after a restart, and a partial fill moves it by its part. A step
earns s less two maker fees: the spacing must be above them. Grids are folklore without a paper; what is known is that
they sell volatility around r, and lose when the price leaves it for good: ``max_position`` bounds that.

The reference is a fixed ``reference_price`` in the pair's quote asset, or else the mid's average with a half-life,
which begins at the mid. Where the market is off the grid, the fee and the touch bound the quotes as in every
model, so that a grid begun far below its reference buys at once, level by level, what the formula says that it should
hold.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from strategy.interface import SettingError, View
from strategy.models.levels import LevelModel, LevelSettings, Nearest, NoQuotes
from strategy.models.quoting import BP, require_positive, require_range
from strategy.signals.average import AverageMid


class Settings(LevelSettings, frozen=True, kw_only=True):
    """``spacing_bps`` is the grid's step; the reference is a price or an average by its half-life."""

    spacing_bps: float = 5.0
    reference_price: Decimal | None = None
    reference_half_life_s: float = 3600.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spacing_bps == 0:
            raise SettingError("spacing_bps", "must be above 0")
        require_positive(self, "reference_price")
        require_range(self, 1, 604_800, "reference_half_life_s")


class Grid(LevelModel):
    """Quotes the next levels of the grid on both sides."""

    Settings = Settings

    def __init__(self, settings: msgspec.Struct) -> None:
        assert isinstance(settings, Settings)
        super().__init__(settings)
        self.settings = settings
        self._average = AverageMid(settings.reference_half_life_s)

    def nearest(self, view: View, mid: float) -> Nearest | NoQuotes:
        """Return the first level of each side."""
        fixed = self.settings.reference_price
        average = self._average.add(view.now, mid)
        reference = average if fixed is None else float(fixed.scaleb(view.pair.price_precision))
        q, step = self.inventory(view), self.settings.spacing_bps * BP
        return Nearest(reference * (1 - step * (q + 1)), reference * (1 - step * (q - 1)))
