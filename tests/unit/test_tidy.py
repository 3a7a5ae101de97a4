"""Style that a machine can hold. A finding says why and what to do; an allowance only ever goes down."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.system import ROOT

FUNCTION_LINES, MODULE_LINES, TEST_LINES, FOLDER_MODULES = 70, 400, 600, 15
# Names that say nothing of what they hold (docs/glossary.md has the words that do).
BANNED = frozenset({"told", "found", "of", "here", "shown", "asked", "wish", "words", "facts", "acts", "elsewhere"})
VERBLESS = re.compile(r"\s*(What|How|Is|Are|Whether|Whose|Which)\b")
BANNER = re.compile(r"^#\s*[=#*]{6,}", re.MULTILINE)
PROSE = re.compile(r"\b(why|reason|error|said|text)\w*\.(startswith|endswith)\(|\b(in|==) (why|reason)\b")

# What stands beyond a limit, and how much of it. Lower a figure when you have lowered the count; never raise one.
LONG_FUNCTIONS = {"executor/orders/transitions.py apply": 81}
LONG_MODULES: dict[str, int] = {}
FULL_FOLDERS = {"tests/simulation": 25}
# The live check compares Kraken's own texts with those that are assumed: that is what it is for.
READS_KRAKENS_WORDS = {"executor/livecheck/findings.py"}
# Banned names that stay, each with its reason.
KEPT_NAMES = {"shared/halt.py: words": "a member of the halt file"}
ANY_MOST = 124


@cache
def sources() -> dict[str, str]:
    """Every Python file of the project by its path, read once."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    else:
        rooms = (
            "shared",
            "collector",
            "book",
            "strategy",
            "executor",
            "monitor",
            "relay",
            "simulator",
            "backtest",
            "tests",
            "scripts",
        )
        names = [str(path.relative_to(ROOT)) for room in rooms for path in (ROOT / room).rglob("*.py")]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names if (ROOT / name).is_file()}


@cache
def trees() -> dict[str, ast.Module]:
    return {name: ast.parse(source) for name, source in sources().items()}


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, node


def test_functions_fit_a_screen() -> None:
    long = {f"{name} {node.name}": (node.end_lineno or 0) - node.lineno + 1 for name, node in functions()}
    beyond = {what: lines for what, lines in long.items() if lines > LONG_FUNCTIONS.get(what, FUNCTION_LINES)}
    assert beyond == {}, f"longer than {FUNCTION_LINES} lines: take apart what is not control flow"


def test_modules_hold_one_concept() -> None:
    beyond = {}
    for name, source in sources().items():
        most = TEST_LINES if name.startswith("tests/") else MODULE_LINES
        if source.count("\n") > LONG_MODULES.get(name, most):
            beyond[name] = source.count("\n")
    assert beyond == {}, "too long for one concept: split it by what a newcomer would look for"


def test_folders_have_rooms() -> None:
    counts = Counter(str(Path(name).parent) for name in sources() if not name.endswith("__init__.py"))
    beyond = {folder: n for folder, n in counts.items() if n > FULL_FOLDERS.get(folder, FOLDER_MODULES)}
    assert beyond == {}, f"more than {FOLDER_MODULES} modules beside each other: rooms that nobody has built yet"


def test_no_banners() -> None:
    assert [name for name, source in sources().items() if BANNER.search(source)] == [], "a heading of #### says nothing"


def test_names_say_what_they_hold() -> None:
    empty_names = {
        f"{name}: {word}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        for word in _bound(node)
        if word in BANNED
    }
    assert empty_names <= KEPT_NAMES.keys(), "say what it holds (docs/glossary.md), or add it with its reason"


def _bound(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name, *(argument.arg for argument in node.args.args)]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    return []


def test_docstrings_begin_with_a_verb_or_a_noun() -> None:
    verbless = []
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
                text = ast.get_docstring(node) or ""
                if VERBLESS.match(text):
                    verbless.append(f"{name}: {text.splitlines()[0]}")
    assert verbless == [], "begin with Return, True if, Cancel, ..."


def test_any_has_a_reason() -> None:
    """``Any`` is for what comes from outside and is checked at once: a comment ``# Any: ...`` says what it is."""
    uses: Counter[str] = Counter()
    for name, tree in trees().items():
        if not name.startswith("tests/"):
            uses[name] += sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree))
    silent = [name for name, count in uses.items() if count and "# Any: " not in sources()[name]]
    assert silent == [], "say in the module what its Any is, in a comment '# Any: ...'"
    assert uses.total() <= ANY_MOST, f"type what is inside: {uses.most_common(5)}"


@pytest.mark.parametrize(
    "room", ["collector", "book", "strategy", "executor", "monitor", "relay", "simulator", "backtest"]
)
def test_no_decision_is_made_by_prose(room: str) -> None:
    """Reasons are types: text that is compared or searched by code breaks when somebody words it better."""
    prose = [
        f"{name}:{number}: {line.strip()}"
        for name, source in sources().items()
        if name.startswith(room) and name not in READS_KRAKENS_WORDS
        for number, line in enumerate(source.splitlines(), 1)
        if PROSE.search(line)
    ]
    assert prose == []
