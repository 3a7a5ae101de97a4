"""All orders of the account that this executor knows: live ones, and those that ended lately."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator

from executor.orders.order import Active, Order, Presence
from executor.orders.transitions import Revived, apply
from shared import limits
from shared.clock import SECOND

# What stands for a strategy where none placed the order.
FOREIGN = "account"  # an order or fill that is not ours (T16)
ADOPTED = "?"  # an earlier life's order that the journal does not name
FLATTEN = "flatten"  # an order that closes the position at once (T11)


class Registry:
    """Orders by either id, and by symbol."""

    def __init__(self) -> None:
        self._by_cl: dict[str, Order] = {}
        self._by_order_id: dict[str, Order] = {}
        self._by_symbol: dict[str, dict[str, Order]] = {}
        # Those that have not ended, kept apart: a pass walks them many times, and many more ended in the last minute.
        self._standing: dict[str, Order] = {}
        # The same by symbol, and the symbols whose orders are to be published again.
        self._standing_on: dict[str, dict[str, Order]] = {}
        self._touched: set[str] = set()
        # Orders whose state is in doubt, and those that no way of cancelling has ended; mostly none.
        self._doubted: dict[str, Order] = {}
        self._stuck: dict[str, Order] = {}
        self._watchers: list[set[str]] = []
        self._ended: deque[Order] = deque()
        self.changed: dict[str, Order] = {}

    def add(self, order: Order) -> None:
        """Add a new order; the ``cl_ord_id`` of a foreign one without a client id is its order id."""
        self._by_cl[order.cl_ord_id] = order
        self._by_symbol.setdefault(order.symbol, {})[order.cl_ord_id] = order
        self.note(order)

    def note(self, order: Order) -> None:
        """Note that the order changed: it is to be journaled and published."""
        self.changed[order.cl_ord_id] = order
        self.touch(order)
        for moved in self._watchers:
            moved.add(order.symbol)
        if order.is_live:
            self._standing[order.cl_ord_id] = order
            self._standing_on.setdefault(order.symbol, {})[order.cl_ord_id] = order
        else:
            self._standing.pop(order.cl_ord_id, None)
            self._standing_on.get(order.symbol, {}).pop(order.cl_ord_id, None)
        self.look_at(order)
        if order.order_id:
            self._by_order_id[order.order_id] = order
        if not order.is_live and order not in self._ended:
            self._ended.append(order)

    def look_at(self, order: Order) -> None:
        """Update whether the order is listed as in doubt, or as one that cannot be cancelled."""
        _keep(self._doubted, order, is_kept=order.is_live and _is_doubted(order))
        is_stuck = order.cancel.failures >= limits.CANCEL_FAILURES and order.strategy != FOREIGN
        _keep(self._stuck, order, is_kept=order.is_live and is_stuck)

    def doubted(self) -> list[Order]:
        """Return the live orders in doubt, which a snapshot, the history or a report must settle."""
        return [order for order in self._doubted.values() if order.is_live]

    def watch(self) -> set[str]:
        """Return a set that gains the symbol of every order that changes; the caller empties it."""
        moved: set[str] = set()
        self._watchers.append(moved)
        return moved

    def touch(self, order: Order) -> None:
        """Mark the orders of its symbol to be published again; nothing is journaled."""
        self._touched.add(order.symbol)

    def take_touched(self) -> set[str]:
        """Return the symbols whose orders are to be published again, and forget them."""
        touched, self._touched = self._touched, set()
        return touched

    def revive(self, order: Order, now: int, *, is_suspect: bool = False) -> None:
        """Revive an order that was believed ended and is open."""
        apply(order, Revived(is_suspect), now)
        with contextlib.suppress(ValueError):
            self._ended.remove(order)
        self.note(order)

    def take_changed(self, now_ts: int) -> list[Order]:
        """Return the orders that changed since last taken, each marked as written at ``now_ts`` (wall ns)."""
        changed = list(self.changed.values())
        self.changed.clear()
        for order in changed:
            order.changed_ts = now_ts
            self.touch(order)
        return changed

    def find(self, cl_ord_id: str, order_id: str = "") -> Order | None:
        """Return an order by its client id, else by the exchange's."""
        return self._by_cl.get(cl_ord_id) or self._by_order_id.get(order_id)

    def standing(self) -> list[Order]:
        """Return every order that has not ended, foreign ones that wait for a trigger included."""
        return [order for order in self._standing.values() if order.is_live]

    def live(self) -> list[Order]:
        """Return every order that may trade now, foreign ones included, but none that waits for a trigger."""
        return [order for order in self.standing() if order.presence is not Presence.WAITING]

    def live_on(self, symbol: str) -> list[Order]:
        """Return the live orders of one symbol, as :meth:`live` does for all."""
        orders = self._standing_on.get(symbol, {}).values()
        # ``is_live`` written out: this runs some thirty times a pass, and a property call for each order is slow.
        return [order for order in orders if isinstance(order.life, Active) and order.presence is not Presence.WAITING]

    def symbols(self) -> list[str]:
        """Return the symbols that have, or had, an order that has not ended."""
        return list(self._standing_on)

    def standing_on(self, symbol: str) -> list[Order]:
        """Return a symbol's orders that have not ended, those that wait for a trigger included."""
        return [order for order in self._standing_on.get(symbol, {}).values() if order.is_live]

    def live_for(self, strategy: str, symbol: str) -> list[Order]:
        """Return one strategy's live orders on a symbol; after a revival there may be two in a slot."""
        return [order for order in self.live_on(symbol) if order.strategy == strategy]

    @property
    def cannot_pull(self) -> bool:
        """True while an order of ours is live that no way of cancelling has ended."""
        return any(order.is_live and order.presence is not Presence.WAITING for order in self._stuck.values())

    def visible(self, symbol: str) -> Iterator[Order]:
        """Yield live orders and those that ended within the last minute."""
        return iter(self._by_symbol.get(symbol, {}).values())

    def forget(self, now: int) -> None:
        """Drop orders that ended over a minute ago, or the oldest of too many."""
        old = now - int(limits.ENDED_ORDERS_KEPT_S * SECOND)
        while self._ended and (self._ended[0].ended < old or len(self._ended) > limits.ENDED_ORDERS_KEPT):
            order = self._ended.popleft()
            self.touch(order)
            self._by_cl.pop(order.cl_ord_id, None)
            self._by_symbol.get(order.symbol, {}).pop(order.cl_ord_id, None)
            self._by_order_id.pop(order.order_id, None)


def _is_doubted(order: Order) -> bool:
    is_filled = order.life is Active.OPEN and order.remaining == 0  # the report of its end is due
    is_lost = order.life is Active.UNKNOWN or (order.amend is not None and order.amend.is_unknown)
    return is_filled or is_lost or bool(order.doubt.suspect_since)


def _keep(orders: dict[str, Order], order: Order, *, is_kept: bool) -> None:
    if is_kept:
        orders[order.cl_ord_id] = order
    else:
        orders.pop(order.cl_ord_id, None)
