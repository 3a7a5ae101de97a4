"""A random walk over the risk gate: whatever it lets through, the worst case stays within every limit (invariant 4).

The worst case is computed here anew, from every way in which what is open may fill, and not by the gate's own sums.
"""

from __future__ import annotations

import itertools
import random
from decimal import Decimal

import msgspec
import pytest

from executor.decide.risk import Funds, Listed, Market, Portfolio, Proposal, refusal
from executor.orders.denial import Rule
from executor.orders.order import Active, Amend, Order
from shared.config.trading import Trading
from shared.messages import Pair, Side

SYMBOLS = {"BTC/USD": Decimal(840_000), "BTC/EUR": Decimal(770_000), "ETH/USD": Decimal(250_000)}
# One base with two quotes, and a base that another is quoted in.
SHARED = {**SYMBOLS, "ETH/BTC": Decimal(29_800)}
EUR = Decimal("1.09")
RULES = Trading(
    max_position_size=Decimal(1000),
    max_order_size=Decimal(250),
    min_order_size=Decimal(10),
    max_gross_position=Decimal(1500),
    max_open_orders=12,
)


def pair(symbol: str) -> Pair:
    base, _, quote = symbol.partition("/")
    return Pair(
        symbol=symbol,
        base=base,
        quote=quote,
        status="online",
        price_precision={"BTC": 1, "ETH": 6 if quote == "BTC" else 2}[base],
        qty_precision=8,
        price_increment=1,
        qty_increment=1,
        qty_min=5000,
        cost_min="0.00002" if quote == "BTC" else "0.5",
    )


def portfolio(market: Market, position: int = 0) -> Portfolio:
    """One pair in the trading currency, with a position in lots."""
    base = market.pair.base
    rates = {"USD": Decimal(1), base: market.mid_price}
    return Portfolio({market.pair.symbol: market}, rates, {base: Decimal(position).scaleb(-8)})


class Walk:
    """Orders come, fill, settle and go; prices move; the gate is asked each time."""

    def __init__(self, seed: int, symbols: dict[str, Decimal] = SYMBOLS) -> None:
        self.draw = random.Random(seed)
        self.markets = {symbol: Market(pair(symbol), mid) for symbol, mid in symbols.items()}
        self.positions = {"BTC": Decimal(0), "ETH": Decimal(0)}
        self.balances = {
            "USD": Decimal(700),
            "EUR": Decimal(500),
            "BTC": Decimal("0.02"),
            "ETH": Decimal("0.5"),
        }
        self.orders: list[Order] = []
        self.allowed = self.denied = 0

    @property
    def rates(self) -> dict[str, Decimal]:
        return {"USD": Decimal(1), "EUR": EUR, "BTC": Decimal(84_000), "ETH": Decimal(2_500)}

    def step(self) -> None:
        self.draw.choice([self.ask, self.ask, self.ask, self.move, self.fill, self.settle, self.end])()

    def ask(self) -> None:
        symbol = self.draw.choice(list(self.markets))
        market = self.markets[symbol]
        side: Side = self.draw.choice(["buy", "sell"])
        away = Decimal(self.draw.uniform(-0.012, 0.012))
        price = int(market.mid * (1 + away))
        worth = Decimal(self.draw.uniform(5, 300))
        unit = Decimal(1).scaleb(-market.pair.price_precision - 8) * self.rates[market.pair.quote]
        lots = int(worth / (price * unit))
        mine = [o for o in self.orders if o.symbol == symbol and o.side == side and o.amend is None]
        order = self.draw.choice(mine) if mine and self.draw.random() < 0.4 else None
        proposal = Proposal(symbol, side, price, lots, order)
        funds = Funds(self.balances, Decimal("0.001"))
        known = Portfolio(self.markets, self.rates, self.positions)
        if refusal(proposal, known, Listed(known, self.orders), funds, RULES):
            self.denied += 1
            return
        self.allowed += 1
        if order is None:
            self.orders.append(self.placed(symbol, side, price, lots))
        else:
            order.amend = Amend(1, price, order.filled + lots, 0)
        self.check(proposal)

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
            life=self.draw.choice([Active.SENT, Active.OPEN, Active.UNKNOWN]),
        )

    def move(self) -> None:
        symbol = self.draw.choice(list(self.markets))
        market = self.markets[symbol]
        mid = market.mid * Decimal(1 + self.draw.gauss(0, 0.002))
        self.markets[symbol] = Market(market.pair, Decimal(int(mid * 2)) / 2)

    def fill(self) -> None:
        if not self.orders:
            return
        order = self.draw.choice(self.orders)
        lots = self.draw.randint(0, order.remaining)
        order.filled += lots
        base, _, quote = order.symbol.partition("/")
        sign = 1 if order.side == "buy" else -1
        qty = sign * Decimal(lots).scaleb(-8)
        cost = qty * Decimal(order.price).scaleb(-order.price_precision)
        for asset, change in ((base, qty), (quote, -cost)):
            self.balances[asset] += change
            if asset in self.positions:
                self.positions[asset] += change

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
        """In the trading currency."""
        pair = self.markets[symbol].pair
        return price * lots * Decimal(1).scaleb(-pair.price_precision - 8) * self.rates[pair.quote]

    def worst(self, asset: str, way: int) -> Decimal:
        """The position if everything that moves it one way fills, each order at whichever price and size is dearest."""
        total = way * self.positions[asset] * self.rates[asset]
        for order in self.orders:
            base, _, quote = order.symbol.partition("/")
            sign = 1 if order.side == "buy" else -1
            if (base, sign) == (asset, way) or (quote, -sign) == (asset, way):
                total += self.alone(order)
        return total

    def alone(self, order: Order) -> Decimal:
        """Return what is left of an order, at whichever price and quantity is dearest."""
        ways = [(order.price, order.qty)]
        if order.amend:
            ways += list(itertools.product((order.price, order.amend.price), (order.qty, order.amend.qty)))
        return self._dearest(order, ways)

    def _dearest(self, order: Order, ways: list[tuple[int, int]]) -> Decimal:
        mid = self.markets[order.symbol].mid
        return max(
            self.worth(order.symbol, max(Decimal(price), mid), max(0, qty - order.filled)) for price, qty in ways
        )

    def check(self, proposal: Proposal) -> None:
        base, _, quote = proposal.symbol.partition("/")
        sign = 1 if proposal.side == "buy" else -1
        touched = [(asset, way) for asset, way in ((base, sign), (quote, -sign)) if asset in self.positions]
        reduces = all(self.worst(*leg) <= abs(self.positions[leg[0]] * self.rates[leg[0]]) for leg in touched)
        for leg in touched:
            assert self.worst(*leg) <= RULES.max_position_size
        gross = sum(max(self.worst(a, 1), self.worst(a, -1), Decimal(0)) for a in self.positions)
        assert gross <= RULES.max_gross_position or reduces
        assert len(self.orders) <= RULES.max_open_orders
        order = proposal.order or self.orders[-1]
        only_reduces = proposal.price == order.price and proposal.remaining < order.remaining
        assert self.alone(order) <= RULES.max_order_size or only_reduces
        spent = quote if proposal.side == "buy" else base
        needed = sum((self._spends(o)[1] for o in self.orders if self._spends(o)[0] == spent), Decimal(0))
        assert needed * (Decimal("1.001") if proposal.side == "buy" else 1) <= self.balances[spent]
        for symbol in self.markets:
            bids = [p for o in self.orders if o.symbol == symbol and o.side == "buy" for p in o.prices]
            offers = [p for o in self.orders if o.symbol == symbol and o.side == "sell" for p in o.prices]
            if proposal.symbol == symbol and bids and offers:
                assert max(bids) < min(offers)

    def _spends(self, order: Order) -> tuple[str, Decimal]:
        base, _, quote = order.symbol.partition("/")
        qty = Decimal(order.worst_remaining).scaleb(-8)
        if order.side == "sell":
            return base, qty
        return quote, qty * Decimal(order.worst_price).scaleb(-order.price_precision)


