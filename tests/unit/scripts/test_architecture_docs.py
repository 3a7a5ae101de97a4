"""The page of the architecture names places that are there."""

from __future__ import annotations

import re

import pytest

from scripts import architecture_docs
from tests.system import ROOT

PAGE = ROOT / "docs" / "architecture.md"
ROOMS = (
    "shared",
    "collector",
    "book",
    "strategy",
    "executor",
    "monitor",
    "relay",
    "simulator",
    "backtest",
    "tests",
    "scripts",
)


def test_every_path_on_the_page_is_there() -> None:
    paths = re.findall(r"`((?:" + "|".join(ROOMS) + r")/[\w/.]*)", PAGE.read_text(encoding="utf-8"))
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path.rstrip(".")).exists()] == []


def test_each_step_of_the_way_has_its_line() -> None:
    for _, path, name in architecture_docs.WAY:
        line = (ROOT / path).read_text(encoding="utf-8").splitlines()[architecture_docs.line(path, name) - 1]
        assert f"def {name.rpartition('.')[2]}(" in line


def test_a_place_that_is_gone_is_named() -> None:
    with pytest.raises(KeyError, match="change WAY"):
        architecture_docs.line("executor/decide/planner.py", "nobody")
