"""Exposure kept as orders and prices change equals going through all orders, at every step."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import msgspec
import pytest

from executor.decide.exposure import Exposure
from executor.decide.risk import DOWN, UP, Listed, Market, Portfolio, exposures
from executor.orders.order import Active, Amend, Finished, Order
from executor.orders.registry import FOREIGN, Registry
from executor.orders.transitions import AmendAcked, AmendSent, Ended, FillCounted, Restated, apply
from shared.messages import Side
from tests.kit.pairs import BTC

MIDS = {"BTC/USD": 840_000, "BTC/EUR": 800_000, "ETH/BTC": 300, "ETH/USD": 25_000}
PRECISIONS = {"BTC/USD": 1, "BTC/EUR": 1, "ETH/BTC": 4, "ETH/USD": 1}
MARKETS = {
    symbol: Market(
        msgspec.structs.replace(
            BTC, symbol=symbol, base=symbol[:3], quote=symbol[4:], price_precision=PRECISIONS[symbol]
        ),
        Decimal(mid),
    )
    for symbol, mid in MIDS.items()
}
# A pair that is not traded here: somebody else's orders on it go by its base's rate.
UNPRICED = "ETH/EUR"
LIMIT = Decimal(1000)


class Walk:
    """Orders that come, change and go, and mids that move, by a seed."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.registry = Registry()
        self.exposure = Exposure(self.registry, LIMIT)
        self.orders: list[Order] = []
        self.markets = dict(MARKETS)
        self.rates = {"USD": Decimal(1), "EUR": Decimal("1.05"), "BTC": Decimal(84_000), "ETH": Decimal(2_500)}
        self.rebuild()

    def rebuild(self) -> None:
        amounts = {asset: Decimal(self.draw.randint(-50, 50)) / 10_000 for asset in ("BTC", "ETH")}
        self.portfolio = Portfolio(self.markets, self.rates, amounts)
        self.exposure.rebuild(self.portfolio)

    def reposition(self) -> None:
        asset = self.draw.choice(["BTC", "ETH"])
        amounts = {**self.portfolio.positions, asset: Decimal(self.draw.randint(-50, 50)) / 10_000}
        self.portfolio = Portfolio(self.markets, self.rates, amounts)
        self.exposure.reposition(self.portfolio, [asset])

    def step(self) -> None:
        kind = self.draw.random()
        if kind < 0.35 or not self.orders:
            self.add()
        elif kind < 0.85:
            self.change(self.draw.choice(self.orders))
        elif kind < 0.93:
            self.move()
        elif kind < 0.98:
            self.reposition()
        else:
            self.rebuild()
        if kind < 0.85 and self.draw.random() < 0.7:
            self.exposure.update()  # several changes may come before anybody asks

    def add(self) -> None:
        symbol = self.draw.choice([*MIDS, UNPRICED])
        side: Side = self.draw.choice(["buy", "sell"])
        precision = PRECISIONS.get(symbol, 1)
        order = Order(
            cl_ord_id=f"T{len(self.orders)}",
            strategy=FOREIGN if symbol == UNPRICED or self.draw.random() < 0.2 else "m",
            symbol=symbol,
            slot="b0",
            side=side,
            price=MIDS.get(symbol, 24_000) + self.draw.randint(-50, 50),
            qty=self.draw.randint(1, 200_000),
            price_precision=precision,
            qty_precision=8,
            life=self.draw.choice(list(Active)),
        )
        self.orders.append(order)
        self.registry.add(order)

    def change(self, order: Order) -> None:
        if not order.is_live:
            return
        match self.draw.randrange(5):
            case 0:
                apply(order, AmendSent(Amend(1, order.price + 30, self.draw.randint(1, 300_000), 0)), 1)
            case 1:
                apply(order, AmendAcked(1), 1)
            case 2:
                apply(order, FillCounted(self.draw.randint(0, order.remaining)), 1)
            case 3:
                apply(order, Restated(order.price - 7, None), 1)
            case _:
                apply(order, Ended(Finished.CANCELLED, ""), 1)
        self.registry.note(order)

    def move(self) -> None:
        symbol = self.draw.choice(list(MIDS))
        mid = MIDS[symbol] * Decimal(1 + self.draw.uniform(-0.1, 0.1)).quantize(Decimal("0.001"))
        self.markets[symbol] = Market(self.markets[symbol].pair, mid)
        revalued = [symbol]
        if symbol == "ETH/USD":
            self.rates["ETH"] = mid / 10
            revalued += sorted(self.exposure.unpriced)
        self.exposure.update(revalued)

    def compare(self) -> None:
        self.exposure.update()
        live = self.registry.live()
        listed = Listed(self.portfolio, live)
        by_leg = exposures(self.portfolio, live).by_leg
        assert self.exposure.beyond == {leg for leg, worth in by_leg.items() if worth > LIMIT}
        for without in [None, *self.draw.sample(live, min(3, len(live)))]:
            assert self.exposure.count(without) == listed.count(without)
            for asset in ("BTC", "ETH"):
                for way in (UP, DOWN):
                    assert self.exposure.worst((asset, way), without) == listed.worst((asset, way), without)
            more = {("BTC", UP): Decimal(70), ("ETH", DOWN): Decimal(5)}
            assert self.exposure.gross(without, more) == listed.gross(without, more)
            assert self.exposure.gross(without, {}) == listed.gross(without, {})
            for asset in ("BTC", "ETH", "USD", "EUR"):
                assert self.exposure.spent(asset, without) == listed.spent(asset, without)
        for symbol in MIDS:
            assert list(self.exposure.on(symbol)) == list(listed.on(symbol))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_kept_is_what_all_orders_come_to(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(150):
        walk.step()
        walk.compare()
    assert len(walk.orders) > 20
