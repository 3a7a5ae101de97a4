"""All of Kraken at once, collector and book only: ``python -m benchmarks.everything [--quick] [--write]``.

A stub sends the books of 1,450 pairs at depth 10, 15,000 updates a second with bursts of 40,000 a second for 100 ms in
each two seconds. The latency is from a frame's intended time to the first ``book.<symbol>`` message with it at a reader
of the bus. In the end every book must be as the stub has it. The stub's and the reader's CPU are not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
import zmq

from benchmarks import report
from benchmarks.chain.pairs import listed
from benchmarks.chain.run import percentile
from benchmarks.chain.schedule import Ladder
from benchmarks.chain.systems import ROOT, Processes, cpu_s, free_port, processes
from benchmarks.everything.load import Load, frames
from benchmarks.everything.reader import Reader
from shared import limits

FOLDER = ROOT / "run" / "everything"
PAIRS = 1_450
WARM_S = 3.0
SETTLE_S = 2.5
BEAT_S = 1.2
US = 1000
# Every frame of one pair in so many is timed: the reader is on the same cores.
TIMED = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: latencies of all frames in us, how many the book process or the reader lacks, and what it cost."""

    frames: int
    latencies_us: list[float]
    missing: int
    wrong_books: int
    cpu: dict[str, float]
    rss_mb: dict[str, float]
    stub_p99_us: float


