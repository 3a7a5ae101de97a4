"""A finding of doctor: what was checked, its state, and what to do about it."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["ok", "warning", "error"]


class Finding(msgspec.Struct, frozen=True):
    """``check`` names what was looked at; an error would keep the system from trading; ``mend`` says what to do."""

    check: str
    level: Level
    text: str
    mend: str = ""


def ok(check: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, "ok", text)


def warning(check: str, text: str, mend: str) -> Finding:
    """Return a finding that the system trades, but not as it should."""
    return Finding(check, "warning", text, mend)


def error(check: str, text: str, mend: str) -> Finding:
    """Return a finding that the system does not trade, or must not."""
    return Finding(check, "error", text, mend)
