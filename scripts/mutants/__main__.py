"""Breaks the cores in small ways, one at a time, counts what the unit tests notice, and writes docs/mutants.md.

    python -m scripts.mutants                           # every module of modules.toml, and the page
    python -m scripts.mutants executor/account/pnl.py   # these alone, without the page
    python -m scripts.mutants --again                   # after new tests: only what survived the last run, without it
    python -m scripts.mutants rust_client               # the Rust crate, with cargo-mutants, for the next page

A run that was stopped goes on where it was; a module begins anew when it or a file of its tests has changed. Exits
with 1 while a survivor has no reason in modules.toml, or a reason there fits no survivor.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version

from scripts.mutants import rust_mutants
from scripts.mutants.outcome import ROOT, MutantsError, Outcome, read_modules
from scripts.mutants.page import page, unexplained, unused
from scripts.mutants.python_mutants import mutate_python

PAGE = ROOT / "docs" / "mutants.md"
NO_CARGO_MUTANTS = "cargo-mutants is not installed: 'cargo install --locked cargo-mutants'"


def main(arguments: list[str]) -> int:
    """Run the modules that were named, or all, and say what is not explained."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "modules", nargs="*", help="paths of modules.toml or in rust_client; modules.toml's if none is named"
    )
    parser.add_argument("--again", action="store_true", help="only what survived the last run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="how many mutants at once")
    options = parser.parse_args(arguments)
    try:
        return _run(options.modules, options.jobs, is_again=options.again)
    except MutantsError as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 1


def _run(names: list[str], jobs: int, *, is_again: bool) -> int:
    modules, crate = read_modules(), rust_mutants.files()
    names = [name for each in names for name in (crate if each == rust_mutants.CRATE else [each])]
    unknown = [name for name in names if name not in (*modules.tests, *crate)]
    if unknown:
        raise MutantsError(f"there is no {', '.join(unknown)} among {', '.join([*modules.tests, *crate])}")
    outcomes: list[Outcome] = []
    for module, tests in modules.tests.items():
        if not names or module in names:
            outcomes.append(mutate_python(module, tests, jobs, survivors_only=is_again))
            _tell(outcomes[-1])
    cargo_mutants, files = rust_mutants.version(), [file for file in crate if file in names]
    if files and cargo_mutants is None:
        raise MutantsError(NO_CARGO_MUTANTS)
    for file in files:
        outcomes.append(rust_mutants.mutate_rust(file))
        _tell(outcomes[-1])
    if not (names or is_again):
        of_rust = [outcome for file in crate if (outcome := rust_mutants.last_outcome(file)) is not None]
        outcomes += of_rust
        left_out = [file for file in crate if file not in {outcome.module for outcome in of_rust}]
        versions = f"mutmut {version('mutmut')} on Python {platform.python_version()}"
        versions += f", and {cargo_mutants}" if of_rust else ""
        date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        PAGE.write_text(page(outcomes, modules.reasons, date, versions, left_out), encoding="utf-8")
        print(f"mutants: wrote {PAGE.relative_to(ROOT)}")
    bare, idle = unexplained(outcomes, modules.reasons), unused(outcomes, modules.reasons)
    for survivor in bare:
        print(f"mutants: unexplained: {survivor.module} {survivor.function}: {survivor.change}")
    for survivor in idle:
        print(f"mutants: a reason for no survivor: {survivor.module} {survivor.function}: {survivor.change}")
    return 1 if bare or idle else 0


def _tell(outcome: Outcome) -> None:
    print(
        f"mutants: {outcome.module}: {outcome.generated} generated, {outcome.killed} killed, "
        f"{len(outcome.survivors)} survived, {outcome.timed_out} timed out, {outcome.share:.1f} % killed",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
