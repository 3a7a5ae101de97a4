"""The exchange's time from its answers: bounds that narrow, widen as clocks drift, and begin anew after a step."""

from __future__ import annotations

import math

from shared.clock import MS, SECOND
from shared.kraken.exchange_time import ExchangeTime

OFFSET = 1_800_000_000 * SECOND
NOW = 100 * SECOND


def answered(*answers: tuple[int, int, int]) -> ExchangeTime:
    """Answers as (sent at, time on the way there and back, how far the exchange's clock is ahead), in ms."""
    clock = ExchangeTime()
    for sent_ms, way_ms, ahead_ms in answers:
        sent, middle = NOW + sent_ms * MS, NOW + (sent_ms + way_ms // 2) * MS + OFFSET + ahead_ms * MS
        clock.answer(sent, sent + way_ms * MS, middle, middle)
    return clock


def test_before_the_first_answer_nothing_is_known() -> None:
    clock = ExchangeTime()
    assert (clock.now_ts(NOW), clock.uncertain_ms(NOW), clock.offset_s) == (0, math.inf, 0.0)


def test_one_answer_bounds_the_offset_by_its_way_there_and_back() -> None:
    clock = answered((0, 100, 7))
    assert clock.now_ts(NOW) == NOW + OFFSET + 7 * MS
    assert clock.uncertain_ms(NOW + 100 * MS) == 50
    assert clock.offset_s == (OFFSET + 7 * MS) / SECOND


def test_doubt_grows_as_clocks_drift_and_a_better_answer_narrows_it() -> None:
    clock = answered((0, 100, 0))
    assert clock.uncertain_ms(NOW + 100 * MS + 100 * SECOND) == 60
    assert answered((0, 100, 0), (1000, 20, 0)).uncertain_ms(NOW + 1020 * MS) == 10


def test_a_worse_answer_widens_nothing_but_the_drift_since() -> None:
    clock = answered((0, 20, 0), (1000, 400, 0))
    assert clock.uncertain_ms(NOW + 1400 * MS) == 10 + 1380 / 10_000


def test_bounds_that_do_not_meet_mean_a_stepped_clock_and_the_newest_count() -> None:
    clock = answered((0, 20, 0), (1000, 20, 5000))
    assert clock.now_ts(NOW) == NOW + OFFSET + 5000 * MS
    assert clock.uncertain_ms(NOW + 1020 * MS) == 10


def test_an_answer_that_contradicts_itself_says_nothing() -> None:
    clock = ExchangeTime()
    clock.answer(NOW, NOW - 1, OFFSET, OFFSET)  # came before it was asked for
    clock.answer(NOW, NOW, OFFSET + 1, OFFSET)  # sent out before it was taken in
    clock.answer(NOW, NOW + 10, OFFSET, OFFSET + 11)  # took longer there than all of the way
    assert clock.now_ts(NOW) == 0
