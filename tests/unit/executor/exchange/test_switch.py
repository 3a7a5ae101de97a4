"""The dead man's switch by itself: when to arm it, what it allows, and what an answer still says (T3, T4)."""

from __future__ import annotations

from executor.exchange.switch import Switch
from shared import limits
from shared.clock import MS, SECOND

NOW = 1000 * SECOND
EXCHANGE = 2000 * SECOND
TRIGGER = EXCHANGE + 15 * SECOND


def armed(sent: int = NOW, trigger_ts: int = TRIGGER) -> Switch:
    switch = Switch()
    switch.arm_asked(sent)
    switch.answered(sent, trigger_ts)
    return switch


def test_it_is_armed_at_the_start_and_again_every_five_seconds() -> None:
    assert Switch().due(5 * SECOND)
    switch = armed()
    assert not switch.due(NOW + 5 * SECOND - 1)
    assert switch.due(NOW + 5 * SECOND)


def test_a_lost_connection_makes_arming_due_and_leaves_the_trigger() -> None:
    switch = armed()
    switch.lost()
    assert switch.due(5 * SECOND)
    assert switch.trigger_ts == TRIGGER


def test_a_lost_connection_ends_the_wait_for_a_disarming() -> None:
    switch = armed()
    switch.disarm_asked(NOW)
    switch.lost()
    assert switch.due(NOW + 1)


def test_a_request_to_disarm_counts_at_once_and_may_be_overtaken_by_no_arming() -> None:
    switch = armed()
    switch.disarm_asked(NOW + SECOND)
    assert not switch.is_armed(EXCHANGE)
    until = NOW + SECOND + int(limits.REQUEST_TIMEOUT_S * SECOND)
    assert not switch.due(until)
    assert switch.due(until + 1)


def test_once_a_disarming_is_answered_arming_is_due_again() -> None:
    switch = armed()
    switch.disarm_asked(NOW + SECOND)
    switch.answered(NOW + SECOND, 0)
    assert switch.trigger_ts == 0
    assert switch.due(NOW + SECOND + 1)


def test_an_answer_to_an_arming_does_not_end_the_wait_for_the_disarming() -> None:
    switch = armed()
    switch.disarm_asked(NOW + SECOND)
    switch.answered(NOW, TRIGGER)
    assert not switch.due(NOW + 2 * SECOND)


def test_an_arming_from_before_a_disarming_or_of_its_moment_says_nothing() -> None:
    for sent, counts in ((NOW, False), (NOW + SECOND, False), (NOW + SECOND + 1, True)):
        switch = Switch()
        switch.disarm_asked(NOW + SECOND)
        switch.answered(sent, TRIGGER)
        assert switch.is_armed(EXCHANGE) is counts


def test_without_a_disarming_before_it_any_arming_counts() -> None:
    assert armed(sent=1).is_armed(EXCHANGE)


def test_it_is_armed_until_it_fires_and_never_without_the_exchanges_time() -> None:
    switch = armed()
    assert switch.is_armed(TRIGGER - 1)
    assert not switch.is_armed(TRIGGER)
    assert switch.is_armed(1)
    assert not switch.is_armed(0)
    assert not Switch().is_armed(EXCHANGE)
    assert Switch().trigger_ts == 0


def test_a_deadline_is_two_seconds_away_and_two_before_the_trigger() -> None:
    switch = armed()
    assert switch.deadline_ts(EXCHANGE) == EXCHANGE + 2 * SECOND
    assert switch.deadline_ts(EXCHANGE + 11 * SECOND) == EXCHANGE + 13 * SECOND
    assert switch.deadline_ts(EXCHANGE + 12 * SECOND) == EXCHANGE + 13 * SECOND
    assert Switch().deadline_ts(EXCHANGE) is None


def test_nothing_may_be_sent_when_the_deadline_would_be_nearer_than_kraken_takes() -> None:
    switch = armed()
    last = EXCHANGE + 13 * SECOND - 600 * MS
    assert switch.deadline_ts(last) == EXCHANGE + 13 * SECOND
    assert switch.deadline_ts(last + 1) is None
