"""The delays that a run used, and those of the live system that recorded its data."""

from __future__ import annotations

from pathlib import Path

from backtest.data.formats import recorded_orders
from backtest.exact.run import Options, Outcome, on_columns
from backtest.report import figures, report
from backtest.report.delays import Delays, measure
from backtest.report.page import DELAYS, page
from backtest.venue.latency import LatencyKind
from shared.clock import MS, SECOND
from shared.messages import Order, Orders, OrderState
from tests.kit.backtest.market import BEGIN_TS, walk
from tests.unit.backtest.data.market_data import MIDNIGHT, Bus
from tests.unit.backtest.exact.test_run import STRATEGY, prepared

BTC = "BTC/USD"


def played(kind: LatencyKind) -> Outcome:
    return on_columns(prepared(), {BTC: walk(3, 20)}, Options(STRATEGY, latency=kind))


def order(number: int, decided: int, sent: int, acked: int) -> Order:
    return Order(
        cl_ord_id=f"T{number}", order_id=f"O{number}", strategy=STRATEGY, slot="b0", side="buy", price=1, qty=1,
        filled=0, state=OrderState.OPEN, decided=decided, sent=sent, acked=acked,
    )  # fmt: skip


def test_constant_delays_are_the_configured_ones() -> None:
    outcome = played(LatencyKind.CONSTANT)
    delays = measure(outcome, [])
    assert len(delays.to_exchange) == len(delays.inside) == len(outcome.sent)
    assert set(delays.to_exchange) == set(delays.back) == {10.0}
    assert max(delays.inside) < 10
    assert [*delays.by_name()] == ["to_exchange", "inside", "back"]


def test_drawn_delays_vary() -> None:
    delays = measure(played(LatencyKind.DRAWN), [])
    assert len(set(delays.to_exchange)) > 10
    assert len(set(delays.back)) > 10


def test_each_recorded_order_counts_once_from_decision_to_ack() -> None:
    outcome = played(LatencyKind.CONSTANT)
    first, late = order(1, MS, 3 * MS, 10 * MS), order(2, MS, 2 * MS, 20 * SECOND)
    unknown = order(3, 0, MS, 2 * MS)
    within = Orders(symbol=BTC, valid=True, orders=[first, late, unknown], ts=outcome.begin_ts + SECOND)
    before = Orders(symbol=BTC, valid=True, orders=[order(4, MS, 2 * MS, 3 * MS)], ts=outcome.begin_ts - SECOND)
    delays = measure(outcome, [before, within, within])
    assert (delays.decision_to_sent, delays.sent_to_ack, delays.decision_to_ack) == ([2.0], [7.0], [9.0])


def test_the_page_has_a_chart_of_each_that_there_is() -> None:
    outcome = played(LatencyKind.CONSTANT)
    course, delays = figures.course(outcome), measure(outcome, [])
    made = report.make(outcome, course, delays, "walk", "USD", {})
    assert made.delays_ms["to_exchange"]["p50"] == 10.0
    text = page(made, outcome, course, delays)
    assert DELAYS["to_exchange"] in text
    assert DELAYS["decision_to_ack"] not in text
    live = Delays(delays.to_exchange, delays.inside, delays.back, [1.0], [2.0], [3.0])
    text = page(report.make(outcome, course, live, "walk", "USD", {}), outcome, course, live)
    assert DELAYS["decision_to_ack"] in text


def test_recorded_orders_are_read_of_recordings_only(tmp_path: Path) -> None:
    bus = Bus(MIDNIGHT)
    bus.send(f"order.{BTC}", Orders(symbol=BTC, valid=True, orders=[order(1, 1, 2, 3)]), BEGIN_TS)
    capture = tmp_path / "capture.jsonl"
    capture.write_text("")
    paths = [str(bus.write(tmp_path / "recording").parent), str(capture), "s3://bucket/folder"]
    assert [each.cl_ord_id for message in recorded_orders.read(paths) for each in message.orders] == ["T1"]
