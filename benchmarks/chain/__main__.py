"""From frame to order beside a plain chain: ``python -m benchmarks.chain [--quick] [--write]``.

Each system runs against stubs of its own on this machine. Frames leave at intended times and count from these, so a
stall of any part is in the figures. One frame in so many moves the touch and calls for an order, which its price names.
Our own limits are raised for it (benchmarks/chain/executor.py); everything else runs as always: checksums, risk gate,
journal on the disk before each order. The systems take turns, in ``--repeats`` rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import dataclass, field

from benchmarks import report
from benchmarks.chain.run import Chain, Measured, chain, percentile
from benchmarks.chain.schedule import Plan
from benchmarks.chain.systems import FLOOR, FOUR, ONE, OURS

SYSTEMS = (OURS, FOUR, ONE)
PERCENTILES = (50.0, 90.0, 99.0)
# p99.9 needs so many orders.
MANY = 5_000
BURST_RATE = 10.0
HELD_MS = 20.0
# Frames a second, tried from the slowest on.
LADDER = (1_000, 2_000, 4_000, 6_000, 8_000, 12_000, 16_000, 24_000, 32_000, 48_000, 64_000, 96_000)


@dataclass(frozen=True, slots=True)
class Load:
    """A load and its name in the table."""

    name: str
    pairs: int
    plan: Plan


def loads(seconds: float) -> list[Load]:
    """Return the loads of the table; ``seconds`` is how long the busy ones last."""
    return [
        Load("1 frame/s", 1, Plan(1, max(6, seconds), 1)),
        Load("10 frames/s, each after 100 ms of silence", 1, Plan(BURST_RATE, seconds, 1)),
        Load("100 frames/s, an order in 10", 1, Plan(100, seconds, 10)),
        Load("1,000 frames/s, an order in 20", 1, Plan(1_000, seconds, 20)),
        Load("20 frames at once, each after 100 ms of silence", 1, Plan(200, seconds, 20, burst=20)),
        Load("1,000 frames/s over 10 pairs, an order in 20", 10, Plan(1_000, seconds, 20)),
        Load("1,000 frames/s over 100 pairs, an order in 5", 100, Plan(1_000, seconds, 5)),
    ]


@dataclass(slots=True)
class Rounds:
    """The measurements of one load by system."""

    load: Load
    by_system: dict[str, list[Measured]] = field(default_factory=dict)

    def p(self, system: str, percent: float) -> list[float]:
        """Return a percentile of each round in us."""
        return [percentile(each.latencies_us, percent) for each in self.by_system[system] if each.latencies_us]


def measure(given: list[Load], repeats: int) -> list[Rounds]:
    """Measure each load with each system, ``repeats`` times in turn."""
    rounds = [Rounds(load) for load in given]
    for _ in range(repeats):
        for pairs in dict.fromkeys(load.pairs for load in given):
            for system in SYSTEMS:
                with chain(system, pairs) as running:
                    for each in (each for each in rounds if each.load.pairs == pairs):
                        each.by_system.setdefault(system, []).append(running.measure(each.load.plan))
    return rounds


def cancels(repeats: int, seconds: float) -> list[str]:
    """Return a line on cancels because the book moved, beside adds: 100 frames/s, one in ten adds or cancels."""
    ratios, figures = [], []
    with chain(OURS, 1, "Blink") as running:
        for _ in range(repeats):
            added, cancelled = running.measure_cancels(Plan(100, seconds, 10))
            ratios.append(percentile(cancelled, 50) / percentile(added, 50))
            figures.append((percentile(added, 50) / 1000, percentile(cancelled, 50) / 1000))
    add, cancel = (statistics.median(pair[at] for pair in figures) for at in (0, 1))
    return [
        f"A cancel because the book moved takes **{statistics.median(ratios):.2f}** times as long as an add "
        f"({min(ratios):.2f} to {max(ratios):.2f}; p50 {cancel:.2f} and {add:.2f} ms): it waits for no journal."
    ]


def silence(repeats: int, seconds: float) -> list[str]:
    """Return a table of the first message after silence beside a busy market, without and with spinning."""
    lines = [
        "| performance.spin | p50 after 100 ms of silence, to that at 1,000 frames/s | after silence, ms | busy, ms | "
        "CPU of a core after silence / busy |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for spin in (False, True):
        with chain(OURS, 1, spin=spin) as running:
            pairs = [
                (running.measure(Plan(BURST_RATE, seconds, 1)), running.measure(Plan(1_000, seconds, 20)))
                for _ in range(repeats)
            ]
        quiet, busy = ([percentile(pair[at].latencies_us, 50) for pair in pairs] for at in (0, 1))
        cpu = [statistics.median(pair[at].cpu_s / pair[at].seconds for pair in pairs) for at in (0, 1)]
        lines.append(
            f"| {'on' if spin else 'off'} | **{_ratio(quiet, busy)}** | {statistics.median(quiet) / 1000:.2f} | "
            f"{statistics.median(busy) / 1000:.2f} | {cpu[0]:.0%} / {cpu[1]:.0%} |"
        )
    return lines


def floor(repeats: int, seconds: float) -> list[str]:
    """Return a line on processes that only hand bytes on, beside the plain chain."""
    plan = Plan(1_000, seconds, 20)
    taken: dict[str, list[float]] = {FLOOR: [], FOUR: []}
    for _ in range(repeats):
        for system, p50s in taken.items():
            with chain(system, 1) as running:
                p50s.append(percentile(running.measure(plan).latencies_us, 50))
    return [
        "Four processes of picows, uvloop and blocking pyzmq that only hand bytes on, at 1,000 frames/s, take "
        f"**{_ratio(taken[FLOOR], taken[FOUR])}** times the plain chain's p50: "
        f"{statistics.median(taken[FLOOR]) / 1000:.2f} and {statistics.median(taken[FOUR]) / 1000:.2f} ms."
    ]


def where_it_goes(seconds: float) -> list[str]:
    """Return a table of each hop at 1,000 frames/s, by the stamps that orders carry."""
    with chain(OURS, 1) as running:
        hops = running.hops(Plan(1_000, seconds, 20))
    lines = ["| hop, at 1,000 frames/s | p50, ms | p90, ms | p99, ms |", "| --- | ---: | ---: | ---: |"]
    for name, values in hops.items():
        figures = " | ".join(f"{percentile(values, percent) / 1000:.2f}" for percent in PERCENTILES)
        lines.append(f"| {name} | {figures} |")
    return lines


def highest_rate(system: str, seconds: float) -> int:
    """Return the highest rate of :data:`LADDER` at which p99 stays under 20 ms and no order is missing; 0 for none."""
    held = 0
    with chain(system, 1) as running:
        for rate in LADDER:
            if not _holds(running, rate, seconds):
                break
            held = rate
    return held


def _holds(running: Chain, rate: int, seconds: float) -> bool:
    """True if a rate holds in one of two tries: the machine has other work now and then."""
    tries = (running.measure(Plan(rate, seconds, max(1, rate // 50))) for _ in range(2))
    return any(not each.missing and percentile(each.latencies_us, 99) < HELD_MS * 1000 for each in tries)


def table(rounds: list[Rounds]) -> list[str]:
    """Return the table of all loads, ratios first."""
    lines = [
        "| load | to four plain processes, p50 | to one plain process, p50 | p99 to p50 | "
        "TradeByte p50 / p90 / p99, ms | four plain | one plain | CPU of a core | without order |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in rounds:
        ours, four, one = (each.p(system, 50) for system in SYSTEMS)
        runs = each.by_system[OURS]
        cpu = statistics.median(run.cpu_s / run.seconds for run in runs)
        p99 = statistics.median(each.p(OURS, 99))
        lines.append(
            f"| {each.load.name} | **{_ratio(ours, four)}** | **{_ratio(ours, one)}** | "
            f"{p99 / statistics.median(ours):.1f} | {_figures(each, OURS)} | {_figures(each, FOUR)} | "
            f"{_figures(each, ONE)} | {cpu:.0%} | {sum(run.missing for run in runs)} |"
        )
    return lines


def _ratio(first: list[float], second: list[float]) -> str:
    ratios = [one / other for one, other in zip(first, second, strict=True)]
    spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 else ""
    return f"{statistics.median(ratios):.2f}{spread}"


def _figures(each: Rounds, system: str) -> str:
    figures = [statistics.median(each.p(system, percent)) / 1000 for percent in PERCENTILES]
    whole = [value for run in each.by_system[system] for value in run.latencies_us]
    rare = f" / {percentile(whole, 99.9) / 1000:.2f}" if len(whole) >= MANY else ""
    return " / ".join(f"{figure:.2f}" for figure in figures) + rare


def main() -> None:
    """Measure, print, and write where asked."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.chain", description=__doc__)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--seconds", type=float, default=3.0, help="of each load")
    options.add_argument("--quick", action="store_true", help="one round of two seconds")
    options.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md and results.json")
    chosen = options.parse_args()
    repeats, seconds = (1, 2.0) if chosen.quick else (chosen.repeats, chosen.seconds)
    machine = report.machine()
    rounds = measure(loads(seconds), repeats)
    lines = table(rounds)
    held = {system: highest_rate(system, min(seconds, 3.0)) for system in SYSTEMS}
    lines += ["", *floor(repeats, seconds), "", *where_it_goes(seconds), "", *cancels(repeats, seconds)]
    lines += ["", *silence(repeats, seconds)]
    lines += ["", "| system | highest rate with p99 under 20 ms and every order, frames/s |", "| --- | ---: |"]
    lines += [f"| {system} | {rate:,} |" for system, rate in held.items()]
    print("\n".join(lines))
    if chosen.write:
        head = (
            f"## From a frame to an order\n\n{report.today()}, `python -m benchmarks.chain --repeats {repeats} "
            f"--seconds {seconds:g}`. {machine}.\n{METHOD}"
        )
        report.write("chain", "\n".join([head, *lines]))
        report.keep("chain", as_json(rounds, held))


METHOD = """
Loopback; from a frame's intended time to the order's bytes at the exchange's socket. Median of the rounds (range). The
plain chains (benchmarks/chain/plain.py: asyncio, websockets, pyzmq, msgpack) verify no checksum, cut no book, and have
no limits, no risk gate, no journal and no recovery. TradeByte does all of that; of its own limits only the pace of
moves and the points of Kraken's counters are raised.
"""


def as_json(rounds: list[Rounds], held: dict[str, int]) -> str:
    """Return all figures as JSON, latencies in us."""
    figures = [
        {
            "load": each.load.name,
            "systems": {
                system: {f"p{percent:g}": each.p(system, percent) for percent in PERCENTILES} for system in SYSTEMS
            },
        }
        for each in rounds
    ]
    return json.dumps({"loads": figures, "highest_rate": held})


if __name__ == "__main__":
    main()
