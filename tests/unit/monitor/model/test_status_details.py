"""Details of the status object, and the page for Prometheus."""

from __future__ import annotations

import re

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.api.metrics import BOUNDS_S, Metrics
from monitor.cli.status import lines
from monitor.model import status_details
from monitor.model.latency import Latency
from monitor.model.status_object import Status
from monitor.model.view import View
from shared.clock import SECOND
from shared.config import Config
from shared.messages import BookState, FeedStatus, Orders, OrderState, Position
from tests.kit.monitor.messages import FIGURES, account, books
from tests.kit.monitor.view import NOW, PAIR, WALL, beat, config as config, order, take, view as view

SLOW = {
    "count": 4,
    "sum": 2000.0,
    "average": 500.0,
    "min": 1.0,
    "max": 1500.0,
    "p50": 2.0,
    "p95": 1500.0,
    "p99": 1500.0,
}


def whole(view: View) -> None:
    take(view, "heartbeat.monitor", beat("monitor", details={"machine": FIGURES}))
    take(view, "heartbeat.collector", beat("collector", details={"connection_attempts": 7}))
    take(view, "heartbeat.book", beat("book", details={"operations": {"turn": SLOW, "bad": 5}}))
    take(view, "heartbeat.executor", beat("executor", details={"rest_counter": 4.0, "rest_counter_max": 20}))
    take(view, "book.status", books(stale=True))
    take(view, "feed.status", FeedStatus(connected=True, connection=3, last_byte=1, system="online", reconnects=2))
    take(view, "account", account())
    take(view, f"order.{PAIR}", Orders(symbol=PAIR, valid=True, orders=[order(OrderState.OPEN)]))
    take(
        view,
        f"position.market_maker.{PAIR}",
        Position(strategy="market_maker", symbol=PAIR, valid=True, qty_precision=8, account_position=150_000, fills=3),
    )


def test_status_tells_rates_connections_fees_and_what_is_slow(view: View, config: Config) -> None:
    whole(view)
    made = status_details.status(view, config, NOW, WALL, None)
    details = msgspec.to_builtins(made)
    assert details["stale"] == [PAIR]
    assert details["rates"]["pairs"][PAIR] == {"counter": 25.0, "threshold": 125.0, "left": 100.0}
    assert details["rates"]["rest"] == {"counter": 4.0, "threshold": 20, "left": 16.0}
    assert (details["connection"]["attempts"], details["connection"]["reconnects"]) == (7, 2)
    assert details["fees"][PAIR]["break_even_bps"] == "2.00"
    assert details["machine"] == FIGURES
    assert [(slow["process"], slow["operation"]) for slow in details["slow"]] == [("book", "turn")]
    said = "\n".join(lines(made))
    for line in (
        f"stale[/yellow] (no update for 60 s): {PAIR}",
        "lost 2 times, 7 attempts since it started (at most 60 in 10 minutes)",
        f"order rate left, of 125 points: {PAIR} 100",
        "REST rate left: 16 of 20 points",
        "break-even half-spread 2.00 bp",
        "memory 50 %, 9000 MB of disk free",
        "book turn, 1500 ms at the longest",
    ):
        assert line in said


def test_what_nobody_has_told_is_left_out(view: View, config: Config) -> None:
    made = status_details.status(view, config, NOW, WALL, None)
    details = msgspec.to_builtins(made)
    assert (details["machine"], details["rates"], details["stale"]) == (None, {"pairs": {}, "rest": None}, [])
    assert lines(made) == []


def test_what_the_executor_told_is_no_fact_once_it_is_not_heard(view: View, config: Config) -> None:
    whole(view)
    assert 'tradebyte_orders_open{symbol="BTC/USD"} 1.0' in page(view, config)
    later = NOW + 4 * SECOND
    made = msgspec.to_builtins(status_details.status(view, config, later, WALL, None))
    assert (made["orders_known"], made["positions"], made["fees"]) == (False, {}, {})
    assert made["rates"] == {"pairs": {}, "rest": None}
    silent = page(view, config, now=later)
    assert "tradebyte_account_reconciled 0.0" in silent
    for name in ("orders_open{", "equity{", "balance{", "position{", "order_rate_points{"):
        assert f"tradebyte_{name}" not in silent


def test_a_strangers_amounts_do_not_end_the_page(view: View, config: Config) -> None:
    take(view, "heartbeat.executor", beat("executor"))
    take(view, "account", msgspec.structs.replace(account(), equity="x", balances={"USD": ""}))
    assert 'tradebyte_equity{currency="USD"} NaN' in page(view, config)


def test_a_book_that_is_not_live_is_not_called_stale(view: View, config: Config) -> None:
    take(view, "book.status", books(stale=True, state=BookState.SILENT))
    assert status_details.stale(view, config, WALL) == []


