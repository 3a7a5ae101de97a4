"""The monitor's view, fed message by message."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.model.picture import Picture
from monitor.model.view import View
from shared.bus import Received, topics
from shared.clock import SECOND
from shared.config import Config, check
from shared.messages import (
    Book,
    BookInfo,
    BookState,
    BookStatus,
    Heartbeat,
    Message,
    Order,
    OrderState,
    ProcessState,
)

NOW, WALL = 1000 * SECOND, 2_000_000 * SECOND


PAIR = "BTC/USD"


@pytest.fixture
def config() -> Config:
    made = Config()
    check(made, lambda _key: "test")
    return made


@pytest.fixture
def view(config: Config) -> View:
    return View(config)


def take(view: View | Picture, topic: str, message: Message, now: int = NOW) -> None:
    kind = topics.kind_of(topic)
    assert kind is not None
    view.take(Received(topic, kind, topics.rest_of(topic, kind), message), now)


def beat(process: str, **changed: Any) -> Heartbeat:
    fields: dict[str, Any] = {
        "process": process,
        "pid": 7,
        "boot": 9,
        "host": "h",
        "version": "0",
        "state": ProcessState.READY,
        "why": "",
        "uptime_s": 3.5,
        "loop_lag_ms": 0.1,
        "rss_mb": 40.5,
        "messages_in": 1,
        "messages_out": 2,
        "gaps": 3,
        "drops": 4,
    }
    return Heartbeat(**{**fields, **changed})


def book_status(state: BookState = BookState.LIVE, ts: int = WALL) -> BookStatus:
    info = BookInfo(state=state, age_ms=30, checksums_ok=12, checksums_failed=1)
    return BookStatus(books={PAIR: info}, ts=ts)


def book(state: BookState = BookState.LIVE) -> Book:
    return Book(
        symbol=PAIR,
        state=state,
        price_precision=1,
        qty_precision=8,
        bids=[(1_000_000, 5)],
        asks=[(1_000_010, 5)],
    )


def order(state: OrderState) -> Order:
    return Order(
        cl_ord_id="T",
        order_id="",
        strategy="market_maker",
        slot="b0",
        side="buy",
        price=1,
        qty=1,
        filled=0,
        state=state,
    )
