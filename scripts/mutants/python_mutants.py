"""Runs mutmut on one module in a copy of the sources, and counts its mutants by their fate."""

from __future__ import annotations

import difflib
import hashlib
import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import libcst as cst
from mutmut.mutation.data import MutantLineSpans
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import change_cwd
from mutmut.utils.format_utils import mangled_name_from_mutant_name, orig_function_and_class_names_from_key

from scripts.mutants.outcome import ROOT, WORK, MutantsError, Outcome, Survivor, normal

ROOMS = ("shared", "collector", "book", "strategy", "executor", "monitor", "relay", "simulator", "backtest")
BESIDES = ("config", "benchmarks", "scripts", "rust_client")
SECONDS_MAX = 3600
CONFIGURATION = """
[tool.mutmut]
source_paths = {rooms}
only_mutate = {only}
also_copy = {besides}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:timeout"]
timeout_constant = 1.0
timeout_multiplier = 5.0
use_git_change_detection = false
"""
# One failing example kills a mutant: hypothesis need not look for the smallest.
PROFILE = """

from hypothesis import Phase

settings.register_profile("mutants", settings.get_profile("same"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("mutants")
"""


def mutate_python(module: str, tests: list[str], jobs: int, *, survivors_only: bool) -> Outcome:
    """Run what has not been run of a module's mutants; with ``survivors_only``, what survived the last run.

    A run begins anew when the module, or a file of its tests, is not what it was.
    """
    work = _folder(module)
    stamp, code, made_from = work / "made-from", _digest([module]), _digest([module, "tests/conftest.py", *tests])
    before = stamp.read_text(encoding="utf-8").split() if stamp.exists() else ["", ""]
    names: list[str] = []
    if survivors_only and before[0] == code:
        _take_tests(work, module, tests)
        names = [name for name, status in _statuses(work, module).items() if status in ("survived", "no tests")]
        if not names:
            return read_outcome(module)
    elif before != [code, made_from]:
        shutil.rmtree(work, ignore_errors=True)
        _copy_sources(work)
        _configure(work, module, tests)
        open_properties(work / module)
        stamp.write_text(f"{code} {made_from}", encoding="utf-8")
    with (work / "mutmut.log").open("w") as log:
        command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", str(jobs), *names]
        result = subprocess.run(command, cwd=work, stdout=log, stderr=log, timeout=SECONDS_MAX, check=False)
    if result.returncode or not _statuses(work, module):
        raise MutantsError(f"{module}: mutmut ended with {result.returncode}; see {log.name}")
    return read_outcome(module)


def read_outcome(module: str) -> Outcome:
    """Count a module's mutants by their fate in its last run."""
    work, outcome = _folder(module), Outcome(module)
    for name, status in _statuses(work, module).items():
        if status == "killed":
            outcome.killed += 1
        elif status == "timeout":
            outcome.timed_out += 1
        elif status in ("survived", "no tests"):
            outcome.survivors.append(_survivor(work, module, name))
        else:
            raise MutantsError(f"{name}: {status}; see {work / 'mutmut.log'}")
    return outcome


def _folder(module: str) -> Path:
    return WORK / module.removesuffix(".py").replace("/", ".")


def _statuses(work: Path, module: str) -> dict[str, str]:
    meta = work / "mutants" / f"{module}.meta"
    if not meta.exists():
        return {}
    codes: dict[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    return {name: status_by_exit_code[code] for name, code in codes.items()}


def _survivor(work: Path, module: str, name: str) -> Survivor:
    function, owner = orig_function_and_class_names_from_key(name)
    mutant = name.rpartition(".")[2]
    original = mangled_name_from_mutant_name(mutant) + "__mutmut_orig"
    with change_cwd(work):
        spans = MutantLineSpans.load(module)
        if spans is None:
            raise MutantsError(f"{module}: mutmut left no index of its mutants")
        before, after = (
            text.replace(n, function)
            for n, text in zip((original, mutant), spans.read_function_sources([original, mutant]), strict=True)
        )
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    was = " ".join(line[2:] for line in lines if line.startswith("- "))
    now = " ".join(line[2:] for line in lines if line.startswith("+ "))
    return Survivor(module, f"{owner}.{function}" if owner else function, normal(f"{was} => {now}"))


def _digest(names: list[str]) -> str:
    digest = hashlib.sha256(version("mutmut").encode())
    for name in names:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _take_tests(work: Path, module: str, tests: list[str]) -> None:
    """Bring the tests of a copy to what they are now, and have mutmut look again which of them call what."""
    for name in tests:
        for folder in (work, work / "mutants"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    _configure(work, module, tests)
    (work / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)


def _copy_sources(work: Path) -> None:
    """Copy what git knows and what is new, apart from pages and pictures."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *ROOMS, *BESIDES, "tests"]
    for name in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, work / name)
    with (work / "tests" / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(PROFILE)


def _configure(work: Path, module: str, tests: list[str]) -> None:
    values = {"rooms": ROOMS, "only": [module], "besides": BESIDES, "tests": tests}
    text = CONFIGURATION.format(**{key: json.dumps(value) for key, value in values.items()})
    (work / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8") + text, encoding="utf-8")


class _Properties(cst.CSTTransformer):
    """Turns each ``@property`` into a method and an assignment: mutmut leaves decorated functions alone."""

    def leave_FunctionDef(
        self,
        original_node: cst.FunctionDef,  # noqa: ARG002 - libcst gives both
        updated_node: cst.FunctionDef,
    ) -> cst.FunctionDef | cst.FlattenSentinel[cst.BaseStatement]:
        decorators = [node.decorator for node in updated_node.decorators]
        if len(decorators) != 1 or not decorators[0].deep_equals(cst.Name("property")):
            return updated_node
        name = updated_node.name.value
        bound = cst.parse_statement(f"{name} = property({name})")
        return cst.FlattenSentinel([updated_node.with_changes(decorators=[]), bound])


def open_properties(path: Path) -> None:
    """Write a module anew with its properties as methods."""
    path.write_text(cst.parse_module(path.read_text(encoding="utf-8")).visit(_Properties()).code, encoding="utf-8")