def test_the_connection_for_single_orders_is_shown_where_there_is_one(view: View, config: Config) -> None:
    def text() -> str:
        return "\n".join(lines(status_details.status(view, config, NOW, WALL, None)))

    take(view, "heartbeat.collector", beat("collector"))
    assert "level3" not in text()
    figures = {
        "connected": False, "problem": "no WebSocket token", "symbols": {PAIR: "subscribed"}, "checksums_ok": 9,
        "checksums_failed": 1, "frames": 10, "attempts": 2,
    }  # fmt: skip
    take(view, "heartbeat.collector", beat("collector", details={"level3": figures}))
    line = "single orders (level3): [yellow]not connected[/yellow] (no WebSocket token), 1 of 1 pairs; "
    assert line + "9 checksums held, 1 failed" in text()
    take(view, "heartbeat.collector", beat("collector", details={"level3": {**figures, "is_read": False}}))
    assert "single orders (level3): fetched while somebody records them" in text()


def test_a_refused_subscription_is_told(view: View, config: Config) -> None:
    symbols = {PAIR: "refused: Currency pair not supported", "ETH/USD": "subscribed"}
    refused = {PAIR: "Currency pair not supported"}
    take(view, "feed.status", FeedStatus(connected=True, connection=1, last_byte=1, symbols=symbols, refused=refused))
    assert status_details.connection(view).refused == {PAIR: "refused: Currency pair not supported"}


def page(view: View, config: Config, latency: Latency | None = None, now: int = NOW) -> str:
    def status() -> Status:
        return status_details.status(view, config, now, WALL, None)

    return Metrics(config, view, latency or Latency(), status).text().decode()


def test_prometheus_reads_the_page(view: View, config: Config) -> None:
    whole(view)
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page(view, config))
        for sample in family.samples
    }
    assert samples["tradebyte_process_up", "book"] == 1
    assert samples["tradebyte_process_up", "simulator"] == 0
    assert samples["tradebyte_process_state", "dead", "simulator"] == 1
    assert samples["tradebyte_process_resident_memory_bytes", "book"] == 40.5 * 2**20
    assert samples["tradebyte_process_messages_total", "book", "in"] == 1
    assert samples["tradebyte_operation_seconds_sum", "book", "turn"] == 2.0
    assert samples["tradebyte_operation_seconds", "0.99", "book", "turn"] == 1.5
    assert samples["tradebyte_book_age_seconds", PAIR] == 61.0
    assert samples["tradebyte_book_checksums_total", PAIR, "failed"] == 2
    assert samples["tradebyte_orders_open", PAIR] == 1
    assert samples["tradebyte_position", PAIR] == 0.0015
    assert samples["tradebyte_fills_total", PAIR, "market_maker"] == 3
    assert samples["tradebyte_order_rate_points", PAIR] == 25
    assert samples["tradebyte_break_even_half_spread_ratio", PAIR] == 0.0002
    assert samples["tradebyte_equity", "USD"] == -1.25
    assert samples["tradebyte_connection_attempts_total", "collector"] == 7
    assert samples["tradebyte_machine_disk_free_bytes",] == 9000 * 2**20


def test_names_and_units_follow_the_convention(view: View, config: Config) -> None:
    whole(view)
    for family in text_string_to_metric_families(page(view, config)):
        assert re.fullmatch(r"tradebyte_[a-z0-9_]+", family.name)
        assert family.documentation.endswith(".")
        assert not re.search(r"_(ms|mb|percent|pct)(_|$)", family.name), family.name
        assert not (family.type == "gauge" and family.name.endswith("_total"))


def test_hops_are_histograms_in_seconds(view: View, config: Config) -> None:
    latency = Latency()
    for ms in (0.05, 0.3, 0.3, 40, 20_000):
        latency.hops["collector_to_book"].add(int(ms * 1e6), 1)
    (family,) = [
        each
        for each in text_string_to_metric_families(page(view, config, latency))
        if each.name == "tradebyte_hop_seconds"
    ]
    assert family.type == "histogram"
    buckets = {
        sample.labels["le"]: sample.value
        for sample in family.samples
        if sample.name.endswith("_bucket") and sample.labels["hop"] == "collector_to_book"
    }
    assert [float(bound) for bound in buckets] == [*BOUNDS_S, float("inf")]
    assert [buckets[bound] for bound in ("0.0001", "0.00025", "0.0005", "0.025", "0.05", "10.0", "+Inf")] == [
        1,
        1,
        3,
        3,
        4,
        4,
        5,
    ]
    sums = [s.value for s in family.samples if s.name.endswith("_sum") and s.labels["hop"] == "collector_to_book"]
    assert sums == [pytest.approx(20.04065)]


def test_webhooks_are_counted_by_number(view: View, config: Config) -> None:
    figures = [{"host": "h", "sent": 3, "dropped": 1, "waiting": 2, "trouble": ""}]
    take(view, "heartbeat.monitor", beat("monitor", details={"webhooks": figures}))
    text = page(view, config)
    assert 'tradebyte_webhook_sent_total{webhook="1"} 3.0' in text
    assert 'tradebyte_webhook_dropped_total{webhook="1"} 1.0' in text


def test_a_view_that_has_heard_nothing_has_a_page(view: View, config: Config) -> None:
    assert 'tradebyte_process_up{process="book"} 0.0' in page(view, config)
