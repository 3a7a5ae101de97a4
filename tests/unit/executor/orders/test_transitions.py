"""The order state machine: each transition as a sentence, and what holds for every sequence of events."""

from __future__ import annotations

import ast
import dataclasses
from typing import TypeGuard, get_args

import pytest
from hypothesis import given, strategies as st

from executor.orders.order import Active, Amend, Finished, Order, OrderLife
from executor.orders.transitions import (
    Absent,
    Acked,
    AmendAcked,
    AmendRejected,
    AmendSent,
    AmendVoid,
    CancelFailed,
    CancelMissed,
    CancelSent,
    Doomed,
    Ended,
    Event,
    FillCounted,
    FilledInAll,
    Lacking,
    OutcomeUnknown,
    ReportedOpen,
    Restarted,
    Restated,
    Revived,
    SeenOpen,
    ShownByFill,
    Suspected,
    apply,
    life_after,
)
from shared import limits
from shared.clock import SECOND
from tests.system import ROOT

NOW = 1000 * SECOND
SENT, OPEN, UNKNOWN, CANCELLING = Active.SENT, Active.OPEN, Active.UNKNOWN, Active.CANCELLING


def order(life: OrderLife = Active.SENT, qty: int = 100) -> Order:
    return Order("T1", "m", "BTC/USD", "b0", "buy", 1000, qty, 1, 8, life)


def _is_amending(made: Order) -> bool:
    return made.amend is not None


CASES: dict[str, tuple[OrderLife, Event, OrderLife]] = {
    "an ack opens what was sent": (SENT, Acked("O1"), OPEN),
    "a snapshot opens what was sent": (SENT, SeenOpen("O1"), OPEN),
    "a fill proves that what was sent was placed": (SENT, ShownByFill("O1"), OPEN),
    "an ack that comes late opens what was of unknown outcome": (UNKNOWN, Acked("O1"), OPEN),
    "a fill proves that what was of unknown outcome was placed": (UNKNOWN, ShownByFill("O1"), OPEN),
    "a snapshot shows that what was of unknown outcome was placed": (UNKNOWN, SeenOpen("O1"), OPEN),
    "an ack says nothing of a cancel under way": (CANCELLING, Acked("O1"), CANCELLING),
    "a snapshot alone says nothing of a cancel under way": (CANCELLING, SeenOpen("O1"), CANCELLING),
    "without a response what was sent is of unknown outcome": (SENT, OutcomeUnknown(), UNKNOWN),
    "without a response to an amend what is open stays open": (OPEN, OutcomeUnknown(), OPEN),
    "without a response a cancel stays under way": (CANCELLING, OutcomeUnknown(), CANCELLING),
    "a restart makes the outcome of what was sent unknown": (SENT, Restarted(), UNKNOWN),
    "a restart forgets a cancel, which is decided anew": (CANCELLING, Restarted(), OPEN),
    "a restart keeps what is open": (OPEN, Restarted(), OPEN),
    "a cancel makes what is open cancelling": (OPEN, CancelSent("not wanted"), CANCELLING),
    "a cancel of unknown outcome may be sent": (UNKNOWN, CancelSent("not wanted"), CANCELLING),
    "a failed cancel leaves it open": (CANCELLING, CancelFailed(), OPEN),
    "a cancel that a later snapshot shows to have missed leaves it open": (CANCELLING, CancelMissed(), OPEN),
    "a failed cancel does not open what is of unknown outcome": (UNKNOWN, CancelFailed(), UNKNOWN),
    "a rejection ends what was sent": (SENT, Ended(Finished.REFUSED, "no"), Finished.REFUSED),
    "a fill of the rest ends what is open": (OPEN, Ended(Finished.FILLED, ""), Finished.FILLED),
    "a report ends what is being cancelled": (CANCELLING, Ended(Finished.CANCELLED, ""), Finished.CANCELLED),
    "the first end stands": (Finished.CANCELLED, Ended(Finished.FILLED, ""), Finished.CANCELLED),
    "an ack does not bring back what ended": (Finished.CANCELLED, Acked("O1"), Finished.CANCELLED),
    "an open report brings back what ended": (Finished.NEVER_PLACED, Revived(is_suspect=False), OPEN),
    "an open report opens what is being cancelled": (CANCELLING, Revived(is_suspect=False), OPEN),
    "absence from one snapshot is no end": (OPEN, Absent(NOW), OPEN),
    "absence of what is of unknown outcome is no end": (UNKNOWN, Lacking(), UNKNOWN),
    "an amend leaves the state": (OPEN, AmendSent(Amend(1, 1, 1, 1)), OPEN),
    "a fill leaves the state until its end is reported": (OPEN, FillCounted(100), OPEN),
}


