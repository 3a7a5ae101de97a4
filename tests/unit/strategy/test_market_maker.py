"""The market maker, by what it does to a target."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from shared.clock import SECOND
from shared.messages import Order, Orders, OrderState, Position, Quote
from strategy.interface import View
from strategy.market_maker import MarketMaker, Settings
from strategy.signals.values import Signal, Signals
from tests.kit.market.strategy_view import view


def quotes(seen: View, maker: MarketMaker | None = None, **settings: Any) -> dict[str, Quote]:
    target = (maker or MarketMaker(Settings(**settings))).on_book(seen)
    assert target is not None
    return {quote.slot: quote for quote in target.quotes}


def test_levels_stand_at_edge_and_spacing_from_the_mid_rounded_away_from_it() -> None:
    wanted = quotes(view(), edge_bps=1.5)
    assert [wanted[slot].price for slot in ("b0", "b1", "a0", "a1")] == [839_874, 839_748, 840_127, 840_253]
    assert all(99 < quote.price * quote.qty / 1e9 <= 100 for quote in wanted.values())


def test_the_edge_counts_over_the_maker_fee() -> None:
    wanted = quotes(view(maker="0.25"))
    assert wanted["b0"].price <= 840_000.5 * (1 - 0.0025 - 0.00015)


def test_the_number_of_levels_and_the_size_are_as_set() -> None:
    wanted = quotes(view(), levels=1, size=Decimal(50))
    assert sorted(wanted) == ["a0", "b0"]
    assert all(49 < quote.price * quote.qty / 1e9 <= 50 for quote in wanted.values())


def test_a_long_position_shifts_both_sides_down_but_never_inside_the_fee() -> None:
    flat, long = quotes(view()), quotes(view(position=600_000))
    assert long["b0"].price < flat["b0"].price
    assert long["a0"].price < flat["a0"].price
    assert quotes(view(position=1_100_000, maker="0.01"), skew_bps=50)["a0"].price >= 840_000.5 * 1.0001


def test_at_the_maximum_position_only_the_side_that_reduces_is_quoted() -> None:
    assert {quote.side for quote in quotes(view(position=1_200_000)).values()} == {"sell"}
    assert {quote.side for quote in quotes(view(position=-1_200_000)).values()} == {"buy"}


def test_near_the_maximum_the_size_shrinks_to_the_room_left() -> None:
    wanted = quotes(view(position=1_150_000))  # about 966 USD long
    assert sum(q.price * q.qty / 1e9 for q in wanted.values() if q.side == "buy") <= 34.1


def test_a_quote_keeps_its_price_within_the_tolerance_and_moves_beyond_it() -> None:
    maker = MarketMaker(Settings())
    first = quotes(view(), maker)
    assert quotes(view(840_030, 840_031), maker) == {**first}
    assert quotes(view(840_060, 840_061), maker)["b0"].price != first["b0"].price


def test_one_that_resumes_a_target_keeps_its_prices() -> None:
    first = MarketMaker(Settings()).on_book(view())
    assert first is not None
    maker = MarketMaker(Settings())
    maker.resume(first)
    near = view(840_030, 840_031)
    assert quotes(near, maker) == {quote.slot: quote for quote in first.quotes} != quotes(near)


def moved(sigma: float | None = None, forecast: float | None = None, **seen: Any) -> View:
    """Return a view with these signals valid, those that are None not."""
    signals = Signals(
        volatility=Signal(sigma or 0.0, sigma is not None), forecast=Signal(forecast or 0.0, forecast is not None)
    )
    return replace(view(**seen), signals=signals)


def test_distances_and_skew_grow_with_the_volatility_above_the_usual_one_and_no_further() -> None:
    def wanted(seen: View, usual: float | None = 0.8, times: int = 1) -> dict[str, Quote]:
        distances = {"edge_bps": 2.0 * times, "spacing_bps": 1.0 * times, "skew_bps": 3.0 * times}
        return quotes(seen, None, usual_volatility=usual, **distances)

    usual = wanted(view())
    assert wanted(moved(0.3)) == wanted(moved(0.8)) == wanted(moved(1.6), None) == usual
    assert wanted(moved(1.6)) == wanted(view(), times=2) != usual
    assert wanted(moved(1.6, position=600_000)) == wanted(view(position=600_000), times=2)
    assert wanted(moved(8.0)) == wanted(moved(80.0)) == wanted(view(), times=10)


def test_both_sides_lean_with_the_forecast_but_never_inside_the_fee() -> None:
    usual, up = quotes(view()), quotes(moved(forecast=1.0))
    for slot in ("b0", "b1", "a0", "a1"):
        assert up[slot].price - usual[slot].price == pytest.approx(84, abs=1)
    assert quotes(moved(forecast=10.0)) == quotes(moved(forecast=50.0))
    assert quotes(moved(forecast=-50.0, maker="0.01"))["b0"].price <= 840_000.5 * (1 - 0.0001 - 0.00025 - 0.00099)
    assert quotes(moved(forecast=50.0, maker="0.01"))["a0"].price >= 840_000.5 * 1.0001


def test_it_needs_the_signals_that_its_settings_name() -> None:
    assert MarketMaker(Settings()).needs.forecast_horizon_s == 10
    assert MarketMaker(Settings()).needs.volatility_half_life_s is not None
    assert not MarketMaker(Settings(usual_volatility=None, forecast_horizon_s=None)).needs.is_any


def test_an_inventory_target_is_where_the_skew_rests() -> None:
    flat = quotes(view())
    leaning = quotes(view(position=595_238), inventory_target=Decimal(500))
    assert abs(leaning["b0"].price - flat["b0"].price) <= 1


def test_a_book_with_an_empty_side_withdraws() -> None:
    import msgspec

    seen = view()
    empty = msgspec.structs.replace(seen.book, asks=[])
    target = MarketMaker(Settings()).on_book(View(**{**{n: getattr(seen, n) for n in seen.__slots__}, "book": empty}))
    assert target is not None
    assert target.quotes == []


def test_a_size_below_the_pairs_minimum_is_not_quoted() -> None:
    assert quotes(view(qty_min=10**8)) == {}


def test_each_level_may_have_its_own_size() -> None:
    wanted = quotes(view(), sizes=[Decimal(50), Decimal(200)])
    assert 49 < wanted["b0"].price * wanted["b0"].qty / 1e9 <= 50
    assert 199 < wanted["b1"].price * wanted["b1"].qty / 1e9 <= 200


def test_the_skew_leaves_the_minimum_edge() -> None:
    wanted = quotes(view(position=1_100_000, maker="0.01"), skew_bps=50, min_edge_bps=1.0)
    assert wanted["a0"].price >= 840_000.5 * (1 + 0.0001 + 0.0001)


def test_at_the_ceiling_only_sells_and_at_the_floor_only_buys() -> None:
    assert {q.side for q in quotes(view(), price_ceiling=Decimal(84_000)).values()} == {"sell"}
    assert {q.side for q in quotes(view(), price_floor=Decimal("84000.05")).values()} == {"buy"}
    assert len(quotes(view(), price_ceiling=Decimal(84_001), price_floor=Decimal(83_999))) == 4


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_one_side_only(side: Any) -> None:
    assert {quote.side for quote in quotes(view(), sides=side).values()} == {side}


def test_after_a_fill_its_side_waits() -> None:
    import msgspec

    maker = MarketMaker(Settings(filled_order_delay_s=5))
    seen = view()
    assert len(quotes(seen, maker)) == 4
    filled = msgspec.structs.replace(seen.position, fills=1, position=119_047)

    def at(now_s: int, position: Position = filled) -> set[str]:
        fields = {name: getattr(seen, name) for name in View.__slots__}
        return {q.side for q in quotes(View(**{**fields, "now": now_s * SECOND, "position": position}), maker).values()}

    assert at(10) == {"sell"}
    assert at(14) == {"sell"}
    assert at(15) == {"buy", "sell"}


def test_an_order_that_is_too_old_moves_at_any_drift() -> None:
    maker = MarketMaker(Settings(max_order_age_s=60))
    first = quotes(view(), maker)
    order = Order(
        cl_ord_id="T",
        order_id="O",
        strategy="m",
        slot="b0",
        side="buy",
        price=first["b0"].price,
        qty=1,
        filled=0,
        state=OrderState.OPEN,
        changed_ts=100 * SECOND,
    )
    drifted = view(840_030, 840_031)
    for age_s, moved in ((59, False), (61, True)):
        orders = Orders(symbol="BTC/USD", valid=True, orders=[order], ts=(100 + age_s) * SECOND)
        assert maker.on_order(drifted, orders) is None
        assert (quotes(drifted, maker)["b0"].price != first["b0"].price) is moved


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": 0},
        {"size": Decimal(0)},
        {"edge_bps": -1},
        {"spacing_bps": 0.0},
        {"max_position": Decimal(-1)},
        {"sizes": [Decimal(1)]},
        {"min_edge_bps": 3.0},
        {"max_order_age_s": 0.0},
        {"usual_volatility": 0.0},
        {"forecast_horizon_s": 0.5},
        {"filled_order_delay_s": -1.0},
        {"price_floor": Decimal(2), "price_ceiling": Decimal(1)},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)


@given(
    bid=st.integers(10_000, 2_000_000),
    spread=st.integers(1, 5000),
    position=st.integers(-3_000_000, 3_000_000),
    maker=st.sampled_from(["0", "0.02", "0.25"]),
    step=st.sampled_from([1, 5, 100]),
)
def test_no_quote_ever_crosses_loses_by_itself_or_misses_its_increment(
    bid: int, spread: int, position: int, maker: str, step: int
) -> None:
    bid -= bid % step
    ask = bid + spread * step
    mid = (bid + ask) / 2
    fee = float(maker) / 100
    wanted = quotes(view(bid, ask, position=position, maker=maker, price_increment=step))
    worst = {"buy": 0.0, "sell": 0.0}
    for quote in wanted.values():
        assert quote.price % step == 0
        assert quote.price < ask if quote.side == "buy" else quote.price > bid
        away = mid - quote.price if quote.side == "buy" else quote.price - mid
        assert away >= mid * fee * 0.999999
        worst[quote.side] += quote.price * quote.qty / 1e9
    held = position * mid / 1e9
    assert worst["buy"] + held <= max(1000.01, held + 0.01)
    assert worst["sell"] - held <= max(1000.01, -held + 0.01)


def test_a_target_names_the_book_that_it_was_decided_on() -> None:
    seen = view()
    known = {name: getattr(seen, name) for name in seen.__slots__}
    book = msgspec.structs.replace(seen.book, received=7, booked=8, exchange_ts=9)
    target = MarketMaker(Settings()).on_book(View(**{**known, "book": book}))
    assert target is not None
    assert (target.received, target.booked, target.exchange_ts) == (7, 8, 9)
    assert (target.bid, target.ask) == (840_000, 840_001)
    one_sided = msgspec.structs.replace(book, asks=[])
    target = View(**{**known, "book": one_sided}).withdraw("a test")
    assert (target.bid, target.ask) == (840_000, None)
