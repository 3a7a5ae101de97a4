"""Backoff of an API key that Kraken rejects.

Kraken locks out a key (or an address) that is tried too often, for about 15 minutes (KRAKEN.md 4.6). So a wrong key is
tried a few times, with longer waits, and a locked-out one only after that time.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared import limits
from shared.kraken.errors import Meaning, is_lockout, meaning


class KeyBackoff:
    """Counts a key's rejections in a row; ``until_s`` is when it may be tried again, ``errors`` are Kraken's texts."""

    def __init__(self) -> None:
        self.until_s = 0.0
        self.errors: list[str] = []
        self._refusals = 0
        self._locked_until_s = 0.0

    def refused(self, errors: Sequence[str], now_s: float) -> float:
        """Take in the errors of a rejected token call; return the seconds to wait, 0 if the key is not to blame."""
        wait_s = self.locked_out(errors, now_s)
        if not wait_s and any(meaning(text) is Meaning.CREDENTIALS for text in errors):
            wait_s = min(limits.KEY_REFUSED_FIRST_S * 6**self._refusals, limits.KEY_LOCKED_OUT_S)
            self._refusals += 1
        if wait_s:
            self.until_s, self.errors = max(self.until_s, now_s + wait_s), list(errors)
        return wait_s

    def locked_out(self, errors: Sequence[str], now_s: float) -> float:
        """Take in the errors of any call; return for how many seconds the key is locked out, 0 if it is not."""
        if not any(is_lockout(text) for text in errors):
            return 0.0
        self.until_s = self._locked_until_s = now_s + limits.KEY_LOCKED_OUT_S
        self.errors = list(errors)
        return limits.KEY_LOCKED_OUT_S

    def accepted(self) -> None:
        """Forget past rejections: a token came, so the key works."""
        self.until_s, self._refusals = 0.0, 0

    def left_s(self, now_s: float) -> float:
        """Return for how many seconds no token may be asked for."""
        return max(0.0, self.until_s - now_s)

    def is_locked_out(self, now_s: float) -> bool:
        """True while no call at all may be made."""
        return now_s < self._locked_until_s
