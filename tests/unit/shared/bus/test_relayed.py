"""A reader between a relay and the publishers, both played here over real sockets."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from shared import bus, config, limits
from shared.bus import Publisher, Received
from shared.bus.relayed import RelayedSubscriber
from shared.config import Config
from shared.messages import Alert, Control, Heartbeat, ProcessState

Context = zmq.Context[zmq.Socket[bytes]]


@pytest.fixture
def context() -> Iterator[Context]:
    made: Context = zmq.Context()
    yield made
    made.destroy(linger=0)


@pytest.fixture
def configuration(tmp_path: Path) -> Config:
    return config.parse("bus: {relay: 'ipc://run/bus/relay'}\n", tmp_path / "config.yaml", tmp_path, {})


def publisher(context: Context, configuration: Config, process: str) -> Publisher:
    made = Publisher(context, bus.address(configuration, str(configuration.bus[process])), process, 1, None)
    made.publish("control", Control(halted=False, why=process))
    return made


def beat(state: ProcessState = ProcessState.READY) -> Heartbeat:
    return Heartbeat(
        process="relay", pid=1, host="", version="", state=state, why="", uptime_s=0.0, loop_lag_ms=0.0, rss_mb=0.0,
        messages_in=0, messages_out=0, gaps=0, drops=0, details={},
    )  # fmt: skip


def heard(reader: RelayedSubscriber, seconds: float, *senders: Publisher) -> list[Received]:
    """Return what arrives in this time, until the first message."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for sender in senders:
            sender.serve_subscriptions()
        received = reader.drain()
        if received:
            return received
        reader.wait(10)
    return []


def test_without_a_relay_that_answers_the_publishers_are_heard(context: Context, configuration: Config) -> None:
    executor = publisher(context, configuration, "executor")
    reader = RelayedSubscriber(context, configuration, ["control"])
    assert [item.message.src for item in heard(reader, 5, executor)] == ["executor"]
    reader.close()


def test_a_relay_that_says_nothing_readable_is_none(context: Context, configuration: Config) -> None:
    executor, relay = (publisher(context, configuration, name) for name in ("executor", "relay"))
    reader = RelayedSubscriber(context, configuration, ["control"])
    assert [item.message.src for item in heard(reader, 5, relay)] == ["relay"]
    relay.publish_encoded("heartbeat.relay", b"garbage")
    assert [item.message.src for item in heard(reader, 5, executor)] == ["executor"]
    reader.close()


def test_with_a_relay_that_answers_no_publisher_is_connected_to(context: Context, configuration: Config) -> None:
    executor, relay = (publisher(context, configuration, name) for name in ("executor", "relay"))
    reader = RelayedSubscriber(context, configuration, ["control"])
    assert heard(reader, 5, relay)
    for _ in range(20):
        relay.publish("heartbeat.relay", beat())
        assert heard(reader, 0.05, relay) == [], "its heartbeat is not what this reader wants"
    assert executor.socket.poll(0) == 0, "nobody has subscribed"
    reader.close()
    relay.socket.close()


def test_a_reader_that_wants_heartbeats_gets_the_relays_too(context: Context, configuration: Config) -> None:
    relay = publisher(context, configuration, "relay")
    reader = RelayedSubscriber(context, configuration, ["heartbeat", "control"])
    assert heard(reader, 5, relay)
    relay.publish("heartbeat.relay", beat())
    assert [item.topic for item in heard(reader, 5, relay)] == ["heartbeat.relay"]
    reader.close()


def test_what_a_stopping_relay_still_carries_is_not_overtaken(
    context: Context, configuration: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RELAY_HOLD_S", 1.5)  # a busy machine may take long for what is a moment
    executor, relay = (publisher(context, configuration, name) for name in ("executor", "relay"))
    reader = RelayedSubscriber(context, configuration, ["alert", "control"])

    def say(sender: Publisher, seq: int) -> None:
        alert = Alert(level="info", kind="", text=str(seq), src="executor", boot=1, seq=seq)
        sender.publish_encoded("alert", msgspec.msgpack.encode(alert))

    assert heard(reader, 5, relay)
    say(relay, 1)
    relay.publish("heartbeat.relay", beat(ProcessState.STOPPING))
    (first,) = heard(reader, 5, relay)
    # It is connected to the publisher by now, whose message is there before the relay's.
    while not executor.is_subscribed("alert"):
        heard(reader, 0.01)
        executor.serve_subscriptions()
    say(executor, 3)
    assert heard(reader, 0.05) == []
    say(relay, 2)
    texts = [first, *heard(reader, 5), *heard(reader, 5)]
    alerts = [item.message for item in texts if isinstance(item.message, Alert)]
    assert [alert.text for alert in alerts] == ["1", "2", "3"]
    assert reader.counters.gaps == 0
    reader.close()


def test_connections_without_a_relay_are_to_the_publishers(context: Context, tmp_path: Path) -> None:
    without = config.parse("bus: {}\n", tmp_path / "config.yaml", tmp_path, {})
    executor = publisher(context, without, "executor")
    connections = bus.Connections(bus.open_socket(context, ["control"]), without, ["control"])
    for _ in range(500):
        executor.serve_subscriptions()
        connections.wait(10)
        connections.turn()
        with contextlib.suppress(zmq.Again):
            assert connections.receive()[0] == b"control\0"
            break
    assert connections.is_connected
    connections.close()


def test_only_a_configured_relay_runs_and_it_is_no_publisher(configuration: Config) -> None:
    assert "relay" in configuration.process_names
    assert bus.address(configuration, "ipc://run/bus/relay") not in bus.addresses(configuration)
    without = config.parse("bus: {}\n", Path("config.yaml"), Path("/tmp"), {})
    assert without.relay is None
    assert "relay" not in without.process_names
    assert len(bus.addresses(without)) == len(bus.addresses(configuration))
