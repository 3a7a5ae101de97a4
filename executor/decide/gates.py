"""The gates: why quotes must go, and why nothing may be placed, for all and for one symbol. A core."""

from __future__ import annotations

from executor.orders.order import Active, Presence
from executor.orders.registry import FOREIGN
from executor.state import State
from shared import limits
from shared.clock import SECOND, rfc3339
from shared.messages import BookState
from shared.valuation import legs

FAR = 2**62  # ns: later than any moment


class Gates:
    """Each answers with a reason in words, or an empty text."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._contradicted: dict[str, int] = {}
        self._distrusted: dict[str, int] = {}
        self._uncertain_since = 0

    def why_pull(self, now: int) -> str:
        """Why all quotes must go, or an empty text."""
        state = self.state
        if state.halted:
            return "halted"
        if state.stopping:
            return "stopping"
        if state.flattening:
            return "flattening"
        if state.system not in ("online", "unknown"):
            return f"Kraken is in {state.system} mode"
        if begins_ts := state.maintenance_ts(now):
            return f"Kraken announced maintenance from {rfc3339(begins_ts)[:19]}Z on"
        if now - state.started < limits.START_GRACE_S * SECOND:
            return ""
        dead = int(limits.PATH_DEAD_S * SECOND)
        if state.feed is None or now - state.feed_at > dead:
            return "the collector is not heard"
        if state.feed.connected and state.feed.system not in ("online", "unknown"):
            return f"Kraken is in {state.feed.system} mode"
        if now - state.book_status_at > dead:
            return "the book process is not heard"
        if state.connected and self._is_time_bad(now):
            return "the exchange's time is uncertain"
        return ""

    def why_paused(self, strategy: str, symbol: str) -> str:
        """Why a strategy's quotes on a symbol must go though all others stay, or an empty text."""
        name = next((name for name in (symbol, strategy) if name in self.state.paused), "")
        return f"{name} is paused" if name else ""

    def _is_time_bad(self, now: int) -> bool:
        """True if the exchange's time was uncertain for long, or is while no switch guards the quotes (T3).

        After a start it is not yet known, and the switch of the life before guards: that is no bad time.
        """
        state = self.state
        if state.clock.uncertain_ms(now) <= limits.CLOCK_UNCERTAIN_MS:
            self._uncertain_since = 0
            return False
        is_guarded = now - state.started < limits.SWITCH_TIMEOUT_S * SECOND
        exchange_now = state.clock.now_ts(now)
        if not exchange_now and is_guarded:
            return False
        self._uncertain_since = self._uncertain_since or now
        is_guarded = is_guarded or state.switch.is_armed(exchange_now)
        return not is_guarded or now - self._uncertain_since >= limits.TIME_UNCERTAIN_S * SECOND

    def why_not_advance(self, now: int) -> str:
        """Why nothing may be added or amended now, or an empty text."""
        state = self.state
        if state.out.stop_held:
            return state.out.stop_held
        if not state.connected or now - state.private_heard > limits.WS_SILENT_S * SECOND:
            return "no private connection"
        if not state.is_reconciled:
            return "not reconciled: " + (state.account.ledger.difference or "snapshots awaited")
        if not state.journal_ok:
            return "the journal cannot be written"
        if state.registry.cannot_pull:
            return "an order cannot be cancelled"
        if state.feed is None or not state.feed.connected or state.feed.system != "online":
            return "the feed is not online"
        if state.feed.online_since and now - state.feed.online_since < limits.ONLINE_WAIT_S * SECOND:
            return "Kraken is back online since less than 5 s"
        if state.clock.uncertain_ms(now) > limits.CLOCK_UNCERTAIN_MS:
            return "the exchange's time is uncertain"
        if state.deadline_ts(now) is None:
            return "the dead man's switch is not armed"
        return ""

    def why_not_symbol(self, symbol: str, now: int) -> tuple[str, bool]:
        """Why a symbol is not quoted (empty: it is), and whether its quotes must go now."""
        state = self.state
        pair = state.pairs.get(symbol)
        settling = now - state.started < limits.START_GRACE_S * SECOND
        if pair is None:
            why = "Kraken does not list the pair" if symbol in state.unknown else "no instrument data"
            return why, not settling
        if pair.status != "online":
            return f"the pair is {pair.status}", True
        now_precision = (pair.price_precision, pair.qty_precision)
        for order in state.registry.live_on(symbol):
            if order.strategy != FOREIGN and (order.price_precision, order.qty_precision) != now_precision:
                return "the pair's precision changed", True
        book = state.books.get(symbol)
        if book is None or book.state is not BookState.LIVE:
            why = f"the book is {book.state}" if book is not None else "no book"
            since = state.not_live_since.setdefault(symbol, now)
            patient = book is None or book.state is not BookState.SILENT
            grace = limits.NOT_LIVE_GRACE_S * SECOND if patient else 0
            return why, not settling and now - since >= grace
        state.not_live_since.pop(symbol, None)
        if (book.price_precision, book.qty_precision) != now_precision:
            return "book and instrument differ in precision", True
        if self._is_contradicted(symbol, now):
            return "our own resting orders contradict the book", True
        for asset in legs(symbol):
            hold = state.account.holds.held.get(asset)
            if hold is not None:
                return f"{asset} is held: {hold.text(asset)}", True
        if why := state.rates.why_not(legs(symbol)[1], now):
            return why, not settling
        return "", False

    def agrees_until(self, symbol: str, now: int) -> int:
        """Return until when a pair's book and orders cannot come to contradict each other by time alone; 0: they may.

        ns of CLOCK_BOOTTIME; an order counts against the book some time after it was placed or changed.
        """
        if symbol in self._contradicted or now < self._distrusted.get(symbol, 0):
            return 0
        young = int(limits.CONTRADICTED_S * SECOND)
        changed = [max(order.touched, order.stamps.acked) for order in self.state.registry.live_on(symbol)]
        return min((ts + young for ts in changed if ts + young > now), default=FAR)

    def _is_contradicted(self, symbol: str, now: int) -> bool:
        """Own orders that rest since over 1 s inside the book's touch: the book does not know of them, so it is old.

        The verdict holds for a while: with the orders pulled nothing contradicts it any more.
        """
        book = self.state.books[symbol]
        old = now - int(limits.CONTRADICTED_S * SECOND)
        for order in self.state.registry.live_on(symbol):
            settled = order.life is Active.OPEN and order.amend is None and order.remaining
            if order.presence is not Presence.SHOWN or order.price_precision != book.price_precision:
                continue
            if not settled or order.touched > old or order.stamps.acked > old:
                continue
            side = book.bids if order.side == "buy" else book.asks
            inside = not side or (order.price > side[0][0] if order.side == "buy" else order.price < side[0][0])
            if inside:
                since = self._contradicted.setdefault(symbol, now)
                if now - since >= limits.CONTRADICTED_S * SECOND:
                    self._distrusted[symbol] = now + int(limits.DISTRUST_S * SECOND)
                break
        else:
            self._contradicted.pop(symbol, None)
        return now < self._distrusted.get(symbol, 0)
