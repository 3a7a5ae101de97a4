"""The executor: the one process that sends orders. ``python -m executor fills`` and ``why`` read its journal."""

from __future__ import annotations

import sqlite3
import sys

from executor.executor import Executor
from executor.export import main as export
from executor.fills import main as fills
from executor.journal import Journal, JournalError, JournalUnavailable
from executor.livecheck.command import main as live_check
from executor.restore import restore
from executor.shell import Shell
from executor.why import main as why
from shared.clock import boot_ns, clock_id, wall_ns
from shared.process import EXIT_CONFIG, Process, load_config, parser, refuse
from shared.starts import Held, MachineLock, account_key

WANTED = ["target", "book", "book.status", "feed.instrument", "feed.status"]


def main() -> None:
    """Runs until asked to stop."""
    commands = {"export": export, "fills": fills, "live-check": live_check, "why": why}
    if sys.argv[1:2] and sys.argv[1] in commands:
        commands[sys.argv[1]](sys.argv[2:])
        return
    configuration = load_config("executor", parser("executor", __doc__ or "").parse_args().config)
    process = Process("executor", configuration, WANTED)
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
    executor = Executor(state, journal.find_order, known_ts, clock_id())
    shell = Shell(process, state, executor, journal)
    process.log.info("epoch", epoch=state.epoch, orders_of_the_past=len(state.registry.live()))
    process.run_async(shell.private.socket.run, shell.on_messages, shell.on_turn, shell.stop, turn_ms=20)
    lock.release()


if __name__ == "__main__":
    main()
