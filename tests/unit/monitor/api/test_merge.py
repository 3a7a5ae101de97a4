"""Merge patches and versions: whoever applies what it was sent, in order, has what GET gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as some

from monitor.api import merge
from monitor.api.hub import Hub, framed
from monitor.errors import Inexpressible
from shared import limits
from tests.kit.monitor.merge_patch import merged

leaves = some.none() | some.booleans() | some.integers(-5, 5) | some.sampled_from(["", "a", "b"])
names = some.sampled_from(["a", "b", "c"])
anything = some.recursive(
    leaves, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(names, inner, max_size=3), max_leaves=12
)
objects = some.dictionaries(names, anything, max_size=3)


class Reader:
    """A client: it applies what it is sent."""

    def __init__(self) -> None:
        self.known, self.seq, self.value = 0, 0, None

    def read(self, hub: Hub) -> str:
        """Take the news, if any; return their kind."""
        news = hub.news("s", self.known)
        if news is None:
            return ""
        self.known, kind, raw = news
        self.seq += 1
        message = json.loads(framed("s", self.seq, kind, raw))
        assert (message["section"], message["seq"]) == ("s", self.seq)
        self.value = message["data"] if kind == "data" else merged(self.value, message["merge"])
        return kind


@given(objects, objects)
def test_a_patch_makes_the_new_of_the_old_or_says_that_it_cannot(old: Any, new: Any) -> None:
    try:
        patch = merge.patch(old, new)
    except Inexpressible:
        assert "null" in json.dumps(new)
        return
    assert merged(old, patch) == new


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1, "b": 2}, {"a": 1}, {"b": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}),
        ({"a": [1, 2]}, {"a": [1, None]}, {"a": [1, None]}),
        ({"a": 1}, {"a": {"b": {}}}, {"a": {"b": {}}}),
        ({"a": None, "b": 1}, {"a": None, "b": 2}, {"b": 2}),
    ],
)
def test_patches_say_only_what_changed(old: Any, new: Any, patch: Any) -> None:
    assert merge.patch(old, new) == patch


@pytest.mark.parametrize("new", [{"a": None}, {"a": {"b": None}}, {"n": {"b": {"c": None}}}])
def test_what_has_to_become_null_cannot_be_said(new: Any) -> None:
    with pytest.raises(Inexpressible):
        merge.patch({"a": 1}, new)


@given(some.lists(some.tuples(objects, some.sets(some.integers(0, 2))), min_size=1, max_size=30))
def test_readers_who_read_now_and_then_have_what_get_gives(turns: list[tuple[Any, set[int]]]) -> None:
    now: dict[str, bytes] = {}
    hub = Hub(lambda name: now[name])
    readers = [Reader() for _ in range(3)]
    for value, reading in turns:
        now["s"] = json.dumps(value).encode()
        hub.look("s")
        for reader in (readers[number] for number in reading):
            reader.read(hub)
            assert reader.value == value
    for reader in readers:
        reader.read(hub)
        assert reader.value == turns[-1][0]
        assert reader.read(hub) == ""


def test_nothing_is_sent_while_nothing_changes_and_small_changes_are_patches() -> None:
    now = {"s": b'{"a":1,"b":"' + b"x" * 100 + b'"}'}
    hub, reader = Hub(lambda name: now[name]), Reader()
    assert reader.read(hub) == ""
    kinds = []
    for raw in (now["s"], now["s"], now["s"].replace(b"1", b"2")):
        now["s"] = raw
        hub.look("s")
        kinds.append(reader.read(hub))
    assert kinds == ["data", "", "merge"]


def test_versions_are_bounded_and_who_missed_more_gets_the_whole() -> None:
    now = {"s": b""}
    hub, slow = Hub(lambda name: now[name]), Reader()
    for number in range(limits.STREAM_VERSIONS + 2):
        now["s"] = json.dumps({"a": number, "b": "x" * 100}).encode()
        hub.look("s")
        if number == 0:
            slow.read(hub)
    assert slow.read(hub) == "data"
    assert len(hub._versions["s"]) == limits.STREAM_VERSIONS
    assert len(hub._patches) <= limits.STREAM_VERSIONS + 1
