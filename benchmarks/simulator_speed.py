"""Measure how fast the simulator is: ``python -m benchmarks.simulator_speed [--day-hours 24] [--write]``.

The matching engine alone, called from Python one operation at a time, at 10,000 resting orders; the public feed of one
venue to one client and to 20, from the engine's change through real sockets into another process; 1,450 made-up pairs
to one client that follows them all; a day of synthetic BTC/USD in virtual time, with the memory after each quarter of
it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from random import Random

import psutil
from aiohttp import web

from benchmarks import report
from shared.config import Simulator
from simulator.exchange.database.store import Store
from simulator.exchange.engine import load_engine
from simulator.exchange.exchange import Exchange
from simulator.exchange.venue.venue import CROWD_FROM, Venue
from simulator.market.market import Market
from simulator.market.style import style_of
from simulator.pairs import table as pair_table
from simulator.pairs.made import made_pairs
from simulator.pairs.pairs import ASSETS, PAIRS, add_pairs
from simulator.session import SYMBOLS_MAX
from simulator.websocket import Clock, Delays, WebSockets
from simulator.wire import NS
from simulator.world import World

RESTING = 10_000
REPEATS = 5
FEED_S = 8.0
PAIRS_COUNT = 1_450
START_NS = 1_790_000_000 * NS


def engine_rate(operations: int = 400_000) -> tuple[float, float, float]:
    """Return operations a second of CPU time (median, least, most): adds, cancels, amends, takes around a full book."""
    rates = []
    for repeat in range(REPEATS):
        rng = Random(repeat)
        engine = load_engine()()
        for number in range(RESTING):
            side = number % 2
            price = 100_000 - rng.randint(1, 500) if side else 100_000 + rng.randint(1, 500)
            engine.submit(number, 0, "buy" if side else "sell", price, rng.randint(1, 1000))
        calls: list[tuple[Callable[..., object], tuple[object, ...]]] = []
        submit, cancel, amend = engine.submit, engine.cancel, engine.amend
        alive = list(range(RESTING))
        for number in range(RESTING, RESTING + operations // 2):
            at = rng.randrange(len(alive))
            side = number % 2
            price = 100_000 - rng.randint(1, 500) if side else 100_000 + rng.randint(1, 500)
            calls.append((cancel, (alive[at],)))
            calls.append((submit, (number, 0, "buy" if side else "sell", price, rng.randint(1, 1000))))
            alive[at] = number
            if number % 10 == 0:
                calls[-2] = (amend, (alive[rng.randrange(len(alive))], None, rng.randint(1, 1000)))
        gc.collect()
        gc.disable()
        before = time.thread_time()
        for call, arguments in calls:
            call(*arguments)
        spent = time.thread_time() - before
        gc.enable()
        rates.append(len(calls) / spent)
    return statistics.median(rates), min(rates), max(rates)


async def _serve(sockets: WebSockets) -> tuple[web.AppRunner, int]:
    """Serve version 2 on a free port; return the runner, which is to be cleaned up, and the port."""
    application = web.Application()
    application.router.add_get("/v2", sockets.public)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, int(runner.addresses[0][1])


async def pairs_rate() -> tuple[float, float]:
    """Book messages a second of 1,450 pairs that a client in another process receives, and the CPU that they take."""
    pairs = pair_table.read_asset_pairs(json.dumps(made_pairs(PAIRS_COUNT)), ASSETS)
    add_pairs(pairs)
    symbols = [pair.symbol for pair in pairs]
    store = Store(":memory:")
    clock, delays = Clock(), Delays(0.0, 1)
    settings = Simulator(accounts=[], regime="flood", pairs=symbols)
    world = World(settings, store, load_engine(), clock(), 1)
    sockets = WebSockets(world, clock, delays)
    runner, port = await _serve(sockets)
    receiver, sender = multiprocessing.Pipe(False)
    reader = multiprocessing.get_context("spawn").Process(target=listen, args=(port, 1, sender, symbols))
    reader.start()
    while not all(venue.depths for venue in world.exchange.venues.values()):  # noqa: ASYNC110 - it subscribes when up
        await asyncio.sleep(0.01)
    begun, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < FEED_S:
        due = world.step(clock())
        await asyncio.sleep(max(0.0005, (due - clock()) / NS))
    await sockets.drained()
    spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
    await sockets.close()
    received = await asyncio.to_thread(receiver.recv)
    await asyncio.to_thread(reader.join, 10)
    await runner.cleanup()
    store.close()
    return float(received[0]) / spent, cpu / spent


async def feed_rate(clients: int) -> float:
    """Book messages a second that each of so many clients receives over its socket from a venue that never rests."""
    store = Store(":memory:")
    world = World(Simulator(accounts=[], regime="halted"), store, load_engine(), START_NS, 1)
    clock, delays = Clock(), Delays(0.0, 1)
    sockets = WebSockets(world, clock, delays)
    runner, port = await _serve(sockets)
    venue = world.exchange.venues["BTC/USD"]
    receiver, sender = multiprocessing.Pipe(False)
    reader = multiprocessing.get_context("spawn").Process(target=listen, args=(port, clients, sender))
    reader.start()
    while venue.depths.get(10, 0) < clients:  # noqa: ASYNC110 - the other process subscribes when it is up
        await asyncio.sleep(0.01)
    touch = venue.touch()[0]
    assert touch is not None
    # One order that changes its size: every operation is a book message for every client.
    number = CROWD_FROM * 4
    venue.submit(number, 0, "buy", touch - 1, 1000, START_NS)
    size = 0
    begun = time.perf_counter()
    while time.perf_counter() - begun < FEED_S:
        for _ in range(50):
            size = (size + 1) % 7
            venue.amend(number, "buy", None, 1000 + size, START_NS)
        world.hub.dispatch([], START_NS)
        await asyncio.sleep(0)
        # A reader that falls behind slows the measurement, and is not dropped.
        while max((connection.queued for connection in sockets.sessions.values()), default=0) > 2000:  # noqa: ASYNC110
            await asyncio.sleep(0.0005)
    await sockets.drained()
    spent = time.perf_counter() - begun
    await sockets.close()
    received = await asyncio.to_thread(receiver.recv)
    await asyncio.to_thread(reader.join, 10)
    await runner.cleanup()
    store.close()
    return float(min(received)) / spent


def listen(port: int, clients: int, sender: Connection, symbols: Sequence[str] = ("BTC/USD",)) -> None:
    """Read the subscriptions of ``clients`` to their end in a process of its own, and send how many messages came."""

    async def read() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        writer.write(
            b"GET /v2 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        for first in range(0, len(symbols), SYMBOLS_MAX):
            params = {"channel": "book", "symbol": symbols[first : first + SYMBOLS_MAX], "depth": 10}
            subscription = json.dumps({"method": "subscribe", "params": params}).encode()
            # A client's frame is masked; by zeros it stays as it is.
            writer.write(bytes((0x81, 0xFE)) + len(subscription).to_bytes(2, "big") + bytes(4) + subscription)
        count, rest, mark = 0, b"", b'{"channel":"book","type":"update"'
        while block := await reader.read(2**18):
            block = rest + block
            count += block.count(mark)
            rest = block[-len(mark) + 1 :]
        writer.close()
        return count

    async def read_all() -> list[int]:
        return list(await asyncio.gather(*(read() for _ in range(clients))))

    sender.send(asyncio.run(read_all()))


def day(hours: float) -> tuple[float, list[float]]:
    """Return wall seconds for virtual hours of BTC/USD with a depth-10 subscriber, and MB after each quarter."""
    pair = PAIRS["BTC/USD"]
    venue = Venue(pair, load_engine()(), 1, pair.start_price)
    market = Market(Exchange([venue], lambda: 0), venue, style_of(PAIRS["BTC/USD"], "calm"), "day")
    now, memory = START_NS, []
    process = psutil.Process()
    before = time.perf_counter()
    market.open(now)
    venue.depths[10] = 1
    for quarter in range(1, 5):
        end = START_NS + int(hours / 4 * quarter * 3600 * NS)
        while now < end:
            now = min(end, max(now + 1000, market.step(now)))
            venue.public.clear()
        memory.append(process.memory_info().rss / 1e6)
    return time.perf_counter() - before, memory


def main() -> None:
    """Print the figures, and with ``--write`` keep them in benchmarks/RESULTS.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulator_speed", description=__doc__)
    parser.add_argument("--day-hours", type=float, default=24.0)
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/RESULTS.md")
    given = parser.parse_args()
    machine = report.machine()
    middle, least, most = engine_rate()
    lines = [
        "| what | figure | wanted |",
        "| --- | --- | --- |",
        f"| {load_engine().__module__} engine at {RESTING:,} resting orders, calls from Python, CPU time | "
        f"{middle:,.0f} operations/s ({least:,.0f} to {most:,.0f}) | 1,000,000 |",
    ]
    for clients, wanted in ((1, "20,000"), (20, "2,000")):
        rate = asyncio.run(feed_rate(clients))
        lines.append(f"| book messages to each of {clients} client(s) in another process | {rate:,.0f}/s | {wanted} |")
    rate, share = asyncio.run(pairs_rate())
    lines.append(
        f"| book messages of {PAIRS_COUNT:,} pairs to one client in another process | {rate:,.0f}/s"
        f" ({share:.0%} of a core) | 15,000 |"
    )
    seconds, memory = day(given.day_hours)
    quarters = ", ".join(f"{size:.1f}" for size in memory)
    lines.append(f"| {given.day_hours:g} virtual hours of BTC/USD | {seconds:.0f} s | 300 s for 24 |")
    lines.append(f"| memory after each quarter of it | {quarters} MB | flat |")
    text = "\n".join(lines)
    print(text)
    if given.write:
        head = f"## Simulator\n\n`python -m benchmarks.simulator_speed`, {report.today()}, {machine}.\n\n"
        report.write("simulator", head + text)


if __name__ == "__main__":
    main()
