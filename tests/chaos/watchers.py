"""Many watchers, some of which stop reading: trading loses nothing, and the monitor's memory stays bounded.

``python -m tests.chaos.watchers --seconds 60`` measures each hop alone, with 20 web clients and 50 tails attached, with
one of each stopped (SIGSTOP) for a minute, and alone again, and writes docs/watchers.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil

from monitor.cli.tail import give_way
from monitor.model.latency import Latency
from shared import bus, config
from shared.clock import rfc3339, wall_ns
from shared.messages import Heartbeat, Message
from tests.system import ROOT, System, running, until

SOURCES = ["feed.status", "book", "target", "order", "heartbeat"]
SECTIONS = [
    "status",
    "processes",
    "books",
    "orders",
    "fills",
    "trades",
    "positions",
    "pnl",
    "latency",
    "alerts",
    "logs",
]
POLLED = ("status", "books", "orders")
FIGURES = ("p50_ms", "p90_ms", "p99_ms")
# A hop counts as delayed beyond this: what a busy machine varies by itself.
DELAYED_TIMES, DELAYED_MS = 1.5, 1.0
MONITOR_GROWTH_MB = 64.0
SETTLE_S = 3.0
# Of fewer, a percentile says nothing.
SAMPLES_MIN = 30


@dataclass
class Phase:
    """The figures of one phase, with or without watchers: each hop's latency, each process's losses and memory."""

    name: str
    hops: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: dict[str, tuple[int, int]] = field(default_factory=dict)
    rss_mb: dict[str, tuple[float, float]] = field(default_factory=dict)
    restarted: list[str] = field(default_factory=list)


@dataclass
class Seen:
    """A whole run."""

    clients: int
    tails: int
    stopped_s: float
    phases: list[Phase] = field(default_factory=list)
    watchers: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def losses(self) -> list[str]:
        """Return gaps, drops and restarts of any process, and a monitor's growth."""
        broken = []
        for phase in self.phases:
            broken += [f"{phase.name}: {name} restarted" for name in phase.restarted]
            for name, (gaps, drops) in phase.lost.items():
                if gaps or drops:
                    broken.append(f"{phase.name}: {name} missed {gaps} messages and dropped {drops}")
        before, after = self.phases[0].rss_mb["monitor"][0], self.phases[2].rss_mb["monitor"][1]
        if after - before > MONITOR_GROWTH_MB:
            broken.append(f"the monitor grew from {before:.0f} to {after:.0f} MB")
        return broken

    @property
    def delayed_by_watchers(self) -> list[str]:
        """Return the hops that were later with watchers than in the worse of the two times alone."""
        alone, watched, _, again = self.phases
        return _later(watched, [alone, again])

    @property
    def delayed_by_stopped(self) -> list[str]:
        """Return the hops that were later while some watchers were stopped than with all of them reading."""
        _, watched, stopped, _ = self.phases
        return _later(stopped, [watched])

    @property
    def unjudged(self) -> list[str]:
        """Return the hops with too few samples for a percentile in some phase."""
        return [
            hop for hop in self.phases[0].hops if min(each.hops[hop]["count"] for each in self.phases) < SAMPLES_MIN
        ]


def _later(phase: Phase, others: list[Phase]) -> list[str]:
    """Return the hops whose median or 90th percentile in ``phase`` is beyond what varies by itself in ``others``."""
    broken = []
    for hop, figures in phase.hops.items():
        for key in ("p50_ms", "p90_ms"):
            values = [other.hops[hop][key] for other in others]
            if min(each.hops[hop]["count"] for each in (phase, *others)) < SAMPLES_MIN:
                continue
            if figures[key] > max(values) * DELAYED_TIMES + DELAYED_MS:
                broken.append(f"{hop}: {key.removesuffix('_ms')} {figures[key]:.2f} ms instead of {max(values):.2f} ms")
    return broken


# --- those who look, in processes of their own -------------------------------------------------------------------


class Line(Message, frozen=True, kw_only=True):
    """Read a line of ``tail --json``: enough to see whether one is missing."""

    topic: str


