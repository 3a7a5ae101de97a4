"""The books: raw frames in, order books out. ``python -m book verify FILE...`` checks captures instead."""

from __future__ import annotations

import sys

from book import implementation, verify
from book.books import Books
from book.runs import Runs
from shared.bus import Received, Undecoded
from shared.clock import boot_ns, wall_ns
from shared.messages import ProcessState
from shared.process.command_line import load_config, parser
from shared.process.loop import Process

WANTED = ["feed.instrument", "feed.status", "feed.book", "feed.trade"]
TURN_MS = 50


class Shell:
    """Wires the books' core to the bus."""

    def __init__(self, process: Process, books: Books) -> None:
        self.process, self.books = process, books
        if implementation.BookBatch is not None:
            process.subscriber.hand_over("feed.book")
            publisher, subscriber = process.publisher, process.subscriber
            batch = implementation.BookBatch(publisher.src, publisher.boot, publisher.seqs, books.published)
            books.take_runs(Runs(batch, subscriber.tracker, subscriber.decode))
        else:
            process.log.warning("the Rust module is not built: the Python book runs, slower", build="make setup")

    def on_messages(self, received: list[Received]) -> None:
        """Hand each message on, and publish at once what it changed."""
        for item in received:
            if isinstance(item, Undecoded):
                self._on_run(item.parts)
            else:
                self.books.message(item.message, item.missed, boot_ns(), wall_ns())
                self.carry_out()

    def _on_run(self, parts: list[list[bytes]]) -> None:
        at = 0
        while at < len(parts):
            at = self.books.run(parts, at, boot_ns(), wall_ns())
            self.carry_out()

    def on_turn(self, now: int) -> None:
        """Turn the books, and report the process's state."""
        self.books.turn(now)
        self.carry_out()
        trouble = self.books.trouble
        self.process.state(ProcessState.DEGRADED if trouble else ProcessState.READY, trouble)
        self.process.details["counts"] = dict(self.books.out.counts)

    def carry_out(self) -> None:
        """Publish what the core wants; books carry their header from the encoder itself."""
        wanted, publisher = self.books.take(), self.process.publisher
        if wanted.finished:
            publisher.publish_finished(wanted.finished, is_state=True)
        for symbol in wanted.books:
            topic = f"book.{symbol}"
            seq = publisher.next_seq(topic)
            raw = self.books.encode(symbol, publisher.src, publisher.boot, seq, wall_ns(), boot_ns())
            publisher.publish_encoded(topic, raw)
        self.process.dispatch(wanted)


def main() -> None:
    """Run until asked to stop, or verify captures."""
    if sys.argv[1:2] == ["verify"]:
        sys.exit(verify.main(sys.argv[2:]))
    options = parser("book", __doc__ or "").parse_args()
    configuration = load_config("book", options.config)
    trading = configuration.trading
    books = Books(trading.pairs, trading.feed_depth, published=trading.book_depth, rust=implementation.RUST)
    shell = Shell(Process("book", configuration, WANTED), books)
    shell.process.run_polled(shell.on_messages, shell.on_turn, turn_ms=TURN_MS)


if __name__ == "__main__":
    main()
