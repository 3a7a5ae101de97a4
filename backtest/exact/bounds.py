"""The same requests under other rules of the queue: how much of a result is the rule's.

The requests of a run are carried out again, at the same times, against the same record. An order that stands nearer to
the front is never filled later, so the results are ordered: front, the run's own rule, back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from backtest.exact.run import Outcome
from backtest.venue.implementation import Market
from backtest.venue.recorded import Submitted, repeat
from shared.messages import Side
from simulator.exchange.engine import Event
from simulator.pairs.pairs import ASSETS, PAIRS

RECORDED_FROM = 1 << 40


@dataclass(frozen=True, slots=True)
class Bound:
    """A result under one rule: fills, orders with any fill, and the profit in the trading currency."""

    queue: str
    fills: int
    orders_filled: int
    pnl: Decimal
    outside_fills: int


@dataclass(slots=True)
class _Cash:
    """The change of one pair's balances by fills, in units of its assets, as the exchange books them."""

    base: int = 0
    quote: int = 0
    fills: int = 0
    orders: set[int] = field(default_factory=set)


def bound(outcome: Outcome, queue: str) -> Bound:
    """Return what a run's requests earn under a rule of the queue."""
    tape, first = outcome.tape, outcome.market
    assert tape is not None
    assert first is not None
    market = first.again(queue, outcome.options.power)
    cash: dict[str, _Cash] = defaultdict(_Cash)
    sides: dict[int, Side] = {}
    for operation in outcome.operations:
        _advance(market, operation.ts, outcome, cash, sides)
        if isinstance(operation, Submitted):
            sides[operation.order_id] = "buy" if operation.side == "buy" else "sell"
        _book(repeat(market, operation), tape.symbols[operation.symbol], outcome, cash, sides)
    _advance(market, outcome.end_ts, outcome, cash, sides)
    stats = [market.stats(number) for number in range(len(tape.symbols))]
    return Bound(
        queue,
        sum(each.fills for each in cash.values()),
        sum(len(each.orders) for each in cash.values()),
        sum((_worth(symbol, each, outcome) for symbol, each in cash.items()), Decimal(0)),
        sum(each["outside_fills"] for each in stats),
    )


def _advance(market: Market, ts: int, outcome: Outcome, cash: dict[str, _Cash], sides: dict[int, Side]) -> None:
    assert outcome.tape is not None
    while True:
        why, number, _, _ = market.advance(ts, 0)
        if not why:
            return
        _book(market.take_events(number), outcome.tape.symbols[number], outcome, cash, sides)


def _book(events: list[Event], symbol: str, outcome: Outcome, cash: dict[str, _Cash], sides: dict[int, Side]) -> None:
    for event in events:
        if event[0] != "trade":
            continue
        _, taker, maker, price, qty, *_ = event
        for number, rate in ((taker, outcome.taker_rate), (maker, outcome.maker_rate)):
            if number < RECORDED_FROM:
                _fill(cash[symbol], symbol, sides[number], price, qty, rate, number)


def _fill(cash: _Cash, symbol: str, side: Side, price: int, qty: int, rate: int, number: int) -> None:
    pair, sign = PAIRS[symbol], 1 if side == "buy" else -1
    fee = pair.quote_units_of(pair.cost_units(price, qty, rate), "half_up")
    cash.base += sign * pair.base_units(qty)
    cash.quote -= sign * pair.quote_units(price, qty) + fee
    cash.fills += 1
    cash.orders.add(number)


def _worth(symbol: str, cash: _Cash, outcome: Outcome) -> Decimal:
    """Return what a pair's balances changed by, in the trading currency at the end."""
    pair = PAIRS[symbol]
    base = Decimal(cash.base).scaleb(-ASSETS[pair.base.name].decimals)
    quote = Decimal(cash.quote).scaleb(-ASSETS[pair.quote.name].decimals)
    return (base * outcome.last_mids[symbol] + quote) * outcome.rates[pair.quote.name]
