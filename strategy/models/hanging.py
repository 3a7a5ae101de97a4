"""Hanging orders: when one order of a pair of levels is filled, the other one stays at its price.

The level is quoted anew under another slot. A hanging order goes when it is filled, when the mid has left it by more
than ``cancel_bps``, or when a newer one needs its place. After a restart none hangs: the executor then pulls what
is not wanted any more.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from shared.messages import Orders, OrderState, Quote, Side
from shared.numbers import unscale
from strategy.interface import View
from strategy.models.quoting import BP, slot_name

_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_RESTING = frozenset({OrderState.SENT, OrderState.OPEN, OrderState.UNKNOWN, OrderState.CANCELLING})


class HangingOrders:
    """Knows which slot each level is quoted under, and which slots hang; at most ``most`` of these."""

    def __init__(self, cancel_bps: float, most: int) -> None:
        self._cancel_bps = cancel_bps
        self._most = most
        self._slots: dict[tuple[Side, int], str] = {}
        self._hanging: dict[str, Quote] = {}
        self._ended: frozenset[str] | None = None

    def slot(self, side: Side, level: int) -> str:
        """Return the slot that a level is quoted under now."""
        return self._slots.get((side, level)) or slot_name(side, level)

    def note(self, orders: Orders, strategy: str, quotes: list[Quote], levels: int) -> None:
        """Take in own orders: let the partners of newly filled ones hang at the price of the last target's quotes."""
        own = [order for order in orders.orders if order.strategy == strategy]
        for order in own:
            hangs = self._hanging.get(order.slot)
            if hangs is not None and order.state in _RESTING and order.qty > order.filled:
                self._hanging[order.slot] = msgspec.structs.replace(hangs, qty=order.qty - order.filled)
        filled = {order.cl_ord_id: order for order in own if order.state is OrderState.FILLED}
        before, self._ended = self._ended, frozenset(filled)
        if before is None:
            return
        for name, order in filled.items():
            if name not in before and self._hanging.pop(order.slot, None) is None:
                self._hang_partner(order.side, order.slot, quotes, levels)

    def _hang_partner(self, side: Side, slot: str, quotes: list[Quote], levels: int) -> None:
        level = next((number for number in range(levels) if self.slot(side, number) == slot), None)
        if level is None:
            return
        other: Side = "sell" if side == "buy" else "buy"
        partner = next((quote for quote in quotes if quote.slot == self.slot(other, level)), None)
        if partner is None:
            return
        while self._hanging and len(self._hanging) >= self._most:
            del self._hanging[next(iter(self._hanging))]
        self._hanging[partner.slot] = partner
        used = {*self._hanging, *(self.slot(other, number) for number in range(levels))}
        prefix = partner.slot[0]
        self._slots[other, level] = next(prefix + end for end in _CHARACTERS if prefix + end not in used)

    def quotes(self, view: View, side: Side, mid: float, room: Decimal) -> tuple[list[Quote], Decimal]:
        """Return the hanging quotes of a side that are near enough, do not cross and fit, and the room left."""
        kept: list[Quote] = []
        bid, ask = view.book.bids[0][0], view.book.asks[0][0]
        for slot, quote in list(self._hanging.items()):
            if quote.side != side:
                continue
            if abs(quote.price - mid) > self._cancel_bps * BP * mid:
                del self._hanging[slot]
                continue
            price = unscale(quote.price, view.pair.price_precision)
            worth = view.worth(price) * unscale(quote.qty, view.pair.qty_precision)
            if worth <= room and (quote.price < ask if side == "buy" else quote.price > bid):
                kept.append(quote)
                room -= worth
        return kept, room
