"""Histograms, operations and memory."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st

from shared.measures.histogram import Histogram, bucket, upper_ns
from shared.process.monitors import Memory, Performance

values = st.integers(0, 10**13)


@given(values)
def test_a_bucket_holds_its_value_within_3_2_percent(value: int) -> None:
    top = upper_ns(bucket(value))
    assert value <= top <= value * 1.0323 + 1


@given(st.lists(values, min_size=1), st.floats(0, 100))
def test_a_percentile_is_not_exceeded_by_its_share_and_close_to_the_true_one(times: list[int], percent: float) -> None:
    histogram = Histogram()
    for value in times:
        histogram.add(value)
    percentile = histogram.percentile_ns(percent)
    assert sum(value <= percentile for value in times) >= len(times) * percent / 100 - 1e-9
    rank = max(1, -int(-len(times) * percent // 100))
    true = sorted(times)[rank - 1]
    assert percentile <= true * 1.0323 + 1 or percentile <= max(times)


@given(st.lists(values), st.lists(values))
def test_merging_is_as_if_all_had_been_added_to_one(left: list[int], right: list[int]) -> None:
    one, other, both = Histogram(), Histogram(), Histogram()
    for value in left:
        one.add(value)
        both.add(value)
    for value in right:
        other.add(value)
        both.add(value)
    one.merge(other)
    assert (one.counts, one.count, one.sum_ns, one.max_ns) == (both.counts, both.count, both.sum_ns, both.max_ns)
    assert one.summary_ms() == both.summary_ms()


def test_sync_and_async_operations_are_measured_and_slow_ones_told() -> None:
    slow: list[tuple[str, float]] = []
    performance = Performance(0.0, lambda operation, seconds: slow.append((operation, seconds)))

    @performance.measured("plain")
    def plain(value: int) -> int:
        return value + 1

    @performance.measured("waiting")
    async def waiting(value: int) -> int:
        await asyncio.sleep(0)
        return value + 2

    @performance.measured("failing")
    def failing() -> None:
        raise KeyError

    assert plain(1) == 2
    assert asyncio.run(waiting(1)) == 3
    with pytest.raises(KeyError):
        failing()
    assert plain.__name__ == "plain"
    assert [operation for operation, _ in slow] == ["plain", "waiting", "failing"]
    summary = performance.summary()
    plainly = summary["plain"]
    assert isinstance(plainly, dict)
    assert plainly["count"] == 1
    assert set(plainly) == {"count", "sum", "average", "min", "max", "p50", "p95", "p99"}


def test_the_number_of_operations_is_bounded() -> None:
    performance = Performance(1.0, lambda *_: None)
    for number in range(500):
        performance.record(str(number), 1)
    assert len(performance.operations) == 100


def test_memory_above_the_threshold_warns_once_a_minute_and_above_the_limit_asks_for_a_restart() -> None:
    rss = [100 * 2**20]
    memory = Memory(200, 300, lambda: rss[0])
    assert memory.check(0) == ("", False)
    rss[0] = 250 * 2**20
    warning, restart = memory.check(5)
    assert "250 MB is above 200 MB" in warning
    assert not restart
    assert memory.check(10) == ("", False)
    rss[0] = 350 * 2**20
    assert memory.check(15) == ("", True)
    assert memory.check(70)[0]