class System:
    """Collector and book against the stub."""

    def __init__(self, pairs: int, started: Processes) -> None:
        self._ladders = [Ladder(pair) for pair in listed(pairs)]
        self._stub = started.start("-m", "benchmarks.everything.stub", str(pairs))
        shutil.rmtree(FOLDER, ignore_errors=True)
        (FOLDER / "config").mkdir(parents=True)
        self._port = int(self._answer())
        path = FOLDER / "config" / "config.yaml"
        path.write_text(yaml.safe_dump(self._config()), encoding="utf-8")
        self.pids = {
            name: started.start("-m", name, "--config", str(path), folder=FOLDER, log=FOLDER / f"{name}.out").pid
            for name in ("book", "collector")
        }
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        socket.setsockopt(zmq.RCVHWM, 10 * limits.BUS_QUEUE_MESSAGES)
        for topic in (b"book.", b"heartbeat.book\0"):
            socket.setsockopt(zmq.SUBSCRIBE, topic)
        socket.connect(f"ipc://{FOLDER}/run/bus/book")
        self._timed = [ladder.symbol for ladder in self._ladders[::TIMED]]
        self._reader = Reader(socket, frozenset(f"book.{symbol}\0".encode() for symbol in self._timed))
        self._wait("every book is live", lambda: self._live() == pairs)

    def measure(self, load: Load) -> Measured:
        """Play a load, and compare the books in the end."""
        made: dict[str, list[int]] = {}
        for frame in frames(load, self._ladders):
            made.setdefault(frame.symbol, []).append(frame.at_ns)
        self._read_until(time.monotonic() + BEAT_S)
        self._reader.forget()
        taken = self._reader.frames
        before = {name: cpu_s([pid]) for name, pid in self.pids.items()}
        left = json.loads(self._play(load))
        cpu = {name: (cpu_s([pid]) - before[name]) / load.seconds for name, pid in self.pids.items()}
        self._read_until(time.monotonic() + SETTLE_S)  # what was lost comes with the repeats
        taken = self._reader.frames - taken
        timed = {symbol: [(left["began"] + at) // US * US for at in made[symbol]] for symbol in self._timed}
        latencies = [late / 1000 for each in timed.items() for late in self._reader.late_ns(*each)]
        count = sum(map(len, made.values()))
        unheard = sum(map(len, timed.values())) - len(latencies)
        books = self._reader.books()
        wrong = sum(books[ladder.symbol].checksum != ladder.checksum() for ladder in self._ladders)
        rss = {name: _rss_mb(pid) for name, pid in self.pids.items()}
        lost = max(count - taken, unheard) + self._reader.missed
        return Measured(count, latencies, lost, wrong, cpu, rss, left["p99_us"])

    def _config(self) -> dict[str, object]:
        pairs = listed(len(self._ladders))
        bases = sorted({pair.base.name for pair in pairs})
        url = f"ws://127.0.0.1:{self._port}/v2"
        return {
            "kraken": {"rest_url": f"http://127.0.0.1:{free_port()}", "ws_url": url, "ws_auth_url": url},
            "trading": {
                "pairs": [pair.symbol for pair in pairs],
                "record_depth": 10,
                "inventory_base": dict.fromkeys(bases, 1),
            },
        }

    def _live(self) -> int:
        return sum(book.state == "live" for book in self._reader.books().values())

    def _wait(self, what: str, is_done: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not is_done():
            if time.monotonic() > until:
                raise TimeoutError(f"{what}: not within a minute; see {FOLDER}")
            self._read_until(time.monotonic() + 0.5)

    def _play(self, load: Load) -> str:
        stub = self._stub
        assert stub.stdin is not None
        assert stub.stdout is not None
        stub.stdin.write(f"{json.dumps(asdict(load))}\n")
        stub.stdin.flush()
        poller = zmq.Poller()
        poller.register(self._reader.socket, zmq.POLLIN)
        poller.register(stub.stdout, zmq.POLLIN)
        while stub.stdout.fileno() not in dict(poller.poll()):
            self._reader.drain()
        return self._answer()

    def _read_until(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            if self._reader.socket.poll(int(left * 1000) + 1):
                self._reader.drain()

    def _answer(self) -> str:
        assert self._stub.stdout is not None
        line = self._stub.stdout.readline()
        if not line:
            raise RuntimeError("the stub ended")
        return line


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def table(runs: list[Measured]) -> list[str]:
    """Return the runs as a table, their medians last."""
    lines = [
        "| run | p50 / p90 / p99 / p99.9, ms | frames | lost | books that differ | CPU of a core, collector / book | "
        "RSS, collector / book | the stub itself late by, p99 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for number, run in enumerate(runs, 1):
        figures = " / ".join(f"{percentile(run.latencies_us, p) / 1000:.2f}" for p in (50, 90, 99, 99.9))
        cpu = " / ".join(f"{run.cpu[name]:.0%}" for name in ("collector", "book"))
        rss = " / ".join(f"{run.rss_mb[name]:.0f} MB" for name in ("collector", "book"))
        lines.append(
            f"| {number} | {figures} | {run.frames:,} | {run.missing} | {run.wrong_books} | {cpu} | {rss} | "
            f"{run.stub_p99_us / 1000:.2f} ms |"
        )
    p99 = statistics.median(percentile(run.latencies_us, 99) for run in runs) / 1000
    lines.append(f"\nMedian p99: {p99:.2f} ms.")
    return lines


def main() -> None:
    """Measure, print, and write where asked."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.everything", description=__doc__)
    options.add_argument("--pairs", type=int, default=PAIRS)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--quick", action="store_true", help="one run of four seconds")
    options.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md and results.json")
    chosen = options.parse_args()
    repeats, seconds = (1, 4.0) if chosen.quick else (chosen.repeats, chosen.seconds)
    machine = report.machine()
    with processes() as started:
        system = System(chosen.pairs, started)
        system.measure(Load(chosen.pairs, WARM_S))
        runs = [system.measure(Load(chosen.pairs, seconds)) for _ in range(repeats)]
    lines = table(runs)
    print("\n".join(lines))
    if chosen.write:
        command = f"`python -m benchmarks.everything --repeats {repeats} --seconds {seconds:g}`"
        head = f"## All of Kraken\n\n{report.today()}, {command}. {machine}.\n{METHOD}"
        report.write("everything", "\n".join([head, *lines]))
        report.keep("everything", json.dumps([asdict(run) | {"latencies_us": _percentiles(run)} for run in runs]))


def _percentiles(run: Measured) -> dict[str, float]:
    return {f"p{p:g}": percentile(run.latencies_us, p) for p in (50, 90, 99, 99.9)}


METHOD = """
1,450 pairs at depth 10; 15,000 updates a second, and 40,000 a second for 100 ms in each two seconds. From a frame's
intended time to the first message with it at a reader of the bus (frames of a book that wait together have one
message), for one pair in twenty. Collector and book only; the CPU of stub and reader is not counted,
though they use the same cores. A run is right if nothing is lost and no book differs from the stub's in the end.
"""


if __name__ == "__main__":
    main()
