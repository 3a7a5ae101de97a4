"""The risk gate: whether an add or amend may be sent. Every limit binds at the decision (T13).

Amounts are in the trading currency. Limits count by asset, over all pairs and strategies that move it: the worst case
of a direction is the position and everything open, in flight or unknown that moves the asset that way, at the worse of
price and mid. A buy of ETH/BTC moves ETH up and BTC down, where both are traded bases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from executor.orders.denial import Denial, Rule
from executor.orders.order import Order
from shared.config import Strategy, Trading
from shared.messages import Pair, Side
from shared.numbers import notional, round_money, unscale
from shared.valuation import legs

ZERO = Decimal(0)
UP, DOWN = 1, -1
Leg = tuple[str, int]  # a traded base and a direction


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol as the gate sees it: instrument, and mid in ticks (may be half a tick)."""

    pair: Pair
    mid: Decimal

    @property
    def mid_price(self) -> Decimal:
        """Return the mid as a price."""
        return self.mid.scaleb(-self.pair.price_precision)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything that a verdict depends on besides the orders.

    ``rates`` is what one unit of each asset is worth in the trading currency, ``positions`` the balance less
    ``inventory_base`` of each traded base, in its units.
    """

    markets: Mapping[str, Market]
    rates: Mapping[str, Decimal]
    positions: Mapping[str, Decimal]
    unvalued: tuple[str, ...] = ()  # bases with a position but no rate: the gross worst case is then not known

    def position_worth(self, asset: str) -> Decimal:
        """Return a traded base's position in the trading currency, negative when short."""
        return self.positions[asset] * self.rates.get(asset, ZERO)

    def worth(self, symbol: str, price: Decimal, qty: Decimal) -> Decimal:
        """Return a quantity of a symbol's base at the worse of ``price`` and the mid."""
        base, quote = legs(symbol)
        rate = self.rates.get(quote)
        market = self.markets.get(symbol)
        unit = max(price, market.mid_price) * rate if rate is not None and market is not None else ZERO
        if rate is not None and market is None:
            unit = price * rate
        if market is None or rate is None:  # a foreign order on a pair that is not traded here
            unit = max(unit, self.rates.get(base, ZERO))
        return unit * qty


@dataclass(frozen=True, slots=True)
class Proposal:
    """An add (``order`` None) or an amend: the price in ticks and the remaining quantity in lots afterwards."""

    symbol: str
    side: Side
    price: int
    remaining: int
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Funds:
    """The account's means to pay: spot balances by asset, and the taker fee as a fraction."""

    balances: Mapping[str, Decimal]
    taker_fee: Decimal


@dataclass(slots=True)
class Exposures:
    """The worst case of each traded base in each direction, in the trading currency.

    Signed towards its direction: negative means that everything open only reduces the position.
    """

    by_leg: dict[Leg, Decimal] = field(default_factory=dict)

    def gross(self) -> Decimal:
        """Return the gross worst case: the sum over all assets, each in its worse direction."""
        assets = {asset for asset, _ in self.by_leg}
        return sum((max(self.by_leg[a, UP], self.by_leg[a, DOWN], ZERO) for a in assets), ZERO)


def moves(symbol: str, side: Side, positions: Mapping[str, Decimal]) -> Iterator[Leg]:
    """Yield the traded bases that a fill on a symbol moves, each with its direction."""
    base, quote = legs(symbol)
    way = UP if side == "buy" else DOWN
    if base in positions:
        yield base, way
    if quote in positions:
        yield quote, -way


def exposures(portfolio: Portfolio, orders: Iterable[Order]) -> Exposures:
    """Return the worst case of every traded base."""
    result = Exposures()
    for asset in portfolio.positions:
        worth = portfolio.position_worth(asset)
        result.by_leg[asset, UP], result.by_leg[asset, DOWN] = worth, -worth
    for order in orders:
        for leg in moves(order.symbol, order.side, portfolio.positions):
            result.by_leg[leg] += open_worth(portfolio, order)
    return result


def open_worth(portfolio: Portfolio, order: Order) -> Decimal:
    """Return an order's worst case (T6), by its own precisions: the pair's may have changed since."""
    price = unscale(order.worst_price, order.price_precision)
    return portfolio.worth(order.symbol, price, unscale(order.worst_remaining, order.qty_precision))


class Standing(Protocol):
    """Queries of a verdict about the live orders; ``without`` is the order that the proposal would amend."""

    def count(self, without: Order | None) -> int:
        """Return how many there are."""
        ...

    def on(self, symbol: str) -> Iterable[Order]:
        """Return those on a symbol."""
        ...

    def worst(self, leg: Leg, without: Order | None) -> Decimal:
        """Return the worst case of a traded base in a direction."""
        ...

    def gross(self, without: Order | None, more: Mapping[Leg, Decimal]) -> Decimal:
        """Return the gross worst case, with ``more`` in some directions."""
        ...

    def spent(self, asset: str, without: Order | None) -> Decimal:
        """Return how much of an asset the orders take from the balance at their worst."""
        ...


