"""``/metrics`` for Prometheus, made from the view at each scrape.

Names and units follow Prometheus: seconds, bytes and ratios; counters end in ``_total`` and begin anew when their
process does. Amounts of money are in ``trading.currency``, positions in base currency.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from monitor.model import status_details
from monitor.model.latency import Latency
from monitor.model.status_object import MachineFigures, Status, WebhookFigures
from monitor.model.view import DEAD, View, live_orders
from shared import numbers
from shared.config import Config
from shared.measures.histogram import upper_ns
from shared.messages import BookState, ProcessState

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
# Bucket bounds of every hop, from a bus message to a slow answer of the exchange.
BOUNDS_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics(Collector):
    """The metrics of a view; ``status`` makes the status object of now."""

    def __init__(self, config: Config, view: View, latency: Latency, status: Callable[[], Status]) -> None:
        self._config, self._view, self._latency, self._status = config, view, latency, status
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Return the whole page in Prometheus' text format."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Return no description: nothing is known before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        status = self._status()
        yield _gauge("halted", "1 while trading is halted.", [((), status.halted)])
        yield _gauge("sandbox", "1 in the sandbox, 0 with real money.", [((), status.sandbox)])
        yield from self._processes(status)
        yield from self._operations()
        yield from self._books(status)
        yield from self._trading(status)
        yield from self._connection()
        yield self._hops()
        yield from _webhooks(status_details.detail(self._view, "monitor", "webhooks", list[WebhookFigures]) or [])
        yield from _machine(status.machine)

    def _processes(self, status: Status) -> Iterator[Metric]:
        processes = status.processes
        beats = {name: heard.beat for name, heard in self._view.heartbeats.items()}
        by_process = ["process"]
        up = [((name,), process.state != DEAD) for name, process in processes.items()]
        yield _gauge("process_up", "1 while the process is heard.", up, by_process)
        states = [
            ((name, state), process.state == state)
            for name, process in processes.items()
            for state in (*map(str, ProcessState), DEAD)
        ]
        yield _gauge("process_state", "1 for the state that the process is in.", states, ["process", "state"])
        restarts = [((name,), self._view.restarts[name]) for name in processes]
        yield _counter("process_restarts", "New starts that the monitor has seen.", restarts, by_process)
        figures = [
            ("process_uptime_seconds", "Time since the process started.", {n: b.uptime_s for n, b in beats.items()}),
            ("process_resident_memory_bytes", "Resident memory.", {n: b.rss_mb * 2**20 for n, b in beats.items()}),
            (
                "process_loop_lag_seconds",
                "Longest turn of the loop in the last second.",
                {n: b.loop_lag_ms / 1000 for n, b in beats.items()},
            ),
        ]
        for name, about, values in figures:
            yield _gauge(name, about, [((each,), value) for each, value in values.items()], by_process)
        both = [
            ((each, way), n) for each, b in beats.items() for way, n in (("in", b.messages_in), ("out", b.messages_out))
        ]
        yield _counter("process_messages", "Bus messages received and sent.", both, ["process", "direction"])
        gaps = [((each,), beat.gaps) for each, beat in beats.items()]
        yield _counter("process_gaps", "Bus messages that were missed.", gaps, by_process)
        drops = [((each,), beat.drops) for each, beat in beats.items()]
        yield _counter("process_drops", "What was dropped: at a bound, or without a connection.", drops, by_process)

    def _operations(self) -> Iterator[Metric]:
        summary = SummaryMetricFamily(
            "tradebyte_operation_seconds", "Durations of operations.", labels=["process", "operation"]
        )
        longest = []
        for process in self._view.heartbeats:
            for operation, times in status_details.operations(self._view, process).items():
                if not times.count:
                    continue
                labels = {"process": process, "operation": operation}
                summary.add_metric(list(labels.values()), times.count, times.sum / 1000)
                for quantile, value in (("0.5", times.p50), ("0.95", times.p95), ("0.99", times.p99)):
                    summary.add_sample(summary.name, labels | {"quantile": quantile}, value / 1000)
                longest.append((tuple(labels.values()), times.max / 1000))
        yield summary
        yield _gauge("operation_max_seconds", "The longest of each operation.", longest, ["process", "operation"])

    def _hops(self) -> Metric:
        """Return each hop's histogram in few buckets; a value counts in the first that surely holds it."""
        made = HistogramMetricFamily(
            "tradebyte_hop_seconds", "How long each hop takes, frame to order.", labels=["hop"]
        )
        for name, hop in self._latency.hops.items():
            fine = sorted(hop.histogram.counts.items())
            buckets: list[tuple[str, float]] = []
            for bound in BOUNDS_S:
                buckets.append((str(bound), sum(n for index, n in fine if upper_ns(index) <= bound * 1e9)))
            buckets.append(("+Inf", hop.histogram.count))
            made.add_metric([name], buckets, hop.histogram.sum_ns / 1e9)
        return made

    def _books(self, status: Status) -> Iterator[Metric]:
        books, by_symbol = status.books, ["symbol"]
        states = [((s, str(state)), book.state == state) for s, book in books.items() for state in BookState]
        yield _gauge("book_state", "1 for the state that the book is in.", states, ["symbol", "state"])
        ages = [((s,), book.age_ms / 1000) for s, book in books.items() if book.age_ms is not None]
        yield _gauge("book_age_seconds", "Time since the book's last update.", ages, by_symbol)
        yield _gauge(
            "book_stale", "1 after 60 s without an update.", [((s,), b.stale) for s, b in books.items()], by_symbol
        )
        checks = [
            ((symbol, result), count)
            for symbol, book in books.items()
            for result, count in (("ok", book.checksums_ok), ("failed", book.checksums_failed))
        ]
        yield _counter("book_checksums", "Checksums compared.", checks, ["symbol", "result"])

    def _trading(self, status: Status) -> Iterator[Metric]:
        view, by_symbol = self._view, ["symbol"]
        account = view.account
        is_heard = status.processes["executor"].state != DEAD
        if account is not None:
            sure = [((), account.valid and is_heard)]
            yield _gauge("account_reconciled", "1 while it is known that the fills explain the balances.", sure)
        # Old values are left out, so that a rule sees them absent.
        live = [((symbol,), len(live_orders(orders))) for symbol, orders in view.orders.items() if is_heard]
        yield _gauge("orders_open", "Own orders that may still trade.", live, by_symbol)
        positions = [((symbol,), numbers.approximate(text)) for symbol, text in status.positions.items()]
        yield _gauge("position", "What the fills on a pair add up to, in base currency.", positions, by_symbol)
        yield from _assets(status)
        fills = [(key, position.fills) for key, position in view.positions.items()]
        yield _counter("fills", "Own fills since the journal began.", fills, ["strategy", "symbol"])
        if account is None or not is_heard:
            return
        slots: Counter[tuple[str, ...]] = Counter()
        for slot in account.empty_slots:
            slots[slot.strategy, slot.symbol, str(slot.refused).lower()] += 1
        labels = ["strategy", "symbol", "refused"]
        yield _gauge("slots_empty", "Slots that are wanted and empty for 20 s.", slots.items(), labels)
        orders: Counter[tuple[str, ...]] = Counter((order.strategy, order.symbol) for order in account.unwanted)
        about = "Own orders that are open for 20 s and that nobody wants."
        yield _gauge("orders_unwanted", about, orders.items(), ["strategy", "symbol"])
        counters = [((symbol,), used) for symbol, used in account.counters.items()]
        yield _gauge("order_rate_points", "Kraken's order counter of the pair.", counters, by_symbol)
        yield _gauge("order_rate_points_max", "What it must not pass.", [((), account.threshold)])
        even = [((s,), float(f.break_even_bps) / 10_000) for s, f in status.fees.items() if f.break_even_bps]
        yield _gauge("break_even_half_spread_ratio", "Distance from the mid that earns the maker fee.", even, by_symbol)
        currency = self._config.trading.currency
        for name, about, text in (
            ("equity", "Realised and unrealised profit less fees, with transfers and rounding.", account.equity),
            ("realised_profit", "Profit of closed positions.", account.realised),
            ("unrealised_profit", "Profit of open positions at the last good mid.", account.unrealised),
            ("fees_paid", "Fees paid.", account.fees_paid),
            ("day_loss", "Lost since midnight UTC; negative for a gain.", account.day_loss),
            ("day_loss_max", "The loss at which trading halts.", format(self._config.trading.max_daily_loss, "f")),
        ):
            yield _gauge(name, about, [((currency,), numbers.approximate(text))], ["currency"])
        known = {} if account.attribution is None else msgspec.structs.asdict(account.attribution)
        parts = [((name, currency), numbers.approximate(text)) for name, text in known.items()]
        about = "Parts of the profit: spread captured, adverse selection, drift, fees and so on."
        yield _gauge("attribution", about, parts, ["part", "currency"])
        marks = [((h,), mean.mean_bps / 10_000) for h, mean in account.markouts.items() if mean.mean_bps is not None]
        about = "Mean move of the mid from our fills' prices in our favour, by horizon in seconds."
        yield _gauge("markout_ratio", about, marks, ["horizon"])
        balances = [((asset,), numbers.approximate(text)) for asset, text in account.balances.items()]
        yield _gauge("balance", "Balance of the account.", balances, ["asset"])

    def _connection(self) -> Iterator[Metric]:
        feed = self._view.feed_status
        if feed is not None:
            yield _gauge("feed_connected", "1 while Kraken's public feed is connected.", [((), feed.connected)])
            yield _counter("feed_reconnects", "Connections to Kraken that were lost.", [((), feed.reconnects)])
        attempts = [
            ((process,), value)
            for process in ("collector", "executor")
            if (value := status_details.detail(self._view, process, "connection_attempts", int)) is not None
        ]
        yield _counter("connection_attempts", "Attempts to connect to Kraken.", attempts, ["process"])


