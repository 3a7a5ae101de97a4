"""The route of a reader: through the relay while it answers, else directly, and back."""

from __future__ import annotations

from hypothesis import given, strategies as st

from shared import limits
from shared.bus.route import Move, Route
from shared.clock import MS, SECOND
from shared.messages import ProcessState

READY, STOPPING = ProcessState.READY, ProcessState.STOPPING
ANSWER = int(limits.RELAY_ANSWER_S * SECOND)
SILENT = int(limits.RELAY_SILENT_S * SECOND)
OVERLAP = int(limits.RELAY_OVERLAP_S * SECOND)


def test_a_relay_that_answers_is_all_that_a_reader_needs() -> None:
    route = Route(0)
    for now in range(0, 60 * SECOND, SECOND // 10):
        if now % SECOND == 0:
            route.heard(READY, now)
        assert route.turn(now) is None
    assert not route.is_direct


def test_a_relay_that_does_not_answer_is_not_waited_for() -> None:
    route = Route(0)
    assert route.turn(ANSWER - 1) is None
    assert route.turn(ANSWER) is Move.TO_PUBLISHERS
    assert route.turn(ANSWER + SECOND) is None


def test_a_relay_that_is_silent_is_left() -> None:
    route = Route(0)
    route.heard(READY, 0)
    assert route.turn(SILENT - 1) is None
    assert route.turn(SILENT) is Move.TO_PUBLISHERS


def test_a_lost_connection_and_a_relay_that_stops_are_left_at_once() -> None:
    route = Route(0)
    route.heard(READY, 0)
    route.lost()
    assert route.turn(1) is Move.TO_PUBLISHERS
    stopped = Route(0)
    stopped.heard(READY, 0)
    stopped.heard(STOPPING, 1)
    assert stopped.turn(2) is Move.TO_PUBLISHERS


def test_a_reader_goes_back_after_an_overlap_in_which_it_hears_both() -> None:
    route = Route(0)
    route.turn(ANSWER)
    route.heard(READY, SECOND)
    assert route.turn(SECOND + OVERLAP - 1) is None
    assert route.is_direct
    assert route.turn(SECOND + OVERLAP) is Move.TO_RELAY
    assert not route.is_direct


def test_a_relay_that_was_silent_overlaps_from_its_first_word_on() -> None:
    route = Route(0)
    route.heard(READY, 0)
    assert route.turn(SILENT) is Move.TO_PUBLISHERS
    route.heard(READY, 2 * SILENT)
    assert route.turn(2 * SILENT + OVERLAP - 1) is None
    assert route.turn(2 * SILENT + OVERLAP) is Move.TO_RELAY


def test_a_relay_lost_in_the_overlap_starts_it_anew() -> None:
    route = Route(0)
    route.turn(ANSWER)
    route.heard(READY, SECOND)
    route.lost()
    assert route.turn(SECOND + OVERLAP) is None
    route.heard(READY, 2 * SECOND)
    assert route.turn(2 * SECOND + OVERLAP - 1) is None
    assert route.turn(2 * SECOND + OVERLAP) is Move.TO_RELAY


@given(
    st.lists(st.tuples(st.sampled_from(["ready", "stopping", "lost", "nothing"]), st.integers(1, 3000)), max_size=60)
)
def test_whatever_happens_no_reader_is_without_both(events: list[tuple[str, int]]) -> None:
    """A reader turned in time is direct whenever the relay was last lost, or silent for too long."""
    route, now, heard, is_lost = Route(0), 0, ANSWER - SILENT, False
    moves = []
    for event, after_ms in events:
        now += after_ms * MS
        if event == "lost" or event == "stopping":
            is_lost = True
            route.lost() if event == "lost" else route.heard(STOPPING, now)
        elif event == "ready":
            heard, is_lost = now, False
            route.heard(READY, now)
        moves.append(route.turn(now))
        if is_lost or now - heard >= SILENT:
            assert route.is_direct
    taken = [move for move in moves if move is not None]
    assert taken == [Move.TO_PUBLISHERS, Move.TO_RELAY] * (len(taken) // 2) + [Move.TO_PUBLISHERS] * (len(taken) % 2)
