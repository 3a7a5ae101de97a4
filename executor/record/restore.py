"""Restoring the state from the journal at a start. A first start and one after a crash take the same path."""

from __future__ import annotations

from collections import Counter as Counts, defaultdict
from decimal import Decimal

from executor.account import marks
from executor.account.account import Account
from executor.account.conversion import restore_conversion
from executor.account.daily_loss import restore_day
from executor.decide.budget import Budget
from executor.exchange.session import Session
from executor.life import Life
from executor.orders.codec import from_row
from executor.orders.order import filled_units
from executor.orders.registry import FLATTEN
from executor.orders.transitions import FillCounted, apply
from executor.record.archive import carried
from executor.record.journal import Journal
from executor.record.rows import REST
from executor.state import State
from shared.clock import SECOND
from shared.config import Config
from shared.kraken.counters import TIERS, Counter

SENDS_KEPT_S = 3600


def restore(config: Config, journal: Journal, now: int, boot_to_wall: int) -> tuple[State, int]:
    """Return the state as the journal holds it, and until when all fills are known (exchange time, ns since the epoch).

    ``now`` is ns of CLOCK_BOOTTIME; ``boot_to_wall`` added to it gives ns since the epoch.
    """
    wall = now + boot_to_wall
    inventory = config.trading.inventory_base or {}
    most = config.trading.max_position_size
    account = Account(inventory, journal.knows_fill, journal.knows_entry, journal.assets_settled, most)
    opened_ts = int(journal.get("opened") or wall)
    account.restore(journal.holdings(), opened_ts, carried(journal.connection), journal.fills())
    account.day = restore_day(journal.get("day"), journal.get("marks"), config.trading.currency)
    account.statement.conversion = restore_conversion(journal.get("booked"))
    account.inventory.restore(journal.get("accepted"))
    account.holds.restore(journal.get("held"), journal.get("moved"), now)
    budget = Budget(TIERS[config.trading.tier])
    rest = Counter(budget.tier.rest_max, budget.tier.rest_decay)
    sends = journal.sends(wall - SENDS_KEPT_S * SECOND)
    budget.rebuild(((s.symbol, s.points, wall - s.sent_ts) for s in sends if s.symbol != REST), now)
    for send in sends:
        if send.symbol == REST:
            rest.charge(send.points, (now - (wall - send.sent_ts)) / SECOND)
    codes = {name: journal.strategy_code(name) for name in (*config.strategies, FLATTEN)}
    epoch = journal.next_epoch(wall // SECOND)
    state = State(config, codes, Life(epoch, now, boot_to_wall), Session(rest), account, budget)
    state.market.rates.restore(journal.get("rates"))
    state.next_event = journal.next_event
    counts: Counts[str] = Counts()
    for (_, symbol), tally in account.tallies.items():
        counts[symbol] += tally.count
    state.fill_marks.restore(journal.get(marks.KEY), account.pnl, counts, journal.waiting_marks())
    fills: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in journal.fills():
        # By the exchange's id: foreign orders may have no other.
        fills[fill.order_id or fill.cl_ord_id] += Decimal(fill.qty)
    for row in journal.live_orders():
        order = from_row(row, boot_to_wall, journal.next_event(row.cl_ord_id))
        apply(order, FillCounted(filled_units(order, fills[order.order_id or order.cl_ord_id])), now)
        data = {"epoch": epoch, "was": row.state, "amending": order.amend is not None}
        state.record(order, "restored", now, data)
        state.registry.add(order)
    return state, int(journal.get("reconciled") or journal.get("opened") or wall)
