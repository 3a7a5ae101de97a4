"""The figures of a run, computed from what it leaves behind."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import pairwise

import numpy as np

from backtest.exact.history import Mids
from backtest.exact.run import Outcome
from shared.attribution import Attribution, MarkedFill, attribute
from shared.clock import SECOND
from shared.numbers import EXACT
from shared.valuation import legs
from simulator.exchange.orders import Fill

SAMPLE_NS = SECOND
Times = np.ndarray[tuple[int], np.dtype[np.int64]]
Values = np.ndarray[tuple[int], np.dtype[np.float64]]
DISTANCES_BPS = (1.0, 2.0, 5.0, 10.0, 25.0)


def profit(outcome: Outcome) -> Decimal:
    """Return what the account's balances changed by, valued at the last mids, in the trading currency: exact."""
    total = Decimal(0)
    values = _values(outcome)
    with localcontext(EXACT):
        for asset, after in outcome.balances_after.items():
            change = after - outcome.balances_before.get(asset, Decimal(0))
            if change:
                total += change * values[asset]
    return total


def _values(outcome: Outcome) -> dict[str, Decimal]:
    """Return the worth of one unit of each asset at the end, in the trading currency."""
    values = dict(outcome.rates)
    with localcontext(EXACT):
        for symbol, mid in outcome.last_mids.items():
            base, quote = legs(symbol)
            if quote in outcome.rates:
                values[base] = mid * outcome.rates[quote]
    return values


def marked(outcome: Outcome) -> list[MarkedFill]:
    """Return the run's fills with the mids that their attribution needs."""
    return [_mark(outcome, fill) for fill in outcome.fills]


def _mark(outcome: Outcome, fill: Fill) -> MarkedFill:
    pair, mids = fill.pair, outcome.mids[fill.pair.symbol]
    price = Decimal(fill.price).scaleb(-pair.price_precision)
    mid, after = mids.around(fill.ns, outcome.end_ts, pair.price_precision)
    return MarkedFill(
        symbol=pair.symbol,
        ts=fill.ns,
        side=fill.side,
        price=price,
        qty=Decimal(fill.qty).scaleb(-pair.qty_precision),
        fee=Decimal(fill.fee).scaleb(-pair.cost_precision),
        mid=mid or price,
        after=after,
        rate=outcome.rates[pair.quote.name],
    )


def attribution(outcome: Outcome, fills: Iterable[MarkedFill]) -> Attribution:
    """Return the parts of the profit."""
    values = _values(outcome)
    with localcontext(EXACT):
        rounding = sum(
            (amount * values.get(asset, Decimal(0)) for asset, amount in outcome.rounding.items()), Decimal(0)
        )
    rates = {symbol: outcome.rates[legs(symbol)[1]] for symbol in outcome.last_mids}
    return attribute(fills, outcome.last_mids, rates, rounding)


@dataclass(frozen=True, slots=True)
class Curve:
    """Samples over time: ``ts`` in ns since the epoch, money in the trading currency; ``drawdown`` is the worst."""

    ts: list[int]
    equity: list[float]
    inventory: dict[str, list[float]]
    drawdown: float


@dataclass(frozen=True, slots=True)
class Course:
    """A run's fills with the mids that their attribution needs, and its equity and inventory over time."""

    fills: list[MarkedFill]
    curve: Curve


def course(outcome: Outcome) -> Course:
    """Return the course of a run: computed once, for everything that shows it."""
    return Course(marked(outcome), curve(outcome))


