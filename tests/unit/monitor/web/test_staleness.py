"""Warnings before a person trusts the page."""

from __future__ import annotations

import msgspec
import pytest

from monitor.model.ages import age
from monitor.model.status_object import Status
from monitor.web import staleness
from monitor.web.client import Answer
from shared import limits
from tests.kit.fake_api import sections

BASE = "http://127.0.0.1:8181"


def test_a_fresh_answer_says_nothing() -> None:
    assert staleness.freshness(Answer({}, at=10.0), 12.0, BASE).headline == ""


def test_a_single_failed_try_is_not_yet_stale() -> None:
    assert staleness.freshness(Answer({}, at=10.0, trouble="no answer in time"), 12.0, BASE).headline == ""


def test_after_three_seconds_it_says_how_old_what_is_shown_is() -> None:
    said = staleness.freshness(Answer({}, at=10.0, trouble="no answer in time"), 10.0 + limits.WEB_STALE_S, BASE)
    assert said.headline == "Stale"
    assert said.detail.startswith("What is shown is 3 s old.")


def test_when_nobody_listens_the_system_is_down_and_what_to_do_is_said() -> None:
    why = "nothing listens there"
    answers: list[Answer[object]] = [Answer(None, None, why, True), Answer({}, 0.0, why, True)]
    for answer in answers:
        said = staleness.freshness(answer, 60.0, BASE)
        assert said.headline == "The system is down"
        assert "make run" in said.detail


@pytest.mark.parametrize(
    ("status", "headline", "tone"),
    [
        ({"sandbox": True, "dry_run": False}, "Sandbox", "quiet"),
        ({"sandbox": False, "dry_run": True}, "Dry run", "warn"),
        ({"sandbox": False, "dry_run": False}, "REAL MONEY", "real"),
        (None, "REAL MONEY", "real"),
    ],
)
def test_real_money_is_said_unless_it_is_known_to_be_made_up(
    status: dict[str, bool] | None, headline: str, tone: str
) -> None:
    known = None if status is None else msgspec.convert(sections()["/api/status"] | status, Status)
    said = staleness.money_at_stake(known)
    assert (said.headline, said.tone) == (headline, tone)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_durations_as_people_say_them(seconds: float | None, text: str) -> None:
    assert age(seconds) == text


def test_times_are_utc_to_the_millisecond() -> None:
    assert staleness.day_and_clock(1_790_000_000.25) == "2026-09-21 14:13:20.250"
    assert staleness.clock(0) == "-"
