"""The feed's core: what to subscribe to, what each frame is, and what goes on the bus. No I/O.

The shell calls :meth:`Feed.opened`, :meth:`Feed.frame`, :meth:`Feed.closed`, :meth:`Feed.resync` and :meth:`Feed.turn`
with the time, and carries out what gathers in :attr:`Feed.sends` and :attr:`Feed.publishes`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import msgspec

from collector.dialects import dialect
from collector.frames import Ack, Classified, Kind, classify
from shared import limits
from shared.kraken import v2
from shared.kraken.exchange_time import ExchangeTime
from shared.messages import FeedFrame, FeedStatus, FeedTrades, Instruments, Message, Pair, Resync, Trade
from shared.numbers import PrecisionError, ceil_to, scale
from shared.valuation import reference_pairs

CHANNELS = ("book", "trade")
COST_PRECISION = 5  # of nearly all pairs
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Valuing:
    """Names the currency that quote assets are valued in, and by which pairs; None finds them in what is listed."""

    currency: str = "USD"
    pairs: list[str] | None = None


class Feed:
    """One connection to Kraken's public feed, or a replay of one.

    ``symbols`` is what is traded, ``valuing`` what else to subscribe to; in a replay every symbol of the file is handed
    on. Times are ns of CLOCK_BOOTTIME.
    """

    def __init__(
        self,
        symbols: list[str],
        depth: int,
        *,
        replay: bool = False,
        version: int = 2,
        valuing: Valuing | None = None,
    ) -> None:
        self.sends: list[str] = []
        self.publishes: list[tuple[str, Message]] = []
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.alerts: list[str] = []
        self.wants_reconnect = ""
        # Version 1 has no instrument channel: the shell is to fetch the data by REST.
        self.wants_instruments = False
        self._traded, self._depth, self._replay = symbols, depth, replay
        self._valuing = valuing or Valuing()
        # Subscribed to for their books alone: what values other quote assets in the trading currency.
        self._references = [symbol for symbol in self._valuing.pairs or [] if symbol not in symbols]
        self._symbols = [*symbols, *self._references]
        self._listed: set[str] = set()
        self._dialect = dialect(version)
        self._connected = False
        self._connection = 0
        self._last_byte = 0
        self._system = "unknown"
        self._online_since = 0
        self._reconnects = 0
        self._req_id = 0
        self._states: dict[tuple[str, str], str] = {}
        self._asked: dict[tuple[str, str], int] = {}
        self._unsubscribing: dict[str, int] = {}
        self._obeyed: dict[str, tuple[int, int]] = {}
        self._pairs: dict[str, Pair] = {}
        self._assets: dict[str, int] = {}
        self._status_due = 0
        self._instrument_asked = 0
        self._clock = ExchangeTime()
        self._sent_at: dict[int, int] = {}
        self._ping_due = 0

    @property
    def pairs(self) -> dict[str, Pair]:
        """The instrument data of the configured pairs, as last told."""
        return self._pairs

    @property
    def is_subscribed(self) -> bool:
        """True while every listed symbol's book is subscribed and its instrument data known."""
        return all(
            self._states.get(("book", symbol)) == "subscribed" and symbol in self._pairs
            for symbol in self._symbols
            if symbol not in self.unknown
        )

    @property
    def unknown(self) -> list[str]:
        """Wanted pairs that the exchange does not list; none before it said what it lists."""
        return [symbol for symbol in self._symbols if symbol not in self._listed] if self._listed else []

    # --- connection ----------------------------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """A new connection: nothing of the old one holds."""
        self._connected, self._last_byte = True, now
        self._connection += 1
        self._system, self._online_since = "unknown", 0
        self._states.clear()
        self._asked.clear()
        self._unsubscribing.clear()
        self._sent_at.clear()
        if not self._replay:
            self._ask_instrument(now)
            for channel in CHANNELS:
                self._subscribe(channel, self._wanted(channel), now)
        self._publish_status(now)

    def _wanted(self, channel: str) -> list[str]:
        """The symbols of a channel: of what only values another quote, the book is enough."""
        symbols = self._symbols if channel == "book" else self._traded
        unknown = self.unknown
        return [symbol for symbol in symbols if symbol not in unknown]

    def closed(self, now: int) -> None:
        """The connection ended."""
        self._connected = False
        self._reconnects += 1
        self._publish_status(now)

    # --- frames --------------------------------------------------------------------------------------------------

    def frame(self, raw: bytes, now: int) -> None:
        """One frame as received; whatever it holds, this returns."""
        self._last_byte = now
        try:
            found = classify(raw)
        except ValueError as error:
            self._problem("unreadable frame", f"{error}: {raw[: limits.BAD_MESSAGE_SHOWN_BYTES]!r}")
            return
        self.counts[found.kind.value] += 1
        try:
            self._handle(found, raw, now)
        except (ValueError, ArithmeticError) as error:
            self._problem(f"bad {found.kind.value} frame", f"{error}: {raw[: limits.BAD_MESSAGE_SHOWN_BYTES]!r}")

    def _handle(self, found: Classified, raw: bytes, now: int) -> None:
        if found.timing is not None and found.timing.req_id in self._sent_at:
            sent = self._sent_at[found.timing.req_id]
            self._clock.answer(sent, now, found.timing.time_in_ts, found.timing.time_out_ts)
        if found.kind is Kind.BOOK or found.kind is Kind.TICKER:
            topic = "feed.book" if found.kind is Kind.BOOK else "feed.ticker"
            for symbol in found.symbols:
                if self._is_wanted(symbol):
                    message = FeedFrame(symbol=symbol, frame=raw, connection=self._connection, received=now)
                    self.publishes.append((f"{topic}.{symbol}", message))
        elif found.kind is Kind.TRADE:
            for problem in found.unread:
                self._problem("bad trade", problem)
            self._trades(found, now)
        elif found.kind is Kind.INSTRUMENT:
            self._instrument(v2.payload(found.frame.data, v2.Instrument), found.frame.type == "snapshot", now)
        elif found.kind is Kind.STATUS:
            self._status(found.system, now)
        elif found.kind is Kind.RESPONSE:
            if found.ack is not None:
                self._response(found.ack, now)
        elif found.kind is Kind.ERROR:
            self._problem("error from Kraken", found.error)
        elif found.kind is Kind.UNKNOWN:
            self._problem("unknown frame", repr(raw[: limits.BAD_MESSAGE_SHOWN_BYTES]))

    def _is_wanted(self, symbol: str) -> bool:
        if self._replay or symbol in self._symbols:
            return True
        self.counts["not asked for"] += 1
        return False

    def _trades(self, found: Classified, now: int) -> None:
        by_symbol: dict[str, list[Trade]] = {}
        for symbol, side, price, qty, trade_id, trade_ts in found.trades:
            pair = self._pairs.get(symbol)
            if pair is None:
                self.counts["trade before its instrument"] += 1
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
                self._problem("bad trade", f"{symbol}: {error}")
                continue
            by_symbol.setdefault(symbol, []).append(trade)
        for symbol, trades in by_symbol.items():
            pair = self._pairs[symbol]
            message = FeedTrades(
                symbol=symbol,
                price_precision=pair.price_precision,
                qty_precision=pair.qty_precision,
                trades=trades,
                received=now,
            )
            self.publishes.append((f"feed.trade.{symbol}", message))

    def _ask_instrument(self, now: int) -> None:
        self._instrument_asked = now
        if self._dialect.has_instruments:
            self.sends.append(self._dialect.instruments(self._new_id()))
        else:
            self.wants_instruments = True

    def instruments(self, listed: dict[str, Pair], assets: dict[str, int], now: int) -> None:
        """Instrument data of everything that the exchange lists, which the shell fetched."""
        self._instrument_asked = 0
        self._assets |= assets
        self._take_listed(set(listed), {s for s, pair in listed.items() if pair.status == "online"}, now)
        self._pairs |= {symbol: pair for symbol, pair in listed.items() if self._replay or symbol in self._symbols}
        self._publish_instruments()

    def _instrument(self, data: v2.Instrument, is_whole: bool, now: int) -> None:
        self._instrument_asked = 0
        for raw_asset in data.assets:
            asset = self._element(raw_asset, v2.Asset)
            if asset is not None:
                self._assets[asset.id] = asset.precision
        rows = [row for raw in data.pairs if (row := self._element(raw, v2.Listed)) is not None and row.symbol]
        if is_whole or self._listed:
            kept = set() if is_whole else self._listed
            online = {row.symbol for row in rows if row.status == "online"}
            self._take_listed(kept | {row.symbol for row in rows}, online, now)
        for raw in data.pairs:
            self._pair(raw)
        self._publish_instruments()

    def _pair(self, raw: msgspec.Raw) -> None:
        """A pair's data, where it is wanted; one that cannot be read stops no other."""
        try:
            symbol = v2.payload(raw, v2.Symbol).symbol
            if self._replay or symbol in self._symbols:
                self._pairs[symbol] = _pair(v2.payload(raw, v2.Pair))
        except (ValueError, ArithmeticError) as error:
            self._problem("bad instrument", f"{error}: {bytes(raw)[: limits.BAD_MESSAGE_SHOWN_BYTES]!r}")

    def _element(self, raw: msgspec.Raw, kind: type[T]) -> T | None:
        try:
            return v2.payload(raw, kind)
        except ValueError as error:
            self._problem("bad instrument", f"{error}: {bytes(raw)[: limits.BAD_MESSAGE_SHOWN_BYTES]!r}")
            return None

    def _take_listed(self, listed: set[str], online: set[str], now: int) -> None:
        """Take in what the exchange lists: which wanted pairs it does not, and which others value the quotes."""
        before = set(self._listed)
        self._listed = listed
        if self._replay:
            return
        if self._valuing.pairs is None:
            found = reference_pairs(self._valuing.currency, self._traded, online)
            added = [symbol for symbol in found if symbol not in self._references]
            self._references += added
            self._symbols += added
            if added and self._connected:
                self._subscribe("book", added, now)
        for symbol in self.unknown:
            if symbol in before or not before:
                self.alerts.append(f"Kraken does not list {symbol}: it is out, and the others are quoted")
            # Asked for again only once it is listed.
            for channel in CHANNELS:
                self._asked.pop((channel, symbol), None)
                self._states[channel, symbol] = "refused: not listed"
        back = [symbol for symbol in self._symbols if before and symbol in listed and symbol not in before]
        if back and self._connected:
            for channel in CHANNELS:
                self._subscribe(channel, [symbol for symbol in self._wanted(channel) if symbol in back], now)

    def _publish_instruments(self) -> None:
        wanted = {leg for pair in self._pairs.values() for leg in (pair.base, pair.quote)}
        assets = {name: decimals for name, decimals in self._assets.items() if name in wanted}
        message = Instruments(
            pairs=dict(self._pairs),
            assets=assets,
            references=[symbol for symbol in self._references if symbol in self._pairs],
            unknown=self.unknown,
        )
        self.publishes.append(("feed.instrument", message))

    def _status(self, system: str, now: int) -> None:
        back = system == "online" and self._system not in ("online", "unknown")
        self._system = system
        if back:
            self._online_since = now
            self._resubscribe(self._wanted("book"), now)
        self._publish_status(now)

    # --- subscriptions -------------------------------------------------------------------------------------------

    def resync(self, message: Resync, now: int) -> None:
        """Resubscribes the books asked for, each once per request number of the asking boot."""
        wanted = []
        for symbol, number in message.symbols.items():
            asked = (message.boot, number)
            if symbol in self._symbols and asked > self._obeyed.get(symbol, (0, 0)) and self._connected:
                self._obeyed[symbol] = asked
                # A subscription under way brings a snapshot anyway.
                if self._states.get(("book", symbol)) == "subscribed":
                    wanted.append(symbol)
        self._resubscribe(wanted, now)

    def _resubscribe(self, symbols: list[str], now: int) -> None:
        for batch in _batches(symbols):
            self.sends.append(self._dialect.unsubscribe("book", batch, self._depth, self._new_id()))
            for symbol in batch:
                self._unsubscribing[symbol] = now
                self._states["book", symbol] = "pending"

    def _subscribe(self, channel: str, symbols: list[str], now: int) -> None:
        for batch in _batches(symbols):
            self.sends.append(self._dialect.subscribe(channel, batch, self._depth, self._new_id()))
            for symbol in batch:
                self._states[channel, symbol] = "pending"
                self._asked[channel, symbol] = now

    def _response(self, ack: Ack, now: int) -> None:
        if ack.method not in ("subscribe", "unsubscribe"):
            if ack.error:
                self._problem(f"{ack.method} refused", ack.error)
        elif not ack.success:
            self._refused(ack, now)
        elif ack.method == "unsubscribe":
            if ack.channel == "book" and self._unsubscribing.pop(ack.symbol, None) is not None:
                self._subscribe("book", [ack.symbol], now)
        elif ack.channel == "instrument":
            return
        elif self._asked.pop((ack.channel, ack.symbol), None) is None:
            self._problem("acknowledgement not asked for", f"{ack.channel} {ack.symbol}")
        else:
            self._states[ack.channel, ack.symbol] = "subscribed"

    def _refused(self, ack: Ack, now: int) -> None:
        self._problem(f"{ack.method} refused", f"{ack.error} {ack.symbol}".strip())
        if ack.symbol in self._unsubscribing:
            del self._unsubscribing[ack.symbol]
            self._subscribe("book", [ack.symbol], now)
            return
        # Without a symbol the whole request was refused: all that waits stands refused, and is asked again later.
        for channel, symbol in list(self._asked):
            if ack.symbol in ("", symbol) and ack.channel in ("", channel):
                self._states[channel, symbol] = f"refused: {ack.error}"
                self._asked[channel, symbol] = now + int((limits.SUBSCRIBE_REFUSED_S - limits.SUBSCRIBE_ACK_S) * 1e9)

    def turn(self, now: int) -> None:
        """Time passes: acknowledgements that are missing, a connection that is dead, news every 200 ms."""
        if self._connected and not self._replay:
            late = int(limits.SUBSCRIBE_ACK_S * 1e9)
            lost = [symbol for symbol, asked in self._unsubscribing.items() if now - asked > late]
            for symbol in lost:
                del self._unsubscribing[symbol]
            if lost:
                self._problem("unsubscribe not acknowledged", ", ".join(lost))
                self._subscribe("book", lost, now)
            for channel in CHANNELS:
                overdue = [s for (c, s), asked in self._asked.items() if c == channel and now - asked > late]
                if overdue:
                    self._problem(f"{channel} subscription not acknowledged", ", ".join(overdue))
                    self._subscribe(channel, overdue, now)
            if now >= self._ping_due:
                self._ping_due = now + int(limits.PING_EVERY_S * 1e9)
                # One request's answers are enough to go by: older ones need not be remembered.
                self._sent_at = {self._req_id + 1: now}
                self.sends.append(self._dialect.ping(self._new_id()))
            if self._instrument_asked and now - self._instrument_asked > late:
                self._problem("instrument data did not come", "asking again")
                self._ask_instrument(now)
            if now - self._last_byte > limits.CONNECTION_DEAD_S * 1e9:
                self.wants_reconnect = f"no frame for {limits.CONNECTION_DEAD_S:.0f} s"
        if self._replay and self._connected:
            self._last_byte = now
        if now >= self._status_due:
            self._publish_status(now)

    def _publish_status(self, now: int) -> None:
        self._status_due = now + limits.PATH_NEWS_MS * 1_000_000
        status = FeedStatus(
            connected=self._connected,
            connection=self._connection,
            last_byte=self._last_byte,
            system=self._system,
            online_since=self._online_since,
            symbols={symbol: self._states.get(("book", symbol), "pending") for symbol in self._symbols},
            resyncs={symbol: number for symbol, (_, number) in self._obeyed.items()},
            replay=self._replay,
            reconnects=self._reconnects,
            exchange_offset=self._clock.now_ts(now) - now if self._clock.now_ts(now) else 0,
            offset_uncertain_ms=round(self._clock.uncertain_ms(now), 1) if self._clock.now_ts(now) else -1.0,
        )
        self.publishes.append(("feed.status", status))

    def _new_id(self) -> int:
        self._req_id += 1
        return self._req_id

    def _problem(self, what: str, why: str) -> None:
        self.counts[what] += 1
        if len(self.problems) < limits.PROBLEMS_KEPT:
            self.problems.append(f"{what}: {why}")


def _batches(symbols: list[str]) -> list[list[str]]:
    size = limits.SUBSCRIBE_BATCH_SYMBOLS
    return [symbols[i : i + size] for i in range(0, len(symbols), size)]


def _pair(pair: v2.Pair) -> Pair:
    """A pair's data; what Kraken leaves open is taken at its loosest, since the exchange checks it all the same."""
    tick, lot = Decimal(1).scaleb(-pair.price_precision), Decimal(1).scaleb(-pair.qty_precision)
    return Pair(
        symbol=pair.symbol,
        base=pair.base,
        quote=pair.quote,
        status=pair.status,
        price_precision=pair.price_precision,
        qty_precision=pair.qty_precision,
        price_increment=scale(pair.price_increment or pair.tick_size or tick, pair.price_precision),
        qty_increment=scale(pair.qty_increment or lot, pair.qty_precision),
        qty_min=ceil_to(pair.qty_min or Decimal(0), pair.qty_precision),
        cost_min=format(pair.cost_min or Decimal(0), "f"),
        cost_precision=pair.cost_precision if pair.cost_precision is not None else COST_PRECISION,
    )
