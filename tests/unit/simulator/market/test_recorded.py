"""Recordings of every form become the same moments: captures, TradeByte's own files, and lists of level events."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from collector.recording.files import schema
from collector.recording.recorder import Recorder
from collector.recording.store import Rules, Store
from shared.bus import topics
from shared.messages import FeedFrame, FeedTrades, Message, Trade
from simulator.errors import RecordingError
from simulator.market import recorded, replay
from simulator.market.calibration import listener
from simulator.market.calibration.follower import Follower
from simulator.market.replay import Moment
from simulator.market.style import style_of
from simulator.pairs.pairs import PAIRS
from simulator.wire import NS, parse_time

SOL = PAIRS["SOL/USD"]
SECONDS = 60.0


def frames() -> list[bytes]:
    return [frame.encode() for frame in listener.record(SOL, style_of(SOL, "calm"), SECONDS)]


def on_the_bus(frame: bytes, number: int) -> tuple[str, Message]:
    """Return a frame as the collector publishes it."""
    data = msgspec.json.decode(frame)
    if data["channel"] == "book":
        return "feed.book.SOL/USD", FeedFrame(symbol="SOL/USD", frame=frame, connection=1, received=number)
    (_, first), *rest = replay.arrivals([frame])
    trades = [
        Trade(
            side="buy" if moment.levels[0][0] == "buy" else "sell",
            price=moment.levels[0][1],
            qty=moment.levels[0][2],
            trade_ts=moment.ns,
        )
        for moment in (first, *(moment for _, moment in rest))
    ]
    return "feed.trade.SOL/USD", FeedTrades(
        symbol="SOL/USD", trades=trades, received=number, price_precision=SOL.price_precision,
        qty_precision=SOL.qty_precision,
    )  # fmt: skip


def bus_file(folder: Path, lines: list[bytes]) -> Path:
    """Record frames as ``tradebyte record`` does; return the file."""
    folder.mkdir()
    recorder = Recorder()
    store = Store(folder, Rules(10**9, 10**9, 10**18, 0), lambda: schema("one", []))
    for number, frame in enumerate(lines):
        topic, message = on_the_bus(frame, number)
        stamped = msgspec.structs.replace(message, src="collector", boot=1, seq=number + 1, ts=number)
        recorder.take([topics.encode(topic), msgspec.msgpack.encode(stamped)], number)
    store.write(recorder.batch(), 1)
    store.close()
    (file,) = folder.glob("*.arrows")
    return file


def test_a_recording_of_the_bus_says_what_the_frames_in_it_say(tmp_path: Path) -> None:
    lines = frames()
    capture = tmp_path / "frames.jsonl"
    capture.write_bytes(b"\n".join(lines))
    expected = recorded.read(capture)
    assert {moment.kind for _, moment in expected} == {"snapshot", "book", "trade"}
    file = bus_file(tmp_path / "recordings", lines)
    assert recorded.read(file) == expected
    assert recorded.read(file.parent) == expected


def test_a_snapshot_without_a_time_is_as_old_as_what_came_before(tmp_path: Path) -> None:
    lines = frames()[:50]
    data = msgspec.json.decode(lines[0])
    del data["data"][0]["timestamp"]
    lines.append(msgspec.json.encode(data))
    arrived = recorded.read(bus_file(tmp_path / "recordings", lines))
    moments = [moment for _, moment in arrived if moment.kind != "trade"]
    assert moments[-1].kind == "snapshot"
    assert moments[-1].ns == moments[-2].ns > 0


def test_a_recording_that_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    file = bus_file(tmp_path / "recordings", frames())
    whole = recorded.read(file)
    later = file.with_name("000002.arrows")
    later.write_bytes(file.read_bytes()[:-2000])
    assert recorded.read(later) == []
    assert recorded.read(file.parent) == whole


def test_level_events_of_one_time_are_one_message_after_its_trades_in_which_each_level_changes_once(
    tmp_path: Path,
) -> None:
    file = tmp_path / "events.csv"
    rows = ["1,add,buy,100,50,1", "1,add,sell,101,51,2", "5,trade,buy,101,1,9", "6,cancel,sell,101,0,2"]
    rows += ["6,add,sell,101,50,3", "7,cancel,buy,100,0,1"]
    file.write_text("\n".join([recorded.EVENTS_HEADER, *rows]))
    assert recorded.read(file) == [
        ("BTC/USD", Moment(1, "snapshot", (("buy", 100, 5000), ("sell", 101, 5100)))),
        ("BTC/USD", Moment(5, "trade", (("buy", 101, 100),))),
        ("BTC/USD", Moment(6, "book", (("sell", 101, 5000),))),
        ("BTC/USD", Moment(7, "book", (("buy", 100, 0),))),
    ]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("none.jsonl", None, "No such file"),
        ("a.arrows", b"no arrow", "no recording of TradeByte's bus"),
        ("a.csv", b"time,price\n1,2\n", "first line"),
        ("b.csv", b"ts,type,side,price_ticks,qty,id\n1,add\n", "no level event"),
        ("folder", b"", "no recorded file"),
        ("a.json", b"{", "no JSON"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, content: bytes | None, why: str, tmp_path: Path) -> None:
    if name == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError, match=why):
        recorded.read(tmp_path / name)


def test_a_followed_recording_counts_what_the_listener_counts() -> None:
    """Of one and the same market: the listener is told by the book itself, the follower by its frames."""
    seconds = 240.0
    lines = [frame.encode() for frame in listener.record(SOL, style_of(SOL, "calm"), listener.WARM_UP_S + seconds)]
    moments = replay.ordered(replay.arrivals(lines))["SOL/USD"]
    start = listener.START_NS + listener.WARM_UP_S * NS
    _, seen = listener.watch("SOL/USD", "calm", seconds)
    follower = Follower(moments)
    followed = follower.follow()
    assert [ns // 1000 for ns in followed.messages if ns > start][:200] == [ns // 1000 for ns in seen.messages][:200]
    late = [trade for trade in followed.trades if trade[0] > start]
    assert [trade[1:] for trade in late] == [trade[1:] for trade in seen.trades]
    for kind in ("updates", "inserts", "deletes"):
        share = getattr(followed, kind) / len(followed.messages)
        assert share == pytest.approx(getattr(seen, kind) / len(seen.messages), rel=0.1)


def levels(side: str, *rows: tuple[float, float]) -> list[dict[str, float]]:
    assert side in ("bids", "asks")
    return [{"price": price, "qty": qty} for price, qty in rows]


def test_a_level_that_comes_back_into_view_is_no_insert() -> None:
    def book(kind: str, second: int, **sides: list[dict[str, float]]) -> bytes:
        time = f"2026-01-01T00:00:{second:02d}Z"
        data = {"symbol": "SOL/USD", "bids": [], "asks": [], "timestamp": time, **sides}
        return json.dumps({"channel": "book", "type": kind, "data": [data]}).encode()

    bids = levels("bids", *((100.0 - at, 1.0) for at in range(10)))
    lines = [
        book("snapshot", 0, bids=bids, asks=levels("asks", (101.0, 2.0))),
        # The best goes, and the next behind the view comes in with it.
        book("update", 1, bids=levels("bids", (100.0, 0.0), (90.0, 3.0))),
        # A new best pushes it out again, of which nobody is told.
        book("update", 2, bids=levels("bids", (100.5, 1.0))),
        book("update", 3, bids=levels("bids", (99.0, 4.0)), asks=levels("asks", (101.0, 3.0))),
    ]
    seen = Follower(replay.ordered(replay.arrivals(lines))["SOL/USD"]).follow()
    assert (seen.deletes, seen.inserts, seen.updates, seen.improving) == (1, 1, 2, 1)
    assert seen.levels == {2: 2, 1: 1}
    assert seen.seconds == 3
    begin = parse_time("2026-01-01T00:00:00Z")
    assert seen.lives == [NS]
    assert [touch[0] - begin for touch in seen.touches[:2]] == [NS // 10, NS // 5]
