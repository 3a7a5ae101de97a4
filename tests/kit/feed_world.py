"""A feed with a clock of the test's own, to which frames are sent as Kraken sends them."""

from __future__ import annotations

import json
from typing import Any

from collector.feed.feed import Feed
from collector.feed.frames import Kind
from shared.clock import SECOND
from shared.messages import FeedStatus, Message

PAIR = {
    "symbol": "BTC/USD",
    "base": "BTC",
    "quote": "USD",
    "status": "online",
    "qty_precision": 8,
    "qty_increment": 1e-08,
    "price_precision": 1,
    "price_increment": 0.1,
    "qty_min": 5e-05,
    "cost_min": "0.5",
}


class FeedWorld:
    """The feed's core with a clock of the test's own, and its effects so far."""

    def __init__(self, symbols: tuple[str, ...] = ("BTC/USD", "ETH/USD"), *, replay: bool = False) -> None:
        self.feed = Feed(list(symbols), 10, replay=replay)
        self.now = 10 * SECOND
        self.problems: list[str] = []
        self.alerts: list[str] = []
        self.reconnect = ""
        self._requests: list[str] = []
        self._messages: list[tuple[str, Message]] = []

    def open(self) -> list[dict[str, Any]]:
        self.feed.opened(self.now)
        return self.sent()

    def gather(self) -> None:
        """Take the core's effects since the last call."""
        wanted = self.feed.take()
        self._requests += wanted.requests
        self._messages += wanted.messages
        self.problems += [entry.text for entry in wanted.log if not entry.alert]
        self.alerts += [entry.text for entry in wanted.log if entry.alert]
        self.reconnect = wanted.reconnect or self.reconnect

    def sent(self) -> list[dict[str, Any]]:
        """Return the requests since the last call, pings apart."""
        self.gather()
        requests, self._requests = [json.loads(text) for text in self._requests], []
        self.pings = [request for request in requests if request["method"] == "ping"]
        return [request for request in requests if request["method"] != "ping"]

    def taken(self) -> list[tuple[str, Message]]:
        """Return topic and message of what was published since the last call."""
        self.gather()
        taken, self._messages = self._messages, []
        return taken

    def published(self, kind: type[Message]) -> list[Any]:
        """Return the messages of a kind since the last call; the others are dropped."""
        return [message for _, message in self.taken() if isinstance(message, kind)]

    @property
    def problem_count(self) -> int:
        """Return how many problems there were, logged or not."""
        self.gather()
        no_problem = {kind.value for kind in Kind} | {"not asked for", "trade before its instrument"}
        return sum(times for what, times in self.feed.out.counts.items() if what not in no_problem)

    def frame(self, body: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.feed.frame(raw, self.now)

    def ack(self, channel: str, symbol: str, method: str = "subscribe") -> None:
        self.frame({"method": method, "result": {"channel": channel, "symbol": symbol}, "success": True, "req_id": 1})

    def subscribed(self) -> None:
        self.open()
        for symbol in ("BTC/USD", "ETH/USD"):
            self.ack("book", symbol)
            self.ack("trade", symbol)
        pairs = [PAIR, {**PAIR, "symbol": "ETH/USD", "base": "ETH"}]
        self.frame({"channel": "instrument", "type": "snapshot", "data": {"assets": [], "pairs": pairs}})
        self.taken()

    def turn(self, seconds: float) -> list[dict[str, Any]]:
        self.now += int(seconds * SECOND)
        self.feed.turn(self.now)
        return self.sent()

    def status(self) -> FeedStatus:
        self.now += SECOND // 4
        self.feed.turn(self.now)
        status: FeedStatus = self.published(FeedStatus)[-1]
        return status
