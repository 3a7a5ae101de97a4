"""docs/live-assumptions.md speaks of every switch, and names none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from shared.config.unconfirmed import Unconfirmed

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "live-assumptions.md").read_text(encoding="utf-8")
SWITCHES = {field.name for field in msgspec.structs.fields(Unconfirmed)}


def test_every_switch_is_spoken_of() -> None:
    assert sorted(name for name in SWITCHES if f"`{name}`" not in PAGE) == []


def test_no_switch_is_named_that_is_not_there() -> None:
    cells = [row.split("|")[-2] for row in PAGE.splitlines() if row.startswith("| ") and row.count("|") == 6]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert sorted(named - SWITCHES) == []
    assert len(named) > 20
