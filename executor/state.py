"""The executor's state, by owner: market, session, orders, account, controls, life. Each is written by its owner alone.

``tests/unit/executor/test_owners.py`` checks that nobody else assigns. A core puts its effects into ``out``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from executor.account.account import Account
from executor.account.marks import Marks
from executor.account.rates import Rates
from executor.controls import Controls
from executor.decide.budget import Budget
from executor.effects import Outbox
from executor.exchange.session import Session
from executor.life import Life
from executor.market import Market
from executor.orders.order import Order
from executor.orders.registry import Registry
from executor.record import events
from executor.record.order_event import Part
from executor.record.rows import REST, SendRow
from shared import limits
from shared.clock import SECOND, parse_rfc3339
from shared.config import Config
from shared.valuation import legs


@dataclass(slots=True)
class State:
    """All times are ns of CLOCK_BOOTTIME unless named ``*_ts``."""

    config: Config
    codes: dict[str, str]  # strategy name to its three characters
    life: Life
    session: Session
    account: Account
    budget: Budget
    market: Market = field(init=False)
    registry: Registry = field(default_factory=Registry)
    controls: Controls = field(default_factory=Controls)
    fill_marks: Marks = field(default_factory=Marks)
    out: Outbox = field(default_factory=Outbox)
    # Returns the number of an order's next event in the journal, by client order id.
    next_event: Callable[[str], int] = lambda _: 0
    # The traded bases, in the order of the pairs: what has a position, limits and an inventory.
    bases: tuple[str, ...] = field(init=False)
    pairs_of: dict[str, list[str]] = field(default_factory=dict)  # the configured pairs of each base

    def __post_init__(self) -> None:
        trading = self.config.trading
        self.bases = tuple(dict.fromkeys(legs(symbol)[0] for symbol in trading.pairs))
        for symbol in trading.pairs:
            self.pairs_of.setdefault(legs(symbol)[0], []).append(symbol)
        self.market = Market(Rates(trading.currency, trading.pairs))
        self.account.report_in(trading.currency, self.bases)

    def deadline_ts(self, now: int) -> int | None:
        """Return the deadline of an add or amend sent now, or None when none may be sent. A dry run needs no switch."""
        exchange_now = self.session.clock.now_ts(now)
        if self.config.trading.dry_run:
            return exchange_now + int(limits.DEADLINE_S * SECOND)
        return self.session.switch.deadline_ts(exchange_now)

    def exchange_ts(self, now: int) -> int:
        """Return the exchange's time, or the wall's while that is not known."""
        return self.session.clock.now_ts(now) or self.life.wall_ts(now)

    def maintenance_ts(self, now: int) -> int:
        """Return the begin of announced maintenance that is near or due, by the exchange's time; else 0."""
        return self.session.maintenance.begins_ts(self.exchange_ts(now))

    def charge_rest(self, method: str, points: float, now: int) -> None:
        """Count a REST call as it leaves, and journal it so that it counts after a restart too."""
        self.session.rest.charge(points, now / SECOND)
        self.out.write(SendRow(self.life.wall_ts(now), REST, method, points, ""))

    def record(self, order: Order, kind: str, now: int, *parts: Part) -> None:
        """Record an event of an order in the journal; call this once the order has its new state."""
        self.out.write_event(events.event(order, kind, self.life.wall_ts(now), *parts))

    @property
    def is_reconciled(self) -> bool:
        """True if both snapshots were read, and the fills explain the balances."""
        return self.session.is_ready and not self.account.ledger.difference

    def stated_ts(self, text: str, now: int) -> int:
        """Return ns since the epoch of a time that the exchange wrote: 0 for none, its time now if unreadable."""
        try:
            return parse_rfc3339(text) if text else 0
        except ValueError:
            self.out.count("unreadable time")
            return self.exchange_ts(now)
