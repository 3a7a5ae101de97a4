"""The common part of the room's commands: options, errors, and the configuration that they start from."""

from __future__ import annotations

import argparse
import math
import sys
from typing import NoReturn

from shared.clock import parse_rfc3339
from shared.config import Config
from shared.process.command_line import EXIT_CONFIG, load_config, refuse
from simulator.errors import SimulatorError
from simulator.pairs import pairs

EXIT_FAILED = 1


def parser(command: str, about: str) -> argparse.ArgumentParser:
    """Return a command line with ``--config`` and ``--json``."""
    made = argparse.ArgumentParser(
        prog=f"tradebyte {command}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--config", metavar="PATH", help="configuration file (else TRADEBYTE_CONFIG, else config/config.yaml)"
    )
    made.add_argument("--json", action="store_true", help="one JSON object instead of text")
    return made


def configuration(path: str | None) -> Config:
    """Return the configuration, or exit 78 with the reason. Nothing here reaches an exchange.

    The pairs of the file that it names (``simulator.asset_pairs``) are known from then on.
    """
    loaded = load_config("backtest", path)
    if loaded.simulator.asset_pairs:
        try:
            pairs.add_file(loaded.root / loaded.simulator.asset_pairs)
        except (SimulatorError, OSError) as error:
            refuse(EXIT_CONFIG, "backtest", f"{loaded.simulator.asset_pairs}: {error}")
    return loaded


def fail(command: str, why: str) -> NoReturn:
    """End with what is wrong and what to do, on stderr."""
    print(f"tradebyte {command}: {why}", file=sys.stderr)
    raise SystemExit(EXIT_FAILED)


def moment(text: str) -> int:
    """Return ns since the epoch of a time on the command line: RFC 3339, or a date. Raises ArgumentTypeError."""
    try:
        return parse_rfc3339(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-01-31T12:00:00Z") from error


def number(text: str, low: float, high: float) -> float:
    """Return a number on the command line within two bounds. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is not within {low:g} to {high:g}")
    return value


def delay_ms(text: str) -> float:
    """Return a one-way delay in ms. Raises ArgumentTypeError."""
    return number(text, 0, 60_000)
