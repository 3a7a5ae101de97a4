"""Frames a second through the cores of collector and book together, on one core: ``python -m benchmarks.batch``.

Raw frames in, the bytes of ``feed.book.<symbol>`` and of ``book.<symbol>`` out: every frame is judged, wrapped,
numbered, unwrapped, applied with its checksum, and published with ten levels a side. In batches by Rust; and one by one
as each frame takes the common way, which is what a process without batches does. CPU time of the process; the last
table has ZeroMQ's sockets between and behind them, its threads counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import msgspec
import zmq

from benchmarks import report
from benchmarks.book import PRICE_DECIMALS, QTY_DECIMALS, generated
from book import implementation
from book.books import Books
from book.runs import Runs
from collector.feed.batch import load_batch
from collector.feed.feed import Feed
from shared import messages as m
from shared.bus import Publisher, Subscriber, Undecoded, topics
from shared.clock import boot_ns, wall_ns
from tests.kit.pairs import pair_of

DEPTH = PUBLISHED = 10
PAIRS = (3, 100, 1450)
BATCHES = (1, 10, 100, 1000)
BOOT = 1_790_000_000 * 10**9
Parts = list[list[bytes]]


@dataclass(slots=True)
class Chain:
    """The cores of both processes, with the publishers' numbers and no sockets."""

    symbols: list[str]
    by_rust: bool
    feed_seqs: dict[str, int] = field(default_factory=dict)
    book_seqs: dict[str, int] = field(default_factory=dict)
    feed: Feed = field(init=False)
    books: Books = field(init=False)
    reader: Subscriber = field(init=False)

    def __post_init__(self) -> None:
        batch = load_batch("collector", BOOT, self.feed_seqs) if self.by_rust else None
        self.feed = Feed(self.symbols, DEPTH, batch=batch)
        self.books = Books(self.symbols, DEPTH, published=PUBLISHED, rust=True)
        # Without an endpoint: only its decoding is used, and its counting.
        self.reader = Subscriber(zmq.Context.instance(), [], [])
        if self.by_rust:
            assert implementation.BookBatch is not None
            maker = implementation.BookBatch("book", BOOT, self.book_seqs, PUBLISHED)
            self.books.take_runs(Runs(maker, self.reader.tracker, self.reader.decode))
        now = boot_ns()
        self.feed.opened(now)
        pairs = {symbol: pair_of(symbol, PRICE_DECIMALS, QTY_DECIMALS) for symbol in self.symbols}
        for message in (m.Instruments(pairs=pairs), self._status(now)):
            self.books.message(msgspec.structs.replace(message, src="collector", boot=BOOT), 0, now, wall_ns())
        self.feed.take()
        self.books.take()

    def _status(self, now: int) -> m.FeedStatus:
        # As of a replay, whose frames are not judged by their age.
        return m.FeedStatus(connected=True, connection=1, last_byte=now, replay=True)

    def still_heard(self) -> None:
        """Tell the books that the path is alive, as the collector does every 200 ms."""
        now = boot_ns()
        status = msgspec.structs.replace(self._status(now), src="collector", boot=BOOT)
        self.books.message(status, 0, now, wall_ns())
        self.books.turn(now)
        self.books.take()

    def collect(self, frames: list[bytes]) -> Parts:
        """Return the messages that the collector makes of frames."""
        made: list[tuple[bytes, bytes]] = []
        at = 0
        while at < len(frames):
            at = self.feed.frames(frames, at, boot_ns(), wall_ns())
            wanted = self.feed.take()
            made += wanted.finished
            for topic, message in wanted.messages:
                self.feed_seqs[topic] = seq = self.feed_seqs.get(topic, 0) + 1
                stamped = msgspec.structs.replace(message, src="collector", boot=BOOT, seq=seq, ts=wall_ns())
                made.append((topics.encode(topic), msgspec.msgpack.encode(stamped)))
        return [[topic, payload] for topic, payload in made]

    @property
    def taken(self) -> int:
        """Return how many frames the books have taken."""
        return self.books.out.counts["frames"]

    def keep(self, parts: Parts) -> list[tuple[bytes, bytes]]:
        """Return the messages that the book process makes of the collector's."""
        made: list[tuple[bytes, bytes]] = []
        at = 0
        while at < len(parts):
            now, wall = boot_ns(), wall_ns()
            if self.by_rust:
                at = self.books.run(parts, at, now, wall)
            else:
                received = self.reader.decode(parts[at])
                assert received is not None
                self.books.message(received.message, received.missed, now, wall)
                at += 1
            wanted = self.books.take()
            made += wanted.finished
            for symbol in wanted.books:
                topic = f"book.{symbol}"
                self.book_seqs[topic] = seq = self.book_seqs.get(topic, 0) + 1
                made.append((topics.encode(topic), self.books.encode(symbol, "book", BOOT, seq, wall, now)))
        return made