def _assets(status: Status) -> Iterator[Metric]:
    """Yield the metrics of each traded base over all its pairs, and each asset's rate."""
    assets, rates, by_asset = status.assets, status.asset_rates, ["asset"]
    positions = [((asset,), numbers.approximate(row.position)) for asset, row in assets.items()]
    yield _gauge("asset_position", "Balance less inventory_base, over all pairs.", positions, by_asset)
    both, currency = ["asset", "currency"], status.currency
    worth = [((asset, currency), numbers.approximate(row.worth)) for asset, row in assets.items() if row.worth]
    yield _gauge("asset_position_worth", "What that is worth in the currency.", worth, both)
    held = [((asset,), bool(row.held)) for asset, row in assets.items()]
    yield _gauge("asset_held", "1 while an asset is left alone until a person accepts it.", held, by_asset)
    known = [((asset, currency), numbers.approximate(rate.rate)) for asset, rate in rates.items() if rate.rate]
    yield _gauge("asset_rate", "What one unit is worth in the currency.", known, both)
    valid = [((asset,), rate.valid) for asset, rate in rates.items()]
    yield _gauge("asset_rate_valid", "1 while every book that the rate goes by is live.", valid, by_asset)


def _webhooks(figures: list[WebhookFigures]) -> Iterator[Metric]:
    """Yield what was sent to each webhook, by its place in the configuration: an address may be a secret."""
    if not figures:
        return
    numbered = [((str(number),), figure) for number, figure in enumerate(figures, 1)]
    labels = ["webhook"]
    yield _counter("webhook_sent", "Alerts that a webhook took.", [(n, each.sent) for n, each in numbered], labels)
    dropped = [(number, each.dropped) for number, each in numbered]
    yield _counter("webhook_dropped", "Alerts that a webhook did not get.", dropped, labels)
    waiting = [(number, each.waiting) for number, each in numbered]
    yield _gauge("webhook_waiting", "Alerts that wait for a webhook.", waiting, labels)


