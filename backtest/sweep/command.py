"""``tradebyte sweep STUDY``: search settings by Optuna: screened by day, the best of them run exactly.

Ctrl-C, then the same command goes on where it was. STUDY is a file (docs/sweep.md); results, a page and all that going
on needs are in the folder of --out.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import msgspec

from backtest import command_line
from backtest.errors import BacktestError, DataError
from backtest.exact import setting
from backtest.sweep import days
from backtest.sweep.pools import Pool, Processes
from backtest.sweep.study import Study, read
from backtest.sweep.tasks import Conditions
from shared.config import Config
from shared.errors import ConfigError
from shared.process.command_line import EXIT_CONFIG, refuse

COMMAND = "sweep"
# As a shell has it for a process that Ctrl-C ended.
EXIT_INTERRUPTED = 130
LINE_EVERY_S = 10.0


def main(arguments: list[str]) -> None:
    """Run the command."""
    options = _parser().parse_args(arguments)
    config = command_line.configuration(options.config)
    try:
        study = read(options.study, config)
    except ConfigError as error:
        refuse(EXIT_CONFIG, f"tradebyte {COMMAND}", str(error))
    if options.trials is not None:
        study = msgspec.structs.replace(study, trials=options.trials)
    folder = options.out or Path("run") / "sweep" / options.study.stem
    try:
        _run(study, config, folder, options)
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on, from {folder}", file=sys.stderr)
        raise SystemExit(EXIT_INTERRUPTED) from None
    except ModuleNotFoundError as error:
        extra = "ray" if error.name == "ray" else "research"
        command_line.fail(COMMAND, f"{error.name} is not installed: pip install -e '.[{extra}]' (docs/sweep.md)")
    except (BacktestError, ConfigError) as error:
        command_line.fail(COMMAND, str(error))


def _parser() -> argparse.ArgumentParser:
    options = command_line.parser(COMMAND, __doc__ or "")
    options.add_argument("study", type=Path, metavar="STUDY", help="the study's file (YAML)")
    options.add_argument("--trials", type=_trials, metavar="N", help="sets a split (else the study's)")
    options.add_argument("--workers", type=_workers, default=os.cpu_count() or 1, help="processes (one a core)")
    options.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster instead of processes here (docs/sweep.md)")
    options.add_argument("--out", type=Path, metavar="DIR", help="the study's folder (else run/sweep/NAME)")
    return options


def _trials(text: str) -> int:
    return _within(text, 2, 1_000_000)


def _workers(text: str) -> int:
    return _within(text, 1, 1024)


def _within(text: str, low: int, high: int) -> int:
    value = int(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is not within {low} to {high}")
    return value


def _run(study: Study, config: Config, folder: Path, options: argparse.Namespace) -> None:
    # Here, as they need what only the research extra installs.
    from backtest.sweep import driver, page
    from backtest.sweep.report import lines

    assert study.strategy is not None
    driver.claim(folder, study, config)
    files = days.files_by_day(study.data, folder, config.strategy_pairs(study.strategy))
    symbols = {symbol for day in files.values() for symbol in day}
    setting.traded_pairs(config, study.strategy, symbols)
    splits = days.splits(list(files), study.walk_forward)
    progress = Progress()
    pool = _pool(driver.conditions(study, config), options)
    try:
        made = driver.Driver(study, splits, files, folder, pool)
        report, candidates = made.run(config.trading.currency, progress)
    finally:
        progress.end()
        pool.close()
    try:
        (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
        (folder / "report.html").write_text(page.page(report, study, splits, candidates), encoding="utf-8")
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror or error}") from error
    if options.json:
        print(msgspec.json.encode(report).decode())
        return
    print("\n".join(lines(report)))
    print(f"written to {folder}: report.html, report.json, results.parquet")


def _pool(conditions: Conditions, options: argparse.Namespace) -> Pool:
    if options.ray is None:
        return Processes(conditions, options.workers)
    from backtest.sweep.cluster import Cluster

    return Cluster(conditions, options.ray)


class Progress:
    """Says on stderr how far it is, and how long the rest takes at the pace so far."""

    def __init__(self) -> None:
        self._stage, self._began, self._first, self._said = "", 0.0, 0, 0.0
        self._is_line_open = False

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._first, self._said = stage, now, done, 0.0
        is_terminal = sys.stderr.isatty()
        if now - self._said < (0.2 if is_terminal else LINE_EVERY_S) and done < total:
            return
        self._said = now
        left = (now - self._began) / (done - self._first) * (total - done) if done > self._first else None
        text = f"{done} of {total} {stage}" + ("" if left is None else f", {left:.0f} s left")
        self._is_line_open = is_terminal
        print(f"\r{text:<60}" if is_terminal else text, end="" if is_terminal else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        """End the line."""
        if self._is_line_open:
            print(file=sys.stderr)
