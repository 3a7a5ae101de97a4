"""A public WebSocket version 1 session: events, subscriptions by the old names (KRAKEN.md 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator import errors
from simulator.errors import KrakenError
from simulator.exchange.venue.book import DEPTHS
from simulator.exchange.venue.candles import INTERVALS
from simulator.pairs.pairs import BY_WSNAME, PAIRS, Pair
from simulator.session import SYMBOLS_MAX, Request
from simulator.wire import Fields, Written
from simulator.world import World
from simulator.ws_v1 import feed
from simulator.ws_v1.session import SessionV1, reqid

TRADES_SHOWN = 50
_PRIVATE = ("ownTrades", "openOrders")
_TRADING = ("addOrder", "editOrder", "cancelOrder", "cancelAll", "cancelAllOrdersAfter")
# The member that a subscription may have besides its name, by channel.
_OPTIONS = {"book": "depth", "ohlc": "interval", "trade": "", "ticker": "", "spread": ""}
_Key = tuple[str, str, int]


class PublicSessionV1(SessionV1):
    """A session on ``/``. Its subscriptions are (channel, symbol, depth or interval)."""

    path = "v1"

    def __init__(self, world: World, connection_id: int, send: Callable[[str], None]) -> None:
        super().__init__(world, connection_id, send)
        self._subscribed: dict[_Key, None] = {}

    @property
    def subscribed(self) -> bool:
        """True if the session has any subscription."""
        return bool(self._subscribed)

    def close(self) -> None:
        """End every subscription, as the connection is gone."""
        super().close()
        for key in tuple(self._subscribed):
            self._leave(key)

    def dispatch(self, request: Request, now: int) -> None:  # noqa: ARG002 - acknowledgements carry no times
        """Subscribe or unsubscribe; raises KrakenError."""
        if request.method in _TRADING:
            raise KrakenError(errors.PRIVATE_ON_PUBLIC)
        if request.method not in ("subscribe", "unsubscribe"):
            raise KrakenError(errors.UNSUPPORTED_EVENT)
        adds = request.method == "subscribe"
        if not adds and "channelID" in request.params:
            self._leave_number(request)
            return
        subscription = request.params.get("subscription")
        if not isinstance(subscription, dict):
            raise KrakenError("Subscription field must be an object")
        if subscription.get("name") == "*" and not adds:
            for key in tuple(self._subscribed):
                self._leave(key)
                self._acknowledge(request, key, {"name": "*"})
            return
        for name in self._names(request, subscription):
            try:
                channel, depth = _wanted(subscription)
                pair = self._pair(name)
                key = (channel, pair.symbol, depth)
                if adds:
                    self._join(request, key)
                elif key not in self._subscribed:
                    raise KrakenError(errors.NOT_SUBSCRIBED)
                else:
                    self._leave(key)
                    self._acknowledge(request, key, _described(channel, depth))
            except KrakenError as error:
                self.refuse_subscription(request, str(error), name, subscription)

    def _pair(self, name: str) -> Pair:
        pair = BY_WSNAME.get(name)
        if pair is None and self._unconfirmed.v1_new_names == "taken":
            pair = PAIRS.get(name)
        venue = self.world.exchange.state.listed(pair)
        if venue is None:
            raise KrakenError(errors.unsupported_pair(name))
        return venue.pair

    def _names(self, request: Request, subscription: Fields) -> list[str]:
        if subscription.get("name") in _PRIVATE:
            self.refuse_subscription(request, errors.PRIVATE_ON_PUBLIC, None, subscription)
            return []
        names = request.params.get("pair")
        if not isinstance(names, list) or not names or len(names) > SYMBOLS_MAX:
            raise KrakenError("Pair field must be an array")
        return [name[:64] if isinstance(name, str) else "" for name in names]

    def _join(self, request: Request, key: _Key) -> None:
        channel, symbol, depth = key
        for other in [k for k in self._subscribed if k == key or (channel == "book" and k[:2] == key[:2])]:
            switches = self._unconfirmed
            if (switches.duplicate_subscribe if other == key else switches.second_depth) == "refused":
                raise KrakenError(errors.ALREADY_SUBSCRIBED)
            self._leave(other)
        self._acknowledge(request, key, _described(channel, depth))
        venue = self.world.exchange.venues[symbol]
        if channel == "book":
            self.reply(feed.snapshot(venue.book, depth))
        elif channel == "trade":
            if venue.tape and self._unconfirmed.v1_trade_snapshot:
                self.reply(feed.trades(venue.pair, list(venue.tape)[-TRADES_SHOWN:]))
        elif channel == "ticker":
            self.reply(feed.ticker(venue.book, venue.day, venue.last_price, venue.last_qty, self.world.now))
        elif channel == "spread":
            self.reply(feed.spread(venue.book, venue.book.changed_ns))
        elif (candle := venue.candles.last(depth)) is not None:
            self.reply(feed.candle(venue.pair, candle))
        self._subscribed[key] = None
        self.world.hub.join(f"v1.{channel}", symbol, depth, self)

    def _leave(self, key: _Key) -> None:
        channel, symbol, depth = key
        del self._subscribed[key]
        self.world.hub.leave(f"v1.{channel}", symbol, depth, self)

    def _leave_number(self, request: Request) -> None:
        number = request.params["channelID"]
        for key in tuple(self._subscribed):
            channel, symbol, depth = key
            if feed.channel_id(self.world.exchange.venues[symbol].pair, channel) == number:
                self._leave(key)
                self._acknowledge(request, key, _described(channel, depth))
                return
        raise KrakenError(errors.NOT_SUBSCRIBED)

    def _acknowledge(self, request: Request, key: _Key, described: Mapping[str, Written]) -> None:
        channel, symbol, depth = key
        pair = self.world.exchange.venues[symbol].pair
        self.event(
            {
                "channelID": feed.channel_id(pair, channel),
                "channelName": feed.channel_name(channel, depth),
                "event": "subscriptionStatus",
                "pair": pair.wsname,
                **reqid(request),
                "status": f"{request.method}d",
                "subscription": described,
            }
        )


def _described(channel: str, depth: int) -> dict[str, Written]:
    return {_OPTIONS[channel]: depth, "name": channel} if depth else {"name": channel}


def _wanted(subscription: Fields) -> tuple[str, int]:
    """Return channel, and its depth or interval (0 for channels without), of a ``subscription`` object."""
    channel = subscription.get("name")
    if not isinstance(channel, str) or channel not in _OPTIONS:
        raise KrakenError(errors.CHANNEL_INVALID)
    option = _OPTIONS[channel]
    if any(member not in ("name", "token", "snapshot", option) for member in subscription):
        raise KrakenError("Subscription object unsupported field")
    if channel == "book":
        depth = subscription.get("depth", DEPTHS[0])
        if isinstance(depth, bool) or not isinstance(depth, int):
            raise KrakenError("Subscription book depth must be an integer")
        if depth not in DEPTHS:
            raise KrakenError(errors.DEPTH_NOT_SUPPORTED)
        return channel, depth
    if channel == "ohlc":
        interval = subscription.get("interval", INTERVALS[0])
        if isinstance(interval, bool) or not isinstance(interval, int) or interval not in INTERVALS:
            raise KrakenError(errors.INTERVAL_NOT_SUPPORTED)
        return channel, interval
    return channel, 0
