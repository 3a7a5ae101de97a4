"""Reconciliation by itself: what a snapshot, a second one and the history say of each kind of order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executor.exchange.adoption import Adoption
from executor.exchange.reconcile import Reconcile
from executor.orders.order import Active, Amend, Finished, Order, OrderLife
from shared import limits
from shared.clock import SECOND
from shared.kraken import v2
from tests.kit.executor_world import World

SETTLES = int(limits.HISTORY_SETTLES_S * SECOND)


class Reconciling:
    """A reconciliation over a ready world's state, past its first snapshots."""

    def __init__(self) -> None:
        self.world = World().ready()
        self.state = self.world.state
        self.reconcile = Reconcile(self.state, Adoption(self.state))
        self.reconcile.is_complete = True
        self.now = self.world.now

    @property
    def exchange_ts(self) -> int:
        return self.state.session.clock.now_ts(self.now)

    def order(self, life: OrderLife = Active.OPEN, name: str = "T1", **changed: Any) -> Order:
        made = Order(name, "market_maker", "BTC/USD", "b0", "buy", 839_900, 100_000, 1, 8, life, order_id=f"O{name}")
        made.doubt.confirmed = 1
        for key, value in changed.items():
            setattr(made, key, value)
        self.state.registry.add(made)
        return made

    def report(self, order: Order, **changed: Any) -> v2.Report:
        values: dict[str, Any] = {
            "order_id": order.order_id,
            "cl_ord_id": order.cl_ord_id,
            "symbol": order.symbol,
            "side": order.side,
            "order_type": "limit",
            "order_qty": Decimal(order.qty).scaleb(-8),
            "limit_price": Decimal(order.price).scaleb(-1),
        }
        return v2.Report(**{**values, **changed})

    def snapshot(self, *reports: v2.Report, named: set[str] | None = None) -> None:
        self.reconcile.snapshot_asked(self.now)
        self.now += SECOND
        self.reconcile.snapshot(list(reports), named or set(), self.now)


# --- rows ------------------------------------------------------------------------------------------------------------


def test_a_row_that_cannot_be_read_does_not_make_its_order_absent_and_spoils_no_other() -> None:
    made = Reconciling()
    odd, good = made.order(name="T1"), made.order(name="T2")
    made.snapshot(made.report(odd, limit_price=Decimal("84000.123")), made.report(good, cum_qty=Decimal("0.0005")))
    assert (odd.life, odd.doubt.suspect_since) == (Active.OPEN, 0)
    assert (good.life, good.filled) == (Active.OPEN, 50_000)
    assert made.state.out.counts["unreadable"] == 1


@pytest.mark.parametrize("named", ["T1", "OT1"])
def test_an_order_that_an_unreadable_row_names_by_either_id_is_not_absent(named: str) -> None:
    made = Reconciling()
    order, other = made.order(), made.order(name="T2")
    order.doubt.suspect_since = 5
    made.snapshot(named={named})
    assert (order.life, order.doubt.suspect_since) == (Active.OPEN, 0)
    assert other.life is Finished.CANCELLED


def test_a_row_that_no_order_can_be_made_of_is_counted_and_left() -> None:
    made = Reconciling()
    made.snapshot(v2.Report(order_id="OX", symbol="BTC/USD", side="buy"))
    assert made.state.registry.find("OX") is None
    assert made.state.out.counts["open order without side, price or quantity"] == 1


def test_a_row_without_a_filled_quantity_leaves_what_was_filled() -> None:
    made = Reconciling()
    order = made.order(filled=30_000, counted=30_000)
    made.snapshot(made.report(order))
    assert order.filled == 30_000


# --- cancels and amends ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sent", "life"), [(-1, Active.OPEN), (0, Active.CANCELLING)])
def test_a_cancel_that_left_before_the_snapshot_was_asked_for_has_missed(sent: int, life: Active) -> None:
    made = Reconciling()
    order = made.order(Active.CANCELLING)
    order.cancel.sent = made.now + sent
    made.snapshot(made.report(order))
    assert order.life is life


@pytest.mark.parametrize(("is_unknown", "late", "is_void"), [(True, 1, True), (True, 0, False), (False, 1, False)])
def test_an_amend_of_unknown_outcome_is_void_after_its_deadline(is_unknown: bool, late: int, is_void: bool) -> None:
    made = Reconciling()
    order = made.order()
    order.amend = Amend(1, 839_000, 100_000, made.exchange_ts + SECOND - late, is_unknown)
    made.snapshot(made.report(order))
    assert (order.amend is None) is is_void


def test_an_amend_of_unknown_outcome_wants_a_snapshot_after_its_deadline() -> None:
    made = Reconciling()
    order = made.order()
    order.amend = Amend(1, 839_000, 100_000, made.exchange_ts, is_unknown=True)
    made.state.registry.note(order)
    made.reconcile.turn(made.now)
    assert made.reconcile.wanted == ""
    made.reconcile.turn(made.now + 1)
    assert made.reconcile.wanted == "an amend of unknown outcome"


# --- absence ---------------------------------------------------------------------------------------------------------


def test_an_order_in_flight_is_not_judged_by_its_absence() -> None:
    made = Reconciling()
    order = made.order(Active.SENT, deadline_ts=1)
    made.snapshot()
    assert (order.life, order.doubt.lacking_since) == (Active.SENT, 0)


def test_an_order_of_unknown_outcome_is_lacking_since_the_first_snapshot_after_its_deadline() -> None:
    made = Reconciling()
    early = made.order(Active.UNKNOWN, deadline_ts=made.exchange_ts + 10 * SECOND)
    late = made.order(Active.UNKNOWN, "T2", deadline_ts=made.exchange_ts)
    made.snapshot()
    first = made.now
    made.snapshot()
    assert (early.doubt.lacking_since, late.doubt.lacking_since) == (0, first)


