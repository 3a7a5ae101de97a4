"""``tradebyte reconcile``: a recorded live run beside its backtest, fill by fill.

Every recorded target is decided again on what it was decided on. Then our own orders are taken out of the recorded
book, the recorded targets are played through the exact engine in it, and the fills of both are laid beside each other:
each that only one side has gets a cause, and the difference in profit is added up by cause.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from backtest import command_line
from backtest.errors import BacktestError
from backtest.exact.command import QUEUES
from backtest.reconciliation import report, run

COMMAND = "reconcile"


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = _parser().parse_args(arguments)
    config = command_line.configuration(options.config)
    queues = [options.queue] if options.queue else QUEUES
    try:
        made = run.reconcile(config, options.recording, options.strategy, queues)
    except BacktestError as error:
        command_line.fail(COMMAND, str(error))
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        encoded = msgspec.json.format(msgspec.json.encode(made), indent=1)
        (options.out / "reconcile.json").write_bytes(encoded + b"\n")
        (options.out / "reconcile.md").write_text("\n".join(report.lines(made)) + "\n", encoding="utf-8")
    if options.json:
        print(msgspec.json.encode(made).decode())
        return
    print("\n".join(report.lines(made)))
    if options.out is not None:
        print(f"\nwritten to {options.out}: reconcile.json, with each fill that is on one side only, and reconcile.md")


def _parser() -> argparse.ArgumentParser:
    options = command_line.parser(COMMAND, __doc__ or "")
    options.add_argument("--recording", required=True, metavar="FOLDER", help="of the whole bus, by 'tradebyte record'")
    options.add_argument("--strategy", metavar="NAME", help="which of the configured strategies (else the first)")
    options.add_argument(
        "--queue", choices=QUEUES, help="where in a queue others cancel (else the rule by which most fills match)"
    )
    options.add_argument("--out", type=Path, metavar="DIR", help="write reconcile.json and reconcile.md there")
    return options
