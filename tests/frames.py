"""Where the captured Kraken frames are, and the two implementations that are held against each other.

The captures are no part of the repository: they are looked for in ``TRADEBYTE_FRAMES``, else beside the repository in
``shared/frames``. Without them a test is skipped and says so; with ``TRADEBYTE_REQUIRE_FRAMES=1`` it fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


def frames_path(name: str) -> Path:
    """The path of a capture, such as ``public_v1/book1000_10pairs_cryptofeed.jsonl``."""
    folder = Path(os.environ.get("TRADEBYTE_FRAMES") or ROOT.parent / "shared" / "frames")
    path = folder / name
    if not path.is_file():
        why = f"capture {name} is not in {folder} (set TRADEBYTE_FRAMES)"
        if os.environ.get("TRADEBYTE_REQUIRE_FRAMES") == "1":
            pytest.fail(why)
        pytest.skip(why, allow_module_level=True)
    return path


def frame_lines(name: str) -> Iterator[bytes]:
    """The frames of a ``.jsonl`` capture."""
    yield from filter(None, map(bytes.strip, frames_path(name).read_bytes().splitlines()))


def rust() -> Any:
    """The Rust module; a test that wants it is skipped by name where it is not built."""
    module = pytest.importorskip("rust_client", reason="the Rust module is not built", exc_type=ImportError)
    if not hasattr(module, "OrderBook"):
        pytest.skip("the Rust module is not built (rust_client is the bare crate folder)")
    return module
