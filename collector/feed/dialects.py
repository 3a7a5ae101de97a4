"""The requests of version 1 and version 2 of Kraken's public WebSocket."""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec

from shared.kraken import v2
from shared.kraken.pairs import old_name


class Dialect(ABC):
    """Requests as text; callers name symbols as v2 does, whatever the version calls them."""

    has_instruments: bool

    @abstractmethod
    def subscribe(self, channel: str, symbols: list[str], depth: int, req_id: int) -> str:
        """Subscribe to ``book`` (with a snapshot) or ``trade`` (without)."""

    @abstractmethod
    def unsubscribe(self, channel: str, symbols: list[str], depth: int, req_id: int) -> str:
        """Unsubscribe; of a book Kraken wants its depth again."""

    @abstractmethod
    def ping(self, req_id: int) -> str:
        """Ask for a sign of life; version 2 answers with the exchange's time."""

    @abstractmethod
    def instruments(self, req_id: int) -> str:
        """Subscribe to instrument data; only where :attr:`has_instruments`."""


class Version2(Dialect):
    """WebSocket v2 (KRAKEN.md 1)."""

    has_instruments = True

    def subscribe(self, channel: str, symbols: list[str], depth: int, req_id: int) -> str:
        params: dict[str, object] = {"channel": channel, "symbol": symbols, "snapshot": channel == "book"}
        if channel == "book":
            params["depth"] = depth
        return v2.request("subscribe", params, req_id)

    def unsubscribe(self, channel: str, symbols: list[str], depth: int, req_id: int) -> str:
        return v2.request("unsubscribe", {"channel": channel, "symbol": symbols, "depth": depth}, req_id)

    def ping(self, req_id: int) -> str:
        return v2.request("ping", None, req_id)

    def instruments(self, req_id: int) -> str:
        return v2.request(
            "subscribe", {"channel": "instrument", "snapshot": True, "include_tokenized_assets": True}, req_id
        )


class Version1(Dialect):
    """WebSocket v1 (KRAKEN.md 2): old names of pairs, and instrument data from REST."""

    has_instruments = False

    def subscribe(self, channel: str, symbols: list[str], depth: int, req_id: int) -> str:
        return self._event("subscribe", channel, symbols, depth, req_id)

    def unsubscribe(self, channel: str, symbols: list[str], depth: int, req_id: int) -> str:
        return self._event("unsubscribe", channel, symbols, depth, req_id)

    def ping(self, req_id: int) -> str:
        return msgspec.json.encode({"event": "ping", "reqid": req_id}).decode()

    def instruments(self, req_id: int) -> str:
        raise NotImplementedError(f"version 1 has no instrument channel (request {req_id})")

    def _event(self, event: str, channel: str, symbols: list[str], depth: int, req_id: int) -> str:
        subscription: dict[str, object] = {"name": channel}
        if channel == "book":
            subscription["depth"] = depth
        pairs = [old_name(symbol) for symbol in symbols]
        body = {"event": event, "pair": pairs, "subscription": subscription, "reqid": req_id}
        return msgspec.json.encode(body).decode()


def dialect(version: int) -> Dialect:
    """Return the dialect of version 1 or 2."""
    return Version1() if version == 1 else Version2()
