"""Rows fit, words are cut and numbers never."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from monitor.model.ages import SHORT, age
from monitor.ui.text import (
    Column,
    Piece,
    Tone,
    count,
    cut,
    fill,
    fitting,
    milliseconds,
    money,
    plain,
    price,
    table,
    text_of,
    width_of,
    wrapped,
)

COLUMNS = (
    Column("name", 0, right=False, shrinks_to=5),
    Column("price", 1),
    Column("quantity", 2),
    Column("why", 8, right=False, shrinks_to=6),
)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=0, max_value=10**9)


def row(name: str, price: str, qty: str, why: str = "") -> list[Piece]:
    return [(text, Tone.PLAIN) for text in (name, price, qty, why)]


@given(
    st.lists(st.tuples(st.text(max_size=30), numbers, numbers, st.text(max_size=40)), max_size=6), st.integers(1, 90)
)
def test_a_table_fits_and_shows_each_number_whole_or_leaves_its_column_out(
    rows: list[tuple[str, object, object, str]], width: int
) -> None:
    made = [row(plain(name)[0], f"{price:f}", f"{qty:f}", plain(why)[0]) for name, price, qty, why in rows]
    head, *body = table(COLUMNS, made, width)
    assert all(width_of(each) <= width for each in [head, *body])
    for cells, line in zip(made, body, strict=True):
        for at, name in ((1, "price"), (2, "quantity")):
            if name in text_of(head).split() and len(line) > 1:
                assert cells[at][0] in text_of(line)


def test_the_least_important_column_goes_first_and_words_shrink_before_numbers_go() -> None:
    rows = [row("strategy.market_maker", "84000.1", "0.00119029", "because of this")]
    by_width = {width: text_of(table(COLUMNS, rows, width)[1]) for width in (60, 40, 30, 24, 15, 8)}
    assert by_width[60] == "strategy.market_maker 84000.1 0.00119029 because of this"
    assert by_width[40] == "strategy.market_maker 84000.1 0.00119029"
    assert by_width[30] == "strategy.m… 84000.1 0.00119029"
    assert by_width[24] == "stra… 84000.1 0.00119029"
    assert by_width[15] == "strate… 84000.1"
    assert by_width[8] == "strateg…"


def test_columns_stay_where_they_are_while_numbers_grow() -> None:
    columns = (Column("a", 0, least=11), Column("b", 1))
    short, long = (
        text_of(table(columns, [[(number, Tone.PLAIN), ("1", Tone.PLAIN)]], 30)[1]) for number in ("1.5", "10000.12345")
    )
    assert short.index("1", 5) == short.rindex("1.5")
    assert len(short) == len(long)


def test_a_column_of_nothing_is_left_out() -> None:
    assert text_of(table(COLUMNS, [row("a", "1", "2")], 60)[0]).split() == ["name", "price", "quantity"]


@given(st.text(max_size=50), st.integers(0, 30))
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, width: int) -> None:
    clean = plain(text)[0]
    kept = cut(clean, width)
    assert width_of(((kept, Tone.PLAIN),)) <= width
    assert kept == clean or not kept or kept.endswith("…")


@given(st.text(max_size=200), st.integers(10, 60))
def test_rows_are_filled_to_their_width_and_texts_wrapped_within_it(text: str, width: int) -> None:
    assert width_of(fill((plain(text),), width)) == width
    assert len(wrapped(text, width)) <= 20


def test_control_characters_from_strangers_do_not_reach_the_terminal() -> None:
    assert plain("a\x1b[31mb\nc\t") == (" ".join(["a", "[31mb", "c", ""]), Tone.PLAIN)


def test_whole_pieces_are_shown_while_they_fit() -> None:
    pieces = [("12 open", Tone.PLAIN), ("P&L +12345.67 USD", Tone.PLAIN), ("now", Tone.PLAIN)]
    assert text_of(fitting(pieces, 40)) == "12 open  P&L +12345.67 USD  now"
    assert text_of(fitting(pieces, 20)) == "12 open  now"
    assert not re.search(r"12345(?!\.67)", text_of(fitting(pieces, 21)))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.4, "0s"), (99, "99s"), (150, "2m"), (5999, "100m"), (8000, "2h"), (400_000, "5d")],
)
def test_ages_take_four_cells(seconds: float | None, text: str) -> None:
    assert age(seconds, SHORT) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "-"), (0, "0"), (9999, "9999"), (12_345, "12k"), (9_999_999, "9999k"), (30**7, "21870M")],
)
def test_counts_say_that_they_are_rounded(number: int | None, text: str) -> None:
    assert count(number) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.04, "0.04"), (9.999, "10.00"), (12.34, "12.3"), (250.4, "250")]
)
def test_milliseconds_have_the_digits_that_matter(value: float | None, text: str) -> None:
    assert milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), ("0.001", "0.00"), ("-0.004", "0.00"), ("12.345", "+12.34"), ("-1234.5", "-1,234.50"), ("what", "?")],
)
def test_money_is_told_to_the_cent_with_its_sign(value: str | None, text: str) -> None:
    assert money(value, signed=True) == text


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        ("84012.654321", "84000.05", "84,012.65"),
        ("0.0712345678", "0.0712350", "0.0712346"),
        ("150", "151", "150.00"),
        ("84012.655", None, "84,012.66"),
        (None, "1.0", "-"),
        ("lots", "1.0", "?"),
    ],
)
def test_an_average_price_has_the_decimals_of_the_price_beside_it(value: str | None, like: str, text: str) -> None:
    assert price(value, like) == text
