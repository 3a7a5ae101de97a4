"""Each hop from its stamps: every event once, nothing from another life, bounded and mergeable."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from monitor.model.latency import HOPS, TARGETS_KEPT, Latency, described
from shared.bus import Received, topics
from shared.clock import MS, SECOND
from shared.measures.histogram import Histogram
from shared.messages import Book, BookState, FeedStatus, Message, Order, Orders, OrderState, Target

PAIR = "BTC/USD"
START = 1000 * SECOND


def counts(latency: Latency) -> dict[str, int]:
    return {name: hop.histogram.count for name, hop in latency.hops.items() if hop.histogram.count}


def only(latency: Latency, name: str) -> int:
    """Return the one sample of a hop."""
    histogram = latency.hops[name].histogram
    assert histogram.count == 1
    return histogram.sum_ns


def take(latency: Latency, topic: str, *messages: Message) -> None:
    kind = topics.kind_of(topic)
    assert kind is not None
    for message in messages:
        latency.take(Received(topic, kind, topics.rest_of(topic, kind), message))


def book(received: int = START, took: int = MS, **changed: Any) -> Book:
    fields: dict[str, Any] = {
        "symbol": PAIR,
        "state": BookState.LIVE,
        "price_precision": 1,
        "qty_precision": 8,
        "bids": [],
        "asks": [],
        "received": received,
        "booked": received + took,
    }
    return Book(**fields | changed)


def target(booked: int, took: int, event: str = "book") -> Target:
    return Target(
        strategy="maker",
        symbol=PAIR,
        price_precision=1,
        qty_precision=8,
        quotes=[],
        decided=booked + took,
        ttl_ms=3000,
        fills=0,
        received=booked,
        booked=booked,
        event=event,
    )


def order(name: str, **stamps: Any) -> Order:
    return Order(
        cl_ord_id=name,
        order_id="",
        strategy="maker",
        slot="b0",
        side="buy",
        price=1,
        qty=1,
        filled=0,
        state=OrderState.OPEN,
        **stamps,
    )


def orders(*rows: Order, boot: int = 1) -> Orders:
    return Orders(symbol=PAIR, valid=True, orders=list(rows), boot=boot)


def test_a_book_counts_once_however_often_it_is_said() -> None:
    latency = Latency()
    take(latency, f"book.{PAIR}", book(), book(), book(START + SECOND, 3 * MS))
    assert counts(latency) == {"collector_to_book": 2}
    assert latency.hops["collector_to_book"].histogram.sum_ns == 4 * MS


def test_a_book_that_no_frame_made_is_no_sample() -> None:
    latency = Latency()
    take(latency, f"book.{PAIR}", book(received=0, booked=0))
    assert not counts(latency)


def test_the_way_from_the_exchange_counts_only_by_a_clock_that_is_known() -> None:
    offset = 5_000_000 * SECOND  # the exchange's time less CLOCK_BOOTTIME
    latency = Latency()
    for number, uncertain in enumerate((-1.0, 501.0, 20.0)):
        status = FeedStatus(
            connected=True, connection=1, last_byte=1, exchange_offset=offset, offset_uncertain_ms=uncertain
        )
        received = START + number * SECOND
        take(latency, "feed.status", status)
        take(latency, f"book.{PAIR}", book(received, exchange_ts=received + offset - 12 * MS))
    assert only(latency, "exchange_to_collector") == 12 * MS


def test_a_decision_counts_when_its_book_brought_it() -> None:
    latency = Latency()
    for event in ("trade", "position", "order", "time", "invalid"):
        take(latency, f"target.maker.{PAIR}", target(START, SECOND, event))
    assert not counts(latency)
    take(latency, f"target.maker.{PAIR}", target(START, MS), target(START, SECOND))
    assert only(latency, "book_to_strategy") == MS


def test_an_order_counts_when_it_is_sent_and_when_it_is_acknowledged() -> None:
    latency = Latency()
    sent = {"received": START, "booked": START + MS, "decided": START + 2 * MS, "sent": START + 5 * MS}
    take(latency, f"target.maker.{PAIR}", target(START + MS, MS))
    take(latency, f"order.{PAIR}", orders())
    take(latency, f"order.{PAIR}", orders(order("a", **sent)), orders(order("a", **sent)))
    assert counts(latency) == {
        "book_to_strategy": 1,
        "strategy_to_executor": 1,
        "waiting_by_rule": 1,
        "frame_to_order": 1,
    }
    assert only(latency, "waiting_by_rule") == 0
    for _ in range(2):
        take(latency, f"order.{PAIR}", orders(order("a", acked=START + 30 * MS, **sent)))
    assert only(latency, "strategy_to_executor") == 3 * MS
    assert only(latency, "frame_to_order") == 5 * MS
    assert only(latency, "order_to_acknowledgement") == 25 * MS


def test_what_waited_by_rule_is_kept_apart_and_each_amend_counts() -> None:
    latency = Latency()
    take(latency, f"target.maker.{PAIR}", target(START + MS, MS))
    stamps = {"received": START, "booked": START + MS, "decided": START + 2 * MS}
    held = {"heard": START + 3 * MS, "planned": START + SECOND, "sent": START + SECOND + MS}
    take(latency, f"order.{PAIR}", orders(), orders(order("a", **stamps, **held)))
    assert only(latency, "waiting_by_rule") == SECOND - 3 * MS
    assert only(latency, "strategy_to_executor") == 2 * MS
    assert only(latency, "frame_to_order") == 4 * MS
    at_once = {"heard": START + 2 * SECOND, "planned": START + 2 * SECOND, "sent": START + 2 * SECOND + MS}
    amended = {"received": START, "booked": START + MS, "decided": START + 2 * SECOND - MS, **at_once}
    take(latency, f"order.{PAIR}", orders(order("a", **amended)))
    # No book led to that target: its age is no reaction.
    assert counts(latency)["strategy_to_executor"] == 2
    assert counts(latency)["frame_to_order"] == 1


def test_an_order_that_is_heard_before_its_target_counts_with_it() -> None:
    latency = Latency()
    take(latency, f"order.{PAIR}", orders())
    stamps = {"received": START, "booked": START + MS, "decided": START + 2 * MS, "sent": START + 5 * MS}
    by_time = {"received": START, "booked": START + MS, "decided": START + SECOND, "sent": START + SECOND + MS}
    take(latency, f"order.{PAIR}", orders(order("a", **stamps), order("b", **by_time)))
    assert counts(latency).get("frame_to_order", 0) == 0
    take(latency, f"target.maker.{PAIR}", target(START + MS, MS), target(START + 2 * MS, SECOND, "time"))
    assert only(latency, "frame_to_order") == 5 * MS


def test_orders_whose_target_never_comes_are_forgotten_in_their_turn() -> None:
    latency = Latency()
    for number in range(TARGETS_KEPT + 1):
        decided = START + number * SECOND
        stamps = {"received": decided - MS, "booked": decided, "decided": decided, "sent": decided + MS}
        take(latency, f"order.{PAIR}", orders(), orders(order("a", **stamps)))
    take(latency, f"target.maker.{PAIR}", target(START, 0))
    assert counts(latency).get("frame_to_order", 0) == 0
    take(latency, f"target.maker.{PAIR}", target(START + SECOND, 0))
    assert only(latency, "frame_to_order") == 2 * MS


def test_what_was_sent_before_we_listened_or_by_an_executor_before_is_no_sample() -> None:
    latency = Latency()
    old = order("a", received=1, booked=2, decided=3, sent=4, acked=START)
    take(latency, f"order.{PAIR}", orders(old), orders(old, order("b", sent=5, acked=START), boot=2))
    assert not counts(latency)


def test_a_hop_without_samples_says_so() -> None:
    hops = Latency().described()
    assert [hop.hop for hop in hops] == list(HOPS)
    assert all(hop.count == 0 and hop.p99_ms is None and hop.since_ts is None for hop in hops)


def test_since_is_when_the_first_sample_came() -> None:
    latency = Latency()
    take(latency, f"book.{PAIR}", book(ts=7 * SECOND), book(START + 1, ts=9 * SECOND))
    (hop,) = [hop for hop in latency.described() if hop.count]
    assert (hop.since_ts, hop.max_ms, hop.average_ms) == (7.0, 1.0, 1.0)


@given(st.lists(st.integers(0, 10**11)), st.lists(st.integers(0, 10**11)))
def test_histograms_merge_to_what_one_would_have_counted(some: list[int], others: list[int]) -> None:
    first, second, whole = Histogram(), Histogram(), Histogram()
    for histogram, values in ((first, some), (second, others), (whole, some + others)):
        for value in values:
            histogram.add(value)
    first.merge(second)
    assert described("frame_to_order", first, 1) == described("frame_to_order", whole, 1)
    assert sum(count for _, count in described("frame_to_order", first, 1).buckets) == len(some + others)


@given(st.lists(st.integers(0, 2**70), max_size=200))
def test_a_histogram_is_bounded_whatever_it_counts(values: list[int]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    assert all(0 <= index < 1920 for index in histogram.counts)
