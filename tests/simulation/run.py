"""``python -m tests.simulation.run``: many seeds, each a storm of so many virtual seconds and the calm after it.

It prints a line for each seed that failed, with the command that plays it again; all goes to docs/simulation.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.simulation.world import Result, World

PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulation.md"
INVARIANTS = {
    "1": "every resting order is known to a running executor within 1 s; with it dead, all are gone within the window",
    "2": "every fill is in the journal, in the position and in what its order has filled, exactly once",
    "3": "no quote rests for longer than 1 s on a book that is known as not live",
    "4": "the worst case, by asset over all pairs, is within every limit whenever what is sent does not reduce it",
    "5": "the exchange's counters are never passed, no rate limit is hit, and no cancel counts for less",
    "6": "after halt nothing is open within 1 s, and nothing is sent",
    "7": "cash, positions, fees and rounding equal the exchange's ledger to the last digit",
    "9": "nothing raises, and no frame is unreadable",
    "10": "what is kept in memory does not grow with the time a process has run",
    "11": "of two epochs the older stops within 5 s, and adds nothing once it saw the newer; none comes twice",
    "T1": "on a side with a later fill nothing is added or increased",
    "T9": "a cancel leaves before the journal is written in its pass",
    "T2": "nothing is added without a target that holds, and only what it wants",
    "switch": "never an add without an armed switch; every deadline 2 s before the trigger; no order outlives it",
    "journal": "the journal knows an order, or an amend, before its bytes leave",
    "assumed": "no order that rests counts as ended",
    "cross": "we never cross ourselves",
    "dead link": "a connection that died without a word is dropped after 6 s",
    "T11": "a flatten's orders only reduce, close each asset through one pair, and end flat to dust",
    "held": "what the owner moved beyond a limit is neither sold nor bought until accepted, through every start",
    "rate": "nothing is quoted without a valid rate of its quote asset",
    "profit": "of each quote asset, equity is realised + unrealised - fees + transfers + rounding to the last digit",
    "progress": "in calm weather what is wanted stands at the exchange, and what is not is gone",
}


def play(task: tuple[int, float, float]) -> Result:
    """One seed."""
    seed, seconds, gap_s = task
    return World(seed, mean_gap_s=gap_s).run(seconds)


def page(results: list[Result], command: str, took_s: float) -> str:
    """The findings as a page of the documentation."""
    faults: Counter[str] = Counter()
    checks: Counter[str] = Counter()
    for result in results:
        faults.update(result.faults)
        checks.update(result.checks)
    failed = [result for result in results if result.violations]
    hours = sum(result.seconds for result in results) / 3600
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [
        "# The simulated world",
        "",
        "The executor's own core, dispatcher and journal against the simulator's exchange core, in one thread and in",
        "virtual time. Messages travel with delays of 10 ms and a tail; a plan drawn from the seed cuts connections,",
        "loses and repeats reports, kills processes at any point of carrying something out, fills the disk, halts,",
        "restarts the exchange, and moves the owner's money. The seed also draws the pairs: plain ones in dollars, two",
        "of one base, bases that others are quoted in, quotes in euro and yen, prices without decimals and with nine.",
        "The invariants of the design are judged by the exchange's own books and by what was put on the wire. The same",
        "seed plays the same run. `make test` plays the short form.",
        "",
        f"Written by `{command}` on {today}, {took_s:.0f} s after it began.",
        "",
        "| | |",
        "| --- | ---: |",
        f"| seeds played | {len(results)} |",
        f"| virtual hours | {hours:.1f} |",
        f"| events | {sum(result.events for result in results):,} |",
        f"| requests sent by executors | {sum(result.sends for result in results):,} |",
        f"| starts of the executor | {sum(result.starts for result in results):,} |",
        f"| own fills | {sum(result.fills for result in results):,} |",
        f"| fills of somebody else's orders on the account | {sum(result.foreign_fills for result in results):,} |",
        f"| faults | {sum(faults.values()):,} |",
        f"| seeds with a violation | {len(failed)} |",
        f"| violations | {sum(len(result.violations) for result in results)} |",
        "",
        "## What is checked",
        "",
        "| invariant | |",
        "| --- | --- |",
        *(f"| {name} | {text} |" for name, text in INVARIANTS.items()),
        "",
        "| checks made | |",
        "| --- | ---: |",
        *(f"| {name} | {count:,} |" for name, count in sorted(checks.items())),
        "",
        "## Faults",
        "",
        "| fault | times |",
        "| --- | ---: |",
        *(f"| {name} | {count:,} |" for name, count in sorted(faults.items())),
        "",
    ]
    if failed:
        lines += ["## Violations", ""]
        lines += [f"- seed {result.seed}: {result.violations[0]}" for result in failed]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Plays the seeds that the options name."""
    options = argparse.ArgumentParser(prog="python -m tests.simulation.run", description=__doc__)
    options.add_argument("--seeds", type=int, default=200, help="how many (200)")
    options.add_argument("--seed", type=int, default=1, help="the first one (1)")
    options.add_argument("--seconds", type=float, default=300, help="of storm, in virtual time (300)")
    options.add_argument("--gap", type=float, default=3.0, help="mean seconds between faults (3)")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one a core)")
    options.add_argument("--page", type=Path, default=PAGE, help="where the findings go (docs/simulation.md)")
    chosen = options.parse_args()
    tasks = [(seed, chosen.seconds, chosen.gap) for seed in range(chosen.seed, chosen.seed + chosen.seeds)]
    command = f"python -m tests.simulation.run --seeds {chosen.seeds} --seconds {chosen.seconds:g} --seed {chosen.seed}"
    began = time.monotonic()
    results: list[Result] = []
    with ProcessPoolExecutor(chosen.jobs) as pool:
        for result in pool.map(play, tasks):
            results.append(result)
            if chosen.seeds > 1:  # after each: a run that is stopped leaves what it came to
                chosen.page.parent.mkdir(parents=True, exist_ok=True)
                chosen.page.write_text(page(results, command, time.monotonic() - began), encoding="utf-8")
            if result.violations:
                again = f"python -m tests.simulation.run --seeds 1 --seconds {chosen.seconds:g} --seed {result.seed}"
                print(f"seed {result.seed}: {len(result.violations)} violations, {result.violations[0]}; {again}")
                sys.stdout.flush()
    if chosen.seeds == 1:
        for result in results:
            print(*[f"{at:9.3f} s  {kind}" for at, kind in result.log], *result.violations, result.digest, sep="\n")
    failed = sum(bool(result.violations) for result in results)
    hours = sum(result.seconds for result in results) / 3600
    print(f"{len(results)} seeds, {hours:.1f} virtual hours, {sum(r.fills for r in results)} fills, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
