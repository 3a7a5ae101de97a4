"""The risk gate: may this add or amend be sent. A core; every limit binds at the decision (T13).

Amounts are in quote currency. The worst case of a side is the position and everything open, in flight or unknown on
that side, at the worse of price and mid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from executor.orders import Order
from shared.config import Strategy, Trading
from shared.messages import Pair, Side
from shared.numbers import notional, unscale


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol as the gate sees it: instrument, mid in ticks (may be half a tick), base position in lots."""

    pair: Pair
    mid: Decimal
    position: int


@dataclass(frozen=True, slots=True)
class Wish:
    """An add (``order`` None) or an amend: the price in ticks and the remaining quantity in lots afterwards."""

    symbol: str
    side: Side
    price: int
    remaining: int
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Funds:
    """What the account has: balances by asset, and the taker fee as a fraction."""

    balances: Mapping[str, Decimal]
    taker_fee: Decimal


def refusal(wish: Wish, markets: Mapping[str, Market], orders: Iterable[Order], funds: Funds, rules: Trading) -> str:
    """Why the wish is denied, or an empty text. ``orders`` are all live own orders of the account."""
    market = markets[wish.symbol]
    others = [order for order in orders if order is not wish.order]
    return (
        _size(wish, market, rules)
        or _price(wish, market, others, rules)
        or _count(wish, others, rules)
        or _position(wish, markets, others, rules)
        or _funds(wish, market, others, funds)
    )


def strategy_refusal(wish: Wish, market: Market, own: Iterable[Order], section: Strategy) -> str:
    """Why a strategy's own limits deny the wish, or an empty text; ``market`` holds the strategy's own position."""
    others = [order for order in own if order is not wish.order]
    if section.max_open_orders is not None and wish.order is None and len(others) >= section.max_open_orders:
        return f"the strategy has {len(others)} orders open, its max_open_orders is {section.max_open_orders}"
    if section.max_position_size is None:
        return ""
    after = exposure(market, wish.symbol, others, wish.side) + _wish_worth(wish, market)
    if after > section.max_position_size:
        return f"the strategy's worst case {after:.2f} is above its max_position_size {section.max_position_size}"
    return ""


def order_worth(wish: Wish, market: Market) -> Decimal:
    """What the order may be worth alone, in quote currency: an amend that moves the price counts at its worst (T6)."""
    order = wish.order
    if order is not None and order.price == wish.price and wish.remaining <= order.remaining:
        return _worth(max(Decimal(wish.price), market.mid), wish.remaining, market.pair)
    return _wish_worth(wish, market)


def _worth(price: Decimal | int, lots: int, pair: Pair) -> Decimal:
    return Decimal(price) * lots * Decimal(1).scaleb(-pair.price_precision - pair.qty_precision)


def _size(wish: Wish, market: Market, rules: Trading) -> str:
    pair = market.pair
    if pair.status != "online":
        return f"the pair is {pair.status}"
    if wish.price <= 0 or wish.price % pair.price_increment:
        return f"the price is not a multiple of {pair.price_increment} ticks"
    if wish.remaining <= 0 or wish.remaining % pair.qty_increment:
        return f"the quantity is not a multiple of {pair.qty_increment} lots"
    cost = notional(wish.price, wish.remaining, pair.price_precision, pair.qty_precision)
    if wish.remaining < pair.qty_min:
        return f"below the pair's minimum quantity {unscale(pair.qty_min, pair.qty_precision)}"
    if cost < Decimal(pair.cost_min):
        return f"below the pair's minimum cost {pair.cost_min}"
    if wish.order is None and cost < rules.min_order_size:
        return f"{cost:.2f} is below min_order_size {rules.min_order_size}"
    worth = order_worth(wish, market)
    if worth > rules.max_order_size:
        return f"{worth:.2f} is above max_order_size {rules.max_order_size}"
    return ""


def _price(wish: Wish, market: Market, others: list[Order], rules: Trading) -> str:
    if abs(wish.price - market.mid) * 100 > market.mid * rules.price_band_percent:
        return f"outside the price band of {rules.price_band_percent} % around the mid"
    for order in others:
        if order.symbol != wish.symbol or order.side == wish.side:
            continue
        if any(wish.price >= price if wish.side == "buy" else wish.price <= price for price in order.prices):
            return f"would cross our own {order.cl_ord_id}"
    return ""


def _count(wish: Wish, others: list[Order], rules: Trading) -> str:
    if wish.order is None and len(others) >= rules.max_open_orders:
        return f"{len(others)} orders are open, max_open_orders is {rules.max_open_orders}"
    return ""


def exposure(market: Market, symbol: str, orders: Iterable[Order], side: Side) -> Decimal:
    """The worst case of a side in quote currency, signed towards that side: negative means it only reduces."""
    sign = 1 if side == "buy" else -1
    total = sign * _worth(market.mid, market.position, market.pair)
    for order in orders:
        if order.symbol == symbol and order.side == side:
            # By the order's own precision: the pair's may have changed since it was placed.
            price = unscale(order.worst_price, order.price_precision)
            mid = market.mid.scaleb(-market.pair.price_precision)
            total += max(price, mid) * unscale(order.worst_remaining, order.qty_precision)
    return total


def _wish_worth(wish: Wish, market: Market) -> Decimal:
    prices = [Decimal(wish.price), market.mid]
    remaining = wish.remaining
    if wish.order is not None:  # until an amend settles both prices and the larger quantity count
        prices.append(Decimal(wish.order.worst_price))
        remaining = max(remaining, wish.order.worst_remaining)
    return _worth(max(prices), remaining, market.pair)


def _position(wish: Wish, markets: Mapping[str, Market], others: list[Order], rules: Trading) -> str:
    market = markets[wish.symbol]
    mine = _wish_worth(wish, market)
    after = exposure(market, wish.symbol, others, wish.side) + mine
    if after > rules.max_position_size:
        return f"worst case {after:.2f} is above max_position_size {rules.max_position_size}"
    gross = Decimal(0)
    for symbol, other in markets.items():
        buys, sells = exposure(other, symbol, others, "buy"), exposure(other, symbol, others, "sell")
        if symbol == wish.symbol:
            buys, sells = (buys + mine, sells) if wish.side == "buy" else (buys, sells + mine)
        gross += max(buys, sells, Decimal(0))
    if gross > rules.max_gross_position and after > abs(_worth(market.mid, market.position, market.pair)):
        return f"gross worst case {gross:.2f} is above max_gross_position {rules.max_gross_position}"
    return ""


def _funds(wish: Wish, market: Market, others: list[Order], funds: Funds) -> str:
    pair = market.pair
    remaining = wish.remaining if wish.order is None else max(wish.remaining, wish.order.worst_remaining)
    if wish.side == "sell":
        held = sum((o.worst_remaining for o in others if o.symbol == wish.symbol and o.side == "sell"), 0)
        needed = unscale(held + remaining, pair.qty_precision)
        available = funds.balances.get(pair.base, Decimal(0))
        return f"{needed} {pair.base} needed, {available} there" if needed > available else ""
    price = wish.price if wish.order is None else max(wish.price, wish.order.worst_price)
    cost = notional(price, remaining, pair.price_precision, pair.qty_precision)
    for order in others:
        if order.side == "buy" and order.symbol.endswith(f"/{pair.quote}"):
            cost += notional(order.worst_price, order.worst_remaining, order.price_precision, order.qty_precision)
    needed = cost * (1 + funds.taker_fee)
    available = funds.balances.get(pair.quote, Decimal(0))
    return f"{needed:.2f} {pair.quote} needed, {available:.2f} there" if needed > available else ""