def tails(configuration: config.Config, number: int) -> None:
    """Run ``number`` processes of ``tradebyte tail --json`` until SIGTERM; print when all hear, and what they heard."""
    line = msgspec.json.Decoder(Line)
    give_way()  # it only counts; what is measured gives way by itself
    command = [sys.executable, "-m", "monitor", "tail", "--json", "--config", str(configuration.source)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(number)]
    trackers = [bus.Tracker() for _ in running]
    rests = [b""] * number
    ended, is_told = _told_to_end(), False
    with selectors.DefaultSelector() as selector:
        for place, process in enumerate(running):
            assert process.stdout is not None
            selector.register(process.stdout, selectors.EVENT_READ, place)
        while not ended:
            for key, _ in selector.select(0.2):
                *lines, rests[key.data] = (rests[key.data] + os.read(key.fd, 1 << 16)).split(b"\n")
                for each in map(line.decode, lines):
                    trackers[key.data].admit(each.topic, each)
            if not is_told and all(tracker.counters.messages for tracker in trackers):
                is_told = True
                print("all hear", flush=True)
    for process in running:
        process.kill()
        process.wait()
    counted = [tracker.counters for tracker in trackers]
    heard, missed = sum(each.messages for each in counted), sum(each.gaps for each in counted)
    print(json.dumps({"heard": heard, "missed": missed, "quiet": sum(not each.messages for each in counted)}))


def clients(configuration: config.Config, number: int) -> None:
    """Run ``number`` clients of ``/stream``, which also send a GET once a second, until SIGTERM."""
    give_way()  # a browser works on a machine of its own; what is measured is the monitor's work for it
    counts = {"heard": 0, "answers": 0, "closed": 0, "quiet": 0}
    ended = _told_to_end()
    url = f"http://{configuration.monitor.host}:{configuration.monitor.port}"

    async def listen(session: aiohttp.ClientSession) -> None:
        heard = 0
        while not ended:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with session.ws_connect(f"{url}/stream", max_msg_size=0) as stream:
                    await stream.send_json({"sections": SECTIONS})
                    while not ended:
                        with contextlib.suppress(TimeoutError):
                            message = await stream.receive(timeout=0.5)
                            if message.type is not aiohttp.WSMsgType.TEXT:
                                break
                            json.loads(message.data)
                            heard += 1
            counts["closed"] += not ended
            await asyncio.sleep(0.2)
        counts["heard"] += heard
        counts["quiet"] += not heard

    async def ask(session: aiohttp.ClientSession) -> None:
        while not ended:
            for name in POLLED:
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with session.get(f"{url}/api/{name}", timeout=aiohttp.ClientTimeout(5)) as answer:
                        counts["answers"] += answer.status == 200
                        await answer.read()
            await asyncio.sleep(1)

    async def main() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(each(session) for _ in range(number) for each in (listen, ask)))

    asyncio.run(main())
    print(json.dumps(counts))


def _told_to_end() -> list[int]:
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    return ended


# --- the run -----------------------------------------------------------------------------------------------------


class Watchers:
    """The watching processes; :meth:`end` ends them and returns what they saw."""

    def __init__(self, system: System, configuration: Path) -> None:
        self._system, self._configuration = system, configuration
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, kind: str, number: int) -> None:
        """Start ``number`` watchers of a kind in one process."""
        arguments = [
            "--watch",
            kind,
            "--number",
            str(number),
            "--config",
            str(self._configuration),
        ]
        self._processes[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.watchers", *arguments],
            cwd=ROOT,
            env=self._system.environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that a signal reaches what it starts, too
        )

    def until_heard(self) -> None:
        """Wait until every tail has heard something."""
        for name, process in self._processes.items():
            if "tails" in name:
                assert process.stdout is not None
                assert process.stdout.readline() == "all hear\n"

    def signal(self, number: int) -> None:
        """Stop those that are to be stopped, or let them go on."""
        for name, process in self._processes.items():
            if name.startswith("stopped"):
                os.killpg(process.pid, number)

    def end(self) -> dict[str, dict[str, int]]:
        """End all, and return what each group saw."""
        for process in self._processes.values():
            os.killpg(process.pid, signal.SIGCONT)
            process.terminate()
        return {name: json.loads(process.communicate(timeout=30)[0]) for name, process in self._processes.items()}

    def kill(self) -> None:
        """Kill all that are left."""
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def watching(
    system: System, number_clients: int, number_tails: int, configuration: Path | None = None
) -> Iterator[Watchers]:
    """Attach watchers, one of each kind alone in its process, so that it can be stopped.

    They read their own configuration, of the same bus, if there is one.
    """
    watchers = Watchers(system, configuration or system.folder / "config/config.yaml")
    try:
        for kind, number in (("clients", number_clients), ("tails", number_tails)):
            watchers.start(kind, kind, number - 1)
            watchers.start(f"stopped {kind}", kind, 1)
        yield watchers
    finally:
        watchers.kill()


