"""Counts of a module's mutants by their fate, and the reasons why some may survive."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "scripts" / "mutants" / "modules.toml"
# Where the copies are that a run breaks, and what it left of them.
WORK = ROOT / "run" / "mutants"


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed: the function, and its lines before and after, without their indentation.

    Neither line numbers nor a tool's numbers are in it, so that a reason for it stays when code moves.
    """

    module: str
    function: str
    change: str


@dataclass(slots=True)
class Outcome:
    """One module's mutants, counted by their fate; a survivor may have twins that read the same."""

    module: str
    killed: int = 0
    timed_out: int = 0
    survivors: list[Survivor] = field(default_factory=list)

    @property
    def generated(self) -> int:
        """Return how many mutants there were."""
        return self.killed + self.timed_out + len(self.survivors)

    @property
    def share(self) -> float:
        """Return the percentage that tests noticed; running into the time limit is noticed."""
        return 100 * (self.killed + self.timed_out) / self.generated if self.generated else 100.0


@dataclass(frozen=True, slots=True)
class Modules:
    """The tests that judge each module, and the reason for each survivor that has one."""

    tests: dict[str, list[str]]
    reasons: dict[Survivor, str]


class MutantsError(Exception):
    """A run that cannot be begun, or did not come to an end; the message says why."""


def read_modules(path: Path = MODULES) -> Modules:
    """Read the modules, their tests and the survivors' reasons.

    MutantsError if a file that it names does not exist, or a reason belongs to no module.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    tests: dict[str, list[str]] = table["tests"]
    missing = {name for module, names in tests.items() for name in [module, *names] if not (ROOT / name).exists()}
    reasons: dict[Survivor, str] = {}
    for entry in table.get("survivor", []):
        if not (ROOT / entry["module"]).exists():
            missing.add(entry["module"])
        for change in entry["changes"]:
            reasons[Survivor(entry["module"], entry["function"], normal(change))] = normal(entry["why"])
    if missing:
        raise MutantsError(f"{path.name} names what is not there: {', '.join(sorted(missing))}")
    return Modules(tests, reasons)


def normal(text: str) -> str:
    """Return a text with single spaces."""
    return " ".join(text.split())
