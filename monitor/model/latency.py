"""Latency of each hop, from a frame at Kraken to an order's acknowledgement there: a histogram a hop.

Samples come from the stamps that messages carry (ns of CLOCK_BOOTTIME, one clock for all processes of a
machine); each event counts once, however often its message is repeated. Bounded: a histogram has at most 1,920 buckets.
Histograms of several runs or machines merge by adding buckets.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from monitor.model import sections
from shared.bus import Received
from shared.clock import SECOND
from shared.measures.histogram import Histogram, upper_ns
from shared.messages import Book, FeedStatus, Order, Orders, Target

HOPS: Final = {
    "exchange_to_collector": "from the frame's own time at the exchange to our socket, by the exchange's clock",
    "collector_to_book": "from our socket to the updated book",
    "book_to_strategy": "from the updated book to the strategy's decision on it",
    "strategy_to_executor": "from the decision to the order's bytes handed to the socket, less what waited by rule",
    "frame_to_order": "from the frame at our socket to the order's bytes at the other, less what waited by rule",
    "order_to_acknowledgement": "from the order's bytes handed to the socket to the exchange's confirmation",
    "waiting_by_rule": "at the executor: for the pace of moves, the rate budget, or a request in flight",
}
PERCENTILES: Final = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9}
# Targets whose orders may still be to come.
TARGETS_KEPT: Final = 500
# With a clock more uncertain than this no sample is taken.
OFFSET_UNCERTAIN_MS_MAX: Final = 500.0


@dataclass(slots=True)
class Hop:
    """One hop's histogram, and when its first sample came (ns since the epoch, 0 before it)."""

    histogram: Histogram
    since_ts: int = 0

    def add(self, value_ns: int, ts: int) -> None:
        """Add one sample; ``ts`` is its message's time."""
        self.since_ts = self.since_ts or ts
        self.histogram.add(value_ns)


class Latency:
    """The histograms of one listener to the bus."""

    def __init__(self) -> None:
        self.hops = {name: Hop(Histogram()) for name in HOPS}
        self._feed: FeedStatus | None = None
        # The last counted, by topic: a stamp for books and targets; the boot, and (sent, acked) by order, for orders.
        self._counted: dict[str, int] = {}
        self._orders: dict[str, tuple[int, dict[str, tuple[int, int]]]] = {}
        # When the newest targets that a book led to were decided; and, by that time, the ways (start, end, message's
        # time) of orders that were heard before their target: two publishers' messages may overtake each other.
        self._by_book: deque[int] = deque(maxlen=TARGETS_KEPT)
        self._early: dict[int, list[tuple[int, int, int]]] = {}

    def take(self, received: Received) -> None:
        """Take in one message; kinds without stamps are passed over."""
        match received.message:
            case FeedStatus() as feed:
                self._feed = feed
            case Book() as book:
                self._on_book(received.topic, book)
            case Target() as target:
                self._on_target(received.topic, target)
            case Orders() as orders:
                self._on_orders(received.topic, orders)
            case _:
                pass

    def _on_book(self, topic: str, book: Book) -> None:
        if not self._is_new(topic, book.booked):
            return
        self._add("collector_to_book", book.received, book.booked, book.ts)
        feed = self._feed
        if feed is not None and book.exchange_ts and 0 <= feed.offset_uncertain_ms <= OFFSET_UNCERTAIN_MS_MAX:
            self._add("exchange_to_collector", book.exchange_ts, book.received + feed.exchange_offset, book.ts)

    def _on_target(self, topic: str, target: Target) -> None:
        # A target made by a fill or by time is later than its book, though nothing is slow.
        if target.event == "book" and self._is_new(topic, target.booked):
            self._by_book.append(target.decided)
            self._add("book_to_strategy", target.booked, target.decided, target.ts)
            for start, end, ts in self._early.pop(target.decided, ()):
                self._add("frame_to_order", start, end, ts)

    def _on_orders(self, topic: str, orders: Orders) -> None:
        boot, before = self._orders.get(topic, (0, {}))
        self._orders[topic] = (orders.boot, {order.cl_ord_id: (order.sent, order.acked) for order in orders.orders})
        # Orders in a new boot's first message were sent earlier; their acks may be from that start.
        if boot != orders.boot:
            return
        for order in orders.orders:
            self._on_order(order, *before.get(order.cl_ord_id, (0, 0)), orders.ts)

    def _on_order(self, order: Order, sent: int, acked: int, ts: int) -> None:
        if order.sent and order.sent != sent:
            waited = max(0, order.planned - order.heard) if order.heard else 0
            self.hops["waiting_by_rule"].add(waited, ts)
            self._add("strategy_to_executor", order.decided + waited, order.sent, ts)
            start = order.received + waited
            if order.decided in self._by_book:
                self._add("frame_to_order", start, order.sent, ts)
            else:
                self._early.setdefault(order.decided, []).append((start, order.sent, ts))
                if len(self._early) > TARGETS_KEPT:
                    del self._early[next(iter(self._early))]
        if order.sent and order.acked and order.acked != acked:
            self._add("order_to_acknowledgement", order.sent, order.acked, ts)

    def _is_new(self, topic: str, stamp: int) -> bool:
        if not stamp or stamp <= self._counted.get(topic, 0):
            return False
        self._counted[topic] = stamp
        return True

    def _add(self, hop: str, start: int, end: int, ts: int) -> None:
        if start and end:
            # Clocks of two machines may disagree a little; nothing arrives before it was sent.
            self.hops[hop].add(max(0, end - start), ts)

    def described(self) -> list[sections.Hop]:
        """Return every hop in the order of the data's way, as ``/api/latency`` and ``latency --json`` show it."""
        return [described(name, hop.histogram, hop.since_ts) for name, hop in self.hops.items()]


def described(name: str, histogram: Histogram, since_ts: int) -> sections.Hop:
    """Return one hop: percentiles in ms, null without samples, and its buckets as (upper bound in ms, count)."""
    count = histogram.count
    figures = {key: histogram.percentile_ns(percent) for key, percent in PERCENTILES.items()}
    exact = {"min": histogram.min_ns, "max": histogram.max_ns, "average": histogram.sum_ns // max(1, count)}
    rounded = {f"{key}_ms": round(value / 1e6, 4) if count else None for key, value in (figures | exact).items()}
    return sections.Hop(
        hop=name,
        about=HOPS[name],
        count=count,
        since_ts=since_ts / SECOND if since_ts else None,
        **rounded,
        buckets=[(round(upper_ns(index) / 1e6, 6), histogram.counts[index]) for index in sorted(histogram.counts)],
    )
