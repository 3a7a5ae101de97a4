"""The guard: widen or leave a side whose own fills lose beyond chance.

A side loses beyond chance if the mean markout of its fills, less the maker fee, is below ``-z`` standard errors. The
fills of half-lives ago are forgotten, so a side that was left is tried again
(:mod:`strategy.signals.markouts`).
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from shared.messages import Side
from strategy.interface import View
from strategy.models.quoting import fee_bps, require_range
from strategy.signals.values import Horizon, Needs


class GuardSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The guard's settings: ``z`` standard errors at ``horizon_s`` after the fill, forgotten by ``half_life_s``.

    A side that loses is quoted ``widen_bps`` further away; without it, it is left.
    """

    z: float = 2.0
    horizon_s: Horizon = 10
    half_life_s: float = 1800.0
    widen_bps: float | None = None

    def __post_init__(self) -> None:
        require_range(self, 0.5, 10, "z")
        require_range(self, 60, 604_800, "half_life_s")
        require_range(self, 0.1, 1000, "widen_bps")


@dataclass(frozen=True, slots=True)
class Stance:
    """The guard's answer for one side: how much wider, or that it is left."""

    widen_bps: float = 0.0
    is_left: bool = False


AS_WANTED = Stance()


class Guard:
    """Judges a side by the markouts in the view. A side that reduces the position is never left.

    Leaving it would hold what the other side's fills brought.
    """

    def __init__(self, settings: GuardSettings | None) -> None:
        self._settings = settings

    def needs(self, needs: Needs) -> Needs:
        """Return a model's needs and the guard's own."""
        if self._settings is None:
            return needs
        return msgspec.structs.replace(needs, markout_half_life_s=self._settings.half_life_s)

    def stance(self, view: View, side: Side) -> Stance:
        """Return whether and by how much the side gives way."""
        settings = self._settings
        if settings is None:
            return AS_WANTED
        markout = view.signals.markout(side, settings.horizon_s)
        if not markout.is_valid or markout.mean_bps - fee_bps(view) >= -settings.z * markout.stderr_bps:
            return AS_WANTED
        if settings.widen_bps is not None:
            return Stance(widen_bps=settings.widen_bps)
        position = view.position.account_position
        reduces = position < 0 if side == "buy" else position > 0
        return AS_WANTED if reduces else Stance(is_left=True)
