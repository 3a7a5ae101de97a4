"""Measures a chain from outside: frames at their intended times in, orders by their price out."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import zmq

from benchmarks.chain import systems
from benchmarks.chain.pairs import listed
from benchmarks.chain.private_stub import Note
from benchmarks.chain.schedule import SECOND, Ladder, Plan, frames
from benchmarks.chain.systems import OURS, Exchange, Processes
from monitor.model.latency import Latency
from shared.bus import Subscriber
from shared.messages import Order, Orders

WARM = Plan(rate=20, seconds=3, calls=2)
SETTLE_S = 0.3
# From a frame's intended time to the order's frame at the exchange.
HOPS = ("to collector", "to book", "to strategy", "to executor", "pass and journal", "to exchange")


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement: latencies of the frames that called for an order, in us; ``missing`` had none."""

    latencies_us: list[float]
    missing: int
    cpu_s: float
    seconds: float


class Listener(threading.Thread):
    """Hears our executor's orders: each order by symbol and price as it was first sent there."""

    def __init__(self, endpoint: Path) -> None:
        super().__init__(daemon=True)
        self.orders: dict[tuple[str, int], Order] = {}
        self.latency = Latency()
        self._endpoint = f"ipc://{endpoint}"
        self._over = threading.Event()

    def __enter__(self) -> Listener:
        self.start()
        time.sleep(SETTLE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Listen until the block ends."""
        where = [self._endpoint, self._endpoint.replace("bus/executor", "bus/strategy.join")]
        subscriber = Subscriber(zmq.Context.instance(), where, ["order", "target"])
        while not self._over.is_set():
            subscriber.socket.poll(50)
            for received in subscriber.drain():
                self.latency.take(received)
                message = received.message
                if isinstance(message, Orders):
                    for order in message.orders:
                        if order.sent:
                            self.orders.setdefault((message.symbol, order.price), order)
        subscriber.socket.close()


class Chain:
    """A system that runs against stubs of its own."""

    def __init__(self, name: str, pairs: int, started: Processes, rule: str = "Join", *, spin: bool = False) -> None:
        self.name = name
        self.latency = Latency()
        listed_pairs = listed(pairs)
        symbols = [pair.symbol for pair in listed_pairs]
        self._public = started.start("-m", "benchmarks.chain.public_stub", str(pairs))
        assets = sorted({asset.name for pair in listed_pairs for asset in (pair.base, pair.quote)})
        self._private = started.start("-m", "benchmarks.chain.private_stub", *assets)
        public, private = (f"ws://127.0.0.1:{int(_line(stub))}/v2" for stub in (self._public, self._private))
        self._ladders = [Ladder(pair) for pair in listed_pairs]
        self.pids = systems.start(name, Exchange(public, private, symbols, symbols), started, rule, spin=spin)
        self._until_quoting()

    def measure(self, plan: Plan) -> Measured:
        """Play a plan; return how long its orders took."""
        self._orders()
        before = systems.cpu_s([*self.pids.values()])
        made = frames(plan, self._ladders)
        began = self._play(plan)
        time.sleep(SETTLE_S)
        spent = systems.cpu_s([*self.pids.values()]) - before
        first: dict[tuple[str, int], int] = {}
        ladders = {ladder.symbol: ladder for ladder in self._ladders}
        for came, _, symbol, price in self._orders():
            if symbol in ladders and price is not None:
                first.setdefault((symbol, ladders[symbol].number_of(price)), came)
        called = [frame for frame in made if frame.calling]
        latencies = [
            (first[key] - began - frame.at_ns) / 1000
            for frame in called
            if (key := (frame.symbol, frame.calling)) in first
        ]
        return Measured(latencies, len(called) - len(latencies), spent, plan.seconds)

    def hops(self, plan: Plan) -> dict[str, list[float]]:
        """Play a plan of our own system; return each hop of its orders in us, by the stamps that the bus carries."""
        self._orders()
        made = [frame for frame in frames(plan, self._ladders) if frame.calling]
        ladders = {ladder.symbol: ladder for ladder in self._ladders}
        with Listener(systems.FOLDER / OURS / "run" / "bus" / "executor") as listener:
            began = self._play(plan)
            time.sleep(SETTLE_S)
        came: dict[tuple[str, int], int] = {}
        for at, _, symbol, price in self._orders():
            if symbol in ladders and price is not None:
                came.setdefault((symbol, ladders[symbol].number_of(price)), at)
        self.latency = listener.latency
        taken: dict[str, list[float]] = {name: [] for name in HOPS}
        boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
        for frame in made:
            key = (frame.symbol, frame.calling)
            order = listener.orders.get((frame.symbol, ladders[frame.symbol].ticks_at(frame.calling)))
            if key in came and order is not None:
                due = began + frame.at_ns + boot
                marks = (due, order.received, order.booked, order.decided, order.heard, order.sent, came[key] + boot)
                for name, (first, second) in zip(HOPS, pairwise(marks), strict=True):
                    taken[name].append((second - first) / 1000)
        return taken

    def measure_cancels(self, plan: Plan) -> tuple[list[float], list[float]]:
        """Play a plan for one pair whose rule blinks; return how long adds took, and cancels, in us."""
        (ladder,) = self._ladders
        self._orders()
        made = [frame for frame in frames(plan, self._ladders) if frame.calling]
        began = self._play(plan)
        time.sleep(SETTLE_S)
        notes = self._orders()
        taken: dict[bool, list[float]] = {True: [], False: []}
        for number, frame in enumerate(made):
            due = began + frame.at_ns
            until = began + made[number + 1].at_ns if number + 1 < len(made) else due + SECOND
            is_add = (ladder.first_bid + frame.calling) % 2 == 0
            came = next((at for at, method, *_ in notes if due <= at < until and ("add" in method) == is_add), None)
            if came is not None:
                taken[is_add].append((came - due) / 1000)
        return taken[True], taken[False]

    def _until_quoting(self) -> None:
        """Wait until the system places orders, then let it run warm."""
        until = time.monotonic() + 40
        while not self._orders():
            if time.monotonic() > until:
                raise TimeoutError(f"{self.name} placed no order; see {systems.FOLDER}")
            time.sleep(0.2)
            frames(Plan(5, 1, 1), self._ladders)
            self._play(Plan(5, 1, 1))
        self.measure(WARM)

    def _play(self, plan: Plan) -> int:
        _say(self._public, json.dumps(asdict(plan)))
        return int(_line(self._public))

    def _orders(self) -> list[Note]:
        _say(self._private, "orders")
        notes: list[Note] = json.loads(_line(self._private))
        return notes


@contextlib.contextmanager
def chain(name: str, pairs: int, rule: str = "Join", *, spin: bool = False) -> Iterator[Chain]:
    """Give a running system."""
    with systems.processes() as started:
        yield Chain(name, pairs, started, rule, spin=spin)


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a stub ended")
    return line


def percentile(values: list[float], percent: float) -> float:
    """Return a percentile by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(percent / 100 * len(ordered)))]