def _machine(figures: MachineFigures | None) -> Iterator[Metric]:
    if figures is None:
        return
    for name, about, value in (
        ("machine_cpu_ratio", "Share of the CPUs in use.", figures.cpu_percent * 0.01),
        ("machine_load1", "Load average of one minute.", figures.load_1_min),
        ("machine_memory_ratio", "Share of the memory in use.", figures.memory_percent * 0.01),
        ("machine_memory_available_bytes", "Memory that can be had.", figures.memory_free_mb * 2**20),
        ("machine_disk_ratio", "Share of the disk of data/ in use.", figures.disk_percent * 0.01),
        ("machine_disk_free_bytes", "Free on the disk of data/.", figures.disk_free_mb * 2**20),
    ):
        yield _gauge(name, about, [((), value)])


Samples = Iterable[tuple[tuple[str, ...], float]]


def _gauge(name: str, about: str, samples: Samples, labels: Iterable[str] = ()) -> Metric:
    made = GaugeMetricFamily(f"tradebyte_{name}", about, labels=list(labels))
    for values, value in samples:
        made.add_metric(list(values), float(value))
    return made


def _counter(name: str, about: str, samples: Samples, labels: Iterable[str] = ()) -> Metric:
    made = CounterMetricFamily(f"tradebyte_{name}", about, labels=list(labels))
    for values, value in samples:
        made.add_metric(list(values), float(value))
    return made