class Listed:
    """Answers :class:`Standing` by going through all orders."""

    def __init__(self, portfolio: Portfolio, orders: Iterable[Order]) -> None:
        self._portfolio, self._orders = portfolio, list(orders)

    def count(self, without: Order | None) -> int:
        """Return how many there are."""
        return sum(order is not without for order in self._orders)

    def on(self, symbol: str) -> list[Order]:
        """Return those on a symbol."""
        return [order for order in self._orders if order.symbol == symbol]

    def worst(self, leg: Leg, without: Order | None) -> Decimal:
        """Return the worst case of a traded base in a direction."""
        return self._exposures(without).by_leg[leg]

    def gross(self, without: Order | None, more: Mapping[Leg, Decimal]) -> Decimal:
        """Return the gross worst case, with ``more`` in some directions."""
        after = self._exposures(without)
        for leg, worth in more.items():
            after.by_leg[leg] += worth
        return after.gross()

    def spent(self, asset: str, without: Order | None) -> Decimal:
        """Return how much of an asset the orders take from the balance at their worst."""
        taken = (spends(order) for order in self._orders if order is not without)
        return sum((amount for spent, amount in taken if spent == asset), ZERO)

    def _exposures(self, without: Order | None) -> Exposures:
        return exposures(self._portfolio, (order for order in self._orders if order is not without))


def refusal(
    proposal: Proposal,
    portfolio: Portfolio,
    standing: Standing,
    funds: Funds,
    rules: Trading,
    exposed: Standing | None = None,
) -> Denial | None:
    """Return why the proposal is denied, or None.

    ``standing`` are all live orders of the account; ``exposed`` those that the position limits count, if not all.
    """
    market = portfolio.markets[proposal.symbol]
    return (
        _size(proposal, market, portfolio, rules)
        or _price(proposal, market, standing, rules)
        or _count(proposal, standing, rules)
        or _position(proposal, portfolio, standing if exposed is None else exposed, rules)
        or _funds(proposal, market, standing, funds)
    )


def strategy_refusal(
    proposal: Proposal, portfolio: Portfolio, own: Iterable[Order], section: Strategy
) -> Denial | None:
    """Return why a strategy's own limits deny the proposal, or None.

    ``portfolio`` holds the strategy's own positions, ``own`` are its live orders.
    """
    others = [order for order in own if order is not proposal.order]
    if section.max_open_orders is not None and proposal.order is None and len(others) >= section.max_open_orders:
        return Denial(
            Rule.OPEN_ORDERS,
            f"the strategy has {len(others)} orders open, its max_open_orders is {section.max_open_orders}",
        )
    if section.max_position_size is None:
        return None
    now = exposures(portfolio, others)
    for leg in moves(proposal.symbol, proposal.side, portfolio.positions):
        after = now.by_leg[leg] + _proposal_worth(proposal, portfolio)
        if after > section.max_position_size:
            return Denial(
                Rule.POSITION,
                f"the strategy's worst case {after:.2f} is above its max_position_size {section.max_position_size}",
            )
    return None


def order_worth(proposal: Proposal, portfolio: Portfolio) -> Decimal:
    """Return the worth of the order by itself; an amend that moves the price counts at its worst (T6)."""
    order = proposal.order
    if order is not None and order.price == proposal.price and proposal.remaining <= order.remaining:
        pair = portfolio.markets[proposal.symbol].pair
        return portfolio.worth(
            proposal.symbol, unscale(proposal.price, pair.price_precision), _qty(proposal.remaining, pair)
        )
    return _proposal_worth(proposal, portfolio)


def _qty(lots: int, pair: Pair) -> Decimal:
    return unscale(lots, pair.qty_precision)