@pytest.mark.parametrize(("filled", "end"), [(100_000, Finished.FILLED), (99_999, Finished.CANCELLED)])
def test_what_is_absent_has_ended_filled_or_cancelled_by_what_is_known_of_its_fills(filled: int, end: Finished) -> None:
    made = Reconciling()
    order = made.order(filled=filled)
    made.snapshot()
    assert (order.life, order.error) == (end, "ended while not watched")


def test_what_we_cancelled_ended_for_our_reason_when_it_is_absent() -> None:
    made = Reconciling()
    order = made.order(Active.CANCELLING, error="not wanted any more")
    order.cancel.sent = 5
    made.snapshot()
    assert (order.life, order.error) == (Finished.CANCELLED, "not wanted any more")


@pytest.mark.parametrize("is_restored", [True, False])
def test_an_earlier_lifes_order_that_is_absent_may_have_cost_a_cancel(is_restored: bool) -> None:
    made = Reconciling()
    before = made.state.budget.value("BTC/USD", made.now)
    made.order(is_restored=is_restored)
    made.snapshot()
    assert (made.state.budget.value("BTC/USD", made.now) > before) is is_restored


def test_an_order_acked_just_before_is_absent_only_when_a_later_snapshot_lacks_it_too() -> None:
    made = Reconciling()
    order = made.order()
    order.doubt.confirmed = made.now
    made.snapshot()
    first = made.reconcile.asked_at
    assert (order.life, order.doubt.absent_at) == (Active.OPEN, first)
    # The same snapshot once more is no second one.
    made.reconcile.snapshot([], set(), made.now)
    assert (order.life, order.doubt.absent_at) == (Active.OPEN, first)
    made.snapshot()
    assert order.life is Finished.CANCELLED


# --- unknown outcomes ------------------------------------------------------------------------------------------------


def test_an_order_of_unknown_outcome_wants_a_snapshot_a_second_after_its_deadline() -> None:
    made = Reconciling()
    made.order(Active.UNKNOWN, deadline_ts=made.exchange_ts)
    made.reconcile.turn(made.now + SECOND)
    assert made.reconcile.wanted == ""
    made.reconcile.turn(made.now + SECOND + 1)
    assert made.reconcile.wanted == "an order of unknown outcome"


def test_the_history_is_asked_once_and_long_enough_after_the_snapshot_that_lacked_it() -> None:
    made = Reconciling()
    order = made.order(Active.UNKNOWN)
    order.doubt.lacking_since = made.now
    for wait, names in ((SETTLES, []), (SETTLES + 1, ["T1"]), (SETTLES + 2, ["T1"])):
        made.reconcile.turn(made.now + wait)
        assert made.reconcile.ask_history == names
    assert made.reconcile.wanted == ""


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("closed", Finished.FILLED),
        ("expired", Finished.EXPIRED),
        ("canceled", Finished.CANCELLED),
        (None, Finished.CANCELLED),
    ],
)
def test_what_the_history_shows_has_ended_as_it_says(status: str | None, end: Finished) -> None:
    made = Reconciling()
    order = made.order(Active.UNKNOWN)
    made.reconcile.history_shows("T1", {"status": status, "vol_exec": "0.1"}, made.now)
    assert (order.life, order.error) == (end, "found in the history")


def test_what_the_history_lacks_was_never_placed() -> None:
    made = Reconciling()
    order = made.order(Active.UNKNOWN)
    made.reconcile.history_lacks("T1", made.now)
    assert (order.life, order.error) == (Finished.NEVER_PLACED, "neither snapshot nor history knows it")


def test_the_history_says_nothing_of_an_order_that_is_known_or_that_nobody_knows() -> None:
    made = Reconciling()
    order = made.order(Active.OPEN)
    for name in ("T1", "T9"):
        made.reconcile.history_shows(name, {"status": "closed"}, made.now)
        made.reconcile.history_lacks(name, made.now)
    assert order.life is Active.OPEN


def test_a_filled_order_whose_end_is_not_reported_is_asked_for_after_a_second() -> None:
    made = Reconciling()
    order = made.order(filled=100_000)
    made.reconcile.turn(made.now)
    assert (order.doubt.suspect_since, made.reconcile.wanted) == (made.now, "")
    made.reconcile.turn(made.now + SECOND)
    assert made.reconcile.wanted == ""
    made.reconcile.turn(made.now + SECOND + 1)
    assert made.reconcile.wanted == "an order that the exchange does not know"


def test_the_first_reason_for_a_snapshot_stands_until_it_is_asked_for() -> None:
    made = Reconciling()
    made.reconcile.want("one")
    made.reconcile.want("two")
    assert made.reconcile.wanted == "one"
    made.reconcile.snapshot_asked(made.now)
    assert (made.reconcile.wanted, made.reconcile.asked_at) == ("", made.now)


def test_a_first_snapshot_is_followed_by_one_that_lags_behind_nobody() -> None:
    made = Reconciling()
    made.reconcile.is_complete = False
    made.reconcile.snapshot_asked(made.now)
    sure = made.now + int(limits.ABSENT_AFTER_ACK_S * SECOND)
    made.reconcile.turn(sure - 1)
    assert made.reconcile.wanted == ""
    made.reconcile.turn(sure)
    assert made.reconcile.wanted == "orders of another executor that the first snapshot may have lacked"
    made.reconcile.snapshot([], set(), sure)  # that of before
    assert not made.reconcile.is_complete
    made.reconcile.snapshot_asked(sure)
    made.reconcile.snapshot([], set(), sure)
    assert made.reconcile.is_complete
