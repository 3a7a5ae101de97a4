"""Targets that are not met: wanted slots that stay empty, and orders that nobody wants. Being alive is not trading.

Compares what the strategies' targets ask for with what rests, slot by slot, and reports what has differed for 20 s.
"""

from __future__ import annotations

from collections.abc import Callable

from executor.decide.closed import Closed
from executor.decide.slot_backoff import Cause, Slot, SlotBackoff
from executor.orders.order import Active
from executor.orders.registry import FLATTEN, FOREIGN
from executor.state import State
from shared import limits
from shared.clock import MS, SECOND
from shared.messages import EmptySlot, UnwantedOrder


class Unmet:
    """Keeps ``empty`` and ``unwanted`` for the ``account`` message; ``closed`` returns a symbol's closed gate."""

    def __init__(self, state: State, backoff: SlotBackoff, closed: Callable[[str, int], Closed | None]) -> None:
        self.state, self._backoff, self._closed = state, backoff, closed
        self.empty: list[EmptySlot] = []
        self.unwanted: list[UnwantedOrder] = []
        self._empty_since: dict[Slot, int] = {}
        self._unwanted_since: dict[str, int] = {}

    @property
    def refused(self) -> list[EmptySlot]:
        """Return the slots that are empty because the exchange rejects their orders; they make the process degraded."""
        return [slot for slot in self.empty if slot.refused]

    def turn(self, now: int) -> None:
        """Compare targets with orders; called once a second."""
        wanted = self._wanted(now)
        resting = {
            (order.strategy, order.symbol, order.slot)
            for order in self.state.registry.live()
            if order.life is not Active.SENT and not order.doomed
        }
        self._empty_since = {
            slot: self._empty_since.get(slot, now)
            for slot in wanted
            if slot not in resting and not self.state.controls.halted
        }
        late = int(limits.UNMET_S * SECOND)
        self.empty = [self._empty(slot, since, now) for slot, since in self._empty_since.items() if now - since >= late]
        self._look_for_unwanted(wanted, late, now)

    def _wanted(self, now: int) -> set[Slot]:
        return {
            (strategy, symbol, quote.slot)
            for (strategy, symbol), target in self.state.market.targets.items()
            if now - target.decided <= target.ttl_ms * MS and not {strategy, symbol} & self.state.controls.paused
            for quote in target.quotes
        }

    def _empty(self, slot: Slot, since: int, now: int) -> EmptySlot:
        strategy, symbol, name = slot
        why, cause = self._backoff.last(slot)
        is_refused = cause is Cause.EXCHANGE and bool(why)
        closed = self._closed(symbol, now)
        blocked = closed.text if closed is not None else ""
        return EmptySlot(
            strategy=strategy,
            symbol=symbol,
            slot=name,
            since_ts=self.state.life.wall_ts(since),
            why=why if is_refused else blocked or why or "no reason known",
            refused=is_refused and not blocked,
            error=why if is_refused else "",
        )

    def _look_for_unwanted(self, wanted: set[Slot], late: int, now: int) -> None:
        standing = {
            order.cl_ord_id: order
            for order in self.state.registry.live()
            if order.strategy not in (FOREIGN, FLATTEN)
            and (order.doomed or (order.strategy, order.symbol, order.slot) not in wanted)
        }
        self._unwanted_since = {name: self._unwanted_since.get(name, now) for name in standing}
        self.unwanted = [
            UnwantedOrder(
                strategy=standing[name].strategy,
                symbol=standing[name].symbol,
                slot=standing[name].slot,
                cl_ord_id=name,
                order_id=standing[name].order_id,
                since_ts=self.state.life.wall_ts(since),
                why=standing[name].doomed or standing[name].error or "no target asks for it",
            )
            for name, since in self._unwanted_since.items()
            if now - since >= late
        ]
