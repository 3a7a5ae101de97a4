"""Single orders from the sandbox's exchange to a recording, each checksum verified; and what their loss does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.recording.files import Recording, find
from shared.config import SANDBOX_DATA_KEY
from shared.kraken.level3 import Level3Book
from shared.messages import FeedFrame
from tests.system import System, running, until

pytestmark = pytest.mark.processes


def with_a_wrong_secret(tree: dict[str, Any]) -> None:
    tree["kraken"] |= {"data_key": SANDBOX_DATA_KEY[0], "data_secret": "d3Jvbmc="}


def level3(system: System) -> dict[str, Any]:
    beat = system.heartbeat("collector")
    return {} if beat is None else beat.details.get("level3", {})


def test_single_orders_are_recorded_and_every_checksum_holds(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        until("the collector says what it has", lambda: level3(system).get("attempts") == 0, 60)
        done = system.tradebyte("record", "feed", "order", "--seconds", "15")
        assert done.returncode == 0, done.stderr
        scored = system.run("backtest", "score", "data/recordings", "--horizon", "3", "--every", "3", "--json")
        assert scored.returncode == 0, scored.stderr
        assert any(pair["own"] for pair in json.loads(scored.stdout)), scored.stdout
        status = system.json("status")["connection"]["level3"]
        assert (status["connected"], status["problem"], status["checksums_failed"]) == (True, "", 0)
        findings = system.json("doctor")["findings"]
        assert [finding["level"] for finding in findings if finding["check"] == "data-key"] == ["ok"]
    books = {
        symbol: Level3Book(symbol, 100, price, 8) for symbol, price in (("BTC/USD", 1), ("ETH/USD", 2), ("SOL/USD", 2))
    }
    for row in Recording(find([system.folder / "data/recordings"])).rows():
        if not row.topic.startswith("feed.level3."):
            continue
        message = msgspec.msgpack.decode(row.payload, type=FeedFrame)
        books[message.symbol].apply_frame(message.frame)
    assert all(book.synced and book.checksums_ok > 5 and not book.checksums_failed for book in books.values())


def test_a_wrong_data_key_is_shown_and_the_public_feed_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, with_a_wrong_secret) as system:
        assert system.tradebyte("record", "feed.level3", "--seconds", "5").returncode == 1
        until("the refusal is shown", lambda: "no WebSocket token" in level3(system).get("problem", ""), 60)
        until(
            "every book is live", lambda: all(b["state"] == "live" for b in system.json("status")["books"].values()), 60
        )
        beat = system.heartbeat("collector")
        assert beat is not None
        assert beat.state == "ready"
