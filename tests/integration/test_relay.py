"""The relay as a real process between fake publishers and real readers, started, stopped and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
import zmq

from shared import bus, config
from shared.bus import topics
from shared.config import Config
from shared.messages import Alert, Control
from tests.system import ROOT, running, until

pytestmark = pytest.mark.processes

LONG_S = 30.0
EVERY_S = 0.005


class Market:
    """Publishes alerts one after another from a thread of its own, and a state that it says once."""

    def __init__(self, where: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.sender = bus.Publisher(self._context, where, "executor", 1, None)
        self.sender.on_subscriptions = self._count
        self.sender.socket.setsockopt(zmq.XPUB_VERBOSER, 1)  # it hears of each subscription's end, too
        self.subscribed: list[bytes] = []
        self.sent = 0
        self.speaks, self.serves = threading.Event(), threading.Event()
        self.serves.set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _count(self, changes: list[bytes]) -> None:
        self.subscribed += changes

    def __enter__(self) -> Market:
        self.sender.publish("control", Control(halted=True, why="by a test"))
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        self._context.destroy(linger=0)

    def _run(self) -> None:
        while not self._over.wait(EVERY_S):
            if self.serves.is_set():
                self.sender.serve_subscriptions()
            if self.speaks.is_set():
                self.sent += 1
                self.sender.publish("alert", Alert(level="info", kind="test", text=str(self.sent)))


class World:
    """A configuration with a relay and one without, on the same bus; and a market."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "config").mkdir()
        self.relayed, self.direct = self._config("config.yaml", "ipc://run/bus/relay"), self._config("direct.yaml")
        self.market = Market(bus.address(self.relayed, str(self.relayed.bus["executor"])))
        self.processes: list[subprocess.Popen[str]] = []
        self.environment = {name: text for name, text in os.environ.items() if name != "SUPERVISOR_ENABLED"}

    def _config(self, name: str, relay: str = "") -> Config:
        path = self.folder / "config" / name
        path.write_text(yaml.safe_dump({"bus": {"relay": relay} if relay else {}, "trading": {"pairs": ["BTC/USD"]}}))
        return config.load(path, environ={})

    def run(self, *command: str) -> subprocess.Popen[str]:
        """Start a process that the end of the test ends."""
        whole = [sys.executable, "-m", *command]
        made = subprocess.Popen(whole, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)
        self.processes.append(made)
        return made

    def relay(self) -> subprocess.Popen[str]:
        """Start the relay, and wait until it is heard."""
        made = self.run("relay", "--config", str(self.relayed.source))
        listener = bus.Subscriber(
            zmq.Context.instance(), [bus.address(self.relayed, str(self.relayed.relay))], ["heartbeat.relay"]
        )
        try:
            until("the relay is heard", listener.drain, LONG_S)
        finally:
            listener.socket.close()
        return made

    def tail(self, of_config: Config, *options: str) -> subprocess.Popen[str]:
        """Start ``tradebyte tail``."""
        return self.run("monitor", "tail", *options, "--config", str(of_config.source))

    def subscribers(self, prefix: bytes) -> int:
        """Return how many subscriptions to a prefix the market was sent, less those that were ended."""
        changes = list(self.market.subscribed)
        return changes.count(b"\x01" + prefix) - changes.count(b"\x00" + prefix)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with made.market:
        yield made
        for process in made.processes:
            process.kill()
            process.communicate()


def texts(reader: bus.Subscriber) -> list[int]:
    """Return the numbers of the alerts that are there."""
    return [int(each.message.text) for each in reader.drain() if isinstance(each.message, Alert)]


