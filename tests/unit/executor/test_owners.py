"""State has owners: what belongs to the market, the session, the controls or the life is set in its module alone."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.system import ROOT

OWNERS = {
    "market": "executor/market.py",
    "session": "executor/exchange/session.py",
    "controls": "executor/controls.py",
    "life": "executor/life.py",
    "account": "executor/account/account.py",
    "registry": "executor/orders/registry.py",
    "fill_marks": "executor/account/marks.py",
    "out": "shared/process/effects.py",
}
# Methods of the built-in containers that change them: they count as assignments.
CHANGES = {"append", "add", "update", "pop", "clear", "setdefault", "remove", "discard", "extend", "insert"}


def owner_of(node: ast.expr) -> str:
    """Return the part of the state that an attribute belongs to (``state.market.books`` to ``market``), or nothing."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and node.attr in OWNERS and isinstance(node.value, ast.Attribute | ast.Name):
            return node.attr
        node = node.value
    return ""


def writes(tree: ast.Module) -> list[tuple[int, str]]:
    """Return lines on which something inside a part of the state is assigned or changed, with the part."""
    written: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = [leaf for target in node.targets for leaf in _leaves(target)]
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Delete):
            targets = node.targets
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            inner = node.func.value
            targets = [inner] if isinstance(inner, ast.Attribute) and inner.attr not in OWNERS else []
        for target in targets:
            # ``self.market = ...`` makes the part, and ``state.market.x = ...`` reaches into it.
            inside = target.value if isinstance(target, ast.Attribute | ast.Subscript) else target
            if part := owner_of(inside):
                written.append((target.lineno, part))
    return written


def _leaves(target: ast.expr) -> list[ast.expr]:
    return list(target.elts) if isinstance(target, ast.Tuple | ast.List) else [target]


def test_only_its_owner_writes_a_part_of_the_state() -> None:
    trespasses = [
        f"{path.relative_to(ROOT)}:{line} writes into {part}: give {OWNERS[part]} a method for it"
        for path in sorted((ROOT / "executor").rglob("*.py"))
        for line, part in writes(ast.parse(path.read_text(encoding="utf-8")))
        if str(path.relative_to(ROOT)) != OWNERS[part]
    ]
    assert trespasses == []


def test_a_write_into_another_part_is_seen() -> None:
    def parts(code: str) -> list[str]:
        return [part for _, part in writes(ast.parse(code))]

    assert parts("state.market.books['X'] = 1") == ["market"]
    assert parts("self.state.session.connected = False") == ["session"]
    assert parts("state.market.targets.pop('X')") == ["market"]
    assert parts("state.account.changes += 1") == ["account"]
    assert parts("a, state.life.epoch = 1, 2") == ["life"]
    assert parts("del state.market.books['X']") == ["market"]
    assert parts("self.market = Market()") == []
    assert parts("state.registry.add(order)") == []
    assert parts("book = state.market.books['X']") == []


def test_each_owner_is_a_module() -> None:
    assert [path for path in OWNERS.values() if not (ROOT / Path(path)).is_file()] == []
