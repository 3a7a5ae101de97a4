"""Processes and the time that each hop takes: tables and charts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Final

from monitor.model.ages import age
from monitor.model.sections import Hop, LatencyShown, Process
from monitor.web import staleness
from monitor.web.drawing import figures, markup
from monitor.web.drawing.figures import Figure, Points
from monitor.web.drawing.markup import Cell, Column

# The lowest bar: nothing on one machine takes less.
LEAST_MS: Final = 0.001
BARS_A_POWER: Final = 10
PROCESSES: Final = (
    Column("process"),
    Column("state"),
    Column("why"),
    Column("pid", True),
    Column("up", True),
    Column("heard, s ago", True),
    Column("restarts", True),
    Column("memory, MB", True),
    Column("loop lag, ms", True),
    Column("gaps", True),
    Column("drops", True),
    Column("in", True),
    Column("out", True),
    Column("version"),
)
HOPS: Final = (
    Column("hop"),
    Column("from, to"),
    Column("p50, ms", True),
    Column("p90, ms", True),
    Column("p99, ms", True),
    Column("p99.9, ms", True),
    Column("most, ms", True),
    Column("count", True),
    Column("since, UTC"),
)


def processes(answer: dict[str, Process]) -> str:
    """Return the table of processes, in the order of the data's way."""
    rows: list[list[Cell | str]] = [
        [
            name,
            markup.state(process.state),
            process.why,
            markup.number(process.pid),
            age(process.uptime_s),
            fixed(process.heartbeat_age_s, 1),
            markup.number(process.restarts),
            fixed(process.rss_mb, 0),
            fixed(process.loop_lag_ms, 1),
            markup.number(process.gaps),
            markup.number(process.drops),
            markup.number(process.messages_in),
            markup.number(process.messages_out),
            markup.number(process.version),
        ]
        for name, process in answer.items()
    ]
    return markup.table("processes", PROCESSES, rows, "no process is configured")


def memory(series: Mapping[str, Points], names: list[str]) -> Figure:
    """Return the chart of each process's memory over time."""
    dashes = ("solid", "dash", "dot", "dashdot")
    traces = [
        figures.line(
            name,
            series.get(f"rss_mb.{name}", []),
            figures.CYCLE[place % len(figures.CYCLE)],
            dash=dashes[place // len(figures.CYCLE) % len(dashes)],
        )
        for place, name in enumerate(names)
    ]
    return figures.over_time(traces, "memory", 300, "MB")


def hops(answer: LatencyShown) -> str:
    """Return the table of each hop's percentiles, in the order of the data's way."""
    rows = [
        [
            hop.hop,
            hop.about,
            *(fixed(ms, 3) for ms in (hop.p50_ms, hop.p90_ms, hop.p99_ms, hop.p999_ms, hop.max_ms)),
            str(hop.count),
            staleness.clock(hop.since_ts).partition(".")[0],
        ]
        for hop in answer.hops
    ]
    return markup.table("hops", HOPS, rows, "nothing has passed yet")


def histogram(hop: Hop) -> Figure:
    """Return how many took how long: ten bars a power of ten, so that equal steps are equal factors."""
    counts: Counter[int] = Counter()
    for upper_ms, count in hop.buckets:
        # A hair below, so that a bucket that ends where a bar ends is not moved on by rounding. What arrived before it
        # left, by two machines' clocks, counts as 0 ms, which has no place on a scale of factors but the first.
        counts[math.ceil(BARS_A_POWER * math.log10(max(upper_ms, LEAST_MS)) - 1e-6)] += count
    bars = range(min(counts, default=0), max(counts, default=0) + 1)
    traces = [
        {
            "type": "bar",
            "name": hop.hop,
            "x": [duration(10 ** (bar / BARS_A_POWER)) for bar in bars],
            "y": [counts[bar] for bar in bars],
            "marker": {"color": figures.BLUE},
            "hovertemplate": "%{y} took up to %{x}<extra></extra>",
        }
    ]
    return figures.figure(
        traces,
        f"hop {hop.hop}",
        320,
        showlegend=False,
        xaxis={"type": "category", "title": {"text": "up to"}, "tickangle": -45, "nticks": 16},
        yaxis={"title": {"text": "count"}},
        bargap=0.08,
    )


def duration(ms: float) -> str:
    """Return a time in the unit that reads best."""
    if ms < 1:
        return f"{ms * 1000:.3g} µs"
    return f"{ms:.3g} ms" if ms < 1000 else f"{ms / 1000:.3g} s"


def fixed(value: float | None, decimals: int) -> str:
    """Return a measured number with so many decimals; a dash where there is none."""
    return "-" if value is None else f"{value:.{decimals}f}"
