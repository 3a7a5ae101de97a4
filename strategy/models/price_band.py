"""A price band that moves: its middle is the mid of every so many seconds, and beyond it only one side is quoted."""

from __future__ import annotations

from shared.clock import SECOND
from shared.messages import Side
from strategy.models.quoting import BP


class PriceBand:
    """Above the ceiling nothing is bought, below the floor nothing is sold; None leaves that end open."""

    def __init__(self, ceiling_bps: float | None, floor_bps: float | None, refresh_s: float) -> None:
        self._ceiling_bps = ceiling_bps
        self._floor_bps = floor_bps
        self._refresh = int(refresh_s * SECOND)
        self._since: int | None = None
        self._middle = 0.0

    def allows(self, side: Side, now: int, mid: float) -> bool:
        """True if a side may be quoted at this mid; moves the band when its time has come."""
        if self._since is None or now - self._since >= self._refresh:
            self._since, self._middle = now, mid
        if side == "buy":
            return self._ceiling_bps is None or mid < self._middle * (1 + self._ceiling_bps * BP)
        return self._floor_bps is None or mid > self._middle * (1 - self._floor_bps * BP)
