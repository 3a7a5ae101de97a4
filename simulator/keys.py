"""API keys and WebSocket tokens of the exchange (KRAKEN.md 3.1 and 4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.config import Key
from simulator import errors
from simulator.errors import KrakenError
from simulator.exchange.limits import Counter
from simulator.exchange.orders import Account
from simulator.wire import NS

TOKEN_LIFE_NS = 900 * NS


@dataclass(slots=True)
class KeyState:
    """An API key: whose it is, what it may do (None: all), its highest nonce and its REST counter."""

    key: Key
    account: Account
    nonce: int
    counter: Counter

    def may(self, *permissions: str) -> bool:
        """True if the key has at least one of these permissions."""
        granted = self.key.permissions
        if granted is None:
            return True
        return any(p in granted or (p.startswith("query-") and "query" in granted) for p in permissions)

    def require(self, *permissions: str) -> None:
        """Refuse (KrakenError) a key that has none of these permissions."""
        if not self.may(*permissions):
            raise KrakenError(errors.PERMISSION_DENIED)


@dataclass(slots=True)
class Token:
    """A WebSocket token: good for 15 minutes, and for as long as a private subscription uses it.

    ``used_by`` are the connections with such a subscription.
    """

    text: str
    key: KeyState
    expires_ns: int
    used_by: set[int] = field(default_factory=set)
