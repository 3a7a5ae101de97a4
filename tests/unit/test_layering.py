"""No component imports another component; shared imports nothing of ours."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("layering", ROOT / "scripts" / "layering.py")
assert _spec is not None
assert _spec.loader is not None
layering = importlib.util.module_from_spec(_spec)
sys.modules["layering"] = layering
_spec.loader.exec_module(layering)


def test_this_repository_keeps_its_layers() -> None:
    assert layering.breaches(ROOT) == []


def test_every_room_is_there() -> None:
    assert [room for room in layering.MAY_IMPORT if not (ROOT / room).is_dir()] == []


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("strategy/quotes.py", "from executor.decide.risk import Gate"),
        ("strategy/quotes.py", "import shared.bus\nimport rust_client"),
        ("book/books.py", "import rust_client"),
        ("shared/kraken/rest.py", "from collector import feed"),
        ("executor/__main__.py", "def late():\n    import book.orderbook as twin"),
        ("monitor/cli/x.py", "from importlib import import_module\nimport_module('executor.record.journal')"),
        ("collector/feed.py", "from tests.helpers import fake"),
        ("monitor/cli/y.py", "from ...executor import risk"),
        ("monitor/cli/y.py", "from ... import shared, executor"),
    ],
)
def test_a_breach_is_named_with_file_and_line(tmp_path: Path, file: str, code: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(code)
    (breach,) = layering.breaches(tmp_path)
    assert breach.startswith(f"{file}:{len(code.splitlines())}: ")


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (
            "book/books.py",
            "from shared.rust import rust_module\nfrom shared.numbers import Ticks\nfrom . import verify\nimport json",
        ),
        ("tests/unit/test_x.py", "from executor import risk\nfrom strategy import host"),
        ("executor/orders/order.py", "import bookkeeping\nfrom .sharedness import x"),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, file: str, code: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(code)
    assert layering.breaches(tmp_path) == []
