"""Exposure as it is kept, step by step on figures that fit in a head; going through all orders says the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from executor.decide.exposure import Exposure
from executor.decide.risk import DOWN, UP, Leg, Listed, Market, Portfolio
from executor.orders.order import Active, Amend, Finished, Order, Presence
from executor.orders.registry import Registry
from executor.orders.transitions import AmendSent, Ended, FillCounted, apply, show_presence
from shared.messages import Side
from tests.kit.pairs import BTC

# A tick is 0.1, a lot 0.01: at these mids a lot of BTC is worth one dollar, one of ETH half of one.
PAIR = msgspec.structs.replace(BTC, price_precision=1, qty_precision=2)
CROSS = msgspec.structs.replace(PAIR, symbol="ETH/BTC", base="ETH", quote="BTC", price_precision=3)
ASSETS = ("BTC", "ETH")
LIMIT = Decimal(300)


class Kept:
    """An exposure with the registry and the portfolio that it is kept of."""

    def __init__(self, btc: str = "0", eth: str = "0") -> None:
        self.registry = Registry()
        self.exposure = Exposure(self.registry, LIMIT)
        self.markets = {"BTC/USD": Market(PAIR, Decimal(1000)), "ETH/BTC": Market(CROSS, Decimal(500))}
        self.rates = {"USD": Decimal(1), "BTC": Decimal(100), "ETH": Decimal(50)}
        self.rebuild(btc, eth)

    def rebuild(self, btc: str, eth: str = "0") -> None:
        positions = {"BTC": Decimal(btc), "ETH": Decimal(eth)}
        self.portfolio = Portfolio(self.markets, self.rates, positions)
        self.exposure.rebuild(self.portfolio)

    def add(self, name: str, side: Side = "buy", qty: int = 100, symbol: str = "BTC/USD", **changed: Any) -> Order:
        price, precision = (500, 3) if symbol == "ETH/BTC" else (1000, 1)
        made = Order(name, "m", symbol, "b0", side, price, qty, precision, 2, Active.OPEN)
        for key, value in changed.items():
            setattr(made, key, value)
        self.registry.add(made)
        return made

    def legs(self, without: Order | None = None) -> dict[Leg, Decimal]:
        legs = [(asset, way) for asset in ASSETS for way in (UP, DOWN)]
        return {leg: self.exposure.worst(leg, without) for leg in legs}

    def check(self) -> None:
        """Compare with what going through all orders says, with all of them and without each."""
        live = self.registry.live()
        listed = Listed(self.portfolio, live)
        more = {("BTC", UP): Decimal(70), ("ETH", DOWN): Decimal(5)}
        for without in [None, *live]:
            assert self.exposure.count(without) == listed.count(without)
            assert self.legs(without) == {leg: listed.worst(leg, without) for leg in self.legs()}
            for grown in ({}, more, {("ETH", UP): Decimal(1000)}):
                assert self.exposure.gross(without, grown) == listed.gross(without, grown)
            for asset in ("BTC", "ETH", "USD"):
                assert self.exposure.spent(asset, without) == listed.spent(asset, without)
        assert self.exposure.beyond == {leg for leg, worst in self.legs().items() if worst > LIMIT}


def test_before_anything_is_known_of_the_account_orders_are_counted_and_weigh_nothing() -> None:
    registry = Registry()
    exposure = Exposure(registry, LIMIT)
    assert (exposure.count(None), exposure.gross(None, {}), exposure.beyond, exposure.unpriced) == (
        0,
        Decimal(0),
        set(),
        set(),
    )
    registry.add(Order("T1", "m", "BTC/USD", "b0", "buy", 1000, 100, 1, 2, Active.OPEN))
    exposure.update(["ETH/USD"])
    assert (exposure.count(None), exposure.gross(None, {}), exposure.unpriced) == (1, Decimal(0), {"BTC/USD"})
    assert exposure.spent("USD", None) == 100


def test_without_orders_each_direction_is_the_position() -> None:
    kept = Kept("2", "-1")
    assert kept.legs() == {("BTC", UP): 200, ("BTC", DOWN): -200, ("ETH", UP): -50, ("ETH", DOWN): 50}
    assert (kept.exposure.gross(None, {}), kept.exposure.count(None), kept.exposure.spent("USD", None)) == (
        Decimal(250),
        0,
        Decimal(0),
    )
    kept.check()


def test_orders_count_from_the_next_update_on_and_those_of_before_a_rebuild_at_once() -> None:
    kept = Kept("1")
    bought, sold = kept.add("T1"), kept.add("T2", "sell", 30)
    assert kept.exposure.count(None) == 0
    kept.exposure.update()
    assert (kept.legs()["BTC", UP], kept.legs()["BTC", DOWN]) == (Decimal(200), Decimal(-70))
    assert (kept.exposure.spent("USD", None), kept.exposure.spent("BTC", None)) == (Decimal(100), Decimal("0.3"))
    assert (kept.exposure.count(None), kept.exposure.count(bought), kept.exposure.on("BTC/USD")) == (
        2,
        1,
        [bought, sold],
    )
    kept.check()
    kept.add("T3", qty=7)
    kept.rebuild("1")
    assert kept.legs()["BTC", UP] == 207
    kept.check()


def test_a_rebuild_takes_over_nothing_of_what_was() -> None:
    kept = Kept("3.5")
    order = kept.add("T1", qty=100)
    kept.add("T2", "sell", 40, "ETH/BTC")
    kept.exposure.update()
    assert kept.exposure.beyond == {("BTC", UP)}
    apply(order, Ended(Finished.CANCELLED, ""), 1)
    kept.registry.note(order)
    kept.rebuild("1", "2")
    assert kept.exposure.beyond == set()
    assert (kept.exposure.count(None), kept.exposure.spent("USD", None)) == (1, Decimal(0))
    kept.check()
    kept.rebuild("1", "2")
    kept.check()


def test_what_fills_changes_and_ends_is_followed() -> None:
    kept = Kept()
    bought, sold, crossed = kept.add("T1"), kept.add("T2", "sell", 50), kept.add("T3", "buy", 40, "ETH/BTC")
    kept.exposure.update()
    kept.check()
    for order, event in (
        (bought, FillCounted(30)),
        (sold, AmendSent(Amend(1, 1100, 80, 0))),
        (crossed, Ended(Finished.CANCELLED, "")),
        (bought, Ended(Finished.FILLED, "")),
    ):
        apply(order, event, 1)
        kept.registry.note(order)
        kept.exposure.update()
        kept.check()
    assert kept.exposure.count(None) == 1
    assert kept.legs()["BTC", DOWN] == 88


def test_a_cross_pair_moves_both_of_its_assets_and_is_weighed_with_what_moves_them_too() -> None:
    kept = Kept()
    kept.add("T1", qty=10)
    kept.add("T2", "sell", 40, "ETH/BTC")
    kept.exposure.update()
    assert kept.legs() == {("BTC", UP): 30, ("BTC", DOWN): 0, ("ETH", UP): 0, ("ETH", DOWN): 20}
    assert kept.exposure.gross(None, {}) == 50
    assert kept.exposure.gross(None, {("BTC", DOWN): Decimal(31)}) == 51
    kept.check()


def test_a_mid_that_moves_weighs_its_orders_anew() -> None:
    kept = Kept()
    kept.add("T1")
    kept.add("T2", "sell", 40, "ETH/BTC")
    kept.exposure.update()
    kept.markets["BTC/USD"] = Market(PAIR, Decimal(1200))
    kept.exposure.update(["BTC/USD"])
    assert kept.legs()["BTC", UP] == 140
    assert kept.exposure.gross(None, {}) == 160
    kept.check()


def test_a_mid_that_moves_weighs_a_position_without_orders_anew() -> None:
    kept = Kept("2", "-2")
    kept.rates["ETH"] = Decimal(70)
    kept.exposure.update(["ETH/BTC"])
    assert kept.legs() == {("BTC", UP): 200, ("BTC", DOWN): -200, ("ETH", UP): -140, ("ETH", DOWN): 140}
    assert kept.exposure.gross(None, {}) == 340
    kept.check()


@pytest.mark.parametrize(("qty", "is_beyond"), [(100, False), (101, True)])
def test_a_direction_is_beyond_the_limit_only_above_it(qty: int, is_beyond: bool) -> None:
    kept = Kept("2")
    order = kept.add("T1", qty=qty)
    kept.exposure.update()
    assert kept.exposure.beyond == ({("BTC", UP)} if is_beyond else set())
    apply(order, Ended(Finished.CANCELLED, ""), 1)
    kept.registry.note(order)
    kept.exposure.update()
    assert kept.exposure.beyond == set()


def test_a_pair_with_orders_and_without_a_mid_is_named_until_it_has_none() -> None:
    kept = Kept()
    order = kept.add("T1", qty=30, symbol="BTC/EUR")
    kept.add("T2")
    kept.exposure.update()
    assert kept.exposure.unpriced == {"BTC/EUR"}
    assert kept.legs()["BTC", UP] == 130
    kept.check()
    kept.rates["BTC"] = Decimal(200)
    kept.exposure.update(sorted(kept.exposure.unpriced))
    assert kept.legs()["BTC", UP] == 160
    kept.rebuild("0")
    assert kept.exposure.unpriced == {"BTC/EUR"}
    apply(order, Ended(Finished.CANCELLED, ""), 1)
    kept.registry.note(order)
    kept.exposure.update()
    assert kept.exposure.unpriced == set()
    kept.check()


def test_a_pair_that_was_named_and_is_gone_before_a_rebuild_is_not_named_any_more() -> None:
    kept = Kept()
    kept.add("T1", symbol="BTC/EUR")
    kept.exposure.update()
    kept.markets["BTC/EUR"] = Market(msgspec.structs.replace(PAIR, symbol="BTC/EUR", quote="EUR"), Decimal(1000))
    kept.rebuild("0")
    assert kept.exposure.unpriced == set()


def test_an_order_that_waits_for_its_trigger_counts_nowhere_until_it_rests() -> None:
    kept = Kept()
    order = kept.add("T1")
    kept.add("T2", qty=5)
    show_presence(order, Presence.WAITING, is_margin=False)
    kept.registry.note(order)
    kept.exposure.update()
    assert (kept.exposure.count(None), kept.exposure.count(order)) == (1, 1)
    assert (kept.legs(order)["BTC", UP], kept.exposure.spent("USD", order)) == (Decimal(5), Decimal(5))
    assert kept.exposure.gross(order, {}) == 5
    kept.check()
    show_presence(order, Presence.SHOWN, is_margin=False)
    kept.registry.note(order)
    kept.exposure.update()
    assert kept.exposure.count(None) == 2
    kept.check()


def test_an_order_that_is_not_of_the_account_takes_nothing_away() -> None:
    kept = Kept()
    kept.add("T1")
    kept.exposure.update()
    stranger = Order("T1", "m", "BTC/USD", "b0", "buy", 1000, 100, 1, 2, Active.OPEN)
    assert (kept.exposure.count(stranger), kept.exposure.spent("USD", stranger)) == (1, Decimal(100))
    assert kept.legs(stranger) == kept.legs()
