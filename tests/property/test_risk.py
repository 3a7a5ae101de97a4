"""A random walk over the risk gate: whatever it lets through, the worst case stays within every limit (invariant 4).

The worst case is computed here anew, from every way in which what is open may fill, and not by the gate's own sums.
"""

from __future__ import annotations

import itertools
import random
from decimal import Decimal

import msgspec
import pytest

from executor.orders import Amend, Order
from executor.risk import Funds, Market, Wish, refusal
from shared.messages import OrderState, Pair, Side
from shared.settings import Trading

SYMBOLS = {"BTC/USD": Decimal(840_000), "ETH/USD": Decimal(250_000)}
RULES = Trading(
    max_position_size=Decimal(1000),
    max_order_size=Decimal(250),
    min_order_size=Decimal(10),
    max_gross_position=Decimal(1500),
    max_open_orders=12,
)


def pair(symbol: str) -> Pair:
    return Pair(
        symbol=symbol,
        base=symbol[:3],
        quote="USD",
        status="online",
        price_precision=1 if symbol == "BTC/USD" else 2,
        qty_precision=8,
        price_increment=1,
        qty_increment=1,
        qty_min=5000,
        cost_min="0.5",
    )


class Walk:
    """Orders come, fill, settle and go; prices move; the gate is asked each time."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.markets = {symbol: Market(pair(symbol), mid, 0) for symbol, mid in SYMBOLS.items()}
        self.balances = {"USD": Decimal(700), "BTC": Decimal("0.02"), "ETH": Decimal("0.5")}
        self.orders: list[Order] = []
        self.allowed = self.denied = 0

    def step(self) -> None:
        self.draw.choice([self.ask, self.ask, self.ask, self.move, self.fill, self.settle, self.end])()

    def ask(self) -> None:
        symbol = self.draw.choice(list(SYMBOLS))
        market = self.markets[symbol]
        side: Side = self.draw.choice(["buy", "sell"])
        away = Decimal(self.draw.uniform(-0.012, 0.012))
        price = int(market.mid * (1 + away))
        worth = Decimal(self.draw.uniform(5, 300))
        unit = Decimal(1).scaleb(-market.pair.price_precision - 8)
        lots = int(worth / (price * unit))
        mine = [o for o in self.orders if o.symbol == symbol and o.side == side and o.amend is None]
        order = self.draw.choice(mine) if mine and self.draw.random() < 0.4 else None
        wish = Wish(symbol, side, price, lots, order)
        funds = Funds(self.balances, Decimal("0.001"))
        if refusal(wish, self.markets, self.orders, funds, RULES):
            self.denied += 1
            return
        self.allowed += 1
        if order is None:
            self.orders.append(self.placed(symbol, side, price, lots))
        else:
            order.amend = Amend(1, price, order.filled + lots, 0)
        self.check(wish)

    def placed(self, symbol: str, side: Side, price: int, lots: int) -> Order:
        return Order(
            cl_ord_id=str(self.allowed),
            strategy="m",
            symbol=symbol,
            slot="b0",
            side=side,
            price=price,
            qty=lots,
            price_precision=self.markets[symbol].pair.price_precision,
            qty_precision=8,
            state=self.draw.choice([OrderState.SENT, OrderState.OPEN, OrderState.UNKNOWN]),
        )

    def move(self) -> None:
        symbol = self.draw.choice(list(SYMBOLS))
        market = self.markets[symbol]
        mid = market.mid * Decimal(1 + self.draw.gauss(0, 0.002))
        self.markets[symbol] = Market(market.pair, Decimal(int(mid * 2)) / 2, market.position)

    def fill(self) -> None:
        if not self.orders:
            return
        order = self.draw.choice(self.orders)
        lots = self.draw.randint(0, order.remaining)
        order.filled += lots
        market = self.markets[order.symbol]
        sign = 1 if order.side == "buy" else -1
        self.markets[order.symbol] = Market(market.pair, market.mid, market.position + sign * lots)
        base = order.symbol[:3]
        self.balances[base] += sign * Decimal(lots).scaleb(-8)
        self.balances["USD"] -= sign * Decimal(lots) * order.price * Decimal(1).scaleb(-8 - order.price_precision)

    def settle(self) -> None:
        for order in self.orders:
            if order.amend is not None and self.draw.random() < 0.5:
                if self.draw.random() < 0.7:
                    order.price, order.qty = order.amend.price, order.amend.qty
                order.amend = None

    def end(self) -> None:
        self.orders = [o for o in self.orders if o.remaining and self.draw.random() < 0.8]

    # --- the worst case, anew ------------------------------------------------------------------------------------

    def worth(self, symbol: str, price: Decimal, lots: int) -> Decimal:
        return price * lots * Decimal(1).scaleb(-self.markets[symbol].pair.price_precision - 8)

    def worst(self, symbol: str, side: Side) -> Decimal:
        """The position if everything on a side fills, each order at whichever price and quantity is dearest."""
        market = self.markets[symbol]
        sign = 1 if side == "buy" else -1
        total = sign * self.worth(symbol, market.mid, market.position)
        for order in self.orders:
            if order.symbol == symbol and order.side == side:
                total += self.alone(order)
        return total

    def alone(self, order: Order) -> Decimal:
        """What is left of an order, at whichever price and quantity is dearest."""
        ways = [(order.price, order.qty)]
        if order.amend:
            ways += list(itertools.product((order.price, order.amend.price), (order.qty, order.amend.qty)))
        mid = self.markets[order.symbol].mid
        return max(
            self.worth(order.symbol, max(Decimal(price), mid), max(0, qty - order.filled)) for price, qty in ways
        )

    def check(self, wish: Wish) -> None:
        position = abs(self.worth(wish.symbol, self.markets[wish.symbol].mid, self.markets[wish.symbol].position))
        mine = self.worst(wish.symbol, wish.side)
        assert mine <= RULES.max_position_size
        gross = sum(max(self.worst(s, "buy"), self.worst(s, "sell"), Decimal(0)) for s in SYMBOLS)
        assert gross <= RULES.max_gross_position or mine <= position
        assert len(self.orders) <= RULES.max_open_orders
        asked = wish.order or self.orders[-1]
        only_reduces = wish.price == asked.price and wish.remaining < asked.remaining
        assert self.alone(asked) <= RULES.max_order_size or only_reduces
        buys = [o for o in self.orders if o.side == "buy"]
        if wish.side == "buy":
            cost = sum(self.worth(o.symbol, Decimal(o.worst_price), o.worst_remaining) for o in buys)
            assert cost * Decimal("1.001") <= self.balances["USD"]
        else:
            lots = sum(o.worst_remaining for o in self.orders if o.side == "sell" and o.symbol == wish.symbol)
            assert Decimal(lots).scaleb(-8) <= self.balances[wish.symbol[:3]]
        for symbol in SYMBOLS:
            bids = [p for o in buys if o.symbol == symbol for p in o.prices]
            offers = [p for o in self.orders if o.symbol == symbol and o.side == "sell" for p in o.prices]
            if wish.symbol == symbol and bids and offers:
                assert max(bids) < min(offers)


@pytest.mark.parametrize("seed", range(20))
def test_what_the_gate_lets_through_never_breaks_a_limit(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(1500):
        walk.step()
    assert walk.allowed > 20
    assert walk.denied > 20


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "cancel_only"}, "the pair is cancel_only"),
        ({"price_increment": 7}, "not a multiple of 7 ticks"),
        ({"qty_increment": 7}, "not a multiple of 7 lots"),
        ({"qty_min": 10**9}, "minimum quantity"),
        ({"cost_min": "500"}, "minimum cost"),
    ],
)
def test_the_pairs_own_rules_are_named(change: dict[str, object], said: str) -> None:
    market = Market(msgspec.structs.replace(pair("BTC/USD"), **change), SYMBOLS["BTC/USD"], 0)
    funds = Funds({"USD": Decimal(10_000)}, Decimal(0))
    wish = Wish("BTC/USD", "buy", 839_996, 119_047)
    assert said in refusal(wish, {"BTC/USD": market}, [], funds, RULES)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish("BTC/USD", "buy", 839_996, 6_000), "min_order_size"),
        (Wish("BTC/USD", "buy", 839_996, 500_000), "max_order_size"),
        (Wish("BTC/USD", "buy", 820_000, 119_047), "price band"),
        (Wish("BTC/USD", "sell", 840_996, 250_000), "0.00250000 BTC needed"),
    ],
)
def test_our_own_rules_are_named(wish: Wish, said: str) -> None:
    market = Market(pair("BTC/USD"), SYMBOLS["BTC/USD"], 0)
    funds = Funds({"USD": Decimal(10_000), "BTC": Decimal("0.001")}, Decimal(0))
    assert said in refusal(wish, {"BTC/USD": market}, [], funds, RULES)


def order_at(price: int, lots: int) -> Order:
    return Walk(0).placed("BTC/USD", "buy", price, lots)


@pytest.mark.parametrize(
    ("price", "lots"),
    [(836_000, 119_047), (840_000, 60_000)],
    ids=["the old price is the dearer one", "the old quantity is the larger one"],
)
def test_until_an_amend_settles_both_its_ends_count(price: int, lots: int) -> None:
    """An order of 100 USD at 84,000 and a position that leaves room for what the amend asks, but not for both ends."""
    order = order_at(844_000, 119_047)
    room = Decimal(1000) - Decimal("100.1")
    position = int(room / 84_000 * 10**8)
    market = Market(pair("BTC/USD"), SYMBOLS["BTC/USD"], position)
    funds = Funds({"USD": Decimal(10_000)}, Decimal(0))
    wish = Wish("BTC/USD", "buy", price, lots, order)
    assert "max_position_size" in refusal(wish, {"BTC/USD": market}, [order], funds, RULES)
    alone = Wish("BTC/USD", "buy", price, lots)
    assert refusal(alone, {"BTC/USD": market}, [], funds, RULES) == ""
