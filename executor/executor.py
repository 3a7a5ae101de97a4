"""The executor's core: control flow only. Events in, one pass, its effects out.

The order of a pass is fixed. Reports and responses have been taken in already. Late responses are handled, fills are
compared with balances, assets are valued; then quotes are pulled or placed; only then is the dead man's switch armed
(T4). That is the part that requests come from: they leave before the rest is made, which tells the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any  # Any: Kraken's answers, read by the core that made the call

from executor.account.loss_limit import LossLimit
from executor.decide.closed import Closed
from executor.decide.flatten import Flatten
from executor.decide.quoting import Quoting
from executor.decide.slot_backoff import SlotBackoff
from executor.decide.unmet import Unmet
from executor.effects import Effects, Request, RestCall
from executor.exchange.backfill import Backfill
from executor.exchange.guard import Guard
from executor.exchange.rejections import Rejections
from executor.exchange.requests import CANCEL_BY_REST
from executor.exchange.stream import Stream
from executor.orders.order import Finished
from executor.orders.transitions import AmendVoid, Ended, apply
from executor.publish import Publisher
from executor.remote_targets import RemoteTargets
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.kraken import v2
from shared.kraken.counters import REST_CALL
from shared.messages import Book, Instruments, Message, Target
from shared.numbers import plain


class Executor:
    """Wires the cores together. ``find_past`` asks the journal for orders that ended long ago.

    ``clock`` names this machine's CLOCK_BOOTTIME (:func:`shared.clock.clock_id`). All fills up to ``known_ts``, by the
    exchange's time, are in the journal.
    """

    def __init__(
        self,
        state: State,
        find_past: Callable[[str, str], tuple[str, str] | None],
        known_ts: int = 0,
        clock: str = "",
    ) -> None:
        self.state = state
        self.backoff = SlotBackoff()
        self.rejections = Rejections(state, self.backoff)
        self.remote_targets = RemoteTargets(clock)
        self.stream = Stream(state, self.rejections, find_past)
        self.quoting = Quoting(state, self.rejections, self.backoff)
        self.gates = self.quoting.gates
        self.flatten = Flatten(state, self.gates, self.quoting.placing)
        self.backfill = Backfill(state, self.stream, known_ts)
        self.guard = Guard(state, self.stream.reconcile)
        self.loss_limit = LossLimit(state)
        self.unmet = Unmet(state, self.backoff, self._closed_for)
        self.publisher = Publisher(state, self.unmet)
        self._second_due = self._value_due = 0
        self._valued = -1  # ``account.changes`` when holds were last checked

    # --- events --------------------------------------------------------------------------------------------------

    def message(self, message: Message, now: int) -> bool:
        """Take in one message of the bus; return True if a pass should follow at once."""
        if isinstance(message, Target):
            return message.strategy in self.state.config.strategies and self._target(message, now)
        if isinstance(message, Instruments) and message.pairs:
            self.state.account.set_decimals(message.assets)
        has_moved = self.state.market.take(message, now)
        if has_moved and isinstance(message, Book):
            self.state.fill_marks.book(message, self.state.exchange_ts(now))
        return False

    def _target(self, message: Target, now: int) -> bool:
        """Take a configured strategy's target. False if it is not taken: the one before it then expires (T2)."""
        if message.symbol not in self.state.config.strategy_pairs(message.strategy):
            text = f"{message.strategy} sends a target for {message.symbol}, which is not one of its pairs"
            self.state.out.tell("warning", "target", text, alert=True)
            return False
        local = self.remote_targets.localise(message, now, self.state.life.wall_ts(now))
        if not isinstance(local, Target):
            self.state.out.tell("warning", "clock", local.text, alert=True)
            return False
        self.state.market.take_target(local, now)
        return True

    def token_requested(self, now: int) -> None:
        """Count the call for a token as it leaves; Kraken counts it even if it fails."""
        self.state.charge_rest("GetWebSocketsToken", REST_CALL, now)

    def opened(self, token: str, now: int) -> None:
        """Begin a private connection with this token."""
        self.stream.opened(token, now)

    def closed(self, now: int) -> None:
        """End the private connection."""
        self.stream.closed(now)

    def frame(self, raw: bytes, now: int) -> None:
        """Take in a private frame. Never raises: a frame that cannot be read is logged."""
        self.state.session.hear(now)
        try:
            self.stream.frame(v2.parse(raw), now)
        except (ValueError, ArithmeticError) as error:
            self.state.out.tell("warning", "frame", f"unreadable private frame ({error}): {raw[:200]!r}")

    def rest_answer(self, call: RestCall, result: Any, now: int) -> None:
        """Take in a REST call's answer."""
        if call.method == CANCEL_BY_REST:
            self.stream.answers.rest_cancel(call, "", now)
            return
        try:
            self.backfill.answered(call, result, now)
        except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError) as error:
            self.backfill.failed(call, f"unreadable answer: {error!r}")

    def rest_failed(self, call: RestCall, why: str, now: int) -> None:
        """Take in that a REST call had no usable answer."""
        if call.method == CANCEL_BY_REST:
            self.stream.answers.rest_cancel(call, why, now)
            return
        self.backfill.failed(call, why)

    def sent(self, request: Request, now: int) -> None:
        """Note that a request was handed to the socket."""
        self.stream.in_flight.left(request, now)

    def not_sent(self, request: Request, why: str, now: int) -> None:
        """Note that a request was held back: the journal is not writable, a halt, no connection."""
        for cl_ord_id in request.orders:
            order = self.state.registry.find(cl_ord_id)
            if order is None:
                continue
            if request.method in ("add_order", "batch_add"):
                apply(order, Ended(Finished.DENIED, why), now)
            elif request.method == "amend_order":
                apply(order, AmendVoid(), now)
            self.state.record(order, "not_sent", now, {"method": request.method, "why": why})
            self.state.registry.note(order)

    def accept(self, asset: str, now: int) -> None:
        """Make an asset's balance its inventory, as a person asked; the asset is quoted again."""
        state = self.state
        if asset not in state.bases:
            state.out.tell("error", "accept", f"{asset} is no traded base: nothing to accept", alert=True)
        elif state.session.is_view_valid(now):
            position = state.account.position(asset)
            state.account.accept(asset)
            state.out.tell(
                "warning", "accept", f"{plain(position)} {asset} accepted: part of the inventory", alert=True
            )

    # --- the pass ------------------------------------------------------------------------------------------------

    def decide(self, now: int) -> Effects:
        """Make the part of a pass that requests come from; return its effects, and those of the events before it.

        When these are carried out, :meth:`tell` makes the rest: no request waits for that.
        """
        state = self.state
        self.stream.turn(now)
        self._compare(now)
        self._value(now)
        self.backfill.turn(now)
        self.quoting.turn(now)
        self.flatten.turn(now)
        self.guard.turn(now)
        state.out.write(*state.account.take_rows(), *state.fill_marks.turn(state.exchange_ts(now)))
        return state.out.take()

    def tell(self, now: int) -> Effects:
        """Make the rest of the pass: once a second what is due then, and what the others are told."""
        self.quoting.note_kept(now)
        if now >= self._second_due:
            self._second_due = now + SECOND
            self.unmet.turn(now)
            self._tell_unmet()
            self.loss_limit.turn(now)
        self.state.registry.forget(now)
        self.publisher.turn(now)
        return self.state.out.take()

    def next_due(self, now: int) -> int:
        """Return when the next pass is due if nothing comes in before."""
        return min(self._second_due, self.quoting.agenda.next_due(now))

    def _compare(self, now: int) -> None:
        """Compare fills with balances, once both are known."""
        state = self.state
        if state.session.is_ready:
            state.account.settle()
            state.session.compare(state.account.ledger.difference, now)

    def _value(self, now: int) -> None:
        """Update the rates when that is due, and hold or release assets whose position no fill of ours explains."""
        state = self.state
        if now < self._value_due and state.account.changes == self._valued:
            return
        self._valued = state.account.changes
        state.market.revalue(now)
        every_s = limits.VALUE_EVERY_S if state.market.rates.is_complete else limits.RATES_AGAIN_S
        self._value_due = now + int(every_s * SECOND)
        if state.is_reconciled:
            before = dict(state.account.holds.held)
            state.account.look_at_holds(state.bases, self.quoting.placing.verdict.portfolio().rates, now)
            for asset in sorted(before.keys() - state.account.holds.held.keys()):
                text = f"{asset} is within its limit again: quoted as before"
                state.out.tell("warning", "held", text, alert=True)
        for asset, hold in state.account.holds.held.items():
            if now - hold.since >= limits.HELD_ALERT_S * SECOND:
                state.out.tell("error", "held", hold.text(asset), alert=True)

    # --- closed gates --------------------------------------------------------------------------------------------

    def closed_gate(self, now: int) -> Closed | None:
        """Return the gate that keeps everything from being quoted, or None."""
        return self.gates.pulling(now) or self.gates.advancing(now)

    def _closed_for(self, symbol: str, now: int) -> Closed | None:
        return self.closed_gate(now) or self.gates.quoting(symbol, now)

    @property
    def trouble(self) -> str:
        """Return why the process is degraded though it may trade: an asset is held, or the exchange refuses a quote."""
        refused = [f"{slot.symbol} {slot.slot}: Kraken says {slot.error}" for slot in self.unmet.refused]
        held = [hold.text(asset) for asset, hold in sorted(self.state.account.holds.held.items())]
        return "; ".join([*held, *refused[:3]])

    def _tell_unmet(self) -> None:
        for slot in self.unmet.refused:
            text = f"{slot.strategy} {slot.symbol} {slot.slot} is wanted and stays empty: Kraken says {slot.error}"
            self.state.out.tell("error", "refused", text, alert=True)
