"""The executor's core: control flow only. Events in, one pass, what is to be done in the outbox.

The order of a pass is fixed: reports and answers were taken in, then what is known is settled, then quotes are pulled
or placed, and arming the dead man's switch is the last act of a healthy pass (T4).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from executor.decide.flatten import Flatten
from executor.decide.quoting import Quoting, mid_of
from executor.decide.remote_targets import Elsewhere
from executor.decide.unmet import Unmet
from executor.exchange.backfill import History
from executor.exchange.requests import CANCEL_BY_REST
from executor.exchange.stream import Stream
from executor.orders.order import Finished
from executor.orders.registry import FOREIGN
from executor.orders.transitions import AmendVoid, Ended, apply
from executor.outbox import Request, RestCall
from executor.publish import Publisher
from executor.state import State
from shared import limits
from shared.clock import SECOND, rfc3339
from shared.halt import Cause, Halt
from shared.kraken import v2
from shared.kraken.counters import REST_CALL
from shared.messages import (
    Book,
    BookState,
    BookStatus,
    FeedStatus,
    Instruments,
    Message,
    Target,
)
from shared.numbers import plain


class Executor:
    """Holds the cores together. ``find_past`` asks the journal for orders that ended long ago.

    ``clock`` names the clock that times are of (:func:`shared.clock.clock_id`).
    """

    def __init__(
        self,
        state: State,
        find_past: Callable[[str, str], tuple[str, str] | None],
        known_ts: int = 0,
        clock: str = "",
    ) -> None:
        self.state = state
        self.elsewhere = Elsewhere(clock)
        self.stream = Stream(state, find_past)
        self.quoting = Quoting(state, self.stream)
        self.flatten = Flatten(state, self.stream, self.quoting.gates, self.quoting.placing)
        self.history = History(state, self.stream, known_ts)
        self.unmet = Unmet(state, self.quoting.waits, self._why_not_quoted)
        self.publisher = Publisher(state, self.unmet)
        self._second_due = self._value_due = 0
        self._valued = -1  # the account's changes that holds were last looked at for

    # --- events --------------------------------------------------------------------------------------------------

    def message(self, message: Message, now: int) -> bool:
        """One message from the bus; True when a pass should follow at once."""
        state = self.state
        if isinstance(message, Target):
            return message.strategy in state.config.strategies and self._target(message, now)
        elif isinstance(message, Book):
            state.books[message.symbol] = message
            state.moved_symbols.add(message.symbol)
            mid = mid_of(message) if message.state is BookState.LIVE else None
            before = state.mids.get(message.symbol)
            if mid is not None and before != mid:
                state.mids[message.symbol] = mid
                state.moved_mids.add(message.symbol)
                state.market_changes += before is None
        elif isinstance(message, FeedStatus):
            state.feed, state.feed_at = message, now
        elif isinstance(message, BookStatus):
            state.book_status, state.book_status_at = message, now
        elif isinstance(message, Instruments) and message.pairs:
            state.pairs = message.pairs
            state.unknown = frozenset(message.unknown)
            state.market_changes += 1
            state.account.ledger.decimals = dict(message.assets)
        return False

    def _target(self, message: Target, now: int) -> bool:
        """A configured strategy's target; False when it is not taken, and the one before it runs out (T2)."""
        taken = self.elsewhere.taken(message, now, now + self.state.boot_to_wall)
        if isinstance(taken, str):
            self.state.tell("warning", "clock", taken, alert=True)
            return False
        self.state.targets[message.strategy, message.symbol] = taken
        self.state.moved_symbols.add(message.symbol)
        return True

    def asks_token(self, now: int) -> None:
        """The call for a token leaves: Kraken counts it whatever comes of it."""
        self.state.rest_call("GetWebSocketsToken", REST_CALL, now)

    def opened(self, token: str, now: int) -> None:
        """The private connection stands, with this token."""
        self.state.was_reconciled = False
        self.stream.opened(token, now)

    def closed(self, now: int) -> None:
        """The private connection is gone."""
        self.stream.closed(now)

    def frame(self, raw: bytes, now: int) -> None:
        """A private frame; whatever it holds, this returns."""
        self.state.private_heard = now
        try:
            self.stream.frame(v2.parse(raw), now)
        except (ValueError, ArithmeticError) as error:
            self.state.tell("warning", "frame", f"unreadable private frame ({error}): {raw[:200]!r}")

    def rest_answer(self, call: RestCall, result: Any, now: int) -> None:
        """A REST call's answer."""
        if call.method == CANCEL_BY_REST:
            self.stream.answers.rest_cancel(call, "", now)
            return
        try:
            self.history.answered(call, result, now)
        except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError) as error:
            self.history.failed(call, f"unreadable answer: {error!r}")

    def rest_failed(self, call: RestCall, why: str, now: int) -> None:
        """A REST call without a usable answer."""
        if call.method == CANCEL_BY_REST:
            self.stream.answers.rest_cancel(call, why, now)
            return
        self.history.failed(call, why)

    def not_sent(self, request: Request, why: str, now: int) -> None:
        """The shell did not send a request: the journal is not writable, a halt, no connection."""
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

    # --- the pass ------------------------------------------------------------------------------------------------

    def turn(self, now: int) -> None:
        """One pass."""
        state = self.state
        self.stream.turn(now)
        self._watch_difference(now)
        self._value(now)
        self.history.turn(now)
        self.quoting.turn(now)
        self.flatten.turn(now)
        self._arm(now)
        if now >= self._second_due:
            self._second_due = now + SECOND
            self.unmet.turn(now)
            self._tell_unmet()
            self._each_second(now)
        state.registry.forget(now)
        self._publish(now)

    def _value(self, now: int) -> None:
        """Take the rates anew when they are due, and look at what stands beyond its limit by no fill of ours."""
        state = self.state
        if now < self._value_due and state.account.changes == self._valued and state.rates.is_complete:
            return
        self._value_due, self._valued = now + int(limits.VALUE_EVERY_S * SECOND), state.account.changes
        if state.rates.turn(state.pairs, state.mids_decimal(), state.fresh(now), now):
            state.market_changes += 1
        if state.is_reconciled:
            before = dict(state.account.holds.held)
            state.account.look_at_holds(state.bases, self.quoting.placing.verdict.portfolio().rates, now)
            for asset in sorted(before.keys() - state.account.holds.held.keys()):
                state.tell("warning", "held", f"{asset} is within its limit again: quoted as before", alert=True)
        for asset, hold in state.account.holds.held.items():
            if now - hold.since >= limits.HELD_ALERT_S * SECOND:
                state.tell("error", "held", hold.text(asset), alert=True)

    def accept(self, asset: str, now: int) -> None:
        """A person takes what there is of an asset as wanted: it becomes the inventory, and is quoted again."""
        state = self.state
        if asset not in state.bases:
            state.tell("error", "accept", f"{asset} is no traded base: nothing to accept", alert=True)
        elif state.view_is_valid(now):
            position = state.account.position(asset)
            state.account.accept(asset)
            state.tell("warning", "accept", f"{plain(position)} {asset} accepted: part of the inventory", alert=True)

    def _why_not_quoted(self, symbol: str, now: int) -> str:
        gates = self.quoting.gates
        return gates.why_pull(now) or gates.why_not_advance(now) or gates.why_not_symbol(symbol, now)[0]

    @property
    def trouble(self) -> str:
        """Say why it is degraded although it may trade: the exchange refuses what is wanted, or an asset is held."""
        refused = [f"{slot.symbol} {slot.slot}: Kraken says {slot.error}" for slot in self.unmet.refused]
        held = [hold.text(asset) for asset, hold in sorted(self.state.account.holds.held.items())]
        return "; ".join([*held, *refused[:3]])

    def _tell_unmet(self) -> None:
        for slot in self.unmet.refused:
            name = f"{slot.strategy} {slot.symbol} {slot.slot}"
            self.state.tell(
                "error", "refused", f"{name} is wanted and stays empty: Kraken says {slot.error}", alert=True
            )

    def _watch_difference(self, now: int) -> None:
        state = self.state
        if not (state.executions_ready and state.balances_ready):
            return
        state.account.settle()
        if state.account.ledger.difference:
            state.different_since = state.different_since or now
        else:
            state.different_since = 0
            state.was_reconciled = True

    def _arm(self, now: int) -> None:
        """Arms the switch while there is something to guard; disarms it when all is pulled on purpose."""
        state = self.state
        if not state.view_is_valid(now) or state.config.trading.dry_run or state.stopping:
            return
        if now - state.private_heard > limits.WS_SILENT_S * SECOND or not state.journal_ok:
            return
        if state.registry.cannot_pull:
            return  # Kraken pulls what we cannot
        if state.system == "maintenance":
            return  # nothing is taken, and what is armed pulls everything when the engine is back
        idle = state.halted or state.system not in ("online", "unknown")
        idle = idle or bool(state.maintenance_ts(now) and not state.flattening)
        if idle and not self.own_live():
            self.disarm(now)
            return
        if state.switch.due(now):
            state.switch.asked(now)
            self._switch(limits.SWITCH_TIMEOUT_S)

    def disarm(self, now: int) -> None:
        """Nothing of ours rests, and a snapshot that lags no more has said so: it would only pull other people's."""
        state = self.state
        if self.stream.reconcile.is_complete and state.switch.is_armed(state.clock.now_ts(now)):
            state.switch.disarm_asked(now)
            self._switch(0)

    def _switch(self, timeout_s: int) -> None:
        params = {"timeout": timeout_s, "token": self.stream.token}
        request = Request(self.stream.in_flight.new_id(), "cancel_all_orders_after", params, urgent=True)
        self.state.out.requests.append(request)

    def own_live(self) -> int:
        """Return how many orders of ours may still trade."""
        return sum(order.strategy != FOREIGN for order in self.state.registry.live())

    def _each_second(self, now: int) -> None:
        state = self.state
        if not state.view_is_valid(now):
            return
        mids = state.mids_decimal()
        held = {symbol for symbol, pnl in state.account.pnl.items() if pnl.qty}
        is_start = now - state.started < limits.LOSS_WAITS_S * SECOND
        if is_start and held - mids.keys():
            return  # half of the books would make a loss of what is none
        if not self._begin_day(held, mids, now) and is_start:
            return  # the day that was begun last may be days ago, and its loss long known
        loss = state.account.day_loss(mids, state.rates.values)
        state.account.keep_booked()
        limit = state.config.trading.max_daily_loss
        # A flatten only reduces; halted by the loss, it would never end.
        if loss >= limit and not state.halted and not state.flattening:
            state.out.halt = Halt(Cause.DAILY_LOSS, f"the day's loss {loss:.2f} reached max_daily_loss {limit}")

    def _begin_day(self, held: set[str], mids: dict[str, Decimal], now: int) -> bool:
        """A new day is measured from fresh mids; until they are there, yesterday's baseline stays, for a while.

        False while it does.
        """
        state, account = self.state, self.state.account
        now_ts = now + state.boot_to_wall
        date = rfc3339(now_ts)[:10]
        if date == account.day.date:
            return True
        stale = ", ".join(sorted(held - state.fresh(now)))
        midnight = now - now_ts % (86400 * SECOND)
        if stale and account.day.date and now - max(midnight, state.started) < limits.LOSS_WAITS_S * SECOND:
            state.tell("info", "day", f"{date} is not begun without a fresh mid of {stale}: loss counts on from before")
            return False
        if stale:
            text = f"the loss of {date} counts from the last mid of {stale}, or from its first where there was none"
            state.tell("warning", "day", text, alert=True)
        account.begin_day(date, mids)
        return True

    # --- what is shown -------------------------------------------------------------------------------------------

    def _publish(self, now: int) -> None:
        state = self.state
        state.out.rows += state.account.rows
        state.account.rows.clear()
        self.publisher.turn(now)
