"""The comparison as people read it: a table by run, then the differences."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backtest_agree.causes import Cause, Explained, explain
from benchmarks.backtest_agree.evidence import Evidence, Reach
from benchmarks.backtest_agree.orders import SIDES, Difference, Filled, Outcome, Schedule

# More differences than these are listed only as the first of each engine's causes.
LISTED_MOST = 40


@dataclass(frozen=True, slots=True)
class Run:
    """One schedule in every engine."""

    planned: Schedule
    evidence: dict[int, Evidence]
    ours: Outcome
    others: dict[str, Outcome]
    begin_ts: int

    @property
    def name(self) -> str:
        """Return the run's distance and quantity."""
        return f"{self.planned.distance_bps:g} bp, {self.planned.lots:,} lots"

    def explained(self) -> dict[str, list[Explained]]:
        """Return each engine's differences from ours."""
        return {
            name: explain(name, self.planned, self.evidence, self.ours, outcome)
            for name, outcome in self.others.items()
        }

    def same(self, reach: Reach, engines: Iterable[str]) -> int:
        """Return how many orders that the record reached so end the same in all of these engines."""
        explained = self.explained()
        differing = {each.order.number for name in engines for each in explained[name]}
        return len(self.numbers(reach) - differing)

    def numbers(self, reach: Reach) -> set[int]:
        """Return the orders that the record reached so."""
        return {order.number for order in self.planned.orders if self.evidence[order.number].reach is reach}


def text(runs: list[Run], qty_precision: int, by_trades: Sequence[str]) -> str:
    """Return the tables and the list; ``by_trades`` are the engines in which a trade fills a resting order."""
    parts = [_reaches(runs, by_trades)]
    parts += [_engines(run, qty_precision) for run in runs]
    every = [(run, each) for run in runs for explained in run.explained().values() for each in explained]
    if len(every) <= LISTED_MOST:
        chosen, title = every, f"All {len(every)} differences"
    else:
        firsts: dict[tuple[str, Cause], tuple[Run, Explained]] = {}
        for run, each in every:
            firsts.setdefault((each.engine, each.cause), (run, each))
        chosen, title = list(firsts.values()), f"The first of each cause of {len(every)} differences"
    unexplained = sum(each.cause is Cause.UNEXPLAINED for _, each in every)
    head = (
        f"{title}; {unexplained} without a cause; all are in `run/agree/differences.jsonl`. Times in seconds from the "
        f"first row, lots of one 10^-{qty_precision}; *before* stood at its price as it came, *at* and *past* were "
        "traded until the first fill.\n\n| engine | run | order | side, tick | rests from | ours | theirs | before | "
        "at | past | cause |\n| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n"
    )
    parts.append(head + "".join(_line(run, each) for run, each in chosen))
    return "\n".join(parts)


def write_lines(runs: list[Run], file: Path) -> None:
    """Write every difference, one JSON object a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as out:
        for run in runs:
            for each in (each for explained in run.explained().values() for each in explained):
                line = {
                    "run": run.name, "engine": each.engine, "order": each.order.number,
                    "side": SIDES[each.order.side], "tick": each.order.ticks, "begin_ts": each.order.begin_ts,
                    "end_ts": each.order.end_ts, "difference": each.difference, "cause": each.cause,
                    "ours_ts": each.ours and each.ours.ts, "ours_lots": each.ours and each.ours.lots,
                    "theirs_ts": each.theirs and each.theirs.ts, "theirs_lots": each.theirs and each.theirs.lots,
                    "lots_before": each.lots_before, "traded_at": each.traded_at, "traded_past": each.traded_past,
                }  # fmt: skip
                out.write(json.dumps(line) + "\n")


def _reaches(runs: list[Run], by_trades: Sequence[str]) -> str:
    """Return how many orders end the same in every engine, by what the record did at their prices."""
    head = "| run | orders | | same in all | same in all that fill by trades |\n| --- | --- | ---: | ---: | ---: |\n"
    return head + "".join(
        f"| {run.name} | {reach.value} | {len(run.numbers(reach))} | {run.same(reach, run.others)} | "
        f"{run.same(reach, by_trades)} |\n"
        for run in runs
        for reach in Reach
    )


def _engines(run: Run, qty_precision: int) -> str:
    """Return one run's table, an engine a row."""
    qty = run.planned.lots / 10**qty_precision
    head = (
        f"{run.planned.distance_bps:g} bp from the mid, {qty:g} each:\n\n"
        "| engine | orders | refused | filled | same as ours | only theirs | only ours | other time | other quantity | "
        "causes |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n"
    )
    count = len(run.planned.orders)
    rows = [f"| ours | {count} | {len(run.ours.refused)} | {len(run.ours.fills)} | | | | | | |\n"]
    for name, explained in run.explained().items():
        outcome = run.others[name]
        kinds = Counter(each.difference for each in explained)
        causes = Counter(each.cause for each in explained)
        same = len(run.ours.fills.keys() - {each.order.number for each in explained})
        rows.append(
            f"| {name} | {count} | {len(outcome.refused)} | {len(outcome.fills)} | {same} | "
            + " | ".join(str(kinds[kind]) for kind in Difference)
            + " | "
            + ", ".join(f"{cause} {n}" for cause, n in causes.most_common())
            + " |\n"
        )
    return head + "".join(rows)


def _line(run: Run, each: Explained) -> str:
    def fill(filled: Filled | None) -> str:
        return "" if filled is None else f"{_seconds(run, filled.ts)}, {filled.lots:,}"

    order = each.order
    return (
        f"| {each.engine} | {run.name} | {order.number} | {SIDES[order.side]} {order.ticks} | "
        f"{_seconds(run, order.begin_ts)} | {fill(each.ours)} | {fill(each.theirs)} | {each.lots_before:,} | "
        f"{each.traded_at:,} | {each.traded_past:,} | {each.cause} |\n"
    )


def _seconds(run: Run, ts: int) -> str:
    return f"{(ts - run.begin_ts) / 1e9:.6f}"
