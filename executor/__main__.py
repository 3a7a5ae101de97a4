"""The executor: the one process that sends orders. ``python -m executor fills`` and ``why`` read its journal."""

from __future__ import annotations

import importlib
import sqlite3
import sys

from executor.errors import JournalError, JournalUnavailable
from shared.errors import Held

WANTED = ["target"]
# A target is judged by the newest of these, and nothing else need wake the executor between its turns.
LAZILY = ["book", "book.status", "feed.instrument", "feed.status"]
COMMANDS = {
    "export": "record.export",
    "fills": "explain.fills",
    "statement": "explain.statement",
    "live-check": "livecheck.command",
    "why": "explain.why",
}


def main() -> None:
    """Run the executor until asked to stop, or the command that is named."""
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        # Imported late: a command must not wait for the whole executor to load.
        importlib.import_module(f"executor.{COMMANDS[sys.argv[1]]}").main(sys.argv[2:])
    else:
        run()


def run() -> None:
    """Run until asked to stop."""
    from executor.executor import Executor
    from executor.record.journal import Journal
    from executor.record.restore import restore
    from executor.shell import TURN_MS, Shell
    from shared import limits
    from shared.clock import boot_ns, clock_id, wall_ns
    from shared.process.account_lock import MachineLock, account_key
    from shared.process.command_line import EXIT_CONFIG, load_config, parser, refuse
    from shared.process.loop import Process

    configuration = load_config("executor", parser("executor", __doc__ or "").parse_args().config)
    process = Process("executor", configuration, WANTED, LAZILY)
    try:
        lock = MachineLock(account_key(configuration.kraken.rest_url, configuration.kraken.api_key))
    except Held as held:
        process.held(held)
    try:
        journal = Journal(configuration.data / "journal.sqlite")
        now = boot_ns()
        state, known_ts = restore(configuration, journal, now, wall_ns() - now)
    except JournalUnavailable as error:
        process.log.critical("the journal is unavailable, starting again later", why=str(error))
        raise SystemExit(f"executor: {error}") from error
    except JournalError as error:
        process.start.settle(ready=False)
        refuse(EXIT_CONFIG, "executor", str(error))
    except sqlite3.DatabaseError as error:
        process.start.settle(ready=False)
        path = configuration.data / "journal.sqlite"
        mend = "move it away to begin a new journal: fills so far stay at the exchange, and in the file"
        refuse(EXIT_CONFIG, "executor", f"{path} is damaged ({error}); {mend}")
    process.lazy.busy_ms = limits.LAZY_BUSY_MS
    executor = Executor(state, journal.find_order, known_ts, clock_id())
    shell = Shell(process, state, executor, journal)
    process.log.info("epoch", epoch=state.life.epoch, orders_of_the_past=len(state.registry.live()))
    process.run_async(shell.run, shell.on_messages, shell.on_turn, shell.stop, turn_ms=TURN_MS)
    lock.release()


if __name__ == "__main__":
    main()
