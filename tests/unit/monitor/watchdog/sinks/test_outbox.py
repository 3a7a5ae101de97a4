"""Alerts that wait for a webhook: bounded, in order, tried again, dropped when old; and which it is sent at all."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from monitor.watchdog.sinks.outbox import Outbox, Outcome, wants
from shared import limits
from shared.clock import SECOND
from shared.config.alerts import AlertLevel, Alerts, Rule
from shared.messages import Alert

GOOD, LATER, NEVER = Outcome(ok=True), Outcome(ok=False, why="HTTP 500", again=True), Outcome(ok=False, why="HTTP 404")


@pytest.mark.parametrize(
    ("level", "kind", "least", "wanted"),
    [
        ("critical", "halted", "warning", True),
        ("info", "fill", "warning", False),
        ("warning", "stale", "critical", False),
        # An end is for who was told of the beginning.
        ("info", "stale-over", "warning", True),
        ("info", "stale-over", "critical", False),
        ("info", "resumed", "critical", True),
        ("info", "process-back", "warning", True),
        ("info", "webhook-2-over", "warning", True),
        ("info", "of-no-rule-over", "warning", False),
        ("info", "fill", "info", True),
    ],
)
def test_it_gets_what_is_as_bad_as_its_level_and_the_ends_of_that(
    level: AlertLevel, kind: str, least: AlertLevel, wanted: bool
) -> None:
    assert wants(Alert(level=level, kind=kind, text="x"), least, Alerts()) is wanted


def test_the_level_of_an_end_is_the_configured_one() -> None:
    rules = Alerts(machine_disk=Rule(level="critical"))
    assert wants(Alert(level="info", kind="machine-disk-over", text="x"), "critical", rules)


def test_it_is_tried_again_with_growing_pauses_until_it_goes() -> None:
    outbox, tried = Outbox(), []
    outbox.put(b"1", 0)
    for second in range(300):
        body = outbox.next(second * SECOND)
        if body is not None:
            tried.append(second)
            outbox.done(body, LATER, second * SECOND)
    assert tried == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    assert (outbox.trouble, outbox.waiting) == ("HTTP 500", 1)
    outbox.done(b"1", GOOD, 300 * SECOND)
    assert outbox.trouble == ""


def test_what_is_refused_for_good_is_dropped_counted_and_told() -> None:
    outbox = Outbox()
    outbox.put(b"1", 0)
    outbox.put(b"2", 0)
    body = outbox.next(0)
    assert body == b"1"
    outbox.done(body, NEVER, 0)
    assert (outbox.dropped, outbox.waiting, outbox.trouble) == (1, 1, "HTTP 404")
    assert outbox.next(0) is None
    assert outbox.next(SECOND) == b"2"


def test_a_trouble_with_nothing_left_to_try_is_forgotten_in_time() -> None:
    outbox = Outbox()
    outbox.put(b"1", 0)
    outbox.done(b"1", NEVER, 0)
    old = int(limits.WEBHOOK_OLD_S) * SECOND
    assert (outbox.next(old), outbox.trouble) == (None, "HTTP 404")
    assert (outbox.next(old + 1), outbox.trouble) == (None, "")


def test_what_is_too_old_is_dropped() -> None:
    outbox = Outbox()
    outbox.put(b"1", 0)
    assert outbox.next(int(limits.WEBHOOK_OLD_S + 1) * SECOND) is None
    assert (outbox.dropped, outbox.waiting) == (1, 0)


@given(st.lists(st.sampled_from(["put", GOOD, LATER, NEVER]), max_size=400), st.integers(1, 120))
def test_nothing_is_lost_uncounted_or_out_of_order(steps: list[str | Outcome], pause: int) -> None:
    outbox, put, taken = Outbox(), 0, []
    body: bytes | None = None
    for second, act in enumerate(steps):
        now = second * pause * SECOND
        if isinstance(act, str):
            put += 1
            outbox.put(str(put).encode(), now)
            continue
        body = outbox.next(now)
        if body is not None:
            outbox.done(body, act, now)
            if act.ok:
                taken.append(int(body))
    assert taken == sorted(set(taken))
    assert outbox.sent == len(taken)
    assert outbox.waiting <= limits.WEBHOOK_QUEUE
    assert outbox.sent + outbox.dropped + outbox.waiting == put


def test_what_gave_way_while_it_was_tried_takes_nothing_else_with_it() -> None:
    outbox = Outbox()
    for number in range(limits.WEBHOOK_QUEUE):
        outbox.put(str(number).encode(), 0)
    body = outbox.next(0)
    assert body is not None
    outbox.put(b"new", 0)
    outbox.done(body, GOOD, 0)
    assert outbox.next(0) == b"1"
    assert outbox.waiting == limits.WEBHOOK_QUEUE
