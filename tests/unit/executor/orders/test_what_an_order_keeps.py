"""The marks of each event on an order besides its state: ids, stamps, fills, doubts; and what rescaling does to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from executor.orders.order import Active, Amend, Finished, Order, OrderLife, Presence
from executor.orders.transitions import (
    Absent,
    Acked,
    AmendAcked,
    AmendRejected,
    AmendSent,
    CancelFailed,
    CancelMissed,
    CancelRepeated,
    CancelSent,
    Caused,
    Cleared,
    Doomed,
    Ended,
    Event,
    FillCounted,
    FilledInAll,
    HistoryAsked,
    Lacking,
    Left,
    Named,
    OutcomeUnknown,
    Restarted,
    Restated,
    Revived,
    SeenOpen,
    ShownByFill,
    Suspected,
    apply,
    life_after,
    rescale,
    show_presence,
)
from shared import limits
from shared.clock import SECOND

NOW = 1000 * SECOND


def order(life: OrderLife = Active.OPEN, **changed: Any) -> Order:
    made = Order("T1", "m", "BTC/USD", "b0", "buy", 1000, 100, 1, 8, life)
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def after(made: Order, *events: Event, now: int = NOW) -> Order:
    for event in events:
        apply(made, event, now)
    return made


# --- ids and stamps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [Acked, SeenOpen, ShownByFill, Named])
def test_the_exchanges_id_is_kept_from_whatever_tells_it_first(event: Callable[[str], Event]) -> None:
    assert after(order(Active.SENT), event("O1")).order_id == "O1"
    assert after(order(Active.SENT, order_id="O1"), event("")).order_id == "O1"


@pytest.mark.parametrize(
    ("event", "kept"), [(Acked("O2"), "O2"), (SeenOpen("O2"), "O2"), (ShownByFill("O2"), "O1"), (Named("O2"), "O1")]
)
def test_an_ack_or_a_snapshot_corrects_the_exchanges_id_and_a_fill_does_not(event: Event, kept: str) -> None:
    assert after(order(order_id="O1"), event).order_id == kept


def test_its_cause_and_its_way_out_are_stamped() -> None:
    stamps = after(order(Active.SENT), Caused(1, 2, 3, 4), Left()).stamps
    assert (stamps.received, stamps.booked, stamps.decided, stamps.heard) == (1, 2, 3, 4)
    assert (stamps.planned, stamps.sent) == (NOW, NOW)


def test_an_amend_has_stamps_of_its_own() -> None:
    made = after(order(Active.SENT), Caused(1, 2, 3, 4), Left(), Acked("O1"))
    after(made, AmendSent(Amend(7, 101, 50, 0)), Caused(5, 6, 7, 8), now=NOW + 10)
    assert (made.stamps.planned, made.stamps.sent, made.stamps.acked) == (NOW + 10, 0, 0)
    after(made, Left(), now=NOW + 11)
    after(made, AmendAcked(7), now=NOW + 15)
    assert (made.stamps.decided, made.stamps.sent, made.stamps.acked) == (7, NOW + 11, NOW + 15)


def test_the_first_ack_is_stamped_and_a_later_one_is_not() -> None:
    made = after(order(Active.SENT), Acked("O1"))
    after(made, Acked("O1"), now=NOW + 1)
    assert (made.stamps.acked, made.doubt.confirmed) == (NOW, NOW)
    # A cancel that failed leaves it open: an ack of that is no ack of the add.
    late = after(order(Active.UNKNOWN), Acked("O1"), now=NOW + 5)
    late.life = Active.UNKNOWN
    assert after(late, Acked("O1"), now=NOW + 9).stamps.acked == NOW + 5


def test_an_ack_of_what_is_open_stamps_nothing() -> None:
    made = order(Active.OPEN)
    made.doubt.lacking_since = 5
    after(made, Acked("O1"))
    assert (made.stamps.acked, made.doubt.lacking_since) == (0, 5)


@pytest.mark.parametrize("event", [Acked("O1"), SeenOpen("O1"), ShownByFill("O1"), Revived(is_suspect=False)])
def test_the_exchange_is_known_to_have_it_since_the_first_proof(event: Event) -> None:
    made = order(Finished.CANCELLED if isinstance(event, Revived) else Active.SENT)
    assert after(made, event).doubt.confirmed == NOW
    assert after(made, event, now=NOW + 7).doubt.confirmed == NOW


# --- fills -----------------------------------------------------------------------------------------------------------


def test_the_larger_of_what_was_counted_and_what_was_told_is_filled() -> None:
    made = after(order(), FillCounted(30), FillCounted(10))
    assert (made.counted, made.reported, made.filled, made.remaining) == (40, 0, 40, 60)
    after(made, FilledInAll(70, is_snapshot=False))
    assert (made.counted, made.reported, made.filled) == (40, 70, 70)
    after(made, FillCounted(5))
    assert made.filled == 70
    after(made, FillCounted(30))
    assert made.filled == 75


def test_a_report_never_takes_back_what_was_filled_and_a_snapshot_may() -> None:
    made = after(order(), FilledInAll(70, is_snapshot=False), FilledInAll(50, is_snapshot=False))
    assert (made.reported, made.filled) == (70, 70)
    after(made, FilledInAll(60, is_snapshot=True))
    assert (made.reported, made.filled) == (60, 60)
    after(made, FillCounted(65), FilledInAll(10, is_snapshot=True))
    assert (made.reported, made.filled) == (10, 65)


# --- doubts ----------------------------------------------------------------------------------------------------------


def test_a_snapshot_that_shows_it_open_ends_every_doubt_about_it() -> None:
    made = after(order(Active.OPEN), Absent(5), Suspected(), SeenOpen("O1"))
    assert (made.doubt.suspect_since, made.doubt.absent_at) == (0, 0)
    lost = after(order(Active.UNKNOWN), Lacking(), SeenOpen("O1"))
    assert (lost.doubt.lacking_since, lost.stamps.acked) == (0, NOW)


def test_an_ack_ends_no_suspicion() -> None:
    made = after(order(Active.OPEN), Absent(5), Acked("O1"))
    assert (made.doubt.suspect_since, made.doubt.absent_at) == (NOW, 5)


def test_a_fill_shows_that_it_was_placed_and_not_that_it_rests() -> None:
    made = after(order(Active.UNKNOWN), Lacking(), Suspected(), ShownByFill("O1"))
    assert (made.doubt.lacking_since, made.doubt.suspect_since, made.stamps.acked) == (0, NOW, 0)
    still = order(Active.OPEN)
    still.doubt.lacking_since = 5
    assert after(still, ShownByFill("O1")).doubt.lacking_since == 5


def test_an_absence_raises_suspicion_and_both_count_from_the_first() -> None:
    made = after(order(), Absent(5))
    after(made, Absent(7), now=NOW + 1)
    assert (made.doubt.absent_at, made.doubt.suspect_since) == (5, NOW)
    assert after(made, Cleared()).doubt.suspect_since == 0


def test_the_history_is_asked_for_it_once() -> None:
    made = after(order(Active.UNKNOWN), HistoryAsked())
    assert made.doubt.history_asked is True


@pytest.mark.parametrize(("is_suspect", "since"), [(True, NOW), (False, 0)])
def test_what_came_back_is_suspect_only_where_a_fill_alone_shows_it(is_suspect: bool, since: int) -> None:
    made = after(order(), Absent(5), Ended(Finished.CANCELLED, ""), Revived(is_suspect))
    assert (made.life, made.doubt.suspect_since, made.doubt.absent_at, made.ended) == (Active.OPEN, since, 0, 0)
    assert made.doomed == "open at the exchange, though believed ended (no reason)"


def test_what_came_back_says_why_it_was_believed_ended() -> None:
    made = after(order(), Ended(Finished.CANCELLED, "by hand"), Revived(is_suspect=False))
    assert made.doomed == "open at the exchange, though believed ended (by hand)"


# --- amends, cancels, ends -------------------------------------------------------------------------------------------


def test_a_rejected_amend_counts_as_no_change_of_the_order() -> None:
    made = after(order(touched=5), AmendSent(Amend(7, 1010, 40, 0)), AmendRejected(7, "no"))
    assert made.touched == 5


def test_an_answer_to_an_amend_that_is_not_in_flight_changes_nothing() -> None:
    made = after(order(), AmendRejected(7, "no"))
    assert made.error == ""


def test_an_amend_of_what_ended_is_not_in_flight() -> None:
    assert after(order(Finished.CANCELLED), AmendSent(Amend(7, 1010, 40, 0))).amend is None


@pytest.mark.parametrize("event", [OutcomeUnknown(), Restarted()])
def test_an_amend_without_a_response_is_of_unknown_outcome_after_a_restart_too(event: Event) -> None:
    made = after(order(), AmendSent(Amend(7, 1010, 40, 0)), event)
    assert made.amend is not None
    assert made.amend.is_unknown is True
    assert after(order(), event).amend is None


def test_a_restated_price_counts_as_a_change_unless_a_snapshot_repeats_it() -> None:
    made = after(order(touched=5), Restated(1001, 90, is_new=False))
    assert (made.price, made.qty, made.touched) == (1001, 90, 5)
    assert after(made, Restated(None, None)).touched == NOW


def test_an_end_is_stamped_once_and_says_why_where_it_is_known() -> None:
    made = after(order(error="amend refused"), Ended(Finished.CANCELLED, ""))
    assert (made.ended, made.error) == (NOW, "amend refused")
    after(made, Ended(Finished.EXPIRED, "late"), now=NOW + 1)
    assert (made.ended, made.error) == (NOW, "amend refused")


def test_a_cancel_says_why_and_when_it_left() -> None:
    made = after(order(), CancelSent("not wanted"))
    assert (made.cancel.sent, made.error) == (NOW, "not wanted")


def test_cancels_that_came_to_nothing_are_counted_whether_failed_or_repeated() -> None:
    made = after(order(Active.CANCELLING), CancelRepeated(), CancelRepeated())
    assert (made.cancel.failures, made.cancel.due) == (2, 0)
    after(made, CancelFailed())
    assert made.cancel.failures == limits.CANCEL_FAILURES == 3
    assert made.cancel.due == NOW + SECOND
    assert after(made, CancelMissed()).cancel.failures == 3


def test_doom_says_why_and_counts_as_a_change() -> None:
    made = after(order(), Doomed("amend refused"))
    assert (made.doomed, made.touched, made.life) == ("amend refused", NOW, Active.OPEN)


@pytest.mark.parametrize("event", [Restarted(), CancelFailed(), CancelMissed()])
def test_only_a_cancel_under_way_becomes_open_by_its_end(event: Event) -> None:
    assert life_after(Active.CANCELLING, event) is Active.OPEN
    assert life_after(Active.UNKNOWN, event) is Active.UNKNOWN


# --- rescaling, presence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "price"), [("buy", 101), ("sell", 100)])
def test_a_coarser_precision_rounds_an_adopted_order_against_us(side: str, price: int) -> None:
    made = order(side=side, price=1005, qty=191, filled=109, counted=98, reported=109)
    rescale(made, 0, 7)
    assert (made.price, made.qty) == (price, 20)
    assert (made.filled, made.counted, made.reported) == (10, 9, 10)
    assert (made.price_precision, made.qty_precision) == (0, 7)


def test_a_finer_precision_keeps_every_number() -> None:
    made = order(filled=7, counted=5, reported=7)
    rescale(made, 3, 9)
    assert (made.price, made.qty, made.filled, made.counted, made.reported) == (100_000, 1000, 70, 50, 70)
    assert (made.price_precision, made.qty_precision) == (3, 9)


def test_an_order_once_on_margin_stays_on_margin() -> None:
    made = order()
    show_presence(made, Presence.WAITING, is_margin=False)
    assert (made.presence, made.is_margin) == (Presence.WAITING, False)
    show_presence(made, Presence.SHOWN, is_margin=True)
    show_presence(made, Presence.PARTLY, is_margin=False)
    assert (made.presence, made.is_margin) == (Presence.PARTLY, True)
