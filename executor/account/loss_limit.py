"""The limit of the day's loss: measured from fresh mids, compared each second, and a halt when it is reached."""

from __future__ import annotations

from decimal import Decimal

from executor.state import State
from shared import limits
from shared.clock import SECOND, rfc3339
from shared.halt import Cause, Halt

DAY_NS = 86400 * SECOND


class LossLimit:
    """Halts when the day's loss reaches the limit."""

    def __init__(self, state: State) -> None:
        self.state = state

    def turn(self, now: int) -> None:
        """Compare the loss with its limit; called once a second."""
        state = self.state
        if not state.session.is_view_valid(now):
            return
        mids = state.market.mid_prices()
        positions = {symbol for symbol, pnl in state.account.pnl.items() if pnl.qty}
        is_start = now - state.life.started < limits.LOSS_WAITS_S * SECOND
        if is_start and positions - mids.keys():
            return  # with half of the books a loss would show that is none
        if not self._begin_day(positions, mids, now) and is_start:
            return  # the journal's day may be days ago, and its loss dealt with
        loss = state.account.day_loss(mids, state.market.rates.values)
        state.account.keep_booked()
        limit = state.config.trading.max_daily_loss
        # A flatten only reduces; halted by the loss, it would never end.
        if loss >= limit and not state.controls.halted and not state.controls.flattening:
            state.out.halt(Halt(Cause.DAILY_LOSS, f"the day's loss {loss:.2f} reached max_daily_loss {limit}"))

    def _begin_day(self, positions: set[str], mids: dict[str, Decimal], now: int) -> bool:
        """Begin a new day from fresh mids; return False while some are missing.

        For a while yesterday's baseline is kept then; after that the day begins with the last mids.
        """
        state, account = self.state, self.state.account
        now_ts = state.life.wall_ts(now)
        date = rfc3339(now_ts)[:10]
        if date == account.day.date:
            return True
        stale = ", ".join(sorted(positions - state.market.fresh(now)))
        midnight = now - now_ts % DAY_NS
        if stale and account.day.date and now - max(midnight, state.life.started) < limits.LOSS_WAITS_S * SECOND:
            text = f"{date} waits for a fresh mid of {stale}; until then yesterday's loss counts on"
            state.out.tell("info", "day", text)
            return False
        if stale:
            text = f"the loss of {date} counts from the last mid of {stale}, or from its first if there was none"
            state.out.tell("warning", "day", text, alert=True)
        account.begin_day(date, mids)
        return True
