"""The quotes that a strategy wants on a symbol now, and the orders that stand for them: what a pass compares."""

from __future__ import annotations

from dataclasses import dataclass

from executor.decide.closed import Closed
from executor.exchange.rejections import Rejections
from executor.orders.order import Order
from executor.state import State
from shared import limits
from shared.clock import MS, SECOND
from shared.messages import Quote, Side, Target

# A pass's time is read before the messages that it takes in, whose stamps may be a little later.
FUTURE_NS = SECOND


@dataclass(frozen=True, slots=True)
class Wanted:
    """A strategy's quotes on a symbol, why they are no more, and its orders there.

    ``pairs`` are the orders that a quote wants in their slot, each with its quote. On ``frozen`` sides a fill came that
    the target does not know of (T1).
    """

    strategy: str
    target: Target | None
    quotes: list[Quote]
    orders: list[Order]
    frozen: frozenset[Side]
    why: str
    pairs: list[tuple[Order, Quote]]


class Targets:
    """Reads targets while they hold (T2)."""

    def __init__(self, state: State, rejections: Rejections) -> None:
        self.state, self.rejections = state, rejections
        # When the view (orders, position, account) first became valid, and the ``decided`` of each target before that.
        self._known_since = 0
        self._old_targets: dict[tuple[str, str], int] = {}

    def observe(self, now: int) -> None:
        """Note when the view first became valid."""
        if not self._known_since and self.state.session.is_view_valid(now):
            self._known_since = now
            self._old_targets = {key: target.decided for key, target in self.state.market.targets.items()}

    def wanted(self, strategy: str, symbol: str, pull: Closed | None, now: int) -> Wanted:
        """Return what a strategy wants on a symbol; nothing while a gate pulls its quotes."""
        state = self.state
        target = state.market.targets.get((strategy, symbol))
        quotes: list[Quote] = []
        if pull is not None:
            why = pull.text
        else:
            quotes, why = self._quotes(target, strategy, symbol, now)
        frozen: set[Side] = set()
        if target is not None:
            tally = state.account.tally(strategy, symbol)
            frozen = {side for side in ("buy", "sell") if tally.last.get(side, 0) > target.fills}  # T1
        orders = state.registry.live_for(strategy, symbol)
        by_slot = {quote.slot: quote for quote in quotes}
        pairs = [
            (order, quote) for order in orders if not order.doomed and (quote := by_slot.get(order.slot)) is not None
        ]
        return Wanted(strategy, target, quotes, orders, frozenset(frozen), why, pairs)

    def _quotes(self, target: Target | None, strategy: str, symbol: str, now: int) -> tuple[list[Quote], str]:
        """Return a target's quotes while it holds (T2), or none and why.

        Just after a start, orders without a target are kept, as if it asked for them.
        """
        state = self.state
        if target is None or now - target.decided > target.ttl_ms * MS:
            if self._is_settling(strategy, symbol, target, now):
                orders = [order for order in state.registry.live_for(strategy, symbol) if not order.doomed]
                return [Quote(slot=o.slot, side=o.side, price=o.price, qty=o.remaining) for o in orders], ""
            return [], "no target" if target is None else "the target expired"
        if target.decided - now > FUTURE_NS:
            return [], "the target was decided in the future: its clock is not ours"
        pair = state.market.pairs.get(symbol)
        if pair is None or (target.price_precision, target.qty_precision) != (pair.price_precision, pair.qty_precision):
            return [], "the target's precision is not the pair's"
        if not self.rejections.is_blocking:
            return target.quotes, target.why
        return [quote for quote in target.quotes if not self._is_price_blocked(symbol, quote)], target.why

    def _is_settling(self, strategy: str, symbol: str, target: Target | None, now: int) -> bool:
        """True just after a start, until a strategy's first new target: it sends none before it knows the position.

        A slow connection makes that take long; meanwhile the previous life's switch guards what rests.
        """
        section = self.state.config.strategies.get(strategy)
        is_new = target is not None and target.decided != self._old_targets.get((strategy, symbol))
        if section is None or (self._known_since and is_new):
            return False
        if not self._known_since:
            return now - self.state.life.started < limits.SWITCH_TIMEOUT_S * SECOND
        return now - self._known_since < section.ttl_ms * MS

    def lift_price_blocks(self, symbol: str, now: int) -> None:
        """Unblock the prices that the touch has cleared."""
        if not self.rejections.is_blocking:
            return
        book = self.state.market.books.get(symbol)
        if book is not None and book.bids and book.asks:
            self.rejections.lift_blocks(symbol, book.bids[0][0], book.asks[0][0], now)

    def _is_price_blocked(self, symbol: str, quote: Quote) -> bool:
        """True for a price that was rejected, or one nearer to the market, until the touch has cleared it (T5)."""
        price = self.rejections.blocked_price(symbol, quote.side)
        book = self.state.market.books.get(symbol)
        if price is None or book is None or not (book.bids and book.asks):
            return False
        return quote.price >= price if quote.side == "buy" else quote.price <= price
