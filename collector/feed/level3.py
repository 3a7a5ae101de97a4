"""The core of the connection for single orders (``level3``): subscriptions, liveness, and every checksum verified.

It has a connection, a token and effects of its own, so that nothing here touches the public feed. Frames go onto the
bus as they came, also those of a book that is out of sync: a reader verifies them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from collector.feed.effects import Effects, Outbox
from collector.feed.frames import Ack, Classified, Kind, classify
from collector.feed.subscriptions import ACK_NS, REFUSED_NS
from shared import limits
from shared.bus import topics
from shared.clock import SECOND
from shared.errors import FrameError
from shared.kraken import level3, v2
from shared.messages import FeedFrame, Pair

# Points of a subscription by depth (KRAKEN.md 1.10).
POINTS: Final = {10: 5, 100: 25, 1000: 100}


class State(Enum):
    """The state of a symbol's subscription."""

    WANTED = "wanted"
    PENDING = "pending"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBING = "unsubscribing"


@dataclass(slots=True)
class Subscription:
    """A symbol's subscription: its state, since when, and its book.

    ``due`` is when to subscribe where it is wanted, and when at the earliest to fetch a new snapshot where it is there.
    """

    book: level3.Level3Book
    state: State = State.WANTED
    since: int = 0
    due: int = 0


class Figures(msgspec.Struct, frozen=True):
    """The state of the connection, for people: a detail of the collector's heartbeat.

    There is none while nobody reads single orders (``is_read``).
    """

    connected: bool
    is_read: bool
    problem: str
    symbols: dict[str, str]
    checksums_ok: int
    checksums_failed: int
    frames: int
    attempts: int


