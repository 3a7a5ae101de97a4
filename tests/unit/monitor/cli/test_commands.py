"""Parsing and printing of commands, without a bus."""

from __future__ import annotations

import json
import math
from typing import Any, cast

import msgpack
import msgspec
import pytest
from hypothesis import given, strategies as st

from monitor.cli.app import command_first
from monitor.cli.tail import _Admitted, _json, _Lines, _plain, line
from monitor.control.restarting import programs_of
from monitor.errors import RestartRefused
from monitor.model.ages import PRECISE, age
from shared import bus
from shared.bus import topics
from shared.config import Config, Strategy, check


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["--config", "c", "status", "--json"], ["status", "--config", "c", "--json"]),
        (["--config=c", "status"], ["status", "--config=c"]),
        (["status", "--config", "c"], ["status", "--config", "c"]),
        (["--config", "c"], ["--config", "c"]),
        ([], []),
    ],
)
def test_the_configuration_may_be_named_before_the_command(typed: list[str], meant: list[str]) -> None:
    assert command_first(typed) == meant


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.44, "0.4 s"), (12.2, "12 s"), (150, "2 min"), (8000, "2 h"), (200_000, "2 d")],
)
def test_ages_are_said_as_people_say_them(seconds: float | None, text: str) -> None:
    assert age(seconds, PRECISE) == text


@pytest.fixture
def config() -> Config:
    made = Config(strategies={"first": Strategy(), "second": Strategy()})
    check(made, lambda _key: "test")
    return made


@pytest.mark.parametrize(
    ("name", "programs"),
    [
        ("book", ["book"]),
        ("strategy", ["strategy"]),
        ("strategy.first", ["strategy"]),
        ("strategy.second", ["strategy.second"]),
        ("all", ["simulator", "collector", "book", "strategy", "strategy.second", "executor", "monitor"]),
    ],
)
def test_names_mean_supervisords_programs(config: Config, name: str, programs: list[str]) -> None:
    assert programs_of(config, name) == programs


def test_an_unknown_name_is_refused_with_those_there_are(config: Config) -> None:
    with pytest.raises(RestartRefused, match="there are: simulator, collector"):
        programs_of(config, "colector")


def test_bytes_are_text_where_they_are_and_base64_where_not() -> None:
    assert _plain({"frame": b'{"a":1}', b"k": [b"\xff", (1, 2.5, None, True)]}) == {
        "frame": '{"a":1}',
        "k": [{"base64": "/w=="}, [1, 2.5, None, True]],
    }


def test_a_line_for_people_leaves_the_header_out() -> None:
    message = {"v": 1, "src": "executor", "boot": 1, "seq": 1, "ts": 0, "side": "buy", "note": "a b", "odd": "\x1b[2J"}
    assert line(message) == ("00:00:00.000", "side=buy note='a b' odd='\\x1b[2J'")


MAPS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.just(math.nan)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 2**63) | st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), MAPS, max_size=5).filter(lambda each: "topic" not in each))
def test_whatever_the_bus_holds_is_one_line_of_json(message: dict[str, Any]) -> None:
    printed = _json("some.topic", msgpack.packb(message))
    assert "\n" not in printed
    assert json.loads(printed) == {"topic": "some.topic", **msgspec.json.decode(msgspec.json.encode(_plain(message)))}
    assert "\n" not in line({"field": message})[1]


class Heard:
    """Connections that want every message."""

    def heard(self, _topic: bytes, _payload: bytes) -> bool:
        return True


def test_what_comes_by_two_ways_is_admitted_once_and_nothing_old_after_it() -> None:
    admitted = _Admitted(cast("bus.Connections", Heard()))

    def each(topic: str, *numbers: tuple[int, int], src: str = "executor") -> list[tuple[int, int]]:
        packed = [(number, msgpack.packb({"src": src, "boot": number[0], "seq": number[1]})) for number in numbers]
        return [number for number, payload in packed if admitted(topics.encode(topic), payload)]

    assert each("fill.BTC/USD", (1, 1), (1, 1), (1, 3), (1, 2), (1, 4)) == [(1, 1), (1, 3), (1, 4)]
    assert each("fill.BTC/USD", (2, 1), (1, 5), (2, 1)) == [(2, 1)]
    assert each("fill.BTC/USD", (1, 1), src="another") == [(1, 1)]
    # A state is repeated, and shown as often; only an older one is not.
    assert each("book.BTC/USD", (1, 2), (1, 2), (1, 1), (1, 3)) == [(1, 2), (1, 2), (1, 3)]
    assert all(admitted(b"nobody\0", payload) for payload in (b"", b"\xff", msgpack.packb([1]), msgpack.packb({})))


def test_a_state_that_is_told_again_is_shown_once() -> None:
    show = _Lines(is_styled=False)
    first, again, news = (msgpack.packb({"boot": 1, "seq": seq, "n": seq}) for seq in (1, 1, 2))
    assert [show("book.BTC/USD", each) for each in (first, again, news)] == [
        "--:--:--.--- book.BTC/USD n=1",
        None,
        "--:--:--.--- book.BTC/USD n=2",
    ]
