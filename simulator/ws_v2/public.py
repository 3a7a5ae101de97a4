"""A public WebSocket v2 session: book, trade, ticker, ohlc and instrument (KRAKEN.md 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator import errors
from simulator.arguments import flag
from simulator.errors import KrakenError
from simulator.exchange.venue.book import DEPTHS
from simulator.exchange.venue.candles import INTERVALS
from simulator.pairs.views import instrument_data
from simulator.session import SYMBOLS_MAX, Request, Session, channel_of
from simulator.wire import Fields
from simulator.world import World
from simulator.ws_v2 import feed

PRIVATE_CHANNELS = frozenset({"executions", "balances", "level3"})
TRADING = frozenset(
    {
        "add_order",
        "amend_order",
        "edit_order",
        "cancel_order",
        "cancel_all",
        "cancel_all_orders_after",
        "batch_add",
        "batch_cancel",
    }
)
# A subscription besides its symbol: channel, depth, trigger or interval, and whether a snapshot is wanted.
Options = Mapping[str, str | int]
_MEMBERS = {
    "book": frozenset({"channel", "symbol", "depth", "snapshot"}),
    "trade": frozenset({"channel", "symbol", "snapshot"}),
    "ticker": frozenset({"channel", "symbol", "snapshot", "event_trigger"}),
    "ohlc": frozenset({"channel", "symbol", "interval", "snapshot"}),
    "instrument": frozenset({"channel", "snapshot", "include_tokenized_assets", "execution_venue"}),
}
TRADES_SHOWN = 50
OHLC_WARNING = "timestamp is deprecated, use interval_begin"


class PublicSession(Session):
    """A session on ``/v2``."""

    def __init__(self, world: World, connection_id: int, send: Callable[[str], None]) -> None:
        super().__init__(world, connection_id, send)
        # (channel, symbol, interval or 0) to depth, 0 for channels without one.
        self._subscribed: dict[tuple[str, str, int], int] = {}

    @property
    def subscribed(self) -> bool:
        """True if the session has any subscription."""
        return bool(self._subscribed)

    def close(self) -> None:
        """End every subscription, as the connection is gone."""
        super().close()
        for (channel, symbol, _), depth in self._subscribed.items():
            self.world.hub.leave(channel, symbol, depth, self)
        self._subscribed.clear()

    def dispatch(self, request: Request, now: int) -> None:
        """Subscribe or unsubscribe; refuse (KrakenError) what belongs on the private side."""
        if request.method in TRADING or _is_private(request):
            raise KrakenError(errors.PRIVATE_ON_PUBLIC)
        if request.method not in ("subscribe", "unsubscribe"):
            raise KrakenError(errors.UNSUPPORTED_EVENT)
        channel = channel_of(request, _MEMBERS)
        if channel == "instrument":
            self._instrument(request, now)
            return
        symbols = request.params.get("symbol")
        if not isinstance(symbols, list) or not symbols or len(symbols) > SYMBOLS_MAX:
            raise KrakenError(errors.MALFORMED)
        options = self._options(channel, request.params)
        for symbol in symbols:
            if not isinstance(symbol, str) or symbol not in self.world.exchange.venues:
                name = symbol[:64] if isinstance(symbol, str) else ""
                self.refuse(request, errors.unsupported_pair(name), now, symbol=name)
            elif request.method == "subscribe":
                self._subscribe(request, channel, symbol, options, now)
            else:
                self._unsubscribe(request, channel, symbol, options, now)

    def _options(self, channel: str, params: Fields) -> dict[str, str | int]:
        default = channel != "trade" or self._unconfirmed.trade_snapshot
        options: dict[str, str | int] = {"channel": channel}
        if channel == "book":
            depth = params.get("depth", DEPTHS[0])
            if isinstance(depth, bool) or not isinstance(depth, int) or depth not in DEPTHS:
                raise KrakenError(errors.DEPTH_NOT_SUPPORTED)
            options["depth"] = depth
        if channel == "ticker":
            trigger = params.get("event_trigger", "trades")
            if not isinstance(trigger, str) or trigger not in ("trades", "bbo"):
                raise KrakenError(errors.MALFORMED)
            options["event_trigger"] = trigger
        if channel == "ohlc":
            interval = params.get("interval", INTERVALS[0])
            if isinstance(interval, bool) or not isinstance(interval, int) or interval not in INTERVALS:
                raise KrakenError(errors.INTERVAL_NOT_SUPPORTED)
            options["interval"] = interval
        options["snapshot"] = flag(params, "snapshot") if params.get("snapshot") is not None else default
        return options

    def _subscribe(self, request: Request, channel: str, symbol: str, options: Options, now: int) -> None:
        key = _key(channel, symbol, options)
        depth, other = _depth(channel, options), self._subscribed.get(key)
        if other is not None:
            switches = self._unconfirmed
            if (switches.duplicate_subscribe if other == depth else switches.second_depth) == "refused":
                self.refuse(request, errors.ALREADY_SUBSCRIBED, now, symbol=symbol)
                return
            self.world.hub.leave(channel, symbol, other, self)
        warned = {"warnings": [OHLC_WARNING]} if channel == "ohlc" else {}
        self.answer(request, {**options, "symbol": symbol, **warned}, now)
        venue = self.world.exchange.venues[symbol]
        if options["snapshot"]:
            if channel == "book":
                self.reply(venue.book.snapshot(depth))
            elif channel == "trade":
                self.reply(feed.trades(venue.pair, "snapshot", list(venue.tape)[-TRADES_SHOWN:]))
            elif channel == "ticker":
                self.reply(feed.ticker(venue.book, venue.day, venue.last_price, "snapshot", now))
            else:
                self.reply(feed.candles(venue.pair, "snapshot", venue.candles.kept(depth), now))
        self._subscribed[key] = depth
        self.world.hub.join(channel, symbol, depth, self)

    def _unsubscribe(self, request: Request, channel: str, symbol: str, options: Options, now: int) -> None:
        key = _key(channel, symbol, options)
        depth = self._subscribed.get(key)
        if depth is None or depth != _depth(channel, options):
            self.refuse(request, errors.NOT_SUBSCRIBED, now, symbol=symbol)
            return
        self.world.hub.leave(channel, symbol, depth, self)
        del self._subscribed[key]
        said = {name: value for name, value in options.items() if name != "snapshot"}
        self.answer(request, {**said, "symbol": symbol}, now)

    def _instrument(self, request: Request, now: int) -> None:
        key = ("instrument", "", 0)
        if request.method == "unsubscribe":
            if self._subscribed.pop(key, None) is None:
                raise KrakenError(errors.NOT_SUBSCRIBED)
            self.world.hub.leave(*key, self)
            self.answer(request, {"channel": "instrument"}, now)
            return
        if key in self._subscribed and self._unconfirmed.duplicate_subscribe == "refused":
            raise KrakenError(errors.ALREADY_SUBSCRIBED)
        snapshot = request.params.get("snapshot") is None or flag(request.params, "snapshot")
        self._subscribed[key] = 0
        self.world.hub.join(*key, self)
        warnings = ["tick_size is deprecated, use price_increment"]
        self.answer(request, {"channel": "instrument", "snapshot": snapshot, "warnings": warnings}, now)
        if snapshot:
            data = instrument_data(self.world.exchange.state.assets(), self.world.exchange.venues.values())
            self.reply(f'{{"channel":"instrument","type":"snapshot","data":{data}}}')


def _key(channel: str, symbol: str, options: Options) -> tuple[str, str, int]:
    return channel, symbol, int(options.get("interval", 0))


def _depth(channel: str, options: Options) -> int:
    """Return the number that distinguishes the views of a channel: depth, trigger or interval."""
    if channel == "ticker":
        return int(options["event_trigger"] == "bbo")
    return int(options.get("depth") or options.get("interval") or 0)


def _is_private(request: Request) -> bool:
    channel = request.params.get("channel")
    return isinstance(channel, str) and channel in PRIVATE_CHANNELS
