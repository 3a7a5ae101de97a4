"""The list of what begins first names files that are there."""

from __future__ import annotations

from tests.conftest import HERE, LONGEST


def test_what_is_to_begin_first_is_there() -> None:
    assert [name for name in LONGEST if not (HERE / name).is_file()] == []
