"""Frames taken in batches by Rust come to the same bytes as frames taken one by one, whatever stands between them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from collector.feed.feed import Feed
from shared import messages as m
from shared.bus import topics
from tests.frames import rust
from tests.kit.market.book_changes import Exchange, changes, mutated

SYMBOLS = ["BTC/USD", "ETH/USD"]
BOOT, TS = 2**60, 2**61
OTHERS = [
    b'{"channel":"heartbeat"}',
    b'{"channel":"status","type":"update","data":[{"system":"online"}]}',
    b'{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":1.0,"qty":1.00,'
    b'"ord_type":"limit","trade_id":1,"timestamp":"2026-08-16T23:37:05.376419Z"}]}',
    b'[336,{"a":[["1.0","1.0","1.0"]],"c":"1"},"book-10","XBT/USD"]',
    b'{"channel":"ticker","type":"update","data":[{"symbol":"ETH/USD"}]}',
    b"CloudFlare WebSocket proxy restarting",
    b"",
]


class Collector:
    """The feed's core with a publisher's numbering; keeps what the process would send and log, in order."""

    def __init__(self, *, replay: bool, in_batches: bool) -> None:
        self.seqs: dict[str, int] = {}
        batch = rust().FeedBatch("collector", BOOT, self.seqs) if in_batches else None
        self.feed = Feed(SYMBOLS, 10, replay=replay, batch=batch)
        self.sent: list[tuple[bytes, bytes]] = []
        self.log: list[object] = []
        self.by_rust = 0
        self.feed.opened(5)
        self.carry_out()

    def take(self, frames: list[bytes], now: int) -> None:
        at = 0
        while at < len(frames):
            at = self.feed.frames(frames, at, now, TS)
            self.carry_out()

    def carry_out(self) -> None:
        wanted = self.feed.take()
        self.sent += wanted.finished
        self.by_rust += len(wanted.finished)
        for topic, message in wanted.messages:
            self.seqs[topic] = seq = self.seqs.get(topic, 0) + 1
            stamped = msgspec.structs.replace(message, src="collector", boot=BOOT, seq=seq, ts=TS)
            self.sent.append((topics.encode(topic), msgspec.msgpack.encode(stamped)))
        self.log += wanted.log


@st.composite
def batches(draw: st.DrawFn) -> list[list[bytes]]:
    """Frames of two wanted symbols and a third, most of them plain, in batches."""
    exchange = Exchange(10, is_v1=False)
    frames = []
    for symbol in draw(st.lists(st.sampled_from([*SYMBOLS, *SYMBOLS, "SOL/USD"]), max_size=30)):
        side, price, qty = draw(changes)
        raw = exchange.change(side, price + 200 * (side == "asks"), qty).replace(b"BTC/USD", symbol.encode())
        kind = draw(st.sampled_from(["plain"] * 8 + ["snapshot", "mutated", "other", "two elements"]))
        if kind == "snapshot":
            raw = exchange.snapshot()
        elif kind == "mutated":
            raw = draw(mutated(raw))
        elif kind == "other":
            raw = draw(st.sampled_from(OTHERS))
        elif kind == "two elements":
            raw = raw.replace(b'"data":[', b'"data":[{"symbol":"ETH/USD","bids":[],"asks":[],"checksum":0},')
        frames.append(raw)
    made = []
    while frames:
        count = draw(st.integers(1, len(frames)))
        made.append(frames[:count])
        frames = frames[count:]
    return made


@pytest.mark.rust
@settings(max_examples=300)
@given(batches(), st.booleans())
def test_batches_and_single_frames_come_to_the_same_bytes(sent: list[list[bytes]], replay: bool) -> None:
    alone, in_batches = (Collector(replay=replay, in_batches=in_batches) for in_batches in (False, True))
    for now, frames in enumerate(sent, 10):
        for collector in (alone, in_batches):
            collector.take(frames, now)
    for collector in (alone, in_batches):
        collector.feed.turn(2**40)
        collector.carry_out()
    assert in_batches.sent == alone.sent
    assert in_batches.log == alone.log
    assert in_batches.feed.out.counts == alone.feed.out.counts


@pytest.mark.rust
def test_after_the_first_frame_of_a_symbol_all_plain_ones_are_taken_together() -> None:
    exchange = Exchange(10, is_v1=False)
    frames = [exchange.snapshot(), *(exchange.change("bids", 900 + number, 5) for number in range(5))]
    collector = Collector(replay=False, in_batches=True)
    assert collector.feed.frames(frames, 0, 7, TS) == 1
    assert collector.feed.frames(frames, 1, 7, TS) == 6
    message = msgspec.msgpack.decode(collector.feed.take().finished[-1][1], type=m.FeedFrame)
    assert (message.seq, message.received, message.connection, message.frame) == (5, 7, 1, frames[-1])