def curve(outcome: Outcome, points: int = 4000) -> Curve:
    """Return equity and inventory over time, at most so many samples and at least a second apart."""
    step = max(SAMPLE_NS, (outcome.end_ts - outcome.begin_ts) // points)
    times = np.arange(outcome.begin_ts, outcome.end_ts + step, step, dtype=np.int64)
    equity = np.zeros(len(times))
    inventory = {}
    for symbol, mids in outcome.mids.items():
        own = [fill for fill in outcome.fills if fill.pair.symbol == symbol]
        pair = outcome.pairs[symbol]
        place = np.searchsorted(np.array([fill.ns for fill in own], np.int64), times, "right")
        signs = np.array([1.0 if fill.side == "buy" else -1.0 for fill in own])
        qty = np.array([fill.qty for fill in own]) / 10**pair.qty_precision if own else np.zeros(0)
        price = np.array([fill.price for fill in own]) / 10**pair.price_precision if own else np.zeros(0)
        fee = np.array([fill.fee / 10**fill.pair.cost_precision for fill in own])
        held = np.concatenate([[0.0], np.cumsum(signs * qty)])[place]
        cash = np.concatenate([[0.0], np.cumsum(-signs * qty * price - fee)])[place]
        rate = float(outcome.rates[legs(symbol)[1]])
        equity += (cash + held * sampled(mids, times, pair.price_precision)) * rate
        inventory[symbol] = held.tolist()
    peak = np.maximum.accumulate(equity)
    return Curve(times.tolist(), equity.tolist(), inventory, float(np.max(peak - equity, initial=0.0)))


def sampled(mids: Mids, times: Times, precision: int) -> Values:
    """Return the mid at each time, the first known one before that, in the quote asset."""
    if not mids.ts:
        return np.zeros(len(times), np.float64)
    place = np.maximum(np.searchsorted(np.array(mids.ts, np.int64), times, "right") - 1, 0)
    both = np.array(mids.bids, np.float64)[place] + np.array(mids.asks, np.float64)[place]
    return np.asarray(both / 2 / 10**precision, np.float64)


def uptime(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Return, by pair, the share of seconds with an order on both sides within each distance (bp) of the mid."""
    shares = {}
    for symbol, mids in outcome.mids.items():
        times = np.arange(outcome.begin_ts, outcome.end_ts, SAMPLE_NS, dtype=np.int64)
        mid = sampled(mids, times, 0)
        best = best_quotes(outcome, symbol, times.tolist())
        within: dict[str, float] = {}
        for distance in DISTANCES_BPS:
            both = sum(
                bid is not None and ask is not None and m and max(m - bid, ask - m) / m * 1e4 <= distance
                for (bid, ask), m in zip(best, mid.tolist(), strict=True)
            )
            within[f"{distance:g}"] = both / max(1, len(best))
        shares[symbol] = within
    return shares


def best_quotes(outcome: Outcome, symbol: str, times: list[int]) -> list[tuple[int | None, int | None]]:
    """Return the own best bid and ask in ticks at each time."""
    changes = [change for change in outcome.order_changes if change.symbol == symbol]
    resting: dict[int, tuple[str, int]] = {}
    best, at = [], 0
    for ts in times:
        while at < len(changes) and changes[at].ts <= ts:
            change = changes[at]
            at += 1
            if change.remaining:
                resting[change.number] = change.side, change.price
            else:
                resting.pop(change.number, None)
        bids = [price for side, price in resting.values() if side == "buy"]
        asks = [price for side, price in resting.values() if side == "sell"]
        best.append((max(bids, default=None), min(asks, default=None)))
    return best


def times_to_fill(outcome: Outcome) -> list[float]:
    """Return, for each order with a fill, the seconds from its coming to the book to its first fill."""
    first: dict[int, int] = {}
    for fill in outcome.fills:
        first.setdefault(fill.number, fill.ns)
    return [(ns - outcome.opened[number]) / SECOND for number, ns in first.items()]


def quantiles(values: list[float]) -> dict[str, float | None]:
    """Return the 10th, 50th and 90th percentile and the mean; None without values."""
    if not values:
        return dict.fromkeys(("p10", "p50", "p90", "mean"))
    ordered = sorted(values)
    picked = {f"p{q}": ordered[min(len(ordered) - 1, math.floor(q / 100 * len(ordered)))] for q in (10, 50, 90)}
    return {**picked, "mean": math.fsum(values) / len(values)}


def sharpe(outcome: Outcome, made: Curve, seed: int, draws: int = 2000) -> dict[str, float | int] | None:
    """Return the daily Sharpe ratio, annualised, with a 95 % interval by a bootstrap of whole days.

    None below five days of data: an interval of fewer says nothing.
    """
    day = 86_400 * SECOND
    edges = range(outcome.begin_ts - outcome.begin_ts % day, outcome.end_ts + day, day)
    equity = [made.equity[max(0, bisect.bisect_right(made.ts, edge) - 1)] for edge in edges]
    returns = np.array([b - a for a, b in pairwise(equity)])
    if len(returns) < 5 or not returns.std():
        return None
    rng = np.random.default_rng(seed)
    drawn = rng.choice(returns, (draws, len(returns)))
    spread = drawn.std(axis=1)
    ratios = drawn.mean(axis=1)[spread > 0] / spread[spread > 0] * math.sqrt(365)
    low, high = np.quantile(ratios, [0.025, 0.975])
    ratio = float(returns.mean() / returns.std() * math.sqrt(365))
    return {"ratio": ratio, "low": float(low), "high": float(high), "days": len(returns)}
