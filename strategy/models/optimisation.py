"""Order optimisation: no nearer to the mid than it takes to be the best of one side.

Own orders do not count as others', or a quote would outbid itself tick by tick.
"""

from __future__ import annotations

from decimal import Decimal

from shared.messages import Orders, OrderState, Side
from shared.numbers import notional
from strategy.interface import View


class Optimisation:
    """Moves a side's nearest price back to one increment before the others' best.

    Their levels count from where more than ``depth`` (trading currency) of others' quantity stands.
    """

    def __init__(self, depth: Decimal) -> None:
        self._depth = depth
        self._own: dict[tuple[Side, int], int] = {}

    def on_order(self, orders: Orders) -> None:
        """Take in the account's own orders on the pair."""
        self._own = {}
        for order in orders.orders:
            if order.state is OrderState.OPEN:
                key = (order.side, order.price)
                self._own[key] = self._own.get(key, 0) + order.qty - order.filled

    def price(self, view: View, side: Side, wanted: float) -> float:
        """Return the wanted price, or the one just before the others' if that is further from the mid."""
        pair, ahead = view.pair, Decimal(0)
        for ticks, lots in view.book.bids if side == "buy" else view.book.asks:
            others = lots - self._own.get((side, ticks), 0)
            if others <= 0:
                continue
            ahead += notional(ticks, others, pair.price_precision, pair.qty_precision) * view.rate
            if ahead > self._depth:
                step = pair.price_increment
                return min(wanted, ticks + step) if side == "buy" else max(wanted, ticks - step)
        return wanted