@pytest.mark.parametrize("case", CASES)
def test_transition(case: str) -> None:
    before, event, after = CASES[case]
    assert life_after(before, event) is after
    moved = order(before)
    apply(moved, event, NOW)
    assert moved.life is after


# --- what an event keeps besides -------------------------------------------------------------------------------------


def test_until_an_amend_settles_the_worst_of_both_counts() -> None:
    made = order(Active.OPEN)
    apply(made, AmendSent(Amend(7, 1010, 40, 0)), NOW)
    assert (made.worst_price, made.worst_remaining) == (1010, 100)
    apply(made, AmendAcked(8), NOW)  # of an amend before it
    assert _is_amending(made)
    apply(made, AmendAcked(7), NOW)
    assert not _is_amending(made)
    assert (made.price, made.qty, made.touched) == (1010, 40, NOW)


def test_a_rejected_amend_leaves_the_old_price_live() -> None:
    made = order(Active.OPEN)
    apply(made, AmendSent(Amend(7, 1010, 40, 0)), NOW)
    apply(made, AmendRejected(6, "other"), NOW)
    assert _is_amending(made)
    apply(made, AmendRejected(7, "no"), NOW)
    assert not _is_amending(made)
    assert (made.price, made.qty, made.error) == (1000, 100, "no")


def test_a_restated_order_settles_the_amend_that_asked_for_it_and_no_other() -> None:
    made = order(Active.OPEN)
    apply(made, AmendSent(Amend(7, 1010, 40, 0)), NOW)
    apply(made, Restated(1010, None), NOW)
    assert (made.price, made.qty, made.amend is None) == (1010, 100, False)
    apply(made, Restated(None, 40), NOW + 1)
    assert (made.qty, made.amend, made.touched) == (40, None, NOW + 1)
    apply(made, Restated(1010, 40, is_new=False), NOW + 2)
    assert made.touched == NOW + 1


def test_an_end_drops_the_amend_in_flight_and_keeps_the_first_reason() -> None:
    made = order(Active.OPEN)
    apply(made, AmendSent(Amend(7, 1010, 40, 0)), NOW)
    apply(made, Ended(Finished.CANCELLED, "by hand"), NOW)
    apply(made, Ended(Finished.EXPIRED, "later"), NOW + 1)
    assert (made.amend, made.error, made.ended, made.is_live) == (None, "by hand", NOW, False)


def test_a_lost_response_makes_the_amend_in_flight_of_unknown_outcome() -> None:
    made = order(Active.OPEN)
    apply(made, AmendSent(Amend(7, 1010, 40, 0)), NOW)
    apply(made, OutcomeUnknown(), NOW)
    assert made.amend is not None
    assert made.amend.is_unknown
    apply(made, AmendVoid(), NOW)
    assert made.amend is None


def test_each_failed_cancel_from_the_third_on_waits_longer() -> None:
    made, waits = order(Active.CANCELLING), []
    for _ in range(12):
        apply(made, CancelFailed(), NOW)
        waits.append((made.cancel.due - NOW) / SECOND)
    first = limits.CANCEL_FAILURES
    assert waits[: first - 1] == [0.0] * (first - 1)
    assert waits[first - 1 : first + 2] == [1.0, 2.0, 4.0]
    assert waits[-1] == limits.CANCEL_AGAIN_MAX_S


def test_what_came_back_is_doomed_and_its_doubts_begin_anew() -> None:
    made = order(Active.OPEN)
    apply(made, Absent(NOW - 5), NOW)
    apply(made, Ended(Finished.CANCELLED, "gone"), NOW)
    apply(made, Revived(is_suspect=True), NOW + 1)
    assert (made.ended, made.doubt.absent_at, made.doubt.suspect_since) == (0, 0, NOW + 1)
    assert "gone" in made.doomed


def test_a_report_that_shows_it_alive_takes_back_an_absence() -> None:
    made = order(Active.OPEN)
    apply(made, Absent(NOW - 5), NOW)
    apply(made, Absent(NOW - 1), NOW)
    assert made.doubt.absent_at == NOW - 5
    apply(made, ReportedOpen(), NOW)
    assert made.doubt.absent_at == 0


