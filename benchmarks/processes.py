"""Cost of the processes, and how fast they are back: ``python -m benchmarks.processes [--write]``.

The whole system on its sandbox under supervisord, in a folder of its own. CPU and memory while it trades and nobody
watches; then each process is killed (SIGKILL) ``--repeats`` times, and counts are: from the kill to the first message
that counts (a live book, a target, a frame of the new connection, a position that is known again), supervisord's
respawn included; and from the process's birth to when its code is loaded and it begins, by the uptime that it states:
from there on it waits for others only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks import report
from shared import bus
from shared.messages import Book, BookState, FeedFrame, Heartbeat, Message, Position, Target
from tests.system import COMPONENTS, System, until

WATCHED = ["heartbeat", "book", "target", "feed.book", "position"]
COUNTS: dict[str, Callable[[Message], bool]] = {
    "book": lambda message: isinstance(message, Book) and message.state is BookState.LIVE,
    "strategy": lambda message: isinstance(message, Target),
    "collector": lambda message: isinstance(message, FeedFrame),
    "executor": lambda message: isinstance(message, Position) and message.valid,
}
WANTED_S = {"book": 0.5, "strategy": 0.5, "collector": 0.7, "executor": 1.0}
WANTED_READY_MS = {"book": 300, "strategy": 300, "collector": 500, "executor": 500}
WANTED_MB = {"book": 45, "strategy": 45, "collector": 55, "executor": 60, "monitor": 60}
WANTED_CPU = 0.08
BACK_S = 20.0


@dataclass(slots=True)
class Restarts:
    """One process's restarts: seconds from the kill to what counts, ms from birth to its beginning."""

    back_s: list[float] = field(default_factory=list)
    begun_ms: list[float] = field(default_factory=list)


def restart(system: System, subscriber: bus.Subscriber, program: str, seen: Restarts) -> None:
    """Kill a process and time its return."""
    subscriber.drain()
    boot = time.time_ns()
    old = system.pid(program)
    killed = time.monotonic()
    system.kill(program)
    back = begun = 0.0
    while not (back and begun):
        if time.monotonic() - killed > BACK_S:
            raise TimeoutError(f"{program} was not back within {BACK_S:.0f} s")
        subscriber.socket.poll(50)
        for received in subscriber.drain():
            message = received.message
            if message.src.partition(".")[0] != program or message.boot < boot:
                continue
            if not back and COUNTS[program](message):
                back = time.monotonic() - killed
            if not begun and isinstance(message, Heartbeat):
                begun = time.clock_gettime(time.CLOCK_BOOTTIME) - _born(message.pid) - message.uptime_s
    assert system.pid(program) != old
    seen.back_s.append(back)
    seen.begun_ms.append(begun * 1000)


def usage(system: System, seconds: float) -> dict[str, tuple[float, float]]:
    """Return each process's CPU (1: a core) and memory in MB."""
    known = {name: psutil.Process(system.pid(name)) for name in COMPONENTS}
    before = {name: sum(process.cpu_times()[:2]) for name, process in known.items()}
    time.sleep(seconds)
    return {
        name: ((sum(process.cpu_times()[:2]) - before[name]) / seconds, process.memory_info().rss / 1e6)
        for name, process in known.items()
    }


def measure(repeats: int, seconds: float) -> tuple[dict[str, tuple[float, float]], dict[str, Restarts]]:
    """Return usage, and the restarts of each process."""
    restarts = {program: Restarts() for program in COUNTS}
    with tempfile.TemporaryDirectory() as folder:
        system = System(Path(folder))
        try:
            system.start()
            subscriber = bus.attach(system.config, WATCHED)
            until("a target", lambda: any(isinstance(r.message, Target) for r in subscriber.drain()), 30)
            subscriber.close()  # who watches costs the relay and the publishers something
            time.sleep(5)
            used = usage(system, seconds)
            subscriber = bus.attach(system.config, WATCHED)
            for _ in range(repeats):
                for program, seen in restarts.items():
                    restart(system, subscriber, program, seen)
                    time.sleep(4)  # a start that soon follows another waits
            subscriber.close()
        finally:
            system.stop()
    return used, restarts


def main() -> None:
    """Measure, print, and write where asked."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.processes", description=__doc__)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--seconds", type=float, default=30.0, help="of CPU time to measure")
    options.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md and results.json")
    chosen = options.parse_args()
    machine = report.machine()
    used, restarts = measure(chosen.repeats, chosen.seconds)
    ours = sum(cpu for name, (cpu, _) in used.items() if name != "simulator")
    lines = [
        "| process | CPU of a core | memory, MB (wanted) | kill to first message that counts, s (wanted) | "
        "birth to beginning, ms (wanted: to ready) |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, (cpu, memory) in used.items():
        wanted = f" ({WANTED_MB[name]})" if name in WANTED_MB else ""
        back = begun = ""
        if name in restarts:
            seen = restarts[name]
            back = f"{_spread(seen.back_s, 2)} ({WANTED_S[name]})"
            begun = f"{_spread(seen.begun_ms, 0)} ({WANTED_READY_MS[name]})"
        lines.append(f"| {name} | {cpu:.1%} | {memory:.1f}{wanted} | {back} | {begun} |")
    lines += ["", f"All without the simulator: **{ours:.1%}** of a core (wanted: under {WANTED_CPU:.0%})."]
    print("\n".join(lines))
    if chosen.write:
        head = f"## The processes\n\n{report.today()}, `python -m benchmarks.processes`. {machine}.\n"
        report.write("processes", "\n".join([head, *lines]))
        figures = {
            name: {"cpu": cpu, "mb": memory, "back_s": restarts[name].back_s if name in restarts else []}
            for name, (cpu, memory) in used.items()
        }
        report.keep("processes", json.dumps(figures))


def _born(pid: int) -> float:
    """Return when a process was born, in s of CLOCK_BOOTTIME, to 10 ms (psutil knows it to a second)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _spread(values: list[float], digits: int) -> str:
    middle = statistics.median(values)
    return f"**{middle:.{digits}f}** ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    main()
