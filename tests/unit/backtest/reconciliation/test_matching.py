"""Fills beside each other, and a difference in profit that adds up whatever they are."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, strategies as st

from backtest.exact.pairs import pair_message
from backtest.reconciliation.causes import Cause, Explained
from backtest.reconciliation.matching import Beside, OwnFill, match
from backtest.reconciliation.profit import Values, difference
from shared.clock import SECOND
from shared.messages import Side

SYMBOL = "BTC/USD"
VALUES = Values({SYMBOL: pair_message(SYMBOL)}, {SYMBOL: Decimal("100.05")}, {"USD": Decimal(1)})


def fill(
    number: int, ts: int, lots: int, *, is_live: bool, price: int = 1000, side: Side = "buy", fee: str = "0"
) -> OwnFill:
    return OwnFill(f"{is_live} {number}", is_live, ts, SYMBOL, "b0", side, price, lots, Decimal(fee), f"{number}")


def live(number: int, ts: int, lots: int) -> OwnFill:
    return fill(number, ts, lots, is_live=True)


def played(number: int, ts: int, lots: int) -> OwnFill:
    return fill(number, ts, lots, is_live=False)


def test_the_nearest_in_time_match() -> None:
    beside = match([live(0, 0, 10), live(1, SECOND, 10)], [played(0, SECOND, 10)])
    assert [(piece.live, piece.lots) for piece in beside.matched] == [(live(1, SECOND, 10), 10)]
    assert [piece.live for piece in beside.missed] == [live(0, 0, 10)]
    assert beside.live_matched == 1


def test_one_fill_matches_several() -> None:
    beside = match([live(0, 0, 10)], [played(0, 0, 4), played(1, SECOND, 6)])
    assert sorted(piece.lots for piece in beside.matched) == [4, 6]
    assert beside.live_matched == 1
    assert not [*beside.missed, *beside.extra, *beside.sizes]


def test_a_fill_at_another_price_or_too_late_does_not_match() -> None:
    other = fill(0, 0, 10, is_live=False, price=1001)
    late = played(1, 3 * SECOND, 10)
    beside = match([live(0, 0, 10)], [other, late])
    assert (len(beside.missed), len(beside.extra), beside.live_matched) == (1, 2, 0)


def test_the_rest_of_a_matched_fill_is_its_size() -> None:
    beside = match([live(0, 0, 100)], [played(0, 0, 95)])
    assert [(piece.live, piece.lots) for piece in beside.sizes] == [(live(0, 0, 100), 5)]
    assert beside.live_matched == 1


def test_half_a_fill_is_no_match() -> None:
    beside = match([live(0, 0, 100)], [played(0, 0, 50)])
    assert beside.live_matched == 0
    assert [piece.lots for piece in beside.missed] == [50]


FILLS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.integers(1, 50),
        st.integers(998, 1002),
        st.sampled_from(("buy", "sell")),
        st.decimals(0, 1, places=5),
    ),
    max_size=8,
)


def many(drawn: list[tuple[int, int, int, Side, Decimal]], *, is_live: bool) -> list[OwnFill]:
    return [
        fill(number, ts * SECOND, lots, is_live=is_live, price=price, side=side, fee=str(fee))
        for number, (ts, lots, price, side, fee) in enumerate(drawn)
    ]


def lots_of(beside: Beside, own: OwnFill) -> int:
    pieces = [*beside.matched, *beside.sizes, *beside.missed, *beside.extra]
    return sum(piece.lots for piece in pieces if own in (piece.live, piece.played))


@given(FILLS, FILLS)
def test_every_lot_is_in_one_piece_and_the_difference_adds_up(
    ours: list[tuple[int, int, int, Side, Decimal]], theirs: list[tuple[int, int, int, Side, Decimal]]
) -> None:
    left, right = many(ours, is_live=True), many(theirs, is_live=False)
    beside = match(left, right)
    assert all(lots_of(beside, own) == own.lots for own in [*left, *right])
    causes = [*Cause]
    pieces = [*beside.sizes, *beside.missed, *beside.extra]
    explained = [Explained(piece, causes[number % len(causes)]) for number, piece in enumerate(pieces)]
    assert difference(left, right, beside, explained, VALUES).unexplained == 0