def _size(proposal: Proposal, market: Market, portfolio: Portfolio, rules: Trading) -> Denial | None:
    pair = market.pair
    if pair.status != "online":
        return Denial(Rule.PAIR, f"the pair is {pair.status}")
    if pair.quote not in portfolio.rates:
        return Denial(Rule.RATE, f"no rate values {pair.quote} in {rules.currency}")
    if proposal.price <= 0 or proposal.price % pair.price_increment:
        return Denial(Rule.PAIR, f"the price is not a multiple of {pair.price_increment} ticks")
    if proposal.remaining <= 0 or proposal.remaining % pair.qty_increment:
        return Denial(Rule.PAIR, f"the quantity is not a multiple of {pair.qty_increment} lots")
    cost = notional(proposal.price, proposal.remaining, pair.price_precision, pair.qty_precision)
    if proposal.remaining < pair.qty_min:
        return Denial(Rule.PAIR, f"below the pair's minimum quantity {unscale(pair.qty_min, pair.qty_precision)}")
    if cost < Decimal(pair.cost_min):
        return Denial(Rule.PAIR, f"below the pair's minimum cost {pair.cost_min}")
    least = cost * portfolio.rates[pair.quote]
    if proposal.order is None and least < rules.min_order_size:
        return Denial(Rule.ORDER_SIZE, f"{least:.2f} is below min_order_size {rules.min_order_size}")
    worth = order_worth(proposal, portfolio)
    if worth > rules.max_order_size:
        return Denial(Rule.ORDER_SIZE, f"{worth:.2f} is above max_order_size {rules.max_order_size}")
    return None


def _price(proposal: Proposal, market: Market, standing: Standing, rules: Trading) -> Denial | None:
    if abs(proposal.price - market.mid) * 100 > market.mid * rules.price_band_percent:
        return Denial(Rule.PRICE_BAND, f"outside the price band of {rules.price_band_percent} % around the mid")
    for order in standing.on(proposal.symbol):
        if order is proposal.order or order.side == proposal.side:
            continue
        if any(
            proposal.price >= price if proposal.side == "buy" else proposal.price <= price for price in order.prices
        ):
            return Denial(Rule.CROSSES_OWN, f"would cross our own {order.cl_ord_id}")
    return None


def _count(proposal: Proposal, standing: Standing, rules: Trading) -> Denial | None:
    count = standing.count(proposal.order)
    if proposal.order is None and count >= rules.max_open_orders:
        return Denial(Rule.OPEN_ORDERS, f"{count} orders are open, max_open_orders is {rules.max_open_orders}")
    return None


def _proposal_worth(proposal: Proposal, portfolio: Portfolio) -> Decimal:
    pair = portfolio.markets[proposal.symbol].pair
    price, remaining = proposal.price, proposal.remaining
    if proposal.order is not None:  # until an amend settles both prices and the larger quantity count
        price = max(price, proposal.order.worst_price)
        remaining = max(remaining, proposal.order.worst_remaining)
    return portfolio.worth(proposal.symbol, unscale(price, pair.price_precision), _qty(remaining, pair))


def _position(proposal: Proposal, portfolio: Portfolio, standing: Standing, rules: Trading) -> Denial | None:
    mine = _proposal_worth(proposal, portfolio)
    grows = False
    legs_moved = dict.fromkeys(moves(proposal.symbol, proposal.side, portfolio.positions), mine)
    for leg in legs_moved:
        after = standing.worst(leg, proposal.order) + mine
        if after > rules.max_position_size:
            text = f"worst case {leg[0]} {after:.2f} is above max_position_size {rules.max_position_size}"
            return Denial(Rule.POSITION, text)
        grows = grows or after > abs(portfolio.position_worth(leg[0]))
    if not grows:
        return None
    if portfolio.unvalued:
        unvalued = ", ".join(portfolio.unvalued)
        return Denial(Rule.GROSS, f"gross worst case not known: nothing values the position in {unvalued} yet")
    gross = standing.gross(proposal.order, legs_moved)
    if gross > rules.max_gross_position:
        text = f"gross worst case {gross:.2f} is above max_gross_position {rules.max_gross_position}"
        return Denial(Rule.GROSS, text)
    return None


def spends(order: Order) -> tuple[str, Decimal]:
    """Return the asset that an order takes from the balance, and how much of it at its worst, without fees."""
    base, quote = legs(order.symbol)
    qty = unscale(order.worst_remaining, order.qty_precision)
    return (base, qty) if order.side == "sell" else (quote, qty * unscale(order.worst_price, order.price_precision))


def _funds(proposal: Proposal, market: Market, standing: Standing, funds: Funds) -> Denial | None:
    pair = market.pair
    remaining = (
        proposal.remaining if proposal.order is None else max(proposal.remaining, proposal.order.worst_remaining)
    )
    price = proposal.price if proposal.order is None else max(proposal.price, proposal.order.worst_price)
    if proposal.side == "sell":
        asset, needed = pair.base, _qty(remaining, pair)
    else:
        asset, needed = pair.quote, notional(price, remaining, pair.price_precision, pair.qty_precision)
    needed += standing.spent(asset, proposal.order)
    if proposal.side == "buy":
        needed *= 1 + funds.taker_fee
    available = funds.balances.get(asset, ZERO)
    if needed <= available:
        return None
    digits = pair.qty_precision if proposal.side == "sell" else max(2, pair.cost_precision - 3)
    return Denial(Rule.FUNDS, f"{round_money(needed, digits)} {asset} needed, {round_money(available, digits)} there")
