"""The batch benchmark measures what it says: the same books in batches and one by one, every frame taken."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks import batch
from tests.frames import rust


@pytest.mark.rust
def test_both_ways_make_the_same_books() -> None:
    rust()
    symbols, frames = batch.frames_of(3, 60)
    made = []
    for by_rust in (True, False):
        chain = batch.Chain(symbols, by_rust)
        parts = [part for start in range(0, len(frames), 7) for part in chain.collect(frames[start : start + 7])]
        published = [message for start in range(0, len(parts), 5) for message in chain.keep(parts[start : start + 5])]
        last = {topic: msgspec.msgpack.decode(payload) for topic, payload in published}
        assert chain.feed_seqs == dict.fromkeys([f"feed.book.{symbol}" for symbol in symbols], 21)
        assert chain.taken == len(frames)
        assert sum(chain.book_seqs.values()) == len(published)
        levels = {topic: (book["bids"], book["asks"], book["checksum"]) for topic, book in last.items()}
        made.append(([topic for topic, _ in parts], levels))
        chain.reader.socket.close()
    assert made[0] == made[1]


@pytest.mark.rust
def test_rates_are_of_frames_that_were_all_taken() -> None:
    rust()
    assert min(batch.cores(3, 10, by_rust=True, count=200)) > 0
    assert batch.with_sockets(3, 10, count=200) > 0
