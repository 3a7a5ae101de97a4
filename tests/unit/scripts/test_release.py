"""A release is refused with what to do, or it is the version that the changelog dates."""

from __future__ import annotations

import pytest

from scripts.release import problem, written

CHANGELOG = "# Changelog\n\n## Unreleased\n\n- x\n\n## 1.2.3, 2026-11-30\n\n- y\n"


@pytest.mark.parametrize(
    ("version", "status", "said"),
    [
        ("1.2.3", "", ""),
        ("", "", "no version"),
        ("1.2", "", "no version"),
        ("v1.2.3", "", "no version"),
        ("1.2.4", "", "has no section '## 1.2.4, YYYY-MM-DD'"),
        ("1.2.3", " M shared/clock.py\n", "not committed"),
    ],
)
def test_what_stands_in_the_way_is_named(version: str, status: str, said: str) -> None:
    tags = problem(version, CHANGELOG, status)
    assert (said in tags) if said else tags == ""


def test_the_version_stands_in_one_place() -> None:
    before = '[project]\nname = "tradebyte"\nversion = "0.1.0"\n[tool]\nversion = "9"\n'
    assert written(before, "1.2.3") == before.replace("0.1.0", "1.2.3")
