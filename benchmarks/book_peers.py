"""The order books beside others that people use: ``python -m benchmarks.book_peers`` (``make bench``).

Each takes the same raw frames in every round, in CPU time of the thread; the ratio is of the medians of the rounds. The
others run in an environment of their own, which is made once in run/book-peers/.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from benchmarks import report
from benchmarks.book import CAPTURES, DEPTHS, Workload, captured, generated, rust_module
from book import orderbook
from book.interface import Implementation

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / "run" / "book-peers"
SCRIPT = ROOT / "benchmarks" / "peers" / "books.py"
PACKAGES = (
    "order-book==0.6.1",
    "python-kraken-sdk==3.5.1",
    "ccxt==4.5.90",
    "sortedcontainers==2.4.0",
    "nautilus_trader==1.221.0",
    "msgspec==0.23.0",
)
# How often each workload is played in a round; the median counts.
PASSES = 5
RUST, TWIN = "TradeByte, Rust", "TradeByte, Python"
# What each does with a frame, and what it leaves out.
ABOUT = {
    RUST: "whole checksum each frame, malformed frames refused",
    TWIN: "the same",
    "order-book": "C; parsed by msgspec with Decimal; whole checksum",
    "bisect": "sorted lists, text kept by level; parsed by msgspec, no form checked, one precision; whole checksum",
    "sortedcontainers": "the parser of TradeByte's Python book; whole checksum",
    "python-kraken-sdk": "json with floats, formatted to the pair's decimals; no checksum of snapshots",
    "ccxt": "json with floats; no checksum",
    "nautilus_trader": "parsed by msgspec; no checksum, no truncation to the depth",
}


@dataclass(slots=True)
class Contestant:
    """A book with its us a frame, by workload and round."""

    name: str
    rounds: list[list[float]] = field(default_factory=list)

    def times(self, workload: int) -> list[float]:
        """Return the rounds of a workload."""
        return [each[workload] for each in self.rounds]


def main() -> int:
    """Measure, print, and write the section of RESULTS.md."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.book_peers", description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    options.add_argument("--updates", type=int, default=2000, help="generated frames at each depth (2000)")
    chosen = options.parse_args()
    rust_client = rust_module()
    if rust_client is None:
        print("the Rust module is not built, so there is nothing to compare: 'make rust' builds it", file=sys.stderr)
        return 1
    where = report.machine()
    workloads = _workloads(chosen.updates)
    measured = measure(workloads, {RUST: rust_client, TWIN: orderbook}, chosen.rounds)
    body = section(workloads, measured, where, chosen.rounds)
    print(body)
    report.write("book_peers", body)
    return 0


def _workloads(updates: int) -> list[Workload]:
    folder = Path(os.environ.get("TRADEBYTE_FRAMES") or ROOT.parent / "shared" / "frames")
    name, file, depth = CAPTURES[0]
    recorded = [captured(name, folder / file, depth)] if (folder / file).is_file() else []
    return recorded + [generated(depth, updates) for depth in DEPTHS]


def measure(workloads: list[Workload], ours: dict[str, Implementation], rounds: int) -> list[Contestant]:
    """Return every book's times, one after the other in each round."""
    python = _environment()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.json"
        frames = [{"depth": load.depth, "frames": [frame.decode() for _, frame in load.frames]} for load in workloads]
        file.write_text(json.dumps(frames), encoding="utf-8")
        runs: dict[str, Callable[[], list[float]]] = {}
        for name in ABOUT:
            if name in ours:
                runs[name] = partial(own, ours[name], workloads)
            else:
                runs[name] = partial(_peer, python, name, file)
        contestants = [Contestant(name) for name in runs]
        for number in range(rounds):
            for contestant in contestants:
                contestant.rounds.append(runs[contestant.name]())
            print(f"round {number + 1} of {rounds}", flush=True)
    return contestants


def _environment() -> Path:
    """Return the Python that has the others, which are installed at the first run."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def own(module: Implementation, workloads: list[Workload]) -> list[float]:
    """Return us a frame of each workload by a book of ours."""
    return [statistics.median(_play(module, load) for _ in range(PASSES)) for load in workloads]


def _play(module: Implementation, workload: Workload) -> float:
    """Return us a frame of one pass, whose checksums must all match."""
    frames = [frame for _, frame in workload.frames]
    book = module.OrderBook(workload.frames[0][0], workload.depth, module.WIRE, module.WIRE)
    take = book.apply_frame
    began = time.thread_time_ns()
    for frame in frames:
        take(frame)
    took_ns = time.thread_time_ns() - began
    if book.checksums_ok != len(frames):
        raise SystemExit(f"{workload.name}: {book.checksums_failed} checksums failed: nothing measured so counts")
    return took_ns / len(frames) / 1000


def _peer(python: Path, name: str, file: Path) -> list[float]:
    command = [str(python), str(SCRIPT), name, str(file), str(PASSES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[float])


def section(workloads: list[Workload], contestants: list[Contestant], where: str, rounds: int) -> str:
    """Return the section of RESULTS.md: ratios to the Rust book first, then us a frame."""
    names = [f"{load.name}, depth {load.depth}" for load in workloads]
    versions = ", ".join(package.replace("==", " ") for package in PACKAGES)
    lines = [
        "## Order book beside others",
        "",
        f"{report.today()}, `python -m benchmarks.book_peers` (`make bench`), {rounds} alternating rounds. {where}.",
        "",
        f"Raw bytes of a frame to the book, CPU time, one symbol; {versions}. First the time by that of the Rust book,",
        "median by median (least and most of the rounds), then us a frame, median.",
        "",
        f"| times the Rust book's | {' | '.join(names)} | how, and what it leaves out |",
        f"| --- |{' ---: |' * len(names)} --- |",
        *(_ratios(contestant, contestants[0], len(names)) for contestant in contestants),
        "",
        f"| us a frame | {' | '.join(names)} |",
        f"| --- |{' ---: |' * len(names)}",
        *(_times(contestant, len(names)) for contestant in contestants),
        "",
        _twin(contestants, names),
    ]
    return "\n".join(lines)


def _ratios(contestant: Contestant, first: Contestant, count: int) -> str:
    cells = []
    for index in range(count):
        own, other = contestant.times(index), first.times(index)
        ratios = [mine / theirs for mine, theirs in zip(own, other, strict=True)]
        middle = statistics.median(own) / statistics.median(other)
        cells.append(f"**{middle:.1f}** ({min(ratios):.1f} to {max(ratios):.1f})")
    return f"| {contestant.name} | {' | '.join(cells)} | {ABOUT[contestant.name]} |"


def _times(contestant: Contestant, count: int) -> str:
    cells = [f"{statistics.median(contestant.times(index)):.2f}" for index in range(count)]
    return f"| {contestant.name} | {' | '.join(cells)} |"


def _twin(contestants: list[Contestant], names: list[str]) -> str:
    """Return the sentence that holds the Python book against sortedcontainers."""
    by_name = {contestant.name: contestant for contestant in contestants}
    ratios = [
        statistics.median(by_name["sortedcontainers"].times(index)) / statistics.median(by_name[TWIN].times(index))
        for index in range(len(names))
    ]
    listed = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    return f"sortedcontainers takes {listed} times as long as TradeByte's Python book, with the same parser."


if __name__ == "__main__":
    sys.exit(main())
