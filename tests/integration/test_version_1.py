"""The whole line on WebSocket v1: the feed by version 1, trading by version 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.system import eager, running, until


@pytest.mark.processes
def test_it_trades_on_a_version_1_feed(tmp_path: Path) -> None:
    def old(tree: dict[str, Any]) -> None:
        tree["kraken"]["websocket_version"] = 1
        eager(tree)

    with running(tmp_path, old) as system:
        until("a fill", system.fills, 90)
        assert system.lines("fills")
        books = system.json("status")["books"]
        assert all(book["state"] == "live" and book["checksums_failed"] == 0 for book in books.values())
