"""A key that Kraken refuses is tried a few times, a locked one not before the lockout is over."""

from __future__ import annotations

import pytest

from shared.kraken.key_backoff import KeyBackoff
from shared.kraken.reconnect import Reconnect


def tries_within(errors: list[str], seconds: float) -> int:
    """Return how often a key with this answer is tried."""
    backoff, now, tries = KeyBackoff(), 0.0, 0
    while now < seconds:
        tries += 1
        now += backoff.refused(errors, now) or 0.1
    return tries


@pytest.mark.parametrize("error", ["EAPI:Invalid key", "EAPI:Invalid signature", "EGeneral:Permission denied"])
def test_a_wrong_key_is_tried_a_few_times_and_then_each_quarter_of_an_hour(error: str) -> None:
    assert tries_within([error], 120) == 3
    assert tries_within([error], 3600) <= 8


def test_a_lockout_is_waited_for() -> None:
    assert tries_within(["EGeneral:Temporary lockout"], 899) == 1


def test_other_errors_are_not_the_keys_fault() -> None:
    assert KeyBackoff().refused(["EService:Unavailable"], 0.0) == 0.0


def test_a_key_that_works_again_is_tried_at_once_when_it_is_needed() -> None:
    backoff = KeyBackoff()
    backoff.refused(["EAPI:Invalid key"], 0.0)
    backoff.refused(["EAPI:Invalid key"], 10.0)
    backoff.accepted()
    assert backoff.left_s(10.0) == 0
    assert backoff.refused(["EAPI:Invalid key"], 20.0) == 5


def test_no_connection_is_tried_while_it_would_be_of_no_use() -> None:
    policy = Reconnect()
    policy.hold(900.0)
    assert policy.delay_s(0.0, 0.5) == 900.0
    assert policy.delay_s(899.0, 0.0) >= 1.0
