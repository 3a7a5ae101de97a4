"""The bus over real sockets: repeats, late joiners, gaps, restarts, garbage; and the tracker alone."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgpack
import pytest
import zmq

from shared import bus
from shared.bus import Publisher, Received, Subscriber, Tracker, Undecoded, topics
from shared.clock import SECOND
from shared.config import Config
from shared.errors import BusAddressInUse
from shared.messages import Alert, Control, FeedFrame, Message, Resync

Context = zmq.Context[zmq.Socket[bytes]]


@pytest.fixture
def where(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/bus/one"


@pytest.fixture
def context() -> Iterator[Context]:
    made: Context = zmq.Context()
    yield made
    made.destroy(linger=0)


def publisher(context: Context, where: str, boot: int = 1) -> Publisher:
    return Publisher(context, where, "monitor", boot, None)


def serve_until(sender: Publisher, condition: Callable[[], object]) -> None:
    """Serves subscriptions until something holds."""
    for _ in range(500):
        sender.serve_subscriptions()
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it did not come to that")


def wait_for_subscription(sender: Publisher, prefix: str) -> None:
    """Serves subscriptions until one for ``prefix`` came."""
    serve_until(sender, lambda: sender.is_subscribed(prefix))


def drain(reader: Subscriber, wanted: int, sender: Publisher | None = None) -> list[Received]:
    """Return what arrives until ``wanted`` messages are there (bounded)."""
    received: list[Received] = []
    for _ in range(500):
        if sender is not None:
            sender.serve_subscriptions()
        received += reader.drain()
        if len(received) >= wanted:
            break
        time.sleep(0.01)
    return received


def test_who_subscribes_to_snapshots_asks_for_them_and_nobody_else_does(context: Context, where: str) -> None:
    sender = publisher(context, where)
    everything = Subscriber(context, [where], [""])
    wait_for_subscription(sender, "control")
    assert sender.snapshot_requests == 0
    recorder = Subscriber(context, [where], ["feed.book", topics.SNAPSHOT_REQUEST])
    serve_until(sender, lambda: sender.snapshot_requests)
    assert sender.snapshot_requests == 1
    everything.socket.close()
    recorder.socket.close()


def test_who_names_a_topic_reads_it_for_as_long_as_he_is_there(context: Context, where: str) -> None:
    sender = publisher(context, where)
    everything = Subscriber(context, [where], ["", "feed.book"])
    wait_for_subscription(sender, "feed.level3")
    assert not sender.is_named("feed.level3")
    reader = Subscriber(context, [where], ["feed.level3.BTC/USD"])
    serve_until(sender, lambda: sender.is_named("feed.level3"))
    reader.socket.close()
    serve_until(sender, lambda: not sender.is_named("feed.level3"))
    assert sender.is_subscribed("feed.level3")
    everything.socket.close()
    serve_until(sender, lambda: not sender.is_subscribed("feed.level3"))


def test_a_late_joiner_gets_the_state_at_once_and_the_same_bytes(context: Context, where: str) -> None:
    sender = publisher(context, where)
    sender.publish("control", Control(halted=True, why="test"))
    raw = context.socket(zmq.SUB)
    raw.setsockopt(zmq.SUBSCRIBE, b"control\0")
    raw.setsockopt(zmq.RCVTIMEO, 5000)
    raw.connect(where)
    wait_for_subscription(sender, "control")
    first = raw.recv_multipart()
    sender.repeat(0)
    sender.repeat(SECOND)
    assert raw.recv_multipart() == first
    message = msgpack.unpackb(first[1])
    assert (message["v"], message["src"], message["boot"], message["seq"], message["halted"]) == (
        1,
        "monitor",
        1,
        1,
        True,
    )
    assert message["ts"] > 0


def test_repeats_of_many_topics_are_spread_and_each_comes_once_a_second(
    context: Context, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = publisher(context, where)
    topics = [f"book.{number}" for number in range(1000)]
    sent: dict[bytes, list[int]] = {}
    now = 0
    monkeypatch.setattr(sender, "_send", lambda raw, _: sent.setdefault(raw, []).append(now))
    for topic in topics:
        sender.publish_encoded(topic, b"as it is")
    sent.clear()
    at_once = 0
    for turn in range(160):
        now = turn * SECOND // 50
        before = sum(map(len, sent.values()))
        sender.repeat(now)
        at_once = max(at_once, sum(map(len, sent.values())) - before)
    assert at_once <= len(topics) // 5
    assert len(sent) == len(topics)
    for times in sent.values():
        assert times[0] <= 1.3 * SECOND
        assert all(later - earlier <= 1.1 * SECOND for earlier, later in itertools.pairwise(times))


def test_repeats_of_few_topics_leave_together_so_that_readers_wake_up_once(
    context: Context, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = publisher(context, where)
    sent: dict[bytes, list[int]] = {}
    now = 0
    monkeypatch.setattr(sender, "_send", lambda raw, _: sent.setdefault(raw, []).append(now))
    for turn in range(160):
        now = turn * SECOND // 50
        if turn % 20 == 0 and turn < 100:
            sender.publish_encoded(f"book.{turn}", b"as it is")
            sent.clear()
        sender.repeat(now)
    assert len(sent) == 5
    times = list(sent.values())
    assert all(each == times[0] for each in times)
    assert [later - earlier for earlier, later in itertools.pairwise(times[0])] == [SECOND]


def test_events_are_not_repeated(context: Context, where: str) -> None:
    sender = publisher(context, where)
    reader = Subscriber(context, [where], ["alert", "control"])
    wait_for_subscription(sender, "alert")
    sender.publish("alert", Alert(level="info", kind="x", text="once"))
    sender.repeat(0)
    sender.repeat(SECOND)
    sender.publish("control", Control(halted=False))
    received = drain(reader, 2)
    assert [item.topic for item in received] == ["alert", "control"]
    assert reader.counters.repeats == 0


def test_of_a_state_topic_only_the_newest_is_handed_on(context: Context, where: str) -> None:
    sender = publisher(context, where)
    reader = Subscriber(context, [where], ["control"])
    wait_for_subscription(sender, "control")
    for number in range(50):
        sender.publish("control", Control(halted=False, why=str(number)))
    time.sleep(0.2)
    received = reader.drain()
    assert [getattr(item.message, "why", "") for item in received] == ["49"]
    assert reader.counters.messages == 50
    assert reader.counters.gaps == 0


def test_finished_messages_are_sent_as_they_are_and_kept_if_they_are_state(context: Context, where: str) -> None:
    sender = publisher(context, where)
    reader = Subscriber(context, [where], ["control", "alert"])
    wait_for_subscription(sender, "control")
    wait_for_subscription(sender, "alert")
    sender.publish("control", Control(halted=False, why="first"))
    assert sender.seqs == {"control": 1}
    sender.seqs["control"] += 1
    finished = msgpack.packb({"v": 1, "src": "monitor", "boot": 1, "seq": 2, "ts": 1, "halted": True, "why": "second"})
    sender.publish_finished([(b"control\0", finished)], is_state=True)
    alert = msgpack.packb({"v": 1, "src": "monitor", "boot": 1, "seq": 1, "level": "info", "kind": "x", "text": "once"})
    sender.publish_finished([(b"alert\0", alert)], is_state=False)
    sender.repeat(0)
    sender.repeat(SECOND)
    sender.publish("control", Control(halted=False, why="third"))
    received = drain(reader, 2)
    while reader.counters.messages < 4:
        received += drain(reader, 1)
    assert getattr(received[-1].message, "why", "") == "third" or received[-1].topic == "alert"
    assert (sender.sent, reader.counters.gaps, reader.counters.repeats) == (5, 0, 1)


def test_a_kind_that_is_handed_over_comes_in_runs_between_the_others(context: Context, where: str) -> None:
    sender = publisher(context, where)
    reader = Subscriber(context, [where], ["feed.book", "alert"])
    reader.hand_over("feed.book")
    wait_for_subscription(sender, "feed.book.")
    wait_for_subscription(sender, "alert")
    alert = Alert(level="info", kind="x", text="between")
    for symbol in ("A/B", "C/D", None, "A/B"):
        frame = FeedFrame(symbol=symbol or "", frame=b"x", connection=1, received=2)
        sender.publish(*(("alert", alert) if symbol is None else (f"feed.book.{symbol}", frame)))
    received: list[Received] = []
    while sum(len(item.parts) if isinstance(item, Undecoded) else 1 for item in received) < 4:
        received += drain(reader, 1)
    parts = [part for item in received if isinstance(item, Undecoded) for part in item.parts]
    assert [topic for topic, _ in parts] == [b"feed.book.A/B\0", b"feed.book.C/D\0", b"feed.book.A/B\0"]
    assert [len(item.parts) for item in received if isinstance(item, Undecoded)][-1] == 1
    assert reader.counters.messages == 1
    decoded = [reader.decode(part) for part in parts]
    assert [(item.rest, item.missed) for item in decoded if item is not None] == [("A/B", 0), ("C/D", 0), ("A/B", 0)]
    assert reader.decode(parts[0]) is None
    assert (reader.counters.messages, reader.counters.repeats) == (4, 1)
    seqs = reader.tracker.seqs("monitor", 1)
    assert seqs is not None
    assert seqs["feed.book.A/B"] == 2
    assert reader.tracker.seqs("monitor", 2) is None
    assert reader.tracker.seqs("nobody", 1) is None


def test_a_topic_never_matches_a_longer_one(context: Context, where: str) -> None:
    sender = publisher(context, where)
    reader = Subscriber(context, [where], ["feed.book.BTC/USD"])
    wait_for_subscription(sender, "feed.book.BTC/USD")
    raw = msgpack.packb({"symbol": "", "frame": b"", "connection": 1, "received": 1, "seq": 1})
    sender.publish_encoded("feed.book.BTC/USDT", raw)
    sender.publish_encoded("feed.book.BTC/USD", raw)
    assert [item.topic for item in drain(reader, 1)] == ["feed.book.BTC/USD"]
    assert reader.drain() == []


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("control", b"\xc1garbage"),
        ("control", msgpack.packb({"halted": "yes"})),
        ("control", msgpack.packb({"v": 2, "halted": True})),
        ("control", msgpack.packb([1, 2])),
        ("nonsense", msgpack.packb({})),
    ],
)
def test_what_does_not_decode_is_counted_told_and_skipped(
    context: Context, where: str, topic: str, payload: bytes
) -> None:
    reports: list[tuple[str, str, bytes]] = []
    sender = publisher(context, where)
    reader = Subscriber(context, [where], [""], on_bad=lambda *what: reports.append(what))
    wait_for_subscription(sender, "control")
    sender.publish_encoded(topic, payload)
    sender.publish("alert", Alert(level="info", kind="after", text=""))
    assert [item.topic for item in drain(reader, 1)] == ["alert"]
    assert reader.counters.undecodable == 1
    assert reports[0][2] == payload[:200]


def test_a_second_bind_of_a_tcp_endpoint_is_told(context: Context) -> None:
    probe = context.socket(zmq.PUB)
    port = probe.bind_to_random_port("tcp://127.0.0.1")
    with pytest.raises(BusAddressInUse):
        publisher(context, f"tcp://127.0.0.1:{port}")


def test_an_ipc_path_that_is_too_long_moves_to_a_short_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    config = Config(root=deep)
    address = bus.address(config, "ipc://run/bus/collector")
    assert len(address) <= len("ipc://") + 100
    assert address == bus.address(config, "ipc://run/bus/collector")
    assert address != bus.address(Config(root=tmp_path / ("e" * 120)), "ipc://run/bus/collector")


def message(src: str, boot: int, seq: int) -> Message:
    return Resync(src=src, boot=boot, seq=seq)


def test_tracker_counts_gaps_repeats_and_superseded_boots() -> None:
    tracker = Tracker()
    assert tracker.admit("t", message("a", 5, 7)) == 0  # a late joiner missed nothing
    assert tracker.admit("t", message("a", 5, 7)) is None
    assert tracker.admit("t", message("a", 5, 10)) == 2
    assert tracker.admit("t", message("a", 4, 11)) is None
    assert tracker.admit("t", message("a", 6, 3)) == 2  # the new boot began at 1
    assert tracker.admit("u", message("a", 5, 1)) is None  # superseded on every topic
    seen = tracker.counters
    assert (seen.gaps, seen.repeats, seen.superseded, seen.messages) == (4, 1, 2, 3)


def test_tracker_is_bounded_against_a_stranger_who_invents_topics() -> None:
    tracker = Tracker()
    for number in range(10_050):
        tracker.admit(f"book.{number}", message("stranger", 1, 1))
    assert tracker.counters.untracked == 50


def test_every_message_kind_has_its_topic() -> None:
    assert topics.kind_of("feed.book.BTC/USD").name == "feed.book"  # type: ignore[union-attr]
    assert topics.kind_of("book.status").name == "book.status"  # type: ignore[union-attr]
    assert topics.kind_of("book.BTC/USD").name == "book"  # type: ignore[union-attr]
    assert topics.kind_of("nonsense") is None


@pytest.mark.parametrize(
    ("word", "known"),
    [("feed", True), ("book", True), ("book.BTC/USD", True), ("feed.book", True), ("book.", False), ("books", False)],
)
def test_a_person_may_ask_for_a_kind_or_a_whole_topic(word: str, known: bool) -> None:
    assert (topics.why_unknown(word) == "") is known


@pytest.mark.parametrize(
    ("wanted", "heard", "not_heard"),
    [
        ("target.maker", "target.maker.BTC/USD", "target.maker2.BTC/USD"),
        ("position.maker", "position.maker.BTC/USD", "position.other.BTC/USD"),
        ("target.maker.BTC/USD", "target.maker.BTC/USD", "target.maker.BTC/USDT"),
        ("target", "target.maker.BTC/USD", "position.maker.BTC/USD"),
        ("book.BTC/USD", "book.BTC/USD", "book.BTC/USDT"),
    ],
)
def test_a_strategy_alone_stands_for_all_its_symbols(wanted: str, heard: str, not_heard: str) -> None:
    prefixes = tuple(topics.subscription(wanted))
    assert topics.encode(heard).startswith(prefixes)
    assert not topics.encode(not_heard).startswith(prefixes)
