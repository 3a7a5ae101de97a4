"""The ``level3`` channel of a private session: per symbol, with a token and a limit of its own (KRAKEN.md 1.10)."""

from __future__ import annotations

from simulator import arguments, errors
from simulator.errors import KrakenError
from simulator.exchange.limits import Counter
from simulator.exchange.venue.level3 import DEPTHS
from simulator.keys import Token
from simulator.session import SYMBOLS_MAX, Request, Session
from simulator.wire import Written

MEMBERS = frozenset({"channel", "symbol", "depth", "snapshot", "token"})
# Points of a subscription by depth, and those a second that an account may spend: of any tier, of the highest.
POINTS = {10: 5, 100: 25, 1000: 100}
POINTS_A_SECOND, POINTS_A_SECOND_PRO = 200, 500


class Level3:
    """A session's subscriptions to single orders."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._hub = session.world.hub
        self._venues = session.world.exchange.venues
        # Symbol to depth.
        self._followed: dict[str, int] = {}
        self._points = Counter(POINTS_A_SECOND, POINTS_A_SECOND)

    def close(self) -> None:
        """End every subscription."""
        for symbol, depth in self._followed.items():
            self._hub.leave("level3", symbol, depth, self._session)
        self._followed.clear()

    def shift(self, by: int) -> None:
        """Keep what is timed here at its distance when the exchange's clock is put forward by so many ns."""
        self._points.ns += by

    @property
    def subscribed(self) -> bool:
        """True if the session has any such subscription."""
        return bool(self._followed)

    def handle(self, request: Request, token: Token, now: int) -> None:
        """Subscribe or unsubscribe, symbol by symbol; raises KrakenError."""
        params = request.params
        symbols, depth = params.get("symbol"), params.get("depth", DEPTHS[0])
        if not isinstance(symbols, list) or not symbols or len(symbols) > SYMBOLS_MAX:
            raise KrakenError(errors.MALFORMED)
        if isinstance(depth, bool) or not isinstance(depth, int) or depth not in DEPTHS:
            raise KrakenError(errors.DEPTH_NOT_SUPPORTED)
        snapshot = params.get("snapshot") is None or arguments.flag(params, "snapshot")
        pro = token.key.account.tier.rest_decay >= 1
        self._points.maximum = self._points.decay = POINTS_A_SECOND_PRO if pro else POINTS_A_SECOND
        for symbol in symbols:
            name = symbol[:64] if isinstance(symbol, str) else ""
            if not isinstance(symbol, str) or symbol not in self._venues:
                self._session.refuse(request, errors.unsupported_pair(name), now, symbol=name)
            elif request.method == "unsubscribe":
                self._unfollow(request, symbol, depth, now)
            else:
                self._follow(request, symbol, depth, snapshot, now)

    def _follow(self, request: Request, symbol: str, depth: int, snapshot: bool, now: int) -> None:
        if symbol in self._followed:
            self._session.refuse(request, errors.ALREADY_SUBSCRIBED, now, symbol=symbol)
            return
        if not self._points.fits(POINTS[depth], now) or len(self._followed) >= SYMBOLS_MAX:
            self._session.refuse(request, errors.MESSAGE_RATE, now, symbol=symbol)
            return
        self._points.charge(POINTS[depth], now)
        self._followed[symbol] = depth
        self._hub.join("level3", symbol, depth, self._session)
        result: dict[str, Written] = {"channel": "level3", "snapshot": snapshot, "symbol": symbol}
        self._session.answer(request, result if "depth" not in request.params else {**result, "depth": depth}, now)
        if snapshot:
            self._session.reply(self._venues[symbol].order_book().snapshot(depth))

    def _unfollow(self, request: Request, symbol: str, depth: int, now: int) -> None:
        if self._followed.get(symbol) != depth:
            self._session.refuse(request, errors.NOT_SUBSCRIBED, now, symbol=symbol)
            return
        del self._followed[symbol]
        self._hub.leave("level3", symbol, depth, self._session)
        self._session.answer(request, {"channel": "level3", "symbol": symbol}, now)
