"""The gates: why quotes must be pulled, and why nothing may be placed, for all pairs and for one.

:meth:`Gates.observe` and :meth:`Gates.observe_symbol` note what a pass sees; all other methods are queries.
"""

from __future__ import annotations

from executor.decide.closed import Closed, Gate
from executor.orders.order import Active, Presence
from executor.orders.registry import FOREIGN
from executor.state import State
from shared import limits
from shared.clock import SECOND, rfc3339
from shared.messages import Book, BookState, Pair
from shared.valuation import legs

FAR = 2**62  # ns: later than any moment
QUOTABLE = ("online", "unknown")  # modes of the matching engine; unknown until the first status


class Gates:
    """A query returns the first closed gate, or None if all are open; times are ns of CLOCK_BOOTTIME."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._contradicted: dict[str, int] = {}  # since when own orders have rested inside the touch
        self._distrusted: dict[str, int] = {}  # until when such a book is not quoted on
        self._not_live: dict[str, int] = {}  # since when a book is not live
        self._uncertain_since = 0

    # --- notes ---------------------------------------------------------------------------------------------------

    def observe(self, now: int) -> None:
        """Note since when the exchange's time is uncertain."""
        session = self.state.session
        if session.clock.uncertain_ms(now) <= limits.CLOCK_UNCERTAIN_MS:
            self._uncertain_since = 0
        elif session.connected and (session.clock.now_ts(now) or not self._is_guarded_by_past(now)):
            self._uncertain_since = self._uncertain_since or now

    def observe_symbol(self, symbol: str, now: int) -> None:
        """Note since when a symbol's book is not live, or contradicted by own orders."""
        book = self.state.market.books.get(symbol)
        if book is None or book.state is not BookState.LIVE:
            self._not_live.setdefault(symbol, now)
            return
        self._not_live.pop(symbol, None)
        if not self._is_inside_touch(symbol, book, now):
            self._contradicted.pop(symbol, None)
        elif now - self._contradicted.setdefault(symbol, now) >= limits.CONTRADICTED_S * SECOND:
            # For a fixed time: once the orders are pulled, nothing contradicts the book any more.
            self._distrusted[symbol] = now + int(limits.DISTRUST_S * SECOND)

    # --- for all -------------------------------------------------------------------------------------------------

    def pulling(self, now: int) -> Closed | None:
        """Return why all quotes must be pulled, or None."""
        state = self.state
        if state.controls.halted:
            return Closed(Gate.HALTED)
        if state.controls.stopping:
            return Closed(Gate.STOPPING)
        if state.controls.flattening:
            return Closed(Gate.FLATTENING)
        if state.session.system not in QUOTABLE:
            return Closed(Gate.MODE, (state.session.system,))
        if begins_ts := state.maintenance_ts(now):
            return Closed(Gate.MAINTENANCE, (f"{rfc3339(begins_ts)[:19]}Z",))
        if self._is_settling(now):
            return None
        feed, dead = state.market.feed, int(limits.PATH_DEAD_S * SECOND)
        if feed is None or now - state.market.feed_at > dead:
            return Closed(Gate.COLLECTOR_SILENT)
        if feed.connected and feed.system not in QUOTABLE:
            return Closed(Gate.MODE, (feed.system,))
        if now - state.market.books_at > dead:
            return Closed(Gate.BOOKS_SILENT)
        if state.session.connected and self._is_time_bad(now):
            return Closed(Gate.TIME_UNCERTAIN)
        return None

    def advancing(self, now: int) -> Closed | None:
        """Return why nothing may be added or amended now, or None."""
        state, session, feed = self.state, self.state.session, self.state.market.feed
        if session.newer_writer:
            return Closed(Gate.NEWER_WRITER, (session.newer_writer,))
        if not session.connected or session.is_silent(now):
            return Closed(Gate.NO_CONNECTION)
        if not state.is_reconciled:
            return Closed(Gate.NOT_RECONCILED, (state.account.ledger.difference or "snapshots awaited",))
        if not state.life.journal_ok:
            return Closed(Gate.JOURNAL)
        if state.registry.cannot_pull:
            return Closed(Gate.CANNOT_CANCEL)
        if feed is None or not feed.connected or feed.system != "online":
            return Closed(Gate.FEED_OFFLINE)
        if feed.online_since and now - feed.online_since < limits.ONLINE_WAIT_S * SECOND:
            return Closed(Gate.JUST_ONLINE)
        if session.clock.uncertain_ms(now) > limits.CLOCK_UNCERTAIN_MS:
            return Closed(Gate.TIME_UNCERTAIN)
        if state.deadline_ts(now) is None:
            return Closed(Gate.NOT_ARMED)
        return None

    # --- for one -------------------------------------------------------------------------------------------------

    def paused(self, strategy: str, symbol: str) -> Closed | None:
        """Return why a strategy's quotes on a symbol must be pulled though others may stay, or None."""
        name = next((name for name in (symbol, strategy) if name in self.state.controls.paused), "")
        return Closed(Gate.PAUSED, (name,)) if name else None

    def quoting(self, symbol: str, now: int) -> Closed | None:
        """Return why a symbol may not be quoted, and whether its quotes must be pulled; None if it may."""
        market, settling = self.state.market, self._is_settling(now)
        pair, book = market.pairs.get(symbol), market.books.get(symbol)
        if pair is None:
            gate = Gate.UNLISTED if symbol in market.unlisted else Gate.NO_INSTRUMENT
            return Closed(gate, pulls=not settling)
        if pair.status != "online":
            return Closed(Gate.PAIR_STATUS, (pair.status,))
        if self._has_other_precision(symbol, pair):
            return Closed(Gate.PRECISION_CHANGED)
        if book is None:
            return Closed(Gate.NO_BOOK, pulls=not settling and self._is_long_not_live(symbol, now))
        if book.state is not BookState.LIVE:
            pulls = book.state is BookState.SILENT or self._is_long_not_live(symbol, now)
            return Closed(Gate.BOOK_STATE, (str(book.state),), pulls=not settling and pulls)
        if (book.price_precision, book.qty_precision) != (pair.price_precision, pair.qty_precision):
            return Closed(Gate.PRECISIONS_DIFFER)
        if now < self._distrusted.get(symbol, 0):
            return Closed(Gate.CONTRADICTED)
        return self._valuing(symbol, now)

    def _valuing(self, symbol: str, now: int) -> Closed | None:
        """Return why a symbol's assets may not be traded, or cannot be valued."""
        for asset in legs(symbol):
            hold = self.state.account.holds.held.get(asset)
            if hold is not None:
                return Closed(Gate.HELD, (asset, hold.text(asset)))
        if why := self.state.market.rates.why_not(legs(symbol)[1], now):
            return Closed(Gate.NO_RATE, (why,), pulls=not self._is_settling(now))
        return None

    def agrees_until(self, symbol: str, now: int) -> int:
        """Return until when a pair's orders cannot begin to contradict its book if nothing happens; 0 if they may now.

        An order counts against the book only some time after it was placed or changed.
        """
        if symbol in self._contradicted or now < self._distrusted.get(symbol, 0):
            return 0
        young = int(limits.CONTRADICTED_S * SECOND)
        changed = [max(order.touched, order.stamps.acked) for order in self.state.registry.live_on(symbol)]
        return min((ts + young for ts in changed if ts + young > now), default=FAR)

    # --- parts ---------------------------------------------------------------------------------------------------

    def _is_settling(self, now: int) -> bool:
        """True just after the start, when collector and books may not have been heard yet."""
        return now - self.state.life.started < limits.START_GRACE_S * SECOND

    def _is_guarded_by_past(self, now: int) -> bool:
        """True just after the start, while the previous life's switch may still guard what rests."""
        return now - self.state.life.started < limits.SWITCH_TIMEOUT_S * SECOND

    def _is_time_bad(self, now: int) -> bool:
        """True if the exchange's time has been uncertain for long, or is while no switch guards the quotes (T3).

        Just after a start it is not known yet, and the previous life's switch guards: that is not bad.
        """
        if not self._uncertain_since:
            return False
        session = self.state.session
        is_guarded = self._is_guarded_by_past(now) or session.switch.is_armed(session.clock.now_ts(now))
        return not is_guarded or now - self._uncertain_since >= limits.TIME_UNCERTAIN_S * SECOND

    def _is_long_not_live(self, symbol: str, now: int) -> bool:
        return now - self._not_live.get(symbol, now) >= limits.NOT_LIVE_GRACE_S * SECOND

    def _has_other_precision(self, symbol: str, pair: Pair) -> bool:
        """True if an order of ours was placed with other precisions than the pair has now."""
        precisions = (pair.price_precision, pair.qty_precision)
        return any(
            order.strategy != FOREIGN and (order.price_precision, order.qty_precision) != precisions
            for order in self.state.registry.live_on(symbol)
        )

    def _is_inside_touch(self, symbol: str, book: Book, now: int) -> bool:
        """True if own orders have rested inside the book's touch for over 1 s: the book lacks them, so it is stale."""
        old = now - int(limits.CONTRADICTED_S * SECOND)
        for order in self.state.registry.live_on(symbol):
            settled = order.life is Active.OPEN and order.amend is None and order.remaining
            if order.presence is not Presence.SHOWN or order.price_precision != book.price_precision:
                continue
            if not settled or order.touched > old or order.stamps.acked > old:
                continue
            side = book.bids if order.side == "buy" else book.asks
            if not side or (order.price > side[0][0] if order.side == "buy" else order.price < side[0][0]):
                return True
        return False
