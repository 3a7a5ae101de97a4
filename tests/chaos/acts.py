"""The chaos proof: every component restarted, then killed, one after the other, round after round.

``python -m tests.chaos.acts`` runs it on a copy of its own; ten rounds or more are written to docs/chaos.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.clock import boot_ns, rfc3339, wall_ns
from tests.system import COMPONENTS, ROOT, System, running

APART_S = 10.0
# A page is worth writing from so many on.
ROUNDS = 10
QUOTING_WITHIN_S = 5.0


@dataclass
class Seen:
    """The record of a run: for each kind of act the seconds until the system quoted again."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    fills: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """True if nothing was late and nothing differed."""
        return not self.late and not self.differences and self.fills > 0


def act(system: System, kind: str, component: str, seen: Seen, apart_s: float) -> None:
    """Restart or kill one component, and wait until the system quotes again."""
    began, since = time.monotonic(), boot_ns()
    if kind == "restart":
        system.ctl("restart", component)
    else:
        system.kill(component)
    try:
        system.until_quoting(30, since)
        took = time.monotonic() - began
    except AssertionError as error:
        took = time.monotonic() - began
        seen.late.append(f"{kind} {component}: {error}")
    seen.seconds.setdefault(f"{kind} {component}", []).append(took)
    if took > QUOTING_WITHIN_S:
        seen.late.append(f"{kind} {component}: {took:.1f} s")
    print(f"{kind:<8} {component:<10} quoting again after {took:.2f} s", flush=True)
    while time.monotonic() - began < apart_s:
        system.listen()
        time.sleep(0.05)


def run(
    folder: Path,
    rounds: int,
    kinds: tuple[str, ...] = ("restart", "kill -9"),
    apart_s: float = APART_S,
    change: Callable[[dict[str, Any]], None] = lambda _tree: None,
) -> Seen:
    """Run all rounds on a copy in ``folder``, then compare journal and exchange."""
    seen = Seen()
    with running(folder, change) as system:
        time.sleep(apart_s)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", flush=True)
            for kind in kinds:
                for component in COMPONENTS:
                    act(system, kind, component, seen, apart_s)
        system.json("halt")
        seen.differences = system.differences()
        seen.fills = len(system.lines("fills"))
    return seen


def report(seen: Seen, rounds: int) -> str:
    """Return the run as a page."""
    lines = [
        "# Chaos",
        "",
        f"`python -m tests.chaos.acts --rounds {rounds}`, {rfc3339(wall_ns())[:16].replace('T', ' ')} UTC.",
        "",
        f"{rounds} rounds; in each, `supervisorctl restart` of every component, one after the other, then `kill -9` of",
        f"every component, acts {APART_S:.0f} s apart. *Quoting again*: every process ready, on every pair a target",
        "decided after the act, and an order that the exchange has confirmed.",
        "",
        "| act | times | median s | longest s |",
        "| --- | --- | --- | --- |",
    ]
    for name, seconds in seen.seconds.items():
        lines.append(f"| {name} | {len(seconds)} | {statistics.median(seconds):.2f} | {max(seconds):.2f} |")
    lines += [
        "",
        f"Later than {QUOTING_WITHIN_S:.0f} s: {len(seen.late)}.",
        *(f"- {text}" for text in seen.late),
        "",
        f"Afterwards, halted: {seen.fills} fills in the journal, compared one by one with the exchange's trades; every",
        f"balance to the last digit; every resting order. Differences: {len(seen.differences)}.",
        *(f"- {text}" for text in seen.differences),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run and report; the exit code says whether all was well."""
    options = argparse.ArgumentParser(prog="python -m tests.chaos.acts", description=__doc__)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--apart", type=float, default=APART_S, help="seconds between acts")
    options.add_argument("--keep", action="store_true", help="keep the folder of the run")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tradebyte-chaos-"))
    seen = run(folder, chosen.rounds, apart_s=chosen.apart)
    page = report(seen, chosen.rounds)
    print(page)
    if chosen.apart == APART_S and chosen.rounds >= ROUNDS:
        (ROOT / "docs/chaos.md").write_text(page)
    if chosen.keep or not seen.is_good:
        print(f"the run's folder: {folder}")
    else:
        import shutil

        shutil.rmtree(folder)
    sys.exit(0 if seen.is_good else 1)


if __name__ == "__main__":
    main()
