"""Orders that the exchange rejected or cancelled: their slots wait, and their prices (T5)."""

from __future__ import annotations

from executor.decide.slot_backoff import Cause, Slot, SlotBackoff
from executor.orders.order import Finished, Order
from executor.orders.transitions import Ended, apply
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.kraken import errors
from shared.kraken.errors import Meaning
from shared.messages import Side


class Rejections:
    """Keeps which prices are blocked after a rejection, and which slots are placed alone."""

    def __init__(self, state: State, backoff: SlotBackoff) -> None:
        self._state, self._backoff = state, backoff
        self._blocked: dict[tuple[str, Side], tuple[int, int]] = {}  # price in ticks, and the earliest end of its block
        self._apart: dict[Slot, int] = {}  # until when a slot is placed alone: its batch was rejected whole

    def reject(self, order: Order, error: str, now: int) -> None:
        """End an order that the exchange did not take."""
        apply(order, Ended(Finished.REFUSED, error), now)
        if errors.is_post_only(error):
            self.block_price(order, order.price, now)
        self.hold_slot(order, error, now)
        self._state.registry.note(order)

    def hold_slot(self, order: Order, error: str, now: int) -> None:
        """Let an order's slot wait before it is filled again; ``error`` is the exchange's text."""
        cause = Cause.RATE if errors.meaning(error) is Meaning.RATE else Cause.EXCHANGE
        self._backoff.wait((order.strategy, order.symbol, order.slot), error, now, cause)
        self._state.out.tell("warning", "refused", f"{order.strategy} {order.symbol} {order.slot}: {error}")

    def take_apart(self, order: Order, error: str, now: int) -> None:
        """End an order whose batch was rejected whole, perhaps for another's fault: its slot is placed again, alone."""
        apply(order, Ended(Finished.REFUSED, error), now)
        text = f"a batch on {order.symbol} was refused whole: {error}; one by one now"
        self._state.out.tell("warning", "refused", text)
        self._apart = {slot: until for slot, until in self._apart.items() if until > now}
        self._apart[order.strategy, order.symbol, order.slot] = now + int(limits.BATCH_APART_S * SECOND)
        self._state.registry.note(order)

    def is_apart(self, slot: Slot, now: int) -> bool:
        """True while a slot is placed alone."""
        return self._apart.get(slot, 0) > now

    def block_price(self, order: Order, price: int, now: int) -> None:
        """Block the price that was rejected until the touch clears it, for at least 1 s."""
        self._blocked[order.symbol, order.side] = (price, now + int(limits.REFUSED_PRICE_S * SECOND))

    @property
    def is_blocking(self) -> bool:
        """True while any price is blocked, which is rare."""
        return bool(self._blocked)

    def blocked_price(self, symbol: str, side: Side) -> int | None:
        """Return the blocked price of a side in ticks, or None."""
        blocked = self._blocked.get((symbol, side))
        return None if blocked is None else blocked[0]

    def lift_blocks(self, symbol: str, bid: int, ask: int, now: int) -> None:
        """Forget blocked prices whose time is over and which the touch has cleared."""
        sides: tuple[Side, Side] = ("buy", "sell")
        for side in sides:
            price, until = self._blocked.get((symbol, side), (0, 0))
            if price and now >= until and (price < ask if side == "buy" else price > bid):
                del self._blocked[symbol, side]
