"""The feed's core: takes frames, keeps subscriptions alive, returns what goes on the bus and to Kraken.

After each event the shell carries out the effects of :meth:`Feed.take`.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from collector.feed.batch import FeedBatch
from collector.feed.dialects import dialect
from collector.feed.effects import Effects, Outbox
from collector.feed.frames import Classified, Kind, TradeRow, classify
from collector.feed.listing import Changes, Listing, Valuing, pair_of
from collector.feed.subscriptions import ACK_NS, CHANNELS, SUBSCRIBED, Subscriptions
from shared import limits
from shared.clock import MS, SECOND
from shared.errors import PrecisionError
from shared.kraken import v2
from shared.kraken.exchange_time import ExchangeTime
from shared.messages import FeedFrame, FeedStatus, FeedTrades, Pair, Resync, Trade
from shared.numbers import scale

T = TypeVar("T")


class Feed:
    """One connection to Kraken's public feed, or a replay of one.

    ``symbols`` are the traded pairs; ``valuing`` says which others to subscribe to. A replay hands on every symbol in
    the file. Times are ns of CLOCK_BOOTTIME.
    """

    def __init__(
        self,
        symbols: list[str],
        depth: int,
        *,
        replay: bool = False,
        version: int = 2,
        valuing: Valuing | None = None,
        batch: FeedBatch | None = None,
    ) -> None:
        self.out = Outbox()
        # True when the shell must fetch instrument data by REST: version 1 has no channel for it.
        self.wants_instruments = False
        self.listing = Listing(symbols, valuing or Valuing(), replay=replay)
        self._dialect = dialect(version)
        self._subscriptions = Subscriptions(self._dialect, depth, self.out)
        self._replay = replay
        # Makes messages of plain book frames of these symbols; None: each frame takes the common way.
        self._batch = batch
        self._batched: set[str] = set()
        self._connected = False
        self._connection = self._reconnects = 0
        self._last_byte = 0
        self._system = "unknown"
        self._online_since = 0
        self._status_due = 0
        self._instrument_asked = 0
        self._clock = ExchangeTime()
        self._sent_at: dict[int, int] = {}
        self._ping_due = 0
        # The states of all subscriptions, and the changes that they were looked at after.
        self._described = (-1, -1)
        self._states: dict[str, str] = {}
        self._is_subscribed = False
        # When all books are subscribed to anew (0: not wanted), and when that was last.
        self._refresh_due = self._refreshed = 0

    def take(self) -> Effects:
        """Return the effects since the last call."""
        return self.out.take()

    @property
    def is_subscribed(self) -> bool:
        """True while every listed symbol's book is subscribed and its instrument data known."""
        self._describe()
        return self._is_subscribed

    def _describe(self) -> None:
        """Look at every subscription again if one has changed."""
        changes = (self._subscriptions.changes, self.listing.changes)
        if changes == self._described:
            return
        self._described = changes
        listing, unknown = self.listing, set(self.listing.unknown)
        self._states = {symbol: self._subscriptions.state(symbol) for symbol in listing.symbols}
        self._is_subscribed = all(
            state == SUBSCRIBED and symbol in listing.pairs
            for symbol, state in self._states.items()
            if symbol not in unknown
        )

    # --- the connection ------------------------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """Begin a connection: everything known of the old one is void."""
        self._connected, self._last_byte = True, now
        self._connection += 1
        self._system, self._online_since = "unknown", 0
        self._subscriptions.forget()
        self._sent_at.clear()
        if not self._replay:
            self._ask_instruments(now)
            for channel in CHANNELS:
                self._subscriptions.subscribe(channel, self.listing.wanted(channel), now)
        self._publish_status(now)

    def closed(self, now: int) -> None:
        """End the connection."""
        self._connected = False
        self._reconnects += 1
        self._publish_status(now)

    def resync(self, message: Resync, now: int) -> None:
        """Fetch new snapshots of the books that the message names."""
        if self._connected:
            self._subscriptions.resync(message, self.listing.symbols, now)

    def refresh(self, now: int) -> None:
        """Fetch new snapshots of all books, for a reader that joined late; at most once in a while."""
        self._refresh_due = max(now, self._refreshed + int(limits.SNAPSHOTS_EVERY_S * SECOND))

    def turn(self, now: int) -> None:
        """Repeat requests that were not answered, notice a dead connection, publish the status every 200 ms."""
        if self._connected and self._replay:
            self._last_byte = now
        elif self._connected:
            self._subscriptions.turn(now)
            self._refresh(now)
            self._ping(now)
            if self._instrument_asked and now - self._instrument_asked > ACK_NS:
                self.out.problem("instrument data did not come", "asking again")
                self._ask_instruments(now)
            if now - self._last_byte > limits.CONNECTION_DEAD_S * SECOND:
                self.out.reconnect(f"no frame for {limits.CONNECTION_DEAD_S:.0f} s")
        if now >= self._status_due:
            self._publish_status(now)

    def _refresh(self, now: int) -> None:
        if not self._refresh_due or now < self._refresh_due:
            return
        self._refreshed, self._refresh_due = now, 0
        # A subscription in flight brings a snapshot anyway.
        symbols = [symbol for symbol in self.listing.symbols if self._subscriptions.is_subscribed(symbol)]
        self._subscriptions.resubscribe(symbols, now)

    def _ping(self, now: int) -> None:
        if now < self._ping_due:
            return
        self._ping_due = now + int(limits.PING_EVERY_S * SECOND)
        req_id = self.out.new_id()
        # The newest request is enough to measure by: older ones need not be remembered.
        self._sent_at = {req_id: now}
        self.out.send(self._dialect.ping(req_id))

    # --- frames --------------------------------------------------------------------------------------------------

    def frames(self, batch: list[bytes], start: int, now: int, wall: int) -> int:
        """Take in frames from a place on: all plain book frames up to another, or else one; return where to go on.

        ``wall`` is ns since the epoch.
        """
        finished = self._batch.take(batch, start, self._connection, now, wall) if self._batch is not None else []
        if not finished:
            self.frame(batch[start], now)
            return start + 1
        self._last_byte = now
        self.out.counts[Kind.BOOK.value] += len(finished)
        self.out.pending.finished += finished
        return start + len(finished)

    def frame(self, raw: bytes, now: int) -> None:
        """Take in one frame as received. Never raises: a frame that cannot be read is counted and logged."""
        self._last_byte = now
        try:
            frame = classify(raw)
        except ValueError as error:
            self.out.problem("unreadable frame", f"{error}: {_beginning(raw)}")
            return
        self.out.count(frame.kind.value)
        try:
            self._handle(frame, raw, now)
        except (ValueError, ArithmeticError) as error:
            self.out.problem(f"bad {frame.kind.value} frame", f"{error}: {_beginning(raw)}")

    def _handle(self, frame: Classified, raw: bytes, now: int) -> None:
        if frame.timing is not None and frame.timing.req_id in self._sent_at:
            sent = self._sent_at[frame.timing.req_id]
            self._clock.answer(sent, now, frame.timing.time_in_ts, frame.timing.time_out_ts)
        if frame.kind is Kind.BOOK or frame.kind is Kind.TICKER:
            self._hand_on(frame, raw, now)
        elif frame.kind is Kind.TRADE:
            for problem in frame.unread:
                self.out.problem("bad trade", problem)
            self._trades(frame.trades, now)
        elif frame.kind is Kind.INSTRUMENT:
            self._instrument(v2.payload(frame.frame.data, v2.Instrument), frame.frame.type == "snapshot", now)
        elif frame.kind is Kind.STATUS:
            self._status(frame.system, now)
        elif frame.kind is Kind.RESPONSE:
            if frame.ack is not None:
                self._subscriptions.response(frame.ack, now)
        elif frame.kind is Kind.ERROR:
            self.out.problem("error from Kraken", frame.error)
        elif frame.kind is Kind.UNKNOWN:
            self.out.problem("unknown frame", _beginning(raw))

    def _hand_on(self, frame: Classified, raw: bytes, now: int) -> None:
        """Publish a frame as it came, under each wanted symbol in it."""
        for symbol in frame.symbols:
            if self.listing.wants(symbol):
                message = FeedFrame(symbol=symbol, frame=raw, connection=self._connection, received=now)
                self.out.publish(f"feed.{frame.kind.value}.{symbol}", message)
                self._leave_to_batch(symbol)
            else:
                self.out.count("not asked for")

    def _leave_to_batch(self, symbol: str) -> None:
        """Leave plain frames of a wanted symbol to the batch from now on; no symbol stops being wanted."""
        if self._batch is not None and symbol not in self._batched and len(self._batched) < limits.BUS_TRACKED_TOPICS:
            self._batched.add(symbol)
            self._batch.want(symbol)

    def _trades(self, rows: list[TradeRow], now: int) -> None:
        by_symbol: dict[str, list[Trade]] = {}
        for symbol, side, price, qty, trade_id, trade_ts in rows:
            pair = self.listing.pairs.get(symbol)
            if pair is None:
                self.out.count("trade before its instrument")
                continue
            try:
                trade = Trade(
                    side=side,
                    price=scale(price, pair.price_precision),
                    qty=scale(qty, pair.qty_precision),
                    trade_id=trade_id,
                    trade_ts=trade_ts,
                )
            except (PrecisionError, ArithmeticError) as error:
                self.out.problem("bad trade", f"{symbol}: {error}")
                continue
            by_symbol.setdefault(symbol, []).append(trade)
        for symbol, trades in by_symbol.items():
            pair = self.listing.pairs[symbol]
            message = FeedTrades(
                symbol=symbol,
                price_precision=pair.price_precision,
                qty_precision=pair.qty_precision,
                trades=trades,
                received=now,
            )
            self.out.publish(f"feed.trade.{symbol}", message)

    def _status(self, system: str, now: int) -> None:
        is_back = system == "online" and self._system not in ("online", "unknown")
        self._system = system
        if is_back:
            self._online_since = now
            self._subscriptions.resubscribe(self.listing.wanted("book"), now)
        self._publish_status(now)

    # --- instruments ---------------------------------------------------------------------------------------------

    def instruments(self, listed: dict[str, Pair], assets: dict[str, int], now: int) -> None:
        """Take in the data of all listed pairs and assets, which the shell fetched by REST."""
        self.wants_instruments = False
        self._instrument_asked = 0
        for asset, decimals in assets.items():
            self.listing.add_asset(asset, decimals)
        online = {symbol for symbol, pair in listed.items() if pair.status == "online"}
        self._follow(self.listing.relist(set(listed), online, is_whole=True), now)
        for pair in listed.values():
            self.listing.add_pair(pair)
        self.out.publish("feed.instrument", self.listing.message())

    def _instrument(self, data: v2.Instrument, is_whole: bool, now: int) -> None:
        self._instrument_asked = 0
        for raw in data.assets:
            asset = self._element(raw, v2.Asset)
            if asset is not None:
                self.listing.add_asset(asset.id, asset.precision)
        rows = [row for raw in data.pairs if (row := self._element(raw, v2.Listed)) is not None and row.symbol]
        if is_whole or self.listing.is_known:
            online = {row.symbol for row in rows if row.status == "online"}
            self._follow(self.listing.relist({row.symbol for row in rows}, online, is_whole=is_whole), now)
        for raw in data.pairs:
            self._pair(raw)
        self.out.publish("feed.instrument", self.listing.message())

    def _pair(self, raw: msgspec.Raw) -> None:
        """Take a pair's data if the pair is wanted; one that cannot be read is logged."""
        try:
            if self.listing.wants(v2.payload(raw, v2.Symbol).symbol):
                self.listing.add_pair(pair_of(v2.payload(raw, v2.Pair)))
        except (ValueError, ArithmeticError) as error:
            self.out.problem("bad instrument", f"{error}: {_beginning(bytes(raw))}")

    def _element(self, raw: msgspec.Raw, kind: type[T]) -> T | None:
        try:
            return v2.payload(raw, kind)
        except ValueError as error:
            self.out.problem("bad instrument", f"{error}: {_beginning(bytes(raw))}")
            return None

    def _follow(self, changes: Changes, now: int) -> None:
        """Subscribe to newly wanted and to relisted pairs, and leave out those that are not listed any more."""
        if changes.added and self._connected:
            self._subscriptions.subscribe("book", changes.added, now)
        for symbol in changes.gone:
            self.out.alert("error", "pair", f"Kraken does not list {symbol}: it is left out, and the others are quoted")
        for symbol in [] if self._replay else self.listing.unknown:
            self._subscriptions.leave_out(symbol)
        if changes.back and self._connected:
            for channel in CHANNELS:
                back = [symbol for symbol in self.listing.wanted(channel) if symbol in changes.back]
                self._subscriptions.subscribe(channel, back, now)

    def _ask_instruments(self, now: int) -> None:
        self._instrument_asked = now
        if self._dialect.has_instruments:
            self.out.send(self._dialect.instruments(self.out.new_id()))
        else:
            self.wants_instruments = True

    # --- status --------------------------------------------------------------------------------------------------

    def _publish_status(self, now: int) -> None:
        self._status_due = now + limits.PATH_NEWS_MS * MS
        exchange_ts = self._clock.now_ts(now)
        self._describe()
        status = FeedStatus(
            connected=self._connected,
            connection=self._connection,
            last_byte=self._last_byte,
            system=self._system,
            online_since=self._online_since,
            symbols=self._states,
            refused=self._subscriptions.refusals(),
            resyncs=self._subscriptions.resyncs(),
            replay=self._replay,
            reconnects=self._reconnects,
            exchange_offset=exchange_ts - now if exchange_ts else 0,
            offset_uncertain_ms=round(self._clock.uncertain_ms(now), 1) if exchange_ts else -1.0,
        )
        self.out.publish("feed.status", status)


def _beginning(raw: bytes) -> str:
    return repr(raw[: limits.BAD_MESSAGE_SHOWN_BYTES])
