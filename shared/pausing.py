"""Pausing one pair or one strategy: each is a file in data/PAUSED, as the halt of everything is one.

The executor pulls the quotes of what is paused and places nothing for it, through every restart; the rest goes on.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from shared import halt
from shared.config.schema import Config
from shared.errors import UnknownName


def names(config: Config) -> list[str]:
    """Return everything that can be paused."""
    return [*config.trading.pairs, *config.strategies]


def paused(config: Config) -> dict[str, str]:
    """Return what is paused, with the reason written in its file."""
    files = {name: _file(config, name) for name in names(config)}
    return {name: halt.reason(file) for name, file in files.items() if halt.is_halted(file)}


def pause(config: Config, name: str, why: str) -> None:
    """Pause a pair or a strategy; its file is on the disk before this returns. Raises :class:`UnknownName`, OSError."""
    halt.halt(_file(config, _known(config, name)), why)


def resume(config: Config, name: str) -> bool:
    """End a pause; return False if there was none. Raises :class:`UnknownName`, OSError."""
    return halt.resume(_file(config, _known(config, name)))


def _known(config: Config, name: str) -> str:
    there = names(config)
    if name in there:
        return name
    near = difflib.get_close_matches(name, there, 1) or difflib.get_close_matches(name.upper(), there, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UnknownName(f"{name!r} is no pair and no strategy here (there are {', '.join(there)}){hint}")


def _file(config: Config, name: str) -> Path:
    # Pairs are in capitals and strategies in lower case: no two have one file.
    return config.data / "PAUSED" / name.replace("/", "_")
