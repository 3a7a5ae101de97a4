"""When the executor's word counts as the answer to a halt."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.control.halting import is_done
from monitor.model.view import View
from shared.bus import Received, topics
from shared.config import Config, check
from shared.messages import Heartbeat, Message, Order, Orders, OrderState, ProcessState

SWITCHED = 1_000


@pytest.fixture
def view() -> View:
    config = Config()
    check(config, lambda _key: "test")
    return View(config)


def take(view: View, topic: str, message: Message) -> None:
    kind = topics.kind_of(topic)
    assert kind is not None
    view.take(Received(topic, kind, topics.rest_of(topic, kind), message), 0)


def hear(view: View, *, ts: int = SWITCHED, state: ProcessState = ProcessState.HALTED, **orders: Any) -> bool:
    beat = Heartbeat(
        process="executor",
        pid=1,
        host="h",
        version="0",
        state=state,
        why="",
        uptime_s=1.0,
        loop_lag_ms=0.0,
        rss_mb=1.0,
        messages_in=0,
        messages_out=0,
        gaps=0,
        drops=0,
        ts=ts,
    )
    take(view, "heartbeat.executor", beat)
    for pair in ("BTC/USD", "ETH/USD", "SOL/USD"):
        take(view, f"order.{pair}", Orders(symbol=pair, **{"valid": True, **orders}))
    return is_done(view, SWITCHED)


def order(state: OrderState) -> Order:
    return Order(cl_ord_id="T", order_id="", strategy="s", slot="b0", side="buy", price=1, qty=1, filled=0, state=state)


def test_halted_and_nothing_open_is_done(view: View) -> None:
    assert hear(view, orders=[order(OrderState.CANCELLED)])


def test_a_word_from_before_the_switch_is_no_answer_to_it(view: View) -> None:
    assert not hear(view, ts=SWITCHED - 1)


@pytest.mark.parametrize("state", [state for state in ProcessState if state is not ProcessState.HALTED])
def test_an_executor_in_another_state_has_not_answered(view: View, state: ProcessState) -> None:
    assert not hear(view, state=state)


@pytest.mark.parametrize("state", [OrderState.OPEN, OrderState.UNKNOWN, OrderState.SENT, OrderState.CANCELLING])
def test_it_is_not_done_while_an_order_may_trade(view: View, state: OrderState) -> None:
    assert not hear(view, orders=[order(state)])


def test_it_is_not_done_while_the_executor_does_not_know_its_orders(view: View) -> None:
    assert not hear(view, valid=False)
