"""The hot paths are as cheap as recorded: by counts, which no load can disturb."""

from __future__ import annotations

import json

import pytest

from benchmarks import guard
from book import implementation

needs_rust = pytest.mark.skipif(not implementation.RUST, reason="recorded with the Rust book")


@needs_rust
def test_no_hot_path_has_become_dearer() -> None:
    recorded = json.loads(guard.FILE.read_text())
    assert recorded.keys() == guard.PATHS.keys()
    assert guard.dearer(guard.measure(), recorded) == []


def test_a_dearer_path_is_named_with_both_figures() -> None:
    recorded = {"a path": {"calls": 100.0, "bytes": 1000.0}}
    assert guard.dearer({"a path": {"calls": 114.0, "bytes": 1100.0}}, recorded) == []
    (line,) = guard.dearer({"a path": {"calls": 116.0, "bytes": 1000.0}}, recorded)
    assert line == "a path: 116 calls a message, 100 recorded"
    (line,) = guard.dearer({"new": {"calls": 1.0}}, recorded)
    assert "--update" in line


def test_calls_and_bytes_are_counted() -> None:
    kept: list[bytes] = []

    def dear(_number: int) -> object:
        kept.append(bytes(10_000))
        return sum(map(len, kept[:1]))

    def cheap(_number: int) -> object:
        return None

    assert guard.calls(dear) > guard.calls(cheap) + 1
    assert guard.held_bytes(dear) > 10_000 > guard.held_bytes(cheap)
