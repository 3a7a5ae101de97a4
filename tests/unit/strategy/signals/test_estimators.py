"""Each streaming estimator against a naive computation over the whole history."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, strategies as st

from shared.clock import MS, SECOND
from shared.measures.volatility import BP, SAMPLES_LEAST
from strategy.signals import forecast, volatility
from strategy.signals.average import AverageMid
from strategy.signals.book_shape import imbalance, microprice
from strategy.signals.forecast import Forecast
from strategy.signals.intensity import Intensity
from strategy.signals.markouts import FILLS_LEAST, Markouts
from strategy.signals.order_flow import OrderFlow
from strategy.signals.values import NO_MARKOUT, Signal
from strategy.signals.volatility import BARS_LEAST, EwmaVolatility, ParkinsonVolatility

START = 10**15 + 7
# Times between events in ms, some of them long quiet, and mids.
STEPS = st.lists(st.tuples(st.integers(0, 4_000), st.integers(99_000, 101_000)), min_size=1, max_size=120)
Path = list[tuple[int, float]]


def path(steps: Sequence[tuple[int, int]]) -> Path:
    now, events = START, []
    for gap_ms, mid in steps:
        now += gap_ms * MS
        events.append((now, mid / 2))
    return events


def weight(age_ns: int, half_life_s: float) -> float:
    return float(2 ** -(age_ns / SECOND / half_life_s))


@given(STEPS, st.sampled_from([5.0, 30.0, 600.0]))
def test_ewma_volatility_is_the_weighted_mean_of_squared_moves_by_the_second(
    steps: list[tuple[int, int]], half_life_s: float
) -> None:
    events = path(steps)
    estimator = EwmaVolatility(half_life_s)
    for event in events:
        estimator.add(*event)
    first, last = events[0][0] // SECOND, events[-1][0] // SECOND
    sampled = [[mid for at, mid in events if at < second * SECOND][-1] for second in range(first + 1, last + 1)]
    moves = [math.log(after / before) * 1e4 for before, after in itertools.pairwise(sampled)]
    signal = estimator.signal()
    assert signal.is_valid == (len(moves) >= SAMPLES_LEAST)
    if signal.is_valid:
        weights = [weight((len(moves) - 1 - i) * SECOND, half_life_s) for i in range(len(moves))]
        mean = sum(w * move**2 for w, move in zip(weights, moves, strict=True)) / sum(weights)
        assert signal.value == pytest.approx(math.sqrt(mean), rel=1e-9, abs=1e-9)


@given(STEPS)
def test_volatility_does_not_depend_on_messages_that_leave_the_mid(steps: list[tuple[int, int]]) -> None:
    few = EwmaVolatility(30.0), ParkinsonVolatility(30.0)
    many = EwmaVolatility(30.0), ParkinsonVolatility(30.0)
    before: tuple[int, float] | None = None
    for now, mid in path(steps):
        for estimator in many:
            for between in range(before[0] if before else now, now, 300 * MS):
                estimator.add(between, before[1] if before else mid)
        for estimator in (*few, *many):
            estimator.add(now, mid)
        before = now, mid
    values = [[estimator.signal().value for estimator in both] for both in (few, many)]
    assert values[0] == pytest.approx(values[1], rel=1e-9, abs=1e-9)


def test_ewma_volatility_begins_anew_after_a_gap() -> None:
    estimator = EwmaVolatility(10.0)
    for second in range(30):
        estimator.add(START + second * SECOND, 100.0 + second % 2)
    assert estimator.signal().is_valid
    estimator.add(START + 60 * SECOND, 200.0)
    assert not estimator.signal().is_valid


@given(
    st.lists(st.tuples(st.integers(500, 4_000), st.integers(99_000, 101_000)), min_size=20, max_size=120),
    st.integers(4, 12),
)
def test_the_forecast_is_the_weighted_regression_of_moves_on_distances(
    steps: list[tuple[int, int]], horizon_s: int
) -> None:
    events = path(steps)
    estimator, average = Forecast(horizon_s), AverageMid(horizon_s / 2)
    for event in events:
        estimator.add(*event)
    by_second: list[tuple[float, float]] = []
    for (at, mid), (until, _) in itertools.pairwise(events):
        average.add(at, mid)
        for second in range(at // SECOND + 1, until // SECOND + 1):
            by_second.append(((mid / average.add(second * SECOND, mid) - 1) * 1e4, mid))
    pairs = [
        (away, (later / mid - 1) * 1e4)
        for (away, mid), (_, later) in zip(by_second, by_second[horizon_s:], strict=False)
    ]
    weights = [2 ** -((len(pairs) - 1 - i) / forecast.MEMORY_HALF_LIFE_S) for i in range(len(pairs))]
    signal, total = estimator.signal(), sum(weights)
    squares = sum(w * away**2 for w, (away, _) in zip(weights, pairs, strict=True))
    assert signal.is_valid == (total >= forecast.SECONDS_LEAST and squares > 0)
    if signal.is_valid:
        slope = sum(w * away * move for w, (away, move) in zip(weights, pairs, strict=True)) / squares
        at, mid = events[-1]
        if mid == events[-2][1]:
            # It stood so: its distance is that of the last whole second.
            at = max(at // SECOND * SECOND, events[-2][0])
        away = (mid / average.add(at, mid) - 1) * 1e4
        expected = slope * total / (total + forecast.DOUBT_S) * away
        assert signal.value == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("step", "sign"), [(lambda second: second // 7 % 2, -1), (lambda second: second, 1)])
def test_the_forecast_goes_back_where_moves_came_back_and_on_in_a_trend(step: Callable[[int], int], sign: int) -> None:
    estimator = Forecast(7.0)
    for second in range(200):
        estimator.add(START + second * SECOND, 100_000 + 30 * step(second))
    estimator.add(START + 200 * SECOND, 100_000 + 30 * step(199) + 30)
    assert estimator.signal().value * sign > 1


def test_after_a_gap_the_forecast_s_path_begins_anew_and_its_slope_stays() -> None:
    estimator = Forecast(5.0)
    for second in range(100):
        estimator.add(START + second * SECOND, 100.0 + second // 5 % 2)
    for second in range(110, 116):
        estimator.add(START + second * SECOND, 150.0)
        # Neither the average nor a move spans the gap, across which the mid rose by half.
        assert estimator.signal() == Signal(0.0, True)
    estimator.add(START + 116 * SECOND, 150.15)
    assert -20 < estimator.signal().value < -1


@given(STEPS, st.sampled_from([30.0, 600.0]))
def test_parkinson_is_the_weighted_mean_of_the_bars_ranges(steps: list[tuple[int, int]], half_life_s: float) -> None:
    events = path(steps)
    estimator = ParkinsonVolatility(half_life_s)
    for event in events:
        estimator.add(*event)
    length = volatility.BAR_S * SECOND
    first, last = events[0][0] // length, events[-1][0] // length
    spans = []
    for bar in range(first + 1, last):
        before = [mid for at, mid in events if at < bar * length][-1]
        prices = [before, *(mid for at, mid in events if at // length == bar)]
        spans.append(math.log(max(prices) / min(prices)) / BP)
    signal = estimator.signal()
    assert signal.is_valid == (len(spans) >= BARS_LEAST)
    if signal.is_valid:
        weights = [2 ** -((len(spans) - 1 - i) * volatility.BAR_S / half_life_s) for i in range(len(spans))]
        mean = sum(w * span**2 for w, span in zip(weights, spans, strict=True)) / sum(weights)
        assert signal.value == pytest.approx(math.sqrt(mean / (4 * math.log(2) * volatility.BAR_S)), rel=1e-9, abs=1e-9)


LEVELS = st.lists(st.tuples(st.integers(1, 300), st.integers(1, 10**6)), max_size=10, unique_by=lambda level: level[0])


@given(LEVELS, LEVELS, st.floats(0.1, 500))
def test_imbalance_counts_the_lots_within_the_window_that_both_sides_cover(
    below: list[tuple[int, int]], above: list[tuple[int, int]], window: float
) -> None:
    bids = [(10_000 - away, lots) for away, lots in sorted(below)]
    asks = [(10_000 + away, lots) for away, lots in sorted(above)]
    signal = imbalance(bids, asks, window)
    if not bids or not asks:
        assert not signal.is_valid
        return
    mid = (bids[0][0] + asks[0][0]) / 2
    reach = min(mid * window / 1e4, mid - bids[-1][0], asks[-1][0] - mid)
    near = [sum(lots for ticks, lots in side if abs(ticks - mid) <= reach + 1e-9) for side in (bids, asks)]
    assert signal.is_valid == (sum(near) > 0)
    if signal.is_valid:
        assert signal.value == pytest.approx((near[0] - near[1]) / sum(near))


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_the_microprice_leans_to_the_thinner_side(bid_lots: int, ask_lots: int) -> None:
    price = microprice([(100, bid_lots)], [(101, ask_lots)]).value
    assert 100 <= price <= 101
    assert (price > 100.5) == (bid_lots > ask_lots)
    assert not microprice([], [(101, 1)]).is_valid


TOUCHES = st.lists(
    st.tuples(st.integers(0, 2_000), st.integers(99, 101), st.integers(1, 50), st.integers(1, 3), st.integers(1, 50)),
    min_size=1,
    max_size=80,
)


@given(TOUCHES, st.sampled_from([1.0, 20.0]))
def test_order_flow_is_the_decayed_sum_by_twice_the_mean_depth(
    steps: list[tuple[int, int, int, int, int]], half_life_s: float
) -> None:
    estimator, now = OrderFlow(half_life_s), START
    events = []
    for gap_ms, bid, bid_lots, spread, ask_lots in steps:
        now += gap_ms * MS
        events.append((now, bid, bid_lots, bid + spread, ask_lots))
        estimator.add(now, (bid, bid_lots), (bid + spread, ask_lots))
    flow = depth = total = 0.0
    for (_, bid0, bid_lots0, ask0, ask_lots0), (at, bid, bid_lots, ask, ask_lots) in itertools.pairwise(events):
        change = bid_lots if bid > bid0 else -bid_lots0 if bid < bid0 else bid_lots - bid_lots0
        change -= ask_lots if ask < ask0 else -ask_lots0 if ask > ask0 else ask_lots - ask_lots0
        share = weight(now - at, half_life_s)
        flow, depth, total = flow + share * change, depth + share * (bid_lots + ask_lots) / 2, total + share
    signal = estimator.signal(now)
    assert signal.is_valid == (len(events) > 20)
    if signal.is_valid:
        assert signal.value == pytest.approx(flow / (2 * depth / total), rel=1e-6, abs=1e-9)
    estimator.clear()
    assert not estimator.signal(now).is_valid


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5)), min_size=1, max_size=80), st.integers(0, 20_000))
def test_intensity_is_the_decayed_count_by_the_decayed_time(steps: list[tuple[int, int]], wait_ms: int) -> None:
    estimator, now, half_life_s = Intensity(10.0), START, 10.0
    events = []
    for gap_ms, trades in steps:
        now += gap_ms * MS
        events.append((now, trades))
        estimator.add(now, trades)
    now += wait_ms * MS
    began, signal = events[0][0], estimator.signal(now)
    assert signal.is_valid == (now - began >= 10 * SECOND)
    if signal.is_valid:
        count = sum(trades * weight(now - at, half_life_s) for at, trades in events)
        seconds = half_life_s / math.log(2) * (1 - weight(now - began, half_life_s))
        assert signal.value == pytest.approx(count / seconds, rel=1e-9, abs=1e-12)


MIDS = st.lists(st.tuples(st.integers(0, 900), st.integers(990, 1010) | st.none()), min_size=1, max_size=60)
FILLS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(990, 1010)), max_size=40)


@given(MIDS, FILLS, st.booleans())
def test_markouts_are_the_weighted_mean_at_the_horizon(
    steps: list[tuple[int, int | None]], fills: list[tuple[int, int]], is_buy: bool
) -> None:
    half_life_s, now = 30.0, START
    mids: list[tuple[int, int | None]] = []
    for gap_ms, mid in steps:
        now += gap_ms * MS
        mids.append((now, mid))
    filled = sorted((START + away_ms * MS, price) for away_ms, price in fills)
    estimator = Markouts("buy" if is_buy else "sell", 1, half_life_s)
    for at, kind, value in sorted(
        [(at, 1, value) for at, value in mids] + [(at, 0, price) for at, price in filled], key=lambda e: e[:2]
    ):
        if kind == 0:
            assert value is not None
            estimator.fill(at, value)
        else:
            estimator.mid(at, value)
    done = []
    for at, price in filled:
        due = at + SECOND
        before = [mid for when, mid in mids if when <= due]
        if at <= now and due < now and before and before[-1] is not None:
            done.append((due, (before[-1] - price) / price * 1e4 * (1 if is_buy else -1)))
    result = estimator.result(now)
    weights = [weight(now - at, half_life_s) for at, _ in done]
    assert result.is_valid == (sum(weights) >= FILLS_LEAST)
    if result.is_valid:
        total = sum(weights)
        mean = sum(w * x for w, (_, x) in zip(weights, done, strict=True)) / total
        count = total**2 / sum(w * w for w in weights)
        variance = sum(w * (x - mean) ** 2 for w, (_, x) in zip(weights, done, strict=True)) / total
        assert result.mean_bps == pytest.approx(mean, rel=1e-6, abs=1e-6)
        assert result.stderr_bps == pytest.approx(math.sqrt(variance / (count - 1)), rel=1e-4, abs=1e-4)


def test_a_side_without_fills_is_forgotten() -> None:
    estimator = Markouts("sell", 10, 60.0)
    for second in range(40):
        estimator.fill(START + second * SECOND, 1000)
        estimator.mid(START + second * SECOND, 1001.0)
    now = START + 40 * SECOND
    assert estimator.result(now).mean_bps == pytest.approx(-10.0)
    assert estimator.result(now + 600 * SECOND) == NO_MARKOUT


def test_a_mid_heard_at_the_horizon_counts() -> None:
    estimator = Markouts("buy", 1, 60.0)
    for second in range(40):
        estimator.mid(START + second * SECOND, 1000.0 + second)
        estimator.fill(START + second * SECOND, 1000 + second)
    assert estimator.result(START + 40 * SECOND).mean_bps == pytest.approx(9.8, abs=0.1)


def test_nothing_is_valid_at_the_start() -> None:
    assert EwmaVolatility(1.0).signal() == ParkinsonVolatility(60.0).signal() == Signal()
    assert OrderFlow(1.0).signal(START) == Intensity(1.0).signal(START) == Signal()


@given(STEPS, st.sampled_from([5.0, 600.0]))
def test_the_average_mid_is_weighted_by_the_time_that_each_was_in_force(
    steps: list[tuple[int, int]], half_life_s: float
) -> None:
    events = path(steps)
    estimator = AverageMid(half_life_s)
    values = [estimator.add(*event) for event in events]
    now = events[-1][0]
    expected = events[0][1] * weight(now - events[0][0], half_life_s)
    for (at, mid), (until, _) in itertools.pairwise(events):
        expected += mid * (weight(now - until, half_life_s) - weight(now - at, half_life_s))
    assert values[-1] == pytest.approx(expected, rel=1e-9)
