"""Hold the layering: which folder may import which (the table of rooms), read from the code itself.

Run by ``make check``, and by tests/unit/test_layering.py. Prints each import that breaks it and exits 1.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

COMPONENTS = ("collector", "book", "strategy", "executor", "monitor", "relay", "simulator")
# A room, and what of ours it may import besides itself. Rooms that are not listed may import everything.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "shared": frozenset({"rust_client"}),
    "rust_client": frozenset(),
    "collector": frozenset({"shared"}),
    "book": frozenset({"shared"}),
    "strategy": frozenset({"shared"}),
    "executor": frozenset({"shared"}),
    "monitor": frozenset({"shared"}),
    "relay": frozenset({"shared"}),
    "simulator": frozenset({"shared"}),
    # Composes the cores of the others; nothing imports it.
    "backtest": frozenset({"shared", "collector", "book", "strategy", "executor", "simulator"}),
}
OURS = frozenset({*MAY_IMPORT, "tests", "benchmarks", "scripts"})


def imports(source: str, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of every import in ``source``, a module of ``package``; relative ones resolved.

    ``importlib.import_module("x")`` and ``__import__("x")`` with a literal name count as imports.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            inside = [*base, *([node.module] if node.module else [])]
            # ``from .. import executor`` names a module only in what it imports.
            yield from ((node.lineno, ".".join([*inside, alias.name])) for alias in node.names[: 1 if inside else None])
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def breaches(root: Path) -> list[str]:
    """Return every import under ``root`` that the table does not allow, as ``file:line: what is wrong``."""
    lines = []
    for room, allowed in MAY_IMPORT.items():
        for path in sorted((root / room).rglob("*.py")):
            place = path.relative_to(root)
            if "target" in place.parts:  # cargo's
                continue
            for line, name in imports(path.read_text(encoding="utf-8"), place.parent.parts):
                other = name.partition(".")[0]
                if other in OURS and other != room and other not in allowed:
                    may = ", ".join(sorted(allowed)) or "nothing of ours"
                    lines.append(f"{place}:{line}: {room} imports {name}; it may import {may}")
    return lines


def main() -> int:
    """Print the breaches; return 1 when there are any."""
    lines = breaches(Path(__file__).resolve().parent.parent)
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