class Level3Feed:
    """One connection to the channel; ``pairs`` is the instrument data, in which a symbol must be before its orders.

    Times are ns of CLOCK_BOOTTIME.
    """

    def __init__(self, symbols: list[str], depth: int, pairs: Mapping[str, Pair]) -> None:
        self.out = Outbox()
        self._symbols, self._depth, self._pairs = symbols, depth, pairs
        self._subscriptions: dict[str, Subscription] = {}
        self._token = ""
        self._connected = False
        self._connection = 0
        self._last_byte = self._ping_due = self._subscribe_due = self._refresh_due = self._refreshed = 0
        self._ok = self._failed = 0

    def take(self) -> Effects:
        """Return the effects since the last call."""
        return self.out.take()

    def figures(self, problem: str, attempts: int, *, is_read: bool) -> Figures:
        """Return the state for people, with the shell's ``problem``."""
        return Figures(
            connected=self._connected,
            is_read=is_read,
            problem=problem,
            symbols={symbol: self._state(symbol).value for symbol in self._symbols},
            checksums_ok=self._ok,
            checksums_failed=self._failed,
            frames=self.out.counts[Kind.LEVEL3.value],
            attempts=attempts,
        )

    # --- the connection ------------------------------------------------------------------------------------------

    def opened(self, token: str, now: int) -> None:
        """Begin a connection with its token: everything known of the old one is void."""
        self._token, self._connected, self._last_byte = token, True, now
        self._connection += 1
        self._subscriptions.clear()
        self._subscribe_due = self._ping_due = now
        self.turn(now)

    def closed(self) -> None:
        """End the connection."""
        self._connected, self._token = False, ""
        self._subscriptions.clear()

    def refresh(self, now: int) -> None:
        """Fetch new snapshots, for a reader that joined late; at most once in a while."""
        self._refresh_due = max(now, self._refreshed + int(limits.SNAPSHOTS_EVERY_S * SECOND))

    def turn(self, now: int) -> None:
        """Subscribe to what is due, repeat what was not answered, and notice a dead connection."""
        if not self._connected:
            return
        if now - self._last_byte > limits.CONNECTION_DEAD_S * SECOND:
            self.out.reconnect(f"no frame for {limits.CONNECTION_DEAD_S:.0f} s")
            return
        if now >= self._ping_due:
            self._ping_due = now + int(limits.PING_EVERY_S * SECOND)
            self.out.send(v2.request("ping", None, self.out.new_id()))
        if self._refresh_due and now >= self._refresh_due:
            self._refreshed, self._refresh_due = now, 0
            for symbol in self._subscriptions:
                self._resubscribe(symbol, now)
        for symbol in self._symbols:
            self._turn_symbol(symbol, now)

    def _turn_symbol(self, symbol: str, now: int) -> None:
        pair = self._pairs.get(symbol)
        if pair is None:
            return
        if symbol not in self._subscriptions:
            book = level3.Level3Book(symbol, self._depth, pair.price_precision, pair.qty_precision)
            self._subscriptions[symbol] = Subscription(book)
        subscription = self._subscriptions[symbol]
        if subscription.state in (State.PENDING, State.UNSUBSCRIBING) and now - subscription.since > ACK_NS:
            # Whether it is subscribed is not known, so a request to begin or to end it may be refused for ever.
            self.out.reconnect(f"no answer about {symbol}")
        elif subscription.state is State.SUBSCRIBED and not subscription.book.synced and now >= subscription.due:
            self._resubscribe(symbol, now)
        elif subscription.state is State.WANTED and now >= max(subscription.due, self._subscribe_due):
            self._subscribe_due = now + POINTS[self._depth] * SECOND // limits.LEVEL3_POINTS_A_S
            subscription.state, subscription.since = State.PENDING, now
            subscription.book.clear()
            self._request("subscribe", symbol)

    def _request(self, method: str, symbol: str) -> None:
        params: dict[str, object] = {"channel": level3.CHANNEL, "symbol": [symbol], "depth": self._depth}
        if method == "subscribe":
            params["snapshot"] = True
        self.out.send(v2.request(method, params | {"token": self._token}, self.out.new_id()))

    def _resubscribe(self, symbol: str, now: int) -> None:
        """Unsubscribe, and subscribe once that is acknowledged; a subscription in flight brings a snapshot anyway."""
        subscription = self._subscriptions[symbol]
        if subscription.state is State.SUBSCRIBED:
            subscription.state, subscription.since = State.UNSUBSCRIBING, now
            self._request("unsubscribe", symbol)

    def _state(self, symbol: str) -> State:
        subscription = self._subscriptions.get(symbol)
        return State.WANTED if subscription is None else subscription.state

    # --- frames --------------------------------------------------------------------------------------------------

    def frame(self, raw: bytes, now: int) -> None:
        """Take in one frame as received. Never raises: a frame that cannot be read is counted and logged."""
        self._last_byte = now
        try:
            frame = classify(raw)
            self.out.count(frame.kind.value)
            if frame.kind is Kind.LEVEL3:
                self._orders(frame, raw, now)
            elif frame.kind is Kind.RESPONSE and frame.ack is not None:
                self._response(frame.ack, now)
            elif frame.kind is Kind.ERROR:
                self.out.problem("error from Kraken on level3", frame.error)
        except (ValueError, ArithmeticError) as error:
            self.out.problem("bad level3 frame", f"{error}: {raw[: limits.BAD_MESSAGE_SHOWN_BYTES]!r}")

    def _orders(self, frame: Classified, raw: bytes, now: int) -> None:
        for symbol in frame.symbols:
            if symbol in self._subscriptions:
                message = FeedFrame(symbol=symbol, frame=raw, connection=self._connection, received=now)
                self.out.publish(f"{topics.SINGLE_ORDERS}.{symbol}", message)
                self._verify(symbol, raw)

    def _verify(self, symbol: str, raw: bytes) -> None:
        """Bring the symbol's book up to a frame; the next turn fetches a new snapshot if it does not verify."""
        book = self._subscriptions[symbol].book
        ok, failed = book.checksums_ok, book.checksums_failed
        try:
            book.apply_frame(raw)
        except FrameError as error:
            self.out.problem("bad level3 frame", f"{symbol}: {error}")
        self._ok += book.checksums_ok - ok
        if book.checksums_failed > failed:
            self._failed += book.checksums_failed - failed
            self.out.problem("level3 checksum failed", symbol)

    def _response(self, ack: Ack, now: int) -> None:
        if not ack.success:
            self.out.problem(f"level3 {ack.method} refused", f"{ack.error} {ack.symbol}".strip())
            # Without a symbol it may be any request that is in flight.
            for symbol, subscription in self._subscriptions.items():
                in_flight = subscription.state in (State.PENDING, State.UNSUBSCRIBING)
                if in_flight and ack.symbol in ("", symbol):
                    subscription.state, subscription.due = State.WANTED, now + REFUSED_NS
            return
        acknowledged = self._subscriptions.get(ack.symbol)
        if acknowledged is None or ack.channel != level3.CHANNEL:
            return
        if ack.method == "subscribe" and acknowledged.state is State.PENDING:
            acknowledged.state, acknowledged.due = State.SUBSCRIBED, now + int(limits.RESYNC_AGAIN_S * SECOND)
        elif ack.method == "unsubscribe" and acknowledged.state is State.UNSUBSCRIBING:
            acknowledged.state, acknowledged.due = State.WANTED, now
