"""Numbers, times and ids as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from shared import numbers
from simulator.wire import fixed, iso, make_id, parse_time, read_json, units


@given(st.integers(-(10**24), 10**24), st.integers(0, 12))
def test_fixed_prints_what_the_exact_arithmetic_prints(value: int, precision: int) -> None:
    assert fixed(value, precision) == numbers.text(value, precision)


@given(st.integers(-(10**18), 10**18), st.integers(0, 10))
def test_units_reads_back_what_fixed_prints(value: int, precision: int) -> None:
    assert units(Decimal(fixed(value, precision)), precision) == value


@pytest.mark.parametrize("text", ["0.123", "NaN", "Infinity", "1E-30", "1E+30", "1E-9999999"])
def test_units_refuses_what_does_not_fit(text: str) -> None:
    assert units(Decimal(text), 2) is None


def test_units_takes_needless_zeros_and_exponents() -> None:
    assert units(Decimal("5.100"), 1) == 51
    assert units(Decimal("5E+2"), 1) == 5000
    assert units(Decimal("0E-40"), 1) == 0


def test_ids_look_like_krakens_and_do_not_repeat() -> None:
    ids = [make_id("O", number, 12345) for number in range(5000)]
    assert len(set(ids)) == len(ids)
    for made in ids[:50]:
        assert made[0] == "O"
        assert [len(part) for part in made.split("-")] == [6, 5, 6]


def test_times_have_microseconds_and_read_back() -> None:
    assert iso(1_687_000_000_123_456_789) == "2023-06-17T11:06:40.123456Z"
    assert parse_time("2023-06-17T11:06:40.123456Z") == 1_687_000_000_123_456_000
    assert parse_time("2023-06-17T13:06:40+02:00") == 1_687_000_000_000_000_000


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", '{"a":Infinity}', "[" * 100_000, r'{"a":1.5,"\ud83d":"b"}', rb'["\uDC00"]']
)
def test_what_is_not_json_is_one_kind_of_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        read_json(text)


def test_escapes_that_are_text_are_read() -> None:
    assert read_json(r'["\ud83d\ude00\u00e9", 1.5]') == ["\U0001f600\u00e9", Decimal("1.5")]


def test_fractions_are_read_exactly() -> None:
    assert read_json('{"p":0.10000000}') == {"p": Decimal("0.10000000")}