def frames_of(pairs: int, count: int) -> tuple[list[str], list[bytes]]:
    """Return symbols, and frames of theirs in turn, each symbol's from a snapshot on."""
    symbols = [f"A{number}/USD" for number in range(pairs)]
    each = [frame for _, frame in generated(DEPTH, max(count // pairs, 20)).frames]
    return symbols, [frame.replace(b"BTC/USD", symbol.encode()) for frame in each for symbol in symbols]


def cores(pairs: int, batch: int, *, by_rust: bool, count: int) -> tuple[float, float]:
    """Return frames a second of the collector's core and of the book's."""
    symbols, frames = frames_of(pairs, count)
    chain = Chain(symbols, by_rust)
    chain.keep(chain.collect(frames[: 2 * pairs]))
    rest = frames[2 * pairs :]
    spent = [0, 0]
    before = chain.taken
    for start in range(0, len(rest), batch):
        if start % 1000 < batch:
            chain.still_heard()
        began = time.process_time_ns()
        parts = chain.collect(rest[start : start + batch])
        between = time.process_time_ns()
        chain.keep(parts)
        spent[0] += between - began
        spent[1] += time.process_time_ns() - between
    chain.reader.socket.close()
    _check(chain.taken - before, len(rest))
    return len(rest) * 1e9 / spent[0], len(rest) * 1e9 / spent[1]


def with_sockets(pairs: int, batch: int, *, count: int) -> float:
    """Return frames a second through both cores with the bus between them, in one process."""
    symbols, frames = frames_of(pairs, count)
    chain = Chain(symbols, by_rust=True)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with tempfile.TemporaryDirectory() as folder:
        sender = Publisher(context, f"ipc://{folder}/collector", "collector", BOOT, None)
        onward = Publisher(context, f"ipc://{folder}/book", "book", BOOT, None)
        reader = Subscriber(context, [f"ipc://{folder}/collector"], ["feed.book"])
        reader.hand_over("feed.book")
        last = Subscriber(context, [f"ipc://{folder}/book"], ["book"])
        for publisher, topic in ((sender, "feed.book."), (onward, "book.")):
            while not publisher.is_subscribed(topic):
                publisher.serve_subscriptions()
                time.sleep(0.01)
        chain.keep(chain.collect(frames[: 2 * pairs]))
        rest, before = frames[2 * pairs :], chain.taken
        began = time.process_time_ns()
        for start in range(0, len(rest), batch):
            if start % 1000 < batch:
                chain.still_heard()
            parts = chain.collect(rest[start : start + batch])
            sender.publish_finished([(topic, payload) for topic, payload in parts], is_state=False)
            left = len(parts)
            while left and reader.socket.poll(1000):
                for item in reader.drain():
                    assert isinstance(item, Undecoded)
                    finished = chain.keep(item.parts)
                    onward.publish_finished(finished, is_state=True)
                    left -= len(item.parts)
        spent = time.process_time_ns() - began
        for closed in (reader.socket, last.socket, sender.socket, onward.socket, chain.reader.socket):
            closed.close(linger=0)
        context.term()
    _check(chain.taken - before, len(rest))
    return len(rest) * 1e9 / spent


def _check(taken: int, sent: int) -> None:
    if taken != sent:
        raise SystemExit(f"of {sent} frames {taken} came into the books: nothing measured so counts")


def main() -> int:
    """Measure, print, and write the section of RESULTS.md."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    options.add_argument("--repeats", type=int, default=5, help="how often each is measured (5)")
    options.add_argument("--frames", type=int, default=30_000, help="frames in each (30000)")
    chosen = options.parse_args()
    if implementation.BookBatch is None:
        print("the Rust module is not built, so there is nothing to measure: 'make rust' builds it", file=sys.stderr)
        return 1
    where = report.machine()
    body = section(chosen.repeats, chosen.frames, where)
    print(body)
    report.write("batch", body)
    return 0


def section(repeats: int, count: int, where: str) -> str:
    """Measure, and return the section of RESULTS.md."""
    lines = [
        "## Batches through collector and book",
        "",
        f"{report.today()}, `python -m benchmarks.batch` (`make bench`), {repeats} repeats. {where}.",
        "",
        f"Raw v2 frames of depth {DEPTH}, {count:,} of so many pairs in turn, to the bytes of both bus messages;",
        "frames a second of CPU time, median (range) of the repeats, the ways in turn. *both* is one core doing both.",
        "",
        "| pairs | frames a batch | times one by one | both | collector | book | one by one |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for pairs in PAIRS:
        for batch in BATCHES:
            lines.append(_row(pairs, batch, repeats, count))
            print(lines[-1], flush=True)
    lines += [
        "",
        "With ZeroMQ between the two and behind them, all in one process, its threads' CPU time counted:",
        "",
        "| pairs | frames a batch | frames/s |",
        "| ---: | ---: | ---: |",
    ]
    for batch in BATCHES:
        rates = [with_sockets(PAIRS[1], batch, count=count) for _ in range(repeats)]
        lines.append(f"| {PAIRS[1]} | {batch:,} | {_spread(rates)} |")
    return "\n".join(lines)


def _row(pairs: int, batch: int, repeats: int, count: int) -> str:
    fast: list[tuple[float, float]] = []
    plain: list[tuple[float, float]] = []
    ways: list[tuple[list[tuple[float, float]], Callable[[], tuple[float, float]]]] = [
        (fast, partial(cores, pairs, batch, by_rust=True, count=count)),
        (plain, partial(cores, pairs, batch, by_rust=False, count=count)),
    ]
    for _ in range(repeats):
        for rates, way in ways:
            rates.append(way())
    both, one_by_one = ([1 / (1 / feed + 1 / book) for feed, book in rates] for rates in (fast, plain))
    ratio = statistics.median(both) / statistics.median(one_by_one)
    cells = [
        f"{pairs:,}",
        f"{batch:,}",
        f"**{ratio:.1f}**",
        f"**{_spread(both)}**",
        _spread([feed for feed, _ in fast]),
        _spread([book for _, book in fast]),
        _spread(one_by_one),
    ]
    return f"| {' | '.join(cells)} |"


def _spread(rates: list[float]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


if __name__ == "__main__":
    sys.exit(main())