@pytest.mark.parametrize(
    "symbols", [SYMBOLS, SHARED], ids=["two quotes of one base", "a base that others are quoted in"]
)
@pytest.mark.parametrize("seed", range(20))
def test_what_the_gate_lets_through_never_breaks_a_limit(seed: int, symbols: dict[str, Decimal]) -> None:
    walk = Walk(seed, symbols)
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
    market = Market(msgspec.structs.replace(pair("BTC/USD"), **change), SYMBOLS["BTC/USD"])
    funds = Funds({"USD": Decimal(10_000)}, Decimal(0))
    proposal = Proposal("BTC/USD", "buy", 839_996, 119_047)
    denial = refusal(proposal, portfolio(market), Listed(portfolio(market), []), funds, RULES)
    assert denial is not None
    assert said in denial.text


@pytest.mark.parametrize(
    ("proposal", "said"),
    [
        (Proposal("BTC/USD", "buy", 839_996, 6_000), "min_order_size"),
        (Proposal("BTC/USD", "buy", 839_996, 500_000), "max_order_size"),
        (Proposal("BTC/USD", "buy", 820_000, 119_047), "price band"),
        (Proposal("BTC/USD", "sell", 840_996, 250_000), "0.00250000 BTC needed"),
    ],
)
def test_our_own_rules_are_named(proposal: Proposal, said: str) -> None:
    market = Market(pair("BTC/USD"), SYMBOLS["BTC/USD"])
    funds = Funds({"USD": Decimal(10_000), "BTC": Decimal("0.001")}, Decimal(0))
    denial = refusal(proposal, portfolio(market), Listed(portfolio(market), []), funds, RULES)
    assert denial is not None
    assert said in denial.text


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
    market = Market(pair("BTC/USD"), SYMBOLS["BTC/USD"])
    funds = Funds({"USD": Decimal(10_000)}, Decimal(0))
    proposal = Proposal("BTC/USD", "buy", price, lots, order)
    denial = refusal(proposal, portfolio(market, position), Listed(portfolio(market, position), [order]), funds, RULES)
    assert denial is not None
    assert denial.rule is Rule.POSITION
    alone = Proposal("BTC/USD", "buy", price, lots)
    assert refusal(alone, portfolio(market, position), Listed(portfolio(market, position), []), funds, RULES) is None
