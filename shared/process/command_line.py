"""The command line of every process, and of the components' commands: options, exit codes, refusals.

Exit codes: 0 asked to stop, 78 the configuration is wrong, 75 another process holds what this one needs, 70 to be
started again, anything else is a crash.
"""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from shared import config
from shared.config import Config
from shared.errors import ConfigError

EXIT_ASKED, EXIT_RESTART, EXIT_HELD, EXIT_CONFIG = 0, 70, 75, 78


def parser(process: str, about: str) -> argparse.ArgumentParser:
    """Return the command line of a process: ``--config``, to which the process adds its own options."""
    made = argparse.ArgumentParser(prog=f"python -m {process}", description=about)
    made.add_argument(
        "--config", metavar="PATH", help="configuration file (else TRADEBYTE_CONFIG, else config/config.yaml)"
    )
    return made


def refuse(code: int, process: str, why: str) -> NoReturn:
    """Print on stderr why this process does not run, and exit."""
    print(f"{process}: {why}", file=sys.stderr, flush=True)
    raise SystemExit(code)


def load_config(process: str, path: str | None) -> Config:
    """Return the configuration, or exit 78 with the reason on stderr."""
    try:
        loaded = config.load(path)
        config.require_consent(loaded)
    except ConfigError as error:
        refuse(EXIT_CONFIG, process, str(error))
    if loaded.source is None:
        print(f"{process}: no configuration file; using the built-in sandbox defaults", file=sys.stderr)
    return loaded
