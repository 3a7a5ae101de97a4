"""Cost to trading of those who look: ``python -m benchmarks.watchers [--write]``.

A whole sandbox: each hop's latency and each trading process's CPU time alone, with many clients and tails that hear
the relay, and with as many that connect to every process, as without a relay; in turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from benchmarks import report
from monitor.model.latency import Latency
from shared import bus
from tests.chaos.watchers import SOURCES, streams, watching
from tests.system import System, running, until

HOPS = ("collector_to_book", "book_to_strategy", "strategy_to_executor")
TRADING = ("collector", "book", "strategy", "executor")
OTHERS = ("relay", "monitor")
ALONE, RELAYED, DIRECT = "alone", "by the relay", "connected to each"
SETTLE_S = 3.0


@dataclass
class Way:
    """All measurements of one way to look, a figure a round."""

    samples: Counter[str] = field(default_factory=Counter)
    p90_ms: dict[str, list[float]] = field(default_factory=lambda: {hop: [] for hop in HOPS})
    cpu_percent: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in (*TRADING, *OTHERS)})


def measure(system: System, seconds: float, way: Way) -> None:
    """Listen to the bus for some seconds; add what was seen."""
    own = Latency()
    reader = bus.attach(system.config, SOURCES)
    processes = {name: psutil.Process(system.pid(name)) for name in way.cpu_percent}
    before, began = {name: _cpu_s(process) for name, process in processes.items()}, time.monotonic()
    try:
        while time.monotonic() < began + seconds:
            reader.wait(50)
            for received in reader.drain():
                own.take(received)
    finally:
        reader.close()
    took = time.monotonic() - began
    for name, process in processes.items():
        way.cpu_percent[name].append(100 * (_cpu_s(process) - before[name]) / took)
    for hop in own.described():
        if hop.hop in HOPS and hop.p90_ms is not None:
            way.samples[hop.hop] += hop.count
            way.p90_ms[hop.hop].append(hop.p90_ms)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def run(clients: int, tails: int, seconds: float, rounds: int) -> dict[str, Way]:
    """Measure each way in every round, the order of the two watched ones changing."""
    ways = {name: Way() for name in (ALONE, RELAYED, DIRECT)}
    with tempfile.TemporaryDirectory(prefix="tradebyte-watchers-") as folder, running(Path(folder)) as system:
        configurations = {RELAYED: system.folder / "config/config.yaml", DIRECT: _without_relay(system)}
        for number in range(rounds):
            for name in (RELAYED, DIRECT) if number % 2 == 0 else (DIRECT, RELAYED):
                time.sleep(SETTLE_S)
                measure(system, seconds / 2, ways[ALONE])
                with watching(system, clients, tails, configurations[name]) as watchers:
                    until("the clients are connected", lambda: streams(system) >= clients, 120)
                    watchers.until_heard()
                    time.sleep(SETTLE_S)
                    measure(system, seconds, ways[name])
                print(f"round {number + 1}, {name}: {ways[name].p90_ms}", flush=True)
    return ways


def _without_relay(system: System) -> Path:
    path = system.folder / "config/direct.yaml"
    tree = {**system.tree, "bus": {name: where for name, where in system.tree["bus"].items() if name != "relay"}}
    path.write_text(yaml.safe_dump(tree))
    return path


def body(ways: dict[str, Way], clients: int, tails: int, seconds: float, rounds: int, machine: str) -> str:
    """Return the section."""
    command = f"`python -m benchmarks.watchers --clients {clients} --tails {tails} --seconds {seconds:g} "
    lines = [
        "## Those who look",
        "",
        f"{machine}; {report.today()}; {command}--rounds {rounds} --write`.",
        "",
        f"A sandbox alone, with {clients} clients of `/stream` and {tails} processes of `tradebyte tail` that hear the",
        "relay, and with as many of them that connect to every process. All run on these cores, the watchers only",
        "while nothing else wants one. The 90th percentile in ms: median of the rounds (range; how many samples), and",
        "the ratio of the medians to alone.",
        "",
        f"| hop | {ALONE} | {RELAYED} | {DIRECT} | ratio, {RELAYED} | ratio, {DIRECT} |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for hop in HOPS:
        cells = [_cell(way, hop) for way in ways.values()]
        ratios = [_ratio(ways[name].p90_ms[hop], ways[ALONE].p90_ms[hop]) for name in (RELAYED, DIRECT)]
        lines.append(f"| {hop.replace('_', ' ')} | {' | '.join((*cells, *ratios))} |")
    lines += [
        "",
        "CPU in % of a core, median (range) of the rounds:",
        "",
        f"| process | {ALONE} | {RELAYED} | {DIRECT} |",
        "| --- | ---: | ---: | ---: |",
    ]
    for process in (*TRADING, *OTHERS):
        cells = [_median(way.cpu_percent[process]) for way in ways.values()]
        lines.append(f"| {process} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(way: Way, hop: str) -> str:
    rounds = way.p90_ms[hop]
    if not rounds:
        return "none"
    return f"{statistics.median(rounds):.2f} ({min(rounds):.2f} to {max(rounds):.2f}; {way.samples[hop]:,})"


def _ratio(rounds: list[float], alone: list[float]) -> str:
    return f"**{statistics.median(rounds) / statistics.median(alone):.2f}**" if rounds and alone else "none"


def _median(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    """Measure, print, and write where asked."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clients", type=int, default=20)
    options.add_argument("--tails", type=int, default=50)
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    chosen = options.parse_args()
    machine = report.machine()
    ways = run(chosen.clients, chosen.tails, chosen.seconds, chosen.rounds)
    made = body(ways, chosen.clients, chosen.tails, chosen.seconds, chosen.rounds, machine)
    print(made)
    if chosen.write:
        report.write("watchers", made)


if __name__ == "__main__":
    main()
