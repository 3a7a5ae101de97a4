"""The end of the live check: nothing rests, or the switch stays armed and pulls it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any, cast

import pytest

from executor.livecheck.session import Session
from executor.livecheck.steps import Plan, clean_up
from executor.livecheck.transcript import Call

PLAN = Plan("BTC/USD", Decimal(40_000), Decimal("0.1"), Decimal("0.0001"), ("ONE", "TWO"))


class Recorded:
    """A session that keeps what it was asked, and lists these orders as open, one list for each time."""

    def __init__(self, *open_orders: dict[str, Any]) -> None:
        self.token = "T"
        self.asked_for: list[str] = []
        self._open = list(open_orders)

    async def ask(self, step: str, method: str, params: dict[str, Any] | None = None) -> Call:
        self.asked_for.append(method)
        return Call(step, method, params or {}, 0)

    async def rest(self, step: str, method: str, params: dict[str, Any] | None = None) -> Call:
        self.asked_for.append(method)
        answer = {"open": self._open.pop(0)} if method == "OpenOrders" else {}
        return Call(step, method, params or {}, 0, answer)


MINE = {"O1": {"cl_ord_id": "ONE"}}
FOREIGN = {"O9": {"cl_ord_id": "NINE"}}


@pytest.mark.parametrize(
    ("open_orders", "is_disarmed"),
    [([{}], True), ([FOREIGN], True), ([MINE, {}], True), ([MINE, MINE], False), ([MINE, FOREIGN], True)],
)
def test_the_switch_is_disarmed_once_nothing_of_ours_is_left(
    open_orders: list[dict[str, Any]], is_disarmed: bool
) -> None:
    session = Recorded(*open_orders)
    asyncio.run(clean_up(cast(Session, session), PLAN, ["O1", ""]))
    assert ("cancel_all_orders_after" in session.asked_for) is is_disarmed
    assert ("CancelOrder" in session.asked_for) is (open_orders[0] is MINE)
