"""What the executor's cores share: one plain record of all that is known."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from executor.account.account import Account
from executor.account.rates import Rates
from executor.decide.budget import Budget
from executor.exchange.maintenance import Maintenance
from executor.exchange.switch import Switch
from executor.orders.order import Order
from executor.orders.registry import Registry
from executor.outbox import Outbox, Told
from executor.record import events
from executor.record.rows import REST, SendRow
from shared import limits
from shared.clock import SECOND, parse_rfc3339
from shared.config import Config
from shared.kraken.counters import Counter
from shared.kraken.exchange_time import ExchangeTime
from shared.messages import Book, BookState, BookStatus, FeedStatus, Pair, Target
from shared.valuation import legs


@dataclass(slots=True)
class State:
    """All times are ns of CLOCK_BOOTTIME unless named ``*_ts``."""

    config: Config
    epoch: int
    codes: dict[str, str]  # strategy name to its three characters
    account: Account
    budget: Budget
    started: int
    rest: Counter  # the key's REST counter
    registry: Registry = field(default_factory=Registry)
    switch: Switch = field(default_factory=Switch)
    clock: ExchangeTime = field(default_factory=ExchangeTime)
    out: Outbox = field(default_factory=Outbox)
    counts: Counts[str] = field(default_factory=Counts)
    # From the bus.
    pairs: dict[str, Pair] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)
    mids: dict[str, Decimal] = field(default_factory=dict)  # the last good one, in ticks
    market_changes: int = 0  # rises with the pairs and the rates that the risk gate values orders by
    moved_symbols: set[str] = field(default_factory=set)  # pairs that the bus told something of since the last pass
    moved_mids: set[str] = field(default_factory=set)  # symbols whose mid moved since the risk gate looked
    rates: Rates = field(default_factory=lambda: Rates("USD", ()))
    unknown: frozenset[str] = frozenset()  # configured pairs that the exchange does not list
    not_live_since: dict[str, int] = field(default_factory=dict)
    targets: dict[tuple[str, str], Target] = field(default_factory=dict)
    feed: FeedStatus | None = None
    book_status: BookStatus | None = None
    feed_at: int = 0
    book_status_at: int = 0
    # From the private stream.
    connected: bool = False
    private_heard: int = 0
    system: str = "unknown"
    maintenance: Maintenance = field(default_factory=Maintenance)
    executions_ready: bool = False
    balances_ready: bool = False
    # For the record of events: how many events an order had.
    next_event: Callable[[str], int] = lambda _: 0
    # From the shell.
    halted: bool = False
    flattening: bool = False
    paused: frozenset[str] = frozenset()  # pairs and strategies
    stopping: bool = False
    journal_ok: bool = True
    boot_to_wall: int = 0

    # Since when fills and balances disagree; 0 while they agree. Between a fill and its entries they do for moments.
    different_since: int = 0
    was_reconciled: bool = False
    # The traded bases, in the order of the pairs: what has a position, limits and an inventory.
    bases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        trading = self.config.trading
        self.bases = tuple(dict.fromkeys(legs(symbol)[0] for symbol in trading.pairs))
        self.rates = Rates(trading.currency, trading.pairs)
        self.account.statement.currency, self.account.statement.bases = trading.currency, frozenset(self.bases)

    def deadline_ts(self, now: int) -> int | None:
        """The deadline of an add or amend sent now, or None when none may be sent. A dry run needs no switch."""
        exchange_now = self.clock.now_ts(now)
        if self.config.trading.dry_run:
            return exchange_now + int(limits.DEADLINE_S * SECOND)
        return self.switch.deadline_ts(exchange_now)

    def maintenance_ts(self, now: int) -> int:
        """When announced maintenance begins that is near or due, by the exchange's time; else 0."""
        return self.maintenance.begins_ts(self.clock.now_ts(now) or now + self.boot_to_wall)

    def rest_call(self, method: str, points: float, now: int) -> None:
        """A REST call leaves: it counts, also after a restart."""
        self.rest.charge(points, now / SECOND)
        self.out.rows.append(SendRow(now + self.boot_to_wall, REST, method, points, ""))

    def record(self, order: Order, kind: str, now: int, data: dict[str, Any]) -> None:
        """What happened to an order, once it has its new state."""
        self.out.events.append(events.row(order, kind, now + self.boot_to_wall, data))

    def cause(self, strategy: str, symbol: str, slot: str) -> dict[str, Any]:
        """Return what a decision for a slot goes back to."""
        return events.cause(self.targets.get((strategy, symbol)), slot, self.boot_to_wall)

    def view_is_valid(self, now: int) -> bool:
        """Do orders, position and account stand as published: reconciled once on this connection, and not in doubt."""
        if not (self.connected and self.executions_ready and self.balances_ready and self.was_reconciled):
            return False
        return not self.different_since or now - self.different_since < limits.RECONCILE_DIFFERENCE_S * SECOND

    @property
    def is_reconciled(self) -> bool:
        """Both snapshots read, and the fills explain the balances."""
        return self.executions_ready and self.balances_ready and not self.account.ledger.difference

    def mids_decimal(self) -> dict[str, Decimal]:
        """The last good mids as prices."""
        return {s: mid.scaleb(-self.pairs[s].price_precision) for s, mid in self.mids.items() if s in self.pairs}

    def fresh(self, now: int) -> set[str]:
        """The pairs whose mid is of now: the book process is heard, and calls the book live."""
        if now - self.book_status_at > limits.PATH_DEAD_S * SECOND:
            return set()
        return {symbol for symbol, book in self.books.items() if book.state is BookState.LIVE}

    def stated_time(self, text: str, now: int) -> int:
        """ns of a time that the exchange wrote, 0 for none; its time now for one that cannot be read."""
        try:
            return parse_rfc3339(text) if text else 0
        except ValueError:
            self.counts["unreadable time"] += 1
            return self.clock.now_ts(now) or now + self.boot_to_wall

    def unread(self, text: str) -> None:
        """Counts and names what the exchange sent and nobody can read; the rest of its message counts all the same."""
        self.counts["unreadable"] += 1
        self.tell("warning", "unreadable", text[: limits.TEXT_SHOWN], alert=True)

    def tell(self, level: str, kind: str, text: str, *, alert: bool = False) -> None:
        """A line for the log; the first of its text, and then each doubling of its count."""
        self.counts[f"{kind}: {text}"] += 1
        times = self.counts[f"{kind}: {text}"]
        if len(self.counts) > 2000:
            self.counts.clear()
        if times & (times - 1) == 0:
            self.out.told.append(Told(level, kind, text if times == 1 else f"{text} ({times} times)", alert))
