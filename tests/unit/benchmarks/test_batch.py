"""The batch benchmark measures what it says: the same messages in batches and one by one, every frame published."""

from __future__ import annotations

import pytest

from benchmarks import batch
from tests.frames import rust


@pytest.mark.rust
def test_both_ways_make_the_same_messages_but_for_their_times() -> None:
    rust()
    symbols, frames = batch.frames_of(3, 60)
    made = []
    for by_rust in (True, False):
        chain = batch.Chain(symbols, by_rust)
        parts = [part for start in range(0, len(frames), 7) for part in chain.collect(frames[start : start + 7])]
        books = [topic for start in range(0, len(parts), 5) for topic, _ in chain.keep(parts[start : start + 5])]
        assert chain.feed_seqs == dict.fromkeys([f"feed.book.{symbol}" for symbol in symbols], 21)
        assert len(books) >= len(frames)
        made.append(([topic for topic, _ in parts], chain.book_seqs))
        chain.reader.socket.close()
    assert made[0] == made[1]


@pytest.mark.rust
def test_rates_are_of_frames_that_were_all_published() -> None:
    rust()
    assert min(batch.cores(3, 10, by_rust=True, count=200)) > 0
    assert batch.with_sockets(3, 10, count=200) > 0
