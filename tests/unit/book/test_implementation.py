"""The implementation that is taken: Rust where it is built, the twin where it is not or is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from book import implementation
from tests.frames import ROOT, rust

SHOW = (
    "from book.implementation import RUST, OrderBook; from simulator.exchange.engine import load_engine; "
    "print(RUST, OrderBook.__module__, load_engine().__module__)"
)


def chosen(cwd: Path, *options: str, **environment: str) -> list[str]:
    command = [sys.executable, *options, "-c", SHOW]
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.rust
def test_rust_is_taken_where_it_is_built() -> None:
    assert implementation.OrderBook is rust().OrderBook or os.environ.get("TRADEBYTE_NO_RUST") == "1"
    assert chosen(ROOT, TRADEBYTE_NO_RUST="") == ["True", "rust_client", "rust_client"]


def test_the_twins_are_taken_when_asked_for() -> None:
    assert chosen(ROOT, TRADEBYTE_NO_RUST="1") == ["False", "book.orderbook", "simulator.exchange.engine"]


def test_the_bare_crate_folder_is_no_rust_module(tmp_path: Path) -> None:
    """Without the built module the folder of that name imports as an empty namespace package."""
    (tmp_path / "rust_client").mkdir()
    hidden = tmp_path / "sitecustomize.py"
    hidden.write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'rust_client':\n"
        "            import importlib.machinery as machinery\n"
        "            spec = machinery.ModuleSpec(name, None, is_package=True)\n"
        f"            spec.submodule_search_locations = [{str(tmp_path / 'rust_client')!r}]\n"
        "            return spec\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    assert chosen(tmp_path, PYTHONPATH=path, TRADEBYTE_NO_RUST="") == [
        "False",
        "book.orderbook",
        "simulator.exchange.engine",
    ]