def measure(system: System, name: str, seconds: float) -> Phase:
    """Listen for ``seconds``: each hop's latency, and every process's heartbeat at the start and the end."""
    counted = Latency()
    first: dict[str, Heartbeat] = {}
    last: dict[str, Heartbeat] = {}
    reader = bus.attach(system.config, SOURCES)
    end = time.monotonic() + seconds

    def listen() -> None:
        reader.wait(50)
        for received in reader.drain():
            counted.take(received)
            if isinstance(received.message, Heartbeat):
                first.setdefault(received.message.process, received.message)
                last[received.message.process] = received.message

    try:
        while time.monotonic() < end:
            listen()
    finally:
        reader.close()
    names = [process for process in system.config.process_names if process in first]
    assert names == system.config.process_names, f"not heard: {set(system.config.process_names) - set(names)}"
    return Phase(
        name,
        {hop.hop: msgspec.to_builtins(hop) for hop in counted.described()},
        {name: (last[name].gaps - first[name].gaps, last[name].drops - first[name].drops) for name in names},
        {name: (first[name].rss_mb, last[name].rss_mb) for name in names},
        [name for name in names if first[name].boot != last[name].boot],
    )


def run(
    folder: Path,
    number_clients: int,
    number_tails: int,
    seconds: float,
    stopped_s: float,
    settle_s: float = SETTLE_S,
) -> Seen:
    """Measure alone, watched, watched with one of each kind stopped for ``stopped_s``, and alone again."""
    seen = Seen(number_clients, number_tails, stopped_s)
    with running(folder) as system:
        time.sleep(settle_s)
        seen.phases.append(measure(system, "alone", seconds))
        with watching(system, number_clients, number_tails) as watchers:
            until("the clients are heard of", lambda: streams(system) >= number_clients, 60)
            watchers.until_heard()
            time.sleep(settle_s)
            seen.phases.append(measure(system, "watched", seconds))
            watchers.signal(signal.SIGSTOP)
            seen.phases.append(measure(system, "watched, some stopped", stopped_s))
            watchers.signal(signal.SIGCONT)
            time.sleep(settle_s)
            seen.watchers = watchers.end()
        time.sleep(settle_s)
        seen.phases.append(measure(system, "alone again", seconds))
    return seen


def streams(system: System) -> int:
    """Return the number of connections to the monitor's port that other processes hold open."""
    port = system.config.monitor.port
    held = psutil.Process(system.pid("monitor")).net_connections("tcp")
    return sum(each.laddr.port == port and each.status == psutil.CONN_ESTABLISHED for each in held)


# --- the page ----------------------------------------------------------------------------------------------------