def test_doubts_count_from_their_first_moment() -> None:
    made = order(Active.UNKNOWN)
    for moment in (NOW, NOW + 5):
        apply(made, Suspected(), moment)
        apply(made, Lacking(), moment)
    assert (made.doubt.suspect_since, made.doubt.lacking_since) == (NOW, NOW)
    apply(made, Acked("O1"), NOW + 9)
    assert (made.doubt.lacking_since, made.doubt.confirmed, made.stamps.acked) == (0, NOW + 9, NOW + 9)


def test_a_refused_amend_dooms_the_order_and_counts_as_its_last_change() -> None:
    made = order(Active.OPEN)
    apply(made, Doomed("amend refused"), NOW)
    assert (made.doomed, made.touched) == ("amend refused", NOW)


# --- any sequence ----------------------------------------------------------------------------------------------------

lots = st.integers(0, 100)
events: st.SearchStrategy[Event] = st.one_of(
    st.just(Acked("O1")),
    st.just(ShownByFill("O1")),
    st.just(SeenOpen("O1")),
    st.just(OutcomeUnknown()),
    st.just(Restarted()),
    st.just(CancelSent("why")),
    st.just(CancelFailed()),
    st.just(CancelMissed()),
    st.builds(Ended, st.sampled_from(Finished), st.just("")),
    st.builds(Revived, st.booleans()),
    st.builds(FilledInAll, lots, st.booleans()),
    st.builds(Restated, st.one_of(st.none(), st.integers(900, 1100)), st.one_of(st.none(), st.integers(1, 200))),
    st.builds(AmendSent, st.builds(Amend, st.integers(1, 3), st.integers(900, 1100), st.integers(1, 200), st.just(0))),
    st.builds(AmendAcked, st.integers(1, 3)),
    st.builds(AmendRejected, st.integers(1, 3), st.just("no")),
)


@given(st.lists(events, max_size=30))
def test_what_ended_is_brought_back_by_nothing_but_evidence_that_it_is_open(sequence: list[Event]) -> None:
    made = order()
    for event in sequence:
        was = made.life
        apply(made, event, NOW)
        if isinstance(was, Finished) and not isinstance(event, Revived):
            assert made.life is was
        assert made.is_live is isinstance(made.life, Active)
        assert made.is_live or made.amend is None
        assert made.worst_remaining >= made.remaining >= 0


@given(st.permutations([30, 20, 50]), st.lists(st.sampled_from([0, 1, 2]), max_size=4))
def test_fills_in_any_order_add_up_once_each(fills: list[int], reported: list[int]) -> None:
    # Counted once by exec id before they come here; what reports say of the total may lag, repeat and come late.
    made, done = order(Active.OPEN), 0
    for index, fill in enumerate(fills):
        apply(made, FillCounted(fill), NOW)
        done += fill
        if index in reported:
            apply(made, FilledInAll(done, is_snapshot=False), NOW)
        apply(made, FilledInAll(min(done, 20), is_snapshot=False), NOW)
        assert made.filled == done
    assert made.remaining == 0


@given(st.lists(events, max_size=12), st.integers(0, 11))
def test_an_event_that_comes_twice_moves_the_state_no_further(sequence: list[Event], again: int) -> None:
    once, twice = order(), order()
    for index, event in enumerate(sequence):
        apply(once, event, NOW)
        apply(twice, event, NOW)
        if index == again:
            apply(twice, event, NOW)
    assert once.life is twice.life


# --- nobody else -----------------------------------------------------------------------------------------------------


def test_nothing_outside_of_the_machine_assigns_to_an_order() -> None:
    owned = {field.name for field in dataclasses.fields(Order)} - {"audit"}
    owned |= {"confirmed", "suspect_since", "lacking_since", "absent_at", "history_asked"}
    missing = []
    for path in sorted((ROOT / "executor").rglob("*.py")):
        if path.parent.name == "orders":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if _is_assignment(node) else []
            for target in [part for one in targets for part in ast.walk(one)]:
                if _is_stored(target) and target.attr in owned and _is_order(target.value):
                    missing.append(f"{path.name}:{target.lineno}: {ast.unparse(target)}")
    assert missing == []


def _is_assignment(node: ast.AST) -> TypeGuard[ast.AugAssign | ast.AnnAssign]:
    return isinstance(node, ast.AugAssign | ast.AnnAssign)


def _is_stored(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)


def _is_order(node: ast.expr) -> bool:
    return ast.unparse(node).endswith(("order", "order.doubt", "order.cancel", "order.stamps", "order.amend"))


def test_every_kind_of_event_is_documented() -> None:
    assert [kind.__name__ for kind in get_args(Event) if not kind.__doc__] == []
