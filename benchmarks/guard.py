"""A guard of the hot paths that no load can disturb: ``python -m benchmarks.guard`` (``make bench-check``).

It counts, for each message: the calls of functions, and the most bytes that are held at once beyond what was held
before. Both are the same on a busy machine and on a quiet one. More than :data:`SLACK` times what ``guard.json`` holds
fails: a path that every message takes has become dearer. If that is worth it, ``--update`` writes the new figures, and
the commit says why; it also keeps what has become cheaper.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import zmq

from benchmarks.batch import Chain
from benchmarks.book import generated
from benchmarks.executor_pass import WARM, ManyPairs
from shared.bus import Publisher, Subscriber
from shared.clock import SECOND
from shared.config import Config
from shared.messages import (
    Account,
    Book,
    BookState,
    BookStatus,
    FeedFrame,
    FeedStatus,
    Fees,
    Instruments,
    Position,
    Rate,
)
from strategy.host import Host
from tests.kit.pairs import BTC

FILE = Path(__file__).with_name("guard.json")
SLACK = 1.15
MESSAGES = 200
SYMBOL = "BTC/USD"
Handle = Callable[[int], object]


def market_data() -> Handle:
    """Return a book frame's way through collector and book, from its bytes to those of both messages."""
    chain = Chain([SYMBOL], by_rust=True)
    frames = [frame for _, frame in generated(10, 3 * MESSAGES).frames]
    chain.keep(chain.collect(frames[:1]))

    def handle(number: int) -> object:
        return chain.keep(chain.collect([frames[number + 1]]))

    return handle


def strategy() -> Handle:
    """Return the strategy's way of a book whose touch moved to a target."""
    host = Host(Config(), "market_maker", "here")
    now = 1000 * SECOND
    rates = {"USD": Rate(rate="1", valid=True), "BTC": Rate(rate="84000", valid=True, way=[SYMBOL])}
    for message in (
        FeedStatus(connected=True, connection=1, last_byte=now, system="online"),
        BookStatus(),
        Instruments(pairs={SYMBOL: BTC}),
        Position(strategy="market_maker", symbol=SYMBOL, valid=True, qty_precision=8, fills=0),
        Account(valid=True, fees={SYMBOL: Fees(maker="0.00", taker="0.10")}, rates=rates),
    ):
        host.message(message, now)

    def handle(number: int) -> object:
        touch = 840_000 + 100 * (number % 20)
        levels = [(touch - level, 10**8) for level in range(10)], [(touch + 1 + level, 10**8) for level in range(10)]
        host.message(
            Book(
                symbol=SYMBOL,
                state=BookState.LIVE,
                price_precision=1,
                qty_precision=8,
                bids=levels[0],
                asks=levels[1],
            ),
            now,
        )
        return host.take()

    return handle


def executor() -> Handle:
    """Return the executor's pass that moves one of a pair's orders, with its answers."""
    world = ManyPairs(1)

    def handle(number: int) -> None:
        world.one_pass(number)
        world.armed()

    for number in range(WARM):
        handle(number)
    return lambda number: handle(WARM + number)


def bus() -> Handle:
    """Return a message's way from a publisher to a reader in one process."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    where = f"ipc://{tempfile.mkdtemp()}/guard"
    publisher = Publisher(context, where, "collector", 1, None)
    subscriber = Subscriber(context, [where], ["feed.book"])
    while not publisher.is_subscribed("feed.book"):
        publisher.serve_subscriptions()
    message = FeedFrame(symbol=SYMBOL, frame=b"x" * 300, connection=1, received=1)

    def handle(_number: int) -> object:
        publisher.publish(f"feed.book.{SYMBOL}", message)
        subscriber.socket.poll(1000)
        return subscriber.drain()

    return handle


PATHS: dict[str, Callable[[], Handle]] = {
    "collector and book, a frame to both messages": market_data,
    "strategy, a moved touch to a target": strategy,
    "executor, a pass that moves an order, with its answers": executor,
    "bus, published and read": bus,
}


def calls(handle: Handle) -> float:
    """Return the calls of functions, Python's and C's, for one message."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        for number in range(MESSAGES):
            handle(number)
    finally:
        sys.setprofile(None)
    return count / MESSAGES


def held_bytes(handle: Handle) -> float:
    """Return the most bytes that a message's handling holds at once, on average."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        total = 0
        for number in range(MESSAGES):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            handle(number)
            total += tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    return total / MESSAGES


def measure() -> dict[str, dict[str, float]]:
    """Return the figures of all paths."""
    return {
        name: {"calls": round(calls(make()), 1), "bytes": round(held_bytes(make()))} for name, make in PATHS.items()
    }


def dearer(now: dict[str, dict[str, float]], recorded: dict[str, dict[str, float]]) -> list[str]:
    """Return what has become dearer than recorded, a line each."""
    lines = []
    for name, figures in now.items():
        for what, value in figures.items():
            was = recorded.get(name, {}).get(what)
            if was is None:
                lines.append(f"{name}: no {what} recorded; run 'python -m benchmarks.guard --update'")
            elif value > was * SLACK:
                lines.append(f"{name}: {value:g} {what} a message, {was:g} recorded")
    return lines


def main() -> None:
    """Compare with what is recorded, or record."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    options.add_argument("--update", action="store_true", help="record what is measured now")
    now = measure()
    if options.parse_args().update:
        FILE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    for name, figures in now.items():
        print(f"{name}: {figures['calls']:g} calls, {figures['bytes']:,.0f} bytes")
    lines = dearer(now, json.loads(FILE.read_text(encoding="utf-8")))
    if lines:
        print("\n".join(["", *lines]), file=sys.stderr)
        print("If that is worth it: python -m benchmarks.guard --update, and say why in the commit.", file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