def report(seen: Seen, seconds: float) -> str:
    """Return the run as a page."""
    load = os.getloadavg()
    rows = []
    for hop in seen.phases[0].hops:
        cells = [_figures(phase.hops[hop]) for phase in seen.phases]
        rows.append(f"| {hop.replace('_', ' ')} | {' | '.join(cells)} |")
    kept = [
        f"| {name} | {' | '.join('{:.1f} to {:.1f}'.format(*phase.rss_mb[name]) for phase in seen.phases)} |"
        for name in seen.phases[0].rss_mb
    ]
    looked = [
        f"- {name}: {', '.join(f'{key} {count:,}' for key, count in counts.items())}"
        for name, counts in seen.watchers.items()
    ]
    about = (
        f"A whole sandbox is measured alone; then with {seen.clients} clients of the monitor's API (each holds "
        f"`/stream` open with every section, and asks for {', '.join(POLLED)} by GET each second) and {seen.tails} "
        "processes of `tradebyte tail --json`; then with one client and one tail of these stopped by "
        f"SIGSTOP for {seen.stopped_s:g} s; then alone again. Watchers run on the same cores as trading, clients only "
        "while nothing else wants them, as browsers have a machine of their own. Real pages of "
        "`tradebyte web` are not opened: twenty browsers take more than these cores have, and the page asks the API no "
        "more often for twenty tabs than for one."
    )
    judged = (
        f"A hop counts as delayed when its median or 90th percentile, of {SAMPLES_MIN} samples or more, is above "
        f"{DELAYED_TIMES:g} times the other's and {DELAYED_MS:g} ms. `tail` runs only while nothing else wants the "
        "core (SCHED_IDLE); the relay hands each message to so many readers, with niceness 10. "
        "`missed` below are messages that a reader lost itself; `closed` are streams that the monitor ended because "
        "nobody read them."
    )
    titles = " | ".join(phase.name for phase in seen.phases)
    return "\n".join(
        [
            "# Many who look, and some who stop",
            "",
            f"`python -m tests.chaos.watchers --clients {seen.clients} --tails {seen.tails} --seconds {seconds:g}`,",
            f"{rfc3339(wall_ns())[:16].replace('T', ' ')} UTC, {os.cpu_count()} cores, load {load[0]:.1f}.",
            "",
            textwrap.fill(about, 118),
            "",
            *_listed("Messages missed or dropped on the way of trading, processes restarted, memory", seen.losses),
            *_listed(
                f"Hops not judged, with fewer than {SAMPLES_MIN} samples in a time (their figures are below)",
                seen.unjudged,
            ),
            *_listed("Hops delayed by those stopped, compared with all of them reading", seen.delayed_by_stopped),
            *_listed("Hops delayed by so many who look, compared with none", seen.delayed_by_watchers),
            textwrap.fill(judged, 118),
            "",
            "Milliseconds at the 50th, 90th and 99th percentile, and how many:",
            "",
            f"| hop | {titles} |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            "Memory in MB, from the first to the last heartbeat of each time:",
            "",
            f"| process | {titles} |",
            "| --- | --- | --- | --- | --- |",
            *kept,
            "",
            "What those who looked saw, all of a group together:",
            "",
            *looked,
            "",
        ]
    )


def _listed(what: str, lines: list[str]) -> list[str]:
    return [f"{what}: {len(lines) or 'none'}.", "", *(f"- {text}" for text in lines), *([""] if lines else [])]


def _figures(hop: dict[str, Any]) -> str:
    if not hop["count"]:
        return "none"
    return f"{' / '.join(f'{hop[key]:.2f}' for key in FIGURES)} ({hop['count']:,})"


def main() -> None:
    """Run and report; the exit code says whether all was well. With ``--watch`` be one of the watchers."""
    options = argparse.ArgumentParser(prog="python -m tests.chaos.watchers", description=__doc__)
    options.add_argument("--clients", type=int, default=20)
    options.add_argument("--tails", type=int, default=50)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--watch", choices=("clients", "tails"), help=argparse.SUPPRESS)
    options.add_argument("--number", type=int, help=argparse.SUPPRESS)
    options.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.watch:
        watch = {"clients": clients, "tails": tails}[chosen.watch]
        watch(config.load(chosen.config, environ={}), chosen.number)
        return
    folder = Path(tempfile.mkdtemp(prefix="tradebyte-watchers-"))
    seen = run(folder, chosen.clients, chosen.tails, chosen.seconds, chosen.seconds)
    page = report(seen, chosen.seconds)
    print(page)
    if chosen.seconds >= 60:
        (ROOT / "docs/watchers.md").write_text(page)
    is_good = not seen.losses and not seen.delayed_by_stopped
    if is_good:
        shutil.rmtree(folder)
    else:
        print(f"the run's folder: {folder}")
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
