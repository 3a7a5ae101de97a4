"""When the dead man's switch is armed and disarmed (T3, T4)."""

from __future__ import annotations

from executor.exchange.reconcile import Reconcile
from executor.orders.registry import FOREIGN
from executor.state import State
from shared import limits


class Guard:
    """Arms the switch while there is something to guard; disarms it once all is pulled on purpose."""

    def __init__(self, state: State, reconcile: Reconcile) -> None:
        self.state, self._reconcile = state, reconcile

    def turn(self, now: int) -> None:
        """Arm at the end of a healthy pass, or disarm when nothing is to be placed any more."""
        state, session = self.state, self.state.session
        if not session.is_view_valid(now) or state.config.trading.dry_run or state.controls.stopping:
            return
        if session.is_silent(now) or not state.life.journal_ok:
            return
        if state.registry.cannot_pull:
            return  # let the switch fire: Kraken then pulls what we cannot
        if session.system == "maintenance":
            return  # requests are rejected; an armed switch pulls everything when the engine is back
        if self._is_idle(now) and not self.own_live():
            self.disarm(now)
        elif session.switch.due(now):
            session.switch.arm_asked(now)
            self._set(limits.SWITCH_TIMEOUT_S)

    def disarm(self, now: int) -> None:
        """Disarm once a current snapshot shows that nothing of ours rests: armed, it would pull foreign orders only."""
        session = self.state.session
        if self._reconcile.is_complete and session.switch.is_armed(session.clock.now_ts(now)):
            session.switch.disarm_asked(now)
            self._set(0)

    def own_live(self) -> int:
        """Return how many orders of ours may still trade."""
        return sum(order.strategy != FOREIGN for order in self.state.registry.live())

    def _is_idle(self, now: int) -> bool:
        """True if all is pulled on purpose."""
        state = self.state
        if state.controls.halted or state.session.system not in ("online", "unknown"):
            return True
        return bool(state.maintenance_ts(now) and not state.controls.flattening)

    def _set(self, timeout_s: int) -> None:
        self.state.out.ask("cancel_all_orders_after", {"timeout": timeout_s})
