"""Writes docs/mutants.md: the table of modules, and each survivor with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from scripts.mutants.outcome import Outcome, Survivor

HEAD = """# Mutants

`make mutants`, {date} UTC, with {versions}.

The cores are broken in small ways, one at a time: a comparison turned, a number raised, an argument left out, a case
dropped. A mutant that makes no test fail is a gap in the tests, unless no test could tell it from the code: then
`scripts/mutants/modules.toml` says why. That file names the tests that judge each module, too. A mutant that runs into
the time limit counts as killed. Code outside of functions is not mutated.

| module | generated | killed | survived | of them explained | timed out | share killed |
| --- | --- | --- | --- | --- | --- | --- |
"""
UNEXPLAINED = "*unexplained*"


def page(
    outcomes: Iterable[Outcome], reasons: Mapping[Survivor, str], date: str, versions: str, left_out: list[str]
) -> str:
    """Return the page's text; ``left_out`` are files of the Rust crate that were not run as they are now."""
    outcomes = list(outcomes)
    rows = [
        f"| `{o.module}` | {o.generated} | {o.killed} | {len(o.survivors)} | "
        f"{sum(survivor in reasons for survivor in o.survivors)} | {o.timed_out} | {o.share:.1f} % |"
        for o in outcomes
    ]
    parts = [HEAD.format(date=date, versions=versions) + "\n".join(rows)]
    if left_out:
        names = ", ".join(f"`{name}`" for name in left_out)
        parts.append(f"Not run as they are now (`make mutants MODULES=rust_client`): {names}.")
    parts.append("## Survivors\n\nEach by its function, with its lines before and after the change.")
    parts += [_survivors(outcome, reasons) for outcome in outcomes if outcome.survivors]
    return "\n\n".join(parts) + "\n"


def _survivors(outcome: Outcome, reasons: Mapping[Survivor, str]) -> str:
    """Return a module's survivors by reason, those without one first."""
    by_reason: dict[str, list[str]] = {}
    for survivor, count in Counter(outcome.survivors).items():
        times = f" ({count} times)" if count > 1 else ""
        line = f"- `{survivor.function}`: `` {survivor.change} ``{times}"
        by_reason.setdefault(reasons.get(survivor, UNEXPLAINED), []).append(line)
    parts = [f"### `{outcome.module}`"]
    for why in sorted(by_reason, key=lambda why: why != UNEXPLAINED):
        parts.append(f"{why}\n\n" + "\n".join(by_reason[why]))
    return "\n\n".join(parts)


def unexplained(outcomes: Iterable[Outcome], reasons: Mapping[Survivor, str]) -> list[Survivor]:
    """Return the survivors that have no reason."""
    return [survivor for outcome in outcomes for survivor in outcome.survivors if survivor not in reasons]


def unused(outcomes: Iterable[Outcome], reasons: Mapping[Survivor, str]) -> list[Survivor]:
    """Return the reasons that fit no survivor of a module that was run: the code has changed, or a test sees it."""
    outcomes = list(outcomes)
    modules = {outcome.module for outcome in outcomes}
    survivors = {survivor for outcome in outcomes for survivor in outcome.survivors}
    return [survivor for survivor in reasons if survivor.module in modules and survivor not in survivors]
