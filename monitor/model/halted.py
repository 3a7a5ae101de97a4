"""The halt switch as people read it."""

from __future__ import annotations

from shared import halt
from shared.config import Config

SHOWN_CHARACTERS = 500


def text(config: Config) -> str | None:
    """Return why trading is halted, in one line; None when it is not."""
    if not halt.is_halted(config.halt_file):
        return None
    return " ".join(halt.reason(config.halt_file).split())[:SHOWN_CHARACTERS] or "no reason given"
