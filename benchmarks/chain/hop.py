"""One hop of the bus beside bare pyzmq: ``python -m benchmarks.chain.hop [--write]``.

A publisher and a reader in two processes over ipc, the same book message. Bare is a PUB and a SUB socket with
``send_multipart`` and a blocking ``recv_multipart``, nothing decoded. Ours is :class:`shared.bus.Publisher` and the
loop of a process: a poll, then everything that is queued, undecoded as the book process takes frames. Latency at 1,000
messages a second, from before the send to after the receipt; throughput flat out. The two take turns.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import zmq

from benchmarks import report
from benchmarks.chain.run import percentile
from shared.bus import Publisher, Subscriber, Undecoded

TOPIC = "feed.book.BTC/USD"
RATE = 1_000
MANY = 100_000
FRAME = b"x" * 300
_stamp = struct.Struct("q")

Reader = Callable[[str, int, Connection], None]


def read_bare(where: str, count: int, out: Connection) -> None:
    """Take messages with a bare socket; send their latencies in ns, and when the last came."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, 0)
    socket.setsockopt(zmq.SUBSCRIBE, TOPIC.encode())
    socket.connect(where)
    out.send("ready")
    latencies = []
    for _ in range(count):
        _, payload = socket.recv_multipart()
        latencies.append(time.monotonic_ns() - _stamp.unpack_from(payload, len(payload) - _stamp.size)[0])
    out.send((latencies, time.monotonic_ns()))


def read_ours(where: str, count: int, out: Connection) -> None:
    """Take messages as a process's loop does; send the same."""
    subscriber = Subscriber(zmq.Context.instance(), [], [TOPIC])
    subscriber.socket.setsockopt(zmq.RCVHWM, 0)  # the queue's bound is not what is measured
    subscriber.connect([where], None)
    subscriber.hand_over("feed.book")
    poller = zmq.Poller()
    poller.register(subscriber.socket, zmq.POLLIN)
    out.send("ready")
    latencies: list[int] = []
    while len(latencies) < count:
        poller.poll()
        for received in subscriber.drain():
            assert isinstance(received, Undecoded)
            for _, payload in received.parts:
                latencies.append(time.monotonic_ns() - _stamp.unpack_from(payload, len(payload) - _stamp.size)[0])
    out.send((latencies, time.monotonic_ns()))


def bare(folder: str) -> Callable[[], None]:
    """Return what sends one message with a bare socket."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    socket = context.socket(zmq.PUB)
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.bind(f"ipc://{folder}/bare")
    topic = TOPIC.encode()

    def send() -> None:
        socket.send_multipart((topic, FRAME + _stamp.pack(time.monotonic_ns())))

    return send


def ours(folder: str) -> Callable[[], None]:
    """Return what publishes one message."""
    publisher = Publisher(zmq.Context.instance(), f"ipc://{folder}/ours", "collector", 1, None)
    publisher.socket.setsockopt(zmq.SNDHWM, 0)

    def send() -> None:
        publisher.publish_encoded(TOPIC, FRAME + _stamp.pack(time.monotonic_ns()))

    return send


def run(send: Callable[[], None], where: str, read: Reader, count: int, rate: int) -> tuple[list[int], float]:
    """Send messages to a reader in another process; return their latencies in ns, and messages a second."""
    receiver, sender = multiprocessing.Pipe(False)
    process = multiprocessing.get_context("spawn").Process(target=read, args=(where, count, sender))
    process.start()
    receiver.recv()
    time.sleep(0.3)
    began = time.monotonic_ns()
    for number in range(count):
        if rate:
            left = began + number * 1_000_000_000 // rate - time.monotonic_ns()
            if left > 0:
                time.sleep(left / 1e9)
        send()
    latencies, ended = receiver.recv()
    process.join()
    return latencies, count / ((ended - began) / 1e9)


def main() -> None:
    """Measure, print, and write where asked."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.chain.hop", description=__doc__)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md and results.json")
    chosen = options.parse_args()
    machine = report.machine()
    latency: dict[str, list[float]] = {"ours": [], "bare": []}
    flat_out: dict[str, list[float]] = {"ours": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder:
        kinds: dict[str, tuple[Callable[[], None], Reader]] = {
            "ours": (ours(folder), read_ours),
            "bare": (bare(folder), read_bare),
        }
        for _ in range(chosen.repeats):
            for name, (send, read) in kinds.items():
                where = f"ipc://{Path(folder) / name}"
                latency[name].append(
                    percentile([float(v) for v in run(send, where, read, 2 * RATE, RATE)[0]], 50) / 1000
                )
                flat_out[name].append(run(send, where, read, MANY, 0)[1])
    lines = ["| what | ratio | ours | bare |", "| --- | ---: | ---: | ---: |"]
    for what, figures, digits in (("latency at 1,000/s, p50, us", latency, 0), ("messages/s, flat out", flat_out, 0)):
        ratios = [one / other for one, other in zip(figures["ours"], figures["bare"], strict=True)]
        values = " | ".join(f"{statistics.median(figures[name]):,.{digits}f}" for name in ("ours", "bare"))
        lines.append(
            f"| {what} | **{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f}) | {values} |"
        )
    print("\n".join(lines))
    if chosen.write:
        head = f"## A hop of the bus\n\n{report.today()}, `python -m benchmarks.chain.hop`. {machine}.\n"
        report.write("chain.hop", "\n".join([head, *lines]))
        report.keep("chain.hop", json.dumps({"latency_us": latency, "messages_s": flat_out}))


if __name__ == "__main__":
    main()
