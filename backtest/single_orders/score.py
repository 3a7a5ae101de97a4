"""Hold the queue models against the truth: the same orders at the same times, by each model from the book by price."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

import msgspec

from backtest.single_orders.truth import Life, Truth
from backtest.venue.implementation import Market, load_market
from backtest.venue.queue_models import QueueModel
from shared.clock import SECOND

# The steps at one time, in their order: an order ends before another is put.
END, LOOK, PUT = range(3)


class ModelScore(msgspec.Struct, frozen=True, kw_only=True):
    """One model against the truth, over all orders whose life is whole; null where there is nothing to compare.

    ``agreement`` is the share of orders that are filled in both or in neither; ``early`` were filled by the model only,
    ``missed`` in truth only. Times are of orders filled in both: the median of the differences (model less truth), and
    of their sizes. Queues: the sum of differences of the lots ahead (model less truth), and of their sizes, by the sum
    of the lots that were ahead at first; each order is looked at when a later one comes, while it rests in both.
    """

    filled: int
    agreement: float | None
    early: int
    missed: int
    fill_time_bias_s: float | None
    fill_time_error_s: float | None
    queue_bias: float | None
    queue_error: float | None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The models of one pair by name, over ``orders`` orders of which ``filled`` were filled in truth.

    ``own`` is True if they are our own orders of the record.
    """

    symbol: str
    own: bool
    orders: int
    filled: int
    models: dict[str, ModelScore]


@dataclass(slots=True)
class _Outcome:
    """One model's play of the orders, by their number: when each was filled, and the lots ahead at the same times."""

    filled_ts: dict[int, int] = field(default_factory=dict)
    ahead: dict[tuple[int, int], int] = field(default_factory=dict)


def score(symbol: str, depth: int, truth: Truth) -> Score:
    """Return how each model did."""
    whole = {number: life for number, life in enumerate(truth.lives, 1) if life.is_whole}
    return Score(
        symbol=symbol,
        own=truth.is_own,
        orders=len(whole),
        filled=sum(bool(life.order.filled_ts) for life in whole.values()),
        models={str(model): _score(whole, _played(truth, depth, model)) for model in QueueModel},
    )


def _played(truth: Truth, depth: int, model: QueueModel) -> _Outcome:
    """Play the orders by one model, each put and taken out when it was in truth."""
    market = load_market(1, str(model))
    market.set_depth(0, depth)
    market.load(*truth.level2)
    outcome = _Outcome()
    steps = [(life.end_ts - 1, END, number) for number, life in enumerate(truth.lives, 1) if life.end_ts]
    steps += [(life.placed_ts, PUT, number) for number, life in enumerate(truth.lives, 1)]
    steps += [(ts, LOOK, 0) for ts in truth.looks]
    resting: dict[int, Life] = {}
    for ts, step, number in sorted(steps):
        _advance(market, ts, resting, outcome)
        if step == LOOK:
            _look(market, ts, resting, outcome)
        elif step == END:
            market.cancel(0, number)
            resting.pop(number, None)
        else:
            life = truth.lives[number - 1]
            market.submit(0, number, 1, life.order.side, life.order.ticks, life.lots, "gtc", True, "cancel_newest")
            resting[number] = life
    return outcome


def _advance(market: Market, ts: int, resting: dict[int, Life], outcome: _Outcome) -> None:
    """Play until a time; note when orders were filled."""
    while market.advance(ts, 0)[0]:
        for event in market.take_events(0):
            maker, left = int(event[2]), int(event[6])
            if not left:
                outcome.filled_ts[maker] = market.now()
                resting.pop(maker, None)


def _look(market: Market, ts: int, resting: dict[int, Life], outcome: _Outcome) -> None:
    for number in resting:
        place = market.place(0, number)
        if place is not None:
            outcome.ahead[number, ts] = place[0]


def _score(lives: dict[int, Life], outcome: _Outcome) -> ModelScore:
    agreed = early = missed = 0
    times: list[float] = []
    queues: list[int] = []
    at_first = 0
    for number, life in lives.items():
        true_ts, model_ts = life.order.filled_ts, outcome.filled_ts.get(number, 0)
        agreed += bool(true_ts) == bool(model_ts)
        early += bool(model_ts and not true_ts)
        missed += bool(true_ts and not model_ts)
        if true_ts and model_ts:
            times.append((model_ts - true_ts) / SECOND)
        for ts, ahead in life.ahead.items():
            if (number, ts) in outcome.ahead:
                queues.append(outcome.ahead[number, ts] - ahead)
                at_first += life.queue
    return ModelScore(
        filled=sum(number in lives for number in outcome.filled_ts),
        agreement=agreed / len(lives) if lives else None,
        early=early,
        missed=missed,
        fill_time_bias_s=median(times) if times else None,
        fill_time_error_s=median(map(abs, times)) if times else None,
        queue_bias=sum(queues) / at_first if at_first else None,
        queue_error=sum(map(abs, queues)) / at_first if at_first else None,
    )
