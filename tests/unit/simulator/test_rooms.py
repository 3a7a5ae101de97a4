"""Imports between the modules of the simulator."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from tests.system import ROOT


def imports(path: Path) -> set[str]:
    """Return the simulator's modules that a file imports, for its types or at run time."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "simulator":
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_no_module_imports_in_a_circle() -> None:
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in (ROOT / "simulator").rglob("*.py")
        if path.name != "__init__.py"
    }
    graph = {name: imports(path) & files.keys() for name, path in files.items()}
    # A circle raises CycleError, which names it.
    assert set(TopologicalSorter(graph).static_order()) == files.keys()
