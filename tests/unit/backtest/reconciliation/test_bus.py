"""The messages of a recording: each once, bad ones counted."""

from __future__ import annotations

import msgspec
import pytest

from backtest.errors import DataError
from backtest.reconciliation.bus import Said, gather, last_before, read
from collector.recording.files import Row
from shared.messages import Account, FeedStatus, Instruments, Message, Position, Target
from tests.kit.backtest.market import walk

OFFSET = 7_000
TARGET = Target(
    strategy="s", symbol="BTC/USD", price_precision=1, qty_precision=8, quotes=[], decided=5, ttl_ms=3000, fills=0
)
PAIR = walk(1, 0.2).pair


def row(topic: str, message: Message, seq: int = 1, heard: int = 100) -> Row:
    stamped = msgspec.structs.replace(message, boot=1, seq=seq, ts=heard + OFFSET)
    return Row("session", heard, heard + OFFSET, topic, msgspec.msgpack.encode(stamped))


def whole() -> list[Row]:
    return [
        row("feed.instrument", Instruments(pairs={"BTC/USD": PAIR})),
        row("feed.status", FeedStatus(connected=True, connection=1, last_byte=0)),
        row("account", Account(valid=True)),
        row("target.s.BTC/USD", TARGET, heard=120),
    ]


def test_a_state_that_is_repeated_counts_once() -> None:
    bus = gather([*whole(), row("target.s.BTC/USD", TARGET, heard=900), row("target.s.BTC/USD", TARGET, 2, 950)])
    assert [(said.at, said.message.seq) for said in bus.targets] == [(120, 1), (950, 2)]
    assert bus.boot_to_wall == OFFSET


def test_what_cannot_be_read_is_counted() -> None:
    bad = Row("session", 1, 1, "account", b"\xff\x00")
    assert gather([*whole(), bad, Row("session", 1, 1, "heartbeat.book", b"\xff")]).unreadable == 1


@pytest.mark.parametrize("without", ["feed.instrument", "feed.status", "account", "target.s.BTC/USD"])
def test_a_recording_of_a_part_of_the_bus_is_named(without: str) -> None:
    with pytest.raises(DataError, match="record everything"):
        gather(each for each in whole() if each.topic != without)


def test_a_folder_without_a_recording_is_named(tmp_path: object) -> None:
    with pytest.raises(DataError, match="no recording is in this folder"):
        read([str(tmp_path)])


def test_the_last_before_a_time() -> None:
    said = [Said(at, Position(strategy="s", symbol="BTC/USD", valid=True)) for at in (1, 3, 3, 8)]
    assert [last_before(said, at) for at in (0, 1, 3, 7, 9)] == [-1, 0, 2, 2, 3]
