"""The pure market maker: each of its rules by what it does to the quotes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.clock import SECOND
from shared.messages import Order, Orders, OrderState, Quote, Side, Trade
from strategy.interface import SettingError, Trigger, View
from strategy.models.pure import Override, PureMarketMaker, Settings
from strategy.models.reference import PriceType
from tests.kit.market.models import seen

MID = 840_000.5
ONE = round(100 / 84_000.05 * 1e8)  # lots worth a quote's size


def maker(**settings: Any) -> PureMarketMaker:
    return PureMarketMaker(Settings(**{"levels": 1, "skew_bps": 0.0, "tolerance_bps": 0.0, **settings}))


def quotes(model: PureMarketMaker, view: View) -> dict[str, Quote]:
    target = model.on_book(view)
    assert target is not None
    return {quote.slot: quote for quote in target.quotes}


def away(price: int) -> float:
    """Return how far a price is above the mid, in bp."""
    return (price - MID) / MID * 1e4


def with_book(view: View, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> View:
    return replace(view, book=msgspec.structs.replace(view.book, bids=bids, asks=asks))


def order(slot: str, side: Side, price: int, *, state: OrderState = OrderState.OPEN, filled: int = 0) -> Order:
    return Order(
        cl_ord_id=f"T{slot}{price}", order_id="O", strategy="m", slot=slot, side=side, price=price, qty=ONE,
        filled=ONE if state is OrderState.FILLED else filled, state=state,
    )  # fmt: skip


def orders(*made: Order, valid: bool = True) -> Orders:
    return Orders(symbol="BTC/USD", valid=valid, price_precision=1, qty_precision=8, orders=list(made))


def test_each_side_has_its_own_spread_and_the_edge_where_it_has_none() -> None:
    wanted = quotes(maker(bid_spread_bps=10.0, edge_bps=3.0), seen(maker="0.01"))
    assert away(wanted["b0"].price) == pytest.approx(-11, abs=0.02)
    assert away(wanted["a0"].price) == pytest.approx(4, abs=0.02)


@pytest.mark.parametrize(("held", "slots"), [(0, "b0 b1 a0 a1"), (1, "b1 a0 a1"), (2, "a0 a1"), (-1, "b0 b1 a1")])
def test_ping_pong_leaves_out_the_levels_that_were_filled(held: int, slots: str) -> None:
    view = seen()
    own = replace(view, position=msgspec.structs.replace(view.position, position=held * ONE))
    assert list(quotes(maker(ping_pong=True, levels=2), own)) == slots.split()
    assert len(quotes(maker(levels=2), own)) == 4


def test_a_filled_orders_partner_hangs_at_its_price_and_a_new_level_is_quoted() -> None:
    model = maker(hanging_orders=True, hanging_cancel_bps=50)
    first = quotes(model, seen())
    resting = [order(slot, quote.side, quote.price) for slot, quote in first.items()]
    model.on_order(seen(), orders(*resting))
    gone = order("b0", "buy", first["b0"].price, state=OrderState.FILLED)
    moved = seen(839_700, 839_701)
    model.on_order(moved, orders(gone, resting[1]))
    after = quotes(model, moved)
    assert after["a0"] == first["a0"]
    assert after["a1"].price < first["a0"].price
    assert sorted(after) == ["a0", "a1", "b0"]

    partly = order("a0", "sell", first["a0"].price, filled=ONE // 4)
    model.on_order(moved, orders(gone, partly))
    assert quotes(model, moved)["a0"].qty == ONE - ONE // 4
    # Filled at last; its slot is free again, and the fill of a hanging order lets nothing hang.
    model.on_order(moved, orders(gone, order("a0", "sell", first["a0"].price, state=OrderState.FILLED)))
    assert sorted(quotes(model, moved)) == ["a1", "b0"]


def hanging(most_moved: int = 839_700) -> tuple[PureMarketMaker, Quote]:
    model = maker(hanging_orders=True, hanging_cancel_bps=50)
    first = quotes(model, seen())
    model.on_order(seen(), orders())
    model.on_order(seen(), orders(order("b0", "buy", first["b0"].price, state=OrderState.FILLED)))
    return model, first["a0"]


def test_a_hanging_order_goes_when_the_mid_has_left_it() -> None:
    model, hangs = hanging()
    assert quotes(model, seen(837_000, 837_001))["a0"] == hangs
    assert "a0" not in quotes(model, seen(835_000, 835_001))
    assert "a0" not in quotes(model, seen())


def test_a_hanging_order_never_crosses_and_keeps_to_the_room() -> None:
    model, hangs = hanging()
    assert "a0" not in quotes(model, seen(hangs.price, hangs.price + 1))
    assert "a0" not in quotes(model, seen(position=-1_190_000))
    assert "a0" in quotes(model, seen())


def test_the_first_orders_heard_let_nothing_hang() -> None:
    model = maker(hanging_orders=True)
    first = quotes(model, seen())
    model.on_order(seen(), orders(valid=False))
    model.on_order(seen(), orders(order("b0", "buy", first["b0"].price, state=OrderState.FILLED)))
    assert sorted(quotes(model, seen())) == ["a0", "b0"]


def test_hanging_orders_are_bounded_and_slots_stay_apart() -> None:
    model = maker(hanging_orders=True, hanging_cancel_bps=500, levels=2)
    model.on_order(seen(), orders())
    for number in range(60):
        wanted = quotes(model, view := seen(840_000 - 100 * number, 840_001 - 100 * number))
        bid = next(quote for quote in wanted.values() if quote.side == "buy")
        model.on_order(view, orders(order(bid.slot, "buy", bid.price, state=OrderState.FILLED)))
        target = model.on_book(view)
        assert target is not None
        assert len({quote.slot for quote in target.quotes}) == len(target.quotes) <= 40
        assert all(len(quote.slot) == 2 for quote in target.quotes)


def test_the_optimisation_quotes_just_before_the_others_best() -> None:
    model = maker(optimise_orders=True, edge_bps=1.0, levels=2)
    view = with_book(seen(), [(839_000, 10**8)], [(841_001, 10**8)])
    wanted = quotes(model, view)
    assert [wanted[slot].price for slot in ("b0", "a0")] == [839_001, 841_000]
    assert away(wanted["b1"].price) == pytest.approx(away(839_001) - 1.5, abs=0.02)
    # Its own order is no other's: it does not outbid itself.
    model.on_order(view, orders(order("b0", "buy", 839_001)))
    own = with_book(view, [(839_001, ONE), (839_000, 10**8)], [(841_001, 10**8)])
    assert quotes(model, own)["b0"].price == 839_001
    assert model.trigger is Trigger.BOOK


def test_the_optimisation_never_quotes_nearer_and_counts_from_its_depth() -> None:
    view = with_book(seen(), [(839_990, 1000), (839_000, 10**8)], [(840_001, 10**8)])
    assert quotes(maker(optimise_orders=True, edge_bps=50.0), view)["b0"].price < 839_000
    deep = quotes(maker(optimise_orders=True, edge_bps=1.0, optimise_depth=Decimal(50)), view)
    assert deep["b0"].price == 839_001


def test_the_band_moves_with_its_refresh() -> None:
    model = maker(band_ceiling_bps=10.0, band_floor_bps=10.0, band_refresh_s=60)

    def sides(bid: int, second: int) -> set[str]:
        view = replace(seen(bid, bid + 1), now=second * SECOND)
        return {quote.side for quote in quotes(model, view).values()}

    assert sides(840_000, 0) == {"buy", "sell"}
    assert sides(841_000, 59) == {"sell"}
    assert sides(839_000, 59) == {"buy"}
    assert sides(841_000, 61) == {"buy", "sell"}


@pytest.mark.parametrize(
    ("kind", "price"),
    [
        (PriceType.MID, 840_050),
        (PriceType.BEST_BID, 840_000),
        (PriceType.BEST_ASK, 840_100),
        (PriceType.MICROPRICE, 840_075),
    ],
)
@pytest.mark.parametrize("source", [None, "BTC/USDT"])
def test_the_reference_is_a_price_of_the_pairs_book_or_of_another(
    kind: PriceType, price: int, source: str | None
) -> None:
    bids, asks = [(840_000, 3)], [(840_100, 1)]
    view = with_book(seen(), bids, asks)
    if source is not None:
        other = msgspec.structs.replace(
            view.book, price_precision=2, bids=[(8_400_000, 3)], asks=[(8_401_000, 1)], symbol=source
        )
        view = replace(with_book(seen(), [(840_049, 1)], [(840_051, 1)]), source=other)
    model = maker(price_type=kind, price_source=source, edge_bps=20.0)
    wanted = quotes(model, view)
    assert (wanted["b0"].price + wanted["a0"].price) / 2 == pytest.approx(price, abs=1)
    assert model.needs.price_source == source


def test_a_source_without_a_live_book_withdraws() -> None:
    target = maker(price_source="BTC/USDT").on_book(seen())
    assert target is not None
    assert (target.quotes, target.why) == ([], "BTC/USDT has no live book")


def test_the_last_trade_is_remembered_beyond_the_views_window() -> None:
    model = maker(price_type=PriceType.LAST_TRADE, edge_bps=20.0)
    assert model.needs.trades
    assert quotes(model, seen()) == {}
    view = replace(seen(), trades=(Trade(side="buy", price=839_000, qty=1), Trade(side="sell", price=840_300, qty=1)))
    assert quotes(model, view) == quotes(model, seen())
    wanted = quotes(model, seen())
    assert (wanted["b0"].price + wanted["a0"].price) / 2 == pytest.approx(840_300, abs=1)


def test_the_last_own_fill_is_the_reference_from_the_first_one_on() -> None:
    model = maker(price_type=PriceType.LAST_OWN_FILL, edge_bps=20.0)
    flat = quotes(model, seen())
    assert (flat["b0"].price + flat["a0"].price) / 2 == pytest.approx(MID, abs=1)
    model.on_order(seen(), orders())
    model.on_order(seen(), orders(order("b0", "buy", 839_700, filled=1)))
    wanted = quotes(model, seen())
    assert (wanted["b0"].price + wanted["a0"].price) / 2 == pytest.approx(839_700, abs=1)


def test_an_override_takes_the_place_of_the_levels() -> None:
    chosen = [
        Override(side="buy", spread_bps=5, size=Decimal(50)),
        Override(side="buy", spread_bps=9, size=Decimal(80)),
        Override(side="sell", spread_bps=7, size=Decimal(60)),
    ]
    wanted = quotes(maker(overrides=chosen), seen())
    assert sorted(wanted) == ["a0", "b0", "b1"]
    assert [round(away(wanted[slot].price)) for slot in ("b0", "b1", "a0")] == [-5, -9, 7]
    assert [round(wanted[slot].price * wanted[slot].qty / 1e9) for slot in ("b0", "b1", "a0")] == [50, 80, 60]


@pytest.mark.parametrize(
    "wrong",
    [
        {"bid_spread_bps": -1.0},
        {"ask_spread_bps": 1001.0},
        {"bid_spread_bps": 0.5, "min_edge_bps": 1.0},
        {"hanging_cancel_bps": 0.0},
        {"optimise_depth": Decimal(-1)},
        {"band_ceiling_bps": 0.0},
        {"band_refresh_s": 0.0},
        {"price_source": "BTC/USDT", "price_type": PriceType.LAST_TRADE},
        {"overrides": [Override(side="buy", spread_bps=1, size=Decimal(1))] * 21},
        {"levels": 0},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError) as caught:
        Settings(**wrong)
    assert caught.value.key in wrong
