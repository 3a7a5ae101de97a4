"""Any length of run in fixed memory, and nothing shown that was not so."""

from __future__ import annotations

import math

from hypothesis import given, strategies as some

from monitor.model.history import History, Series, thinned
from shared import limits

steps = some.floats(0, 1e5, allow_nan=False)
values = some.floats(-1e9, 1e9, allow_nan=False)
runs = some.lists(some.tuples(steps, values), min_size=1, max_size=300)


def samples(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    ts, made = 1e9, []
    for step, value in run:
        ts += step
        made.append((ts, value))
    return made


def filled(taken: list[tuple[float, float]], buckets_most: int) -> Series:
    series = Series(buckets_most)
    for ts, value in taken:
        series.add(ts, value)
    return series


@given(runs, some.integers(2, 16))
def test_buckets_are_bounded_and_keep_last_lowest_and_highest(run: list[tuple[float, float]], most: int) -> None:
    taken = samples(run)
    series = filled(taken, most)
    assert len(series) <= most
    buckets = series.buckets()
    assert buckets[-1][0] == taken[-1]
    assert min(bucket[1][1] for bucket in buckets) == min(value for _, value in taken)
    assert max(bucket[2][1] for bucket in buckets) == max(value for _, value in taken)


@given(runs, some.integers(2, 64), some.integers(3, 40), some.floats(0, 1e7))
def test_points_are_samples_in_order_of_time_and_no_more_than_asked_for(
    run: list[tuple[float, float]], most: int, points: int, since: float
) -> None:
    taken = samples(run)
    since_ts = 1e9 + since
    thin = thinned(filled(taken, most).buckets(since_ts), points, since_ts)
    assert len(thin) <= points
    assert set(thin) <= set(taken)
    assert [ts for ts, _ in thin] == sorted(ts for ts, _ in thin)
    assert all(ts >= since_ts for ts, _ in thin)
    if taken[-1][0] >= since_ts:
        assert thin[-1] == taken[-1]


@given(runs, some.integers(3, 40))
def test_thinning_loses_no_peak(run: list[tuple[float, float]], points: int) -> None:
    taken = samples(run)
    thin = [value for _, value in thinned(filled(taken, 1000).buckets(), points)]
    assert (min(thin), max(thin)) == (min(value for _, value in taken), max(value for _, value in taken))


def test_a_young_series_shows_every_sample() -> None:
    taken = [(1e9 + n, float(n)) for n in range(100)]
    assert thinned(filled(taken, 1024).buckets(), 600) == taken


def test_a_clock_that_runs_backwards_stands_still_and_what_is_no_number_is_left_out() -> None:
    series = filled([(1e9, 1.0), (1e9 - 3600, 2.0), (1e9 + 1, math.nan), (math.inf, 1.0)], 8)
    assert series.buckets() == [((1e9, 2.0), (1e9, 1.0), (1e9, 2.0))]


def test_what_was_before_the_start_comes_first_and_never_overlaps() -> None:
    history = History(["realised"])
    history.sample(1000.0, [("realised", 5.0), ("stranger", 1.0)])
    history.begin("realised", [(10.0, 1.0), (20.0, 2.0), (1001.0, 9.0)])
    history.begin("stranger", [(10.0, 1.0)])
    assert history.points("realised", 600) == [(10.0, 1.0), (20.0, 2.0), (1000.0, 5.0)]
    assert history.points("realised", 600, 15.0) == [(20.0, 2.0), (1000.0, 5.0)]
    assert history.names == ["realised"]


def test_many_who_ask_between_two_samples_get_one_answer_and_then_the_next() -> None:
    history = History(["equity"])
    history.sample(1.0, [("equity", 1.0)])
    first = history.points("equity", 600)
    assert history.points("equity", 600) is first
    history.sample(2.0, [("equity", 2.0)])
    assert history.points("equity", 600) == [(1.0, 1.0), (2.0, 2.0)]
    for n in range(2 * limits.HISTORY_ANSWERS):
        history.points("equity", 600, float(n))
    assert len(history._answers) <= limits.HISTORY_ANSWERS
