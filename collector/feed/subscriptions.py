"""The subscriptions of one connection: asked for, acknowledged, refused, asked for again."""

from __future__ import annotations

from collections.abc import Iterator

from collector.feed.dialects import Dialect
from collector.feed.effects import Outbox
from collector.feed.frames import Ack
from shared import limits
from shared.clock import SECOND
from shared.messages import Resync

CHANNELS = ("book", "trade")
ACK_NS = int(limits.SUBSCRIBE_ACK_S * SECOND)
REFUSED_NS = int(limits.SUBSCRIBE_REFUSED_S * SECOND)
PENDING, SUBSCRIBED = "pending", "subscribed"


class Subscriptions:
    """One state for each channel and symbol. Times are ns of CLOCK_BOOTTIME."""

    def __init__(self, dialect: Dialect, depth: int, out: Outbox) -> None:
        self._dialect, self._depth, self._out = dialect, depth, out
        self.changes = 0  # rises with each change of a state
        self._states: dict[tuple[str, str], str] = {}
        self._refusals: dict[tuple[str, str], str] = {}  # why a channel of a symbol is not to be had
        self._asked: dict[tuple[str, str], int] = {}  # since when an acknowledgement has been awaited
        self._unsubscribing: dict[str, int] = {}  # books to subscribe to again once the unsubscribe is acknowledged
        self._obeyed: dict[str, tuple[int, int]] = {}  # by symbol: boot and number of the last resync request obeyed

    def forget(self) -> None:
        """Begin a connection: everything known of the old one is void."""
        self.changes += 1
        self._states.clear()
        self._refusals.clear()
        self._asked.clear()
        self._unsubscribing.clear()

    def state(self, symbol: str) -> str:
        """Return the state of a symbol's book, for people: pending, subscribed, or refused and why."""
        why = self._refusals.get(("book", symbol))
        return self._states.get(("book", symbol), PENDING) if why is None else f"refused: {why}"

    def refusals(self) -> dict[str, str]:
        """Return why books are not to be had, by symbol."""
        return {symbol: why for (channel, symbol), why in self._refusals.items() if channel == "book"}

    def is_subscribed(self, symbol: str) -> bool:
        """True while a symbol's book is subscribed."""
        return self.state(symbol) == SUBSCRIBED

    def resyncs(self) -> dict[str, int]:
        """Return the number of the last resync that was obeyed, by symbol."""
        return {symbol: number for symbol, (_, number) in self._obeyed.items()}

    # --- requests ------------------------------------------------------------------------------------------------

    def subscribe(self, channel: str, symbols: list[str], now: int) -> None:
        """Subscribe to a channel of these symbols."""
        self.changes += 1
        for batch in _batches(symbols):
            self._out.send(self._dialect.subscribe(channel, batch, self._depth, self._out.new_id()))
            for symbol in batch:
                self._states[channel, symbol] = PENDING
                self._refusals.pop((channel, symbol), None)
                self._asked[channel, symbol] = now

    def resubscribe(self, symbols: list[str], now: int) -> None:
        """Fetch new snapshots: unsubscribe from these books, and subscribe once that is acknowledged."""
        self.changes += 1
        for batch in _batches(symbols):
            self._out.send(self._dialect.unsubscribe("book", batch, self._depth, self._out.new_id()))
            for symbol in batch:
                self._unsubscribing[symbol] = now
                self._states["book", symbol] = PENDING
                self._refusals.pop(("book", symbol), None)

    def resync(self, message: Resync, wanted: list[str], now: int) -> None:
        """Resubscribe to the ``wanted`` books that a message names, once for each request number of its boot."""
        stale = []
        for symbol, number in message.symbols.items():
            request = (message.boot, number)
            if symbol in wanted and request > self._obeyed.get(symbol, (0, 0)):
                self._obeyed[symbol] = request
                # A subscription in flight brings a snapshot anyway.
                if self.is_subscribed(symbol):
                    stale.append(symbol)
        self.resubscribe(stale, now)

    def leave_out(self, symbol: str) -> None:
        """Leave out a symbol that the exchange does not list, until it does."""
        self.changes += 1
        for channel in CHANNELS:
            self._asked.pop((channel, symbol), None)
            self._refusals[channel, symbol] = "not listed"

    # --- responses -----------------------------------------------------------------------------------------------

    def response(self, ack: Ack, now: int) -> None:
        """Take in the response to a request."""
        self.changes += 1
        if ack.method not in ("subscribe", "unsubscribe"):
            if ack.error:
                self._out.problem(f"{ack.method} refused", ack.error)
        elif not ack.success:
            self._refused(ack, now)
        elif ack.method == "unsubscribe":
            if ack.channel == "book" and self._unsubscribing.pop(ack.symbol, None) is not None:
                self.subscribe("book", [ack.symbol], now)
        elif ack.channel == "instrument":
            return
        elif self._asked.pop((ack.channel, ack.symbol), None) is None:
            self._out.problem("acknowledgement not asked for", f"{ack.channel} {ack.symbol}")
        else:
            self._states[ack.channel, ack.symbol] = SUBSCRIBED
            self._refusals.pop((ack.channel, ack.symbol), None)

    def _refused(self, ack: Ack, now: int) -> None:
        self._out.problem(f"{ack.method} refused", f"{ack.error} {ack.symbol}".strip())
        if ack.symbol in self._unsubscribing:
            del self._unsubscribing[ack.symbol]
            self.subscribe("book", [ack.symbol], now)
            return
        # Without a symbol the whole request was refused: all pending ones count as refused, and are asked again later.
        for channel, symbol in list(self._asked):
            if ack.symbol in ("", symbol) and ack.channel in ("", channel):
                self._refusals[channel, symbol] = ack.error
                self._asked[channel, symbol] = now + REFUSED_NS - ACK_NS

    # --- time ----------------------------------------------------------------------------------------------------

    def turn(self, now: int) -> None:
        """Repeat the requests that were not acknowledged in time."""
        lost = [symbol for symbol, since in self._unsubscribing.items() if now - since > ACK_NS]
        for symbol in lost:
            del self._unsubscribing[symbol]
        if lost:
            self._out.problem("unsubscribe not acknowledged", ", ".join(lost))
            self.subscribe("book", lost, now)
        for channel in CHANNELS:
            overdue = [s for (c, s), since in self._asked.items() if c == channel and now - since > ACK_NS]
            if overdue:
                self._out.problem(f"{channel} subscription not acknowledged", ", ".join(overdue))
                self.subscribe(channel, overdue, now)


def _batches(symbols: list[str]) -> Iterator[list[str]]:
    size = limits.SUBSCRIBE_BATCH_SYMBOLS
    return (symbols[i : i + size] for i in range(0, len(symbols), size))
