"""Runs cargo-mutants on one file of the Rust crate in a copy of it, and counts its mutants by their fate."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from scripts.mutants.outcome import ROOT, WORK, MutantsError, Outcome, Survivor, normal

CRATE = "rust_client"
# One copy for all files: each mutant is built in the leavings of the one before.
COPY = WORK / CRATE
TIMEOUT_S = 30
SECONDS_MAX = 2 * 3600
PLACE = re.compile(r"^\S+?:\d+:\d+: ")


class Function(msgspec.Struct, frozen=True):
    """The function that a mutant is in."""

    function_name: str


class Mutant(msgspec.Struct, frozen=True):
    """One mutant; ``name`` is its place and its change."""

    name: str
    function: Function | None = None


class Scenario(msgspec.Struct, frozen=True):
    """A run of the tests with a mutant."""

    Mutant: Mutant


class Entry(msgspec.Struct, frozen=True):
    """The end of one run; ``scenario`` is a text for the crate as it is."""

    scenario: str | Scenario
    summary: str


class Results(msgspec.Struct, frozen=True):
    """cargo-mutants' outcomes.json."""

    outcomes: list[Entry]


def files() -> list[str]:
    """Return the crate's files; its edge to Python and its errors' texts are held against the twin by tests there."""
    paths = sorted((ROOT / CRATE / "src").rglob("*.rs"))
    return [str(path.relative_to(ROOT)) for path in paths if path.name not in ("lib.rs", "errors.rs", "tests.rs")]


def version() -> str | None:
    """Return the version of cargo-mutants, None where it is not installed."""
    if shutil.which("cargo") is None:
        return None
    result = subprocess.run(["cargo", "mutants", "--version"], capture_output=True, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else None


def mutate_rust(file: str) -> Outcome:
    """Break a file, and run the crate's own tests on each mutant; what has been run is not run again.

    It begins anew when the file, its own tests or the locked crates are not what they were.
    """
    outcome = last_outcome(file)
    if outcome is None:
        work, made_from = _folder(file), _digest(file)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        _run(file, work)
        (work / "made-from").write_text(made_from, encoding="utf-8")
        outcome = last_outcome(file)
    if outcome is None:
        raise MutantsError(f"{file}: it was changed meanwhile")
    return outcome


def last_outcome(file: str) -> Outcome | None:
    """Return what the last run of a file came to; None if there was none, or the file is another since."""
    stamp, results = _folder(file) / "made-from", _folder(file) / "mutants.out" / "outcomes.json"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != _digest(file):
        return None
    return count(file, msgspec.json.decode(results.read_bytes(), type=Results).outcomes)


def _folder(file: str) -> Path:
    return WORK / file.removesuffix(".rs").replace("/", ".")


def _digest(file: str) -> str:
    sources = (ROOT / file, (ROOT / file).with_name("tests.rs"), ROOT / CRATE / "Cargo.lock")
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources if path.exists())).hexdigest()


def _run(file: str, work: Path) -> None:
    left_out = shutil.ignore_patterns("target", "__pycache__", "*.so")
    # With the time of now on each file, or cargo takes what it built of the last mutant for what it would build.
    shutil.copytree(ROOT / CRATE, COPY, dirs_exist_ok=True, ignore=left_out, copy_function=shutil.copy)
    command = ["cargo", "mutants", "--in-place", "--file", file.removeprefix(f"{CRATE}/"), "--output", str(work)]
    command += ["--no-shuffle", "--timeout", str(TIMEOUT_S), "--", "--lib"]
    # One failing example kills a mutant: proptest need not look for the smallest.
    environment = os.environ | {"CARGO_PROFILE_DEV_DEBUG": "0", "PROPTEST_MAX_SHRINK_ITERS": "0"}
    with (WORK / "cargo-mutants.log").open("w") as log:
        result = subprocess.run(
            command, cwd=COPY, stdout=log, stderr=log, env=environment, timeout=SECONDS_MAX, check=False
        )
    if result.returncode not in (0, 2, 3):  # 2: some survived, 3: some timed out
        raise MutantsError(f"{file}: cargo mutants ended with {result.returncode}; see {log.name}")


def count(file: str, entries: list[Entry]) -> Outcome:
    """Count cargo-mutants' outcomes; a mutant that does not compile is none."""
    outcome = Outcome(file)
    for entry in entries:
        if isinstance(entry.scenario, str):
            continue  # the crate as it is
        mutant = entry.scenario.Mutant
        if entry.summary == "CaughtMutant":
            outcome.killed += 1
        elif entry.summary == "Timeout":
            outcome.timed_out += 1
        elif entry.summary == "MissedMutant":
            function = mutant.function.function_name if mutant.function is not None else ""
            change = PLACE.sub("", mutant.name).removesuffix(f" in {function}")
            outcome.survivors.append(Survivor(file, function, normal(change)))
    return outcome