def collect(reader: bus.Subscriber, seconds: float, into: list[int]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        reader.wait(10)
        into += texts(reader)


def until_back(world: World, read: Callable[[], None]) -> None:
    """Read until the relay is the only one that has subscribed to alerts."""
    end = time.monotonic() + LONG_S
    read()
    while world.subscribers(b"alert\0") != 1:
        assert time.monotonic() < end, "the reader did not go back to the relay"
        read()


def test_a_tail_hears_the_same_bytes_through_the_relay_and_only_the_relay_asks_for_them(world: World) -> None:
    world.relay()
    tails = [world.tail(each, "alert", "--raw", "-n", "300") for each in (world.relayed, world.direct)]
    until("both have subscribed", lambda: world.market.subscribed.count(b"\x01alert.") == 2, LONG_S)
    time.sleep(0.5)
    world.market.speaks.set()
    through, directly = ([*tail.communicate(timeout=LONG_S)[0].splitlines()] for tail in tails)
    assert len(through) == len(directly) == 300
    assert through == directly


def test_many_readers_are_one_subscription_and_it_ends_with_the_last(world: World) -> None:
    world.relay()
    readers = [bus.attach(world.relayed, ["alert", "control"]) for _ in range(20)]
    heard = [0] * len(readers)

    def all_hear() -> bool:
        for place, reader in enumerate(readers):
            heard[place] += len(texts(reader))
        return all(heard)

    world.market.speaks.set()
    until("all of them hear", all_hear, LONG_S)
    assert world.market.subscribed.count(b"\x01alert\0") == 1
    assert world.market.subscribed.count(b"\x01control.") == 1
    for reader in readers:
        reader.close()
    until("the subscription has ended", lambda: world.subscribers(b"alert\0") == 0, LONG_S)


def test_a_new_reader_gets_the_state_at_once_from_the_relay_itself(world: World) -> None:
    world.relay()
    first = bus.attach(world.relayed, ["control"])
    until("the state is there", first.drain, LONG_S)
    world.market.serves.clear()
    second = bus.attach(world.relayed, ["control"])
    began = time.monotonic()
    (received,) = until("it is there", second.drain, 2, every=0.01)
    assert isinstance(received.message, Control)
    assert received.message.seq == 1
    assert time.monotonic() - began < 2
    first.close()
    second.close()


def test_a_killed_relay_costs_a_reader_a_moment_and_its_return_nothing(world: World) -> None:
    relay = world.relay()
    reader = bus.attach(world.relayed, ["alert"])
    heard: list[int] = []
    world.market.speaks.set()
    until("it hears", lambda: texts(reader), LONG_S)
    assert world.subscribers(b"alert\0") == 1
    relay.kill()
    collect(reader, 1, heard)
    assert heard[-1] > world.market.sent - 40
    gaps = reader.counters.gaps
    assert gaps < 100
    world.relay()
    until_back(world, lambda: collect(reader, 0.2, heard))
    collect(reader, 1, heard)
    assert heard == sorted(set(heard))
    assert reader.counters.gaps == gaps
    assert heard[-1] > world.market.sent - 40
    reader.close()


def test_a_tail_goes_on_when_the_relay_is_killed_and_prints_nothing_twice(world: World) -> None:
    relay = world.relay()
    tail = world.tail(world.relayed, "alert", "--json")
    assert tail.stdout is not None
    until("it has subscribed", lambda: world.subscribers(b"alert\0") == 1, LONG_S)
    world.market.speaks.set()
    numbers: list[int] = []

    def read(count: int) -> None:
        assert tail.stdout is not None
        for _ in range(count):
            numbers.append(number_in(tail.stdout.readline()))

    read(50)
    relay.kill()
    read(300)
    world.relay()
    until_back(world, lambda: read(20))
    read(100)
    assert numbers == sorted(set(numbers))
    missed = numbers[-1] - numbers[0] + 1 - len(numbers)
    assert missed < 200


def number_in(line: str) -> int:
    return int(line.partition('"text":"')[2].partition('"')[0])


def test_a_relay_that_is_asked_to_stop_costs_no_message(world: World) -> None:
    relay = world.relay()
    reader = bus.attach(world.relayed, ["alert"])
    heard: list[int] = []
    world.market.speaks.set()
    until("it hears", lambda: texts(reader), LONG_S)
    relay.send_signal(signal.SIGTERM)
    collect(reader, 2, heard)
    assert relay.wait(LONG_S) == 0
    world.relay()
    until_back(world, lambda: collect(reader, 0.2, heard))
    collect(reader, 0.5, heard)
    assert reader.counters.gaps == 0
    assert heard == list(range(heard[0], heard[-1] + 1))
    reader.close()


def test_a_relay_that_stands_still_is_left(world: World) -> None:
    relay = world.relay()
    reader = bus.attach(world.relayed, ["alert"])
    world.market.speaks.set()
    until("it hears", lambda: texts(reader), LONG_S)
    relay.send_signal(signal.SIGSTOP)
    began = world.market.sent
    until("it hears again", lambda: max(texts(reader), default=0) > began + 20, LONG_S)
    new = bus.attach(world.relayed, ["control"])
    until("a new reader is not held up", new.drain, 2)
    reader.close()
    new.close()


def test_a_sandbox_without_its_relay_trades_on_and_every_command_works(tmp_path: Path) -> None:
    trading = ("collector", "book", "strategy.market_maker", "executor")
    with running(tmp_path) as system:
        before = system.json("status")["processes"]
        assert before["relay"]["state"] == "ready"
        killed = system.kill("relay")
        status = system.json("status")
        assert status["open_orders"]
        until("it is back", lambda: system.pid("relay") not in (0, killed), LONG_S)
        assert system.json("restart", "relay")
        until("it is ready", lambda: system.json("status")["processes"]["relay"]["state"] == "ready", LONG_S)
        after = system.json("status")["processes"]
        same = ("boot", "gaps", "drops")
        assert [[after[name][key] for key in same] for name in trading] == [
            [before[name][key] for key in same] for name in trading
        ]
        assert not system.config.halt_file.exists()


def test_without_an_endpoint_it_ends_at_once_and_readers_hear_the_publishers(world: World) -> None:
    none = world.run("relay", "--config", str(world.direct.source))
    assert none.wait(LONG_S) == 0
    reader = bus.attach(world.direct, ["control"])
    (received,) = until("it is there", reader.drain, LONG_S)
    assert received.topic == "control"
    assert topics.SNAPSHOT_REQUEST not in str(world.market.subscribed)
    reader.close()
