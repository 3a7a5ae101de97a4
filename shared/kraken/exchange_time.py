"""The exchange's time, and how well it is known (T3).

Each answer bounds the offset between the exchange's clock and ours (CLOCK_BOOTTIME): the exchange took the request
after it left and sent the answer before it came. The bounds are intersected, and widen with time as clocks drift.
"""

from __future__ import annotations

from shared.clock import MS, SECOND

_DRIFT_PER_NS = 100e-6  # 100 ppm between two machines' clocks is generous


class ExchangeTime:
    """Estimate of ``exchange ns since the epoch - own CLOCK_BOOTTIME ns``."""

    def __init__(self) -> None:
        self._low = self._high = 0
        self._at = 0
        self._known = False

    def answer(self, sent: int, received: int, time_in_ts: int, time_out_ts: int) -> None:
        """Take one answer's times: by our clock sent and received, by the exchange's taken in and sent out."""
        if not (sent <= received and time_in_ts <= time_out_ts):
            return
        low, high = time_out_ts - received, time_in_ts - sent
        if low > high:
            return
        if self._known:
            spread = int((received - self._at) * _DRIFT_PER_NS)
            both_low, both_high = max(low, self._low - spread), min(high, self._high + spread)
            # Bounds that do not meet mean that a clock was stepped: only the newest counts.
            if both_low <= both_high:
                low, high = both_low, both_high
        self._low, self._high, self._at, self._known = low, high, received, True

    def now_ts(self, now: int) -> int:
        """Return the exchange's time, ns since the epoch, at own time ``now``; 0 when unknown."""
        return now + (self._low + self._high) // 2 if self._known else 0

    def uncertain_ms(self, now: int) -> float:
        """Return half the width of the bounds in ms; infinite before the first answer."""
        if not self._known:
            return float("inf")
        return ((self._high - self._low) / 2 + (now - self._at) * _DRIFT_PER_NS) / MS

    @property
    def offset_s(self) -> float:
        """Return the offset in seconds, for people; 0 when unknown."""
        return (self._low + self._high) / 2 / SECOND if self._known else 0.0
