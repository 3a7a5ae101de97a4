"""The mutation run's own cores: its modules, its page; and no line is left out of coverage without a reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scripts.mutants.outcome import MutantsError, Outcome, Survivor, normal, read_modules
from scripts.mutants.page import page, unexplained, unused
from scripts.mutants.python_mutants import open_properties
from scripts.mutants.rust_mutants import Results, count, files
from tests.system import ROOT

ONE = Survivor("executor/account/pnl.py", "Pnl.fill", "a > b => a >= b")
OTHER = Survivor("executor/account/pnl.py", "Pnl.shown", "return 1 => return 2")
OUTCOME = Outcome("executor/account/pnl.py", killed=16, timed_out=1, survivors=[ONE, OTHER, ONE])


def test_every_module_and_every_test_that_is_named_is_there() -> None:
    modules = read_modules()
    assert all(reason for reason in modules.reasons.values())
    assert {survivor.module for survivor in modules.reasons} <= {*modules.tests, *files()}


def test_a_module_or_a_test_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "modules.toml"
    path.write_text('[tests]\n"executor/account/pnl.py" = ["tests/none.py"]\n"executor/none.py" = []\n')
    with pytest.raises(MutantsError, match=r"modules.toml names what is not there: executor/none.py, tests/none.py"):
        read_modules(path)


def test_a_reason_is_found_whatever_the_spacing(tmp_path: Path) -> None:
    path = tmp_path / "modules.toml"
    path.write_text(
        '[tests]\n"executor/account/pnl.py" = []\n[[survivor]]\nmodule = "executor/account/pnl.py"\n'
        'function = "Pnl.fill"\nwhy = "Equal\\n  never."\nchanges = ["a >  b\\n => a >= b"]\n'
    )
    assert read_modules(path).reasons == {ONE: "Equal never."}
    assert normal(" a\n  b ") == "a b"


def test_the_share_counts_what_ran_into_the_time_limit_as_killed() -> None:
    assert (OUTCOME.generated, OUTCOME.share) == (20, 85.0)
    assert Outcome("empty.py").share == 100.0


def test_what_is_not_explained_and_what_explains_nothing_is_told() -> None:
    gone = Survivor("executor/account/pnl.py", "Pnl.fill", "gone => gone")
    foreign = Survivor("executor/decide/risk.py", "_size", "x => y")
    reasons = {ONE: "Equal never.", gone: "It was.", foreign: "Not run."}
    assert unexplained([OUTCOME], reasons) == [OTHER]
    assert unused([OUTCOME], reasons) == [gone]


def test_the_page_has_a_row_for_each_module_and_each_survivor_below_its_reason() -> None:
    text = page([OUTCOME], {ONE: "Equal never."}, "2026-01-02 03:04", "mutmut 1", ["rust_client/src/scan.rs"])
    assert "`make mutants`, 2026-01-02 03:04 UTC, with mutmut 1." in text
    assert "| `executor/account/pnl.py` | 20 | 16 | 3 | 2 | 1 | 85.0 % |" in text
    assert "MODULES=rust_client`): `rust_client/src/scan.rs`." in text
    unexplained_at, explained_at = text.index("*unexplained*"), text.index("Equal never.")
    assert unexplained_at < text.index("`Pnl.shown`: `` return 1 => return 2 ``") < explained_at
    assert "- `Pnl.fill`: `` a > b => a >= b `` (2 times)" in text[explained_at:]


def test_properties_become_methods_that_mutmut_can_break(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "class A:\n    @property\n    def x(self) -> int:\n        return 1\n\n    @x.setter\n"
        "    def x(self, value: int) -> None: ...\n\n    @staticmethod\n    def y() -> int:\n        return 2\n"
    )
    open_properties(path)
    names: dict[str, Any] = {}
    source = path.read_text()
    exec(source, names)  # the test's own text
    assert (names["A"]().x, names["A"].y()) == (1, 2)
    assert source.count("@property") == 0
    assert "x = property(x)" in source


def test_cargos_outcomes_are_counted_and_what_does_not_compile_is_no_mutant() -> None:
    file = "rust_client/src/book.rs"

    name = "src/book.rs:1:2: replace > with >= in Book::cut"
    mutant = {"file": "src/book.rs", "name": name, "function": {"function_name": "Book::cut"}}
    fates = ("CaughtMutant", "Timeout", "MissedMutant", "Unviable")
    entries: list[dict[str, object]] = [{"scenario": "Baseline", "summary": "Success"}]
    entries += [{"scenario": {"Mutant": mutant}, "summary": fate} for fate in fates]
    outcome = count(file, msgspec.convert({"outcomes": entries}, Results).outcomes)
    assert outcome == Outcome(file, 1, 1, [Survivor(file, "Book::cut", "replace > with >=")])


def test_every_line_that_coverage_leaves_out_says_why() -> None:
    bare = re.compile(r"pragma: no (cover|branch)(?!: \w+( \S+){2,})")
    lines = [
        f"{path.relative_to(ROOT)}:{number}"
        for room in ("book", "executor", "shared")
        for path in sorted((ROOT / room).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert lines == []
