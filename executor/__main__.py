"""The executor: the one process that sends orders. ``python -m executor fills`` reads its journal instead."""

from __future__ import annotations

import hashlib
import sys

from executor.account import Account
from executor.budget import Budget
from executor.executor import Executor, restore_day
from executor.fills import main as fills
from executor.journal import Journal, JournalError
from executor.registry import from_row
from executor.shell import SENDS_KEPT_S, Shell
from executor.state import State
from shared.clock import SECOND, boot_ns, wall_ns
from shared.config import Config
from shared.kraken.counters import TIERS
from shared.process import EXIT_CONFIG, Process, load_config, parser, refuse
from shared.starts import Held, MachineLock

WANTED = ["target", "book", "book.status", "feed.instrument", "feed.status"]


def account_key(config: Config) -> str:
    """What names the account on this machine: the exchange's address and the key, hashed."""
    return hashlib.sha256(f"{config.kraken.rest_url} {config.kraken.api_key}".encode()).hexdigest()[:32]


def restore(config: Config, journal: Journal) -> tuple[State, int]:
    """The state as the journal holds it, and the time of its newest fill (ns since the epoch)."""
    now = boot_ns()
    boot_to_wall = wall_ns() - now
    account = Account(config.trading.inventory_base or {}, journal.knows_fill)
    past = journal.fills()
    account.restore(journal.holdings(), {entry.ledger_id for entry in journal.entries()}, past)
    account.day, account.day_equity = restore_day(journal.get("day"))
    budget = Budget(TIERS[config.trading.tier])
    sends = journal.sends(wall_ns() - SENDS_KEPT_S * SECOND)
    budget.rebuild(((send.symbol, send.points, wall_ns() - send.sent_ts) for send in sends), now)
    codes = {name: journal.strategy_code(name) for name in config.strategies}
    state = State(config, journal.next_epoch(), codes, account, budget, now, boot_to_wall=boot_to_wall)
    for row in journal.live_orders():
        state.registry.add(from_row(row, boot_to_wall))
    return state, past[-1].fill_ts if past else wall_ns()


def main() -> None:
    """Runs until asked to stop."""
    if sys.argv[1:2] == ["fills"]:
        fills(sys.argv[2:])
        return
    configuration = load_config("executor", parser("executor", __doc__ or "").parse_args().config)
    process = Process("executor", configuration, WANTED)
    try:
        lock = MachineLock(account_key(configuration))
    except Held as held:
        process.held(held)
    try:
        journal = Journal(configuration.data / "journal.sqlite")
        state, last_fill_ts = restore(configuration, journal)
    except JournalError as error:
        process.start.settle(ready=False)
        refuse(EXIT_CONFIG, "executor", str(error))
    executor = Executor(state, journal.find_order, last_fill_ts)
    shell = Shell(process, state, executor, journal)
    process.log.info("epoch", epoch=state.epoch, orders_of_the_past=len(state.registry.live()))
    process.run_async(shell.private.socket.run, shell.on_messages, shell.on_turn, shell.stop, turn_ms=20)
    lock.release()


if __name__ == "__main__":
    main()
