"""The pairs that the process lists, by its configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.simulator.running import Running

pytestmark = pytest.mark.processes


def test_pairs_left_out_are_those_traded_with_their_references_and_a_file_adds_more(tmp_path: Path) -> None:
    entry = {
        "altname": "NEWUSD", "wsname": "NEW/USD", "base": "NEW", "quote": "ZUSD", "pair_decimals": 4, "lot_decimals": 6,
        "cost_decimals": 6, "ordermin": "2", "costmin": "0.5", "tick_size": "0.0005",
    }  # fmt: skip
    (tmp_path / "pairs.json").write_text(json.dumps({"error": [], "result": {"NEWUSD": entry}}))
    running = Running(tmp_path, asset_pairs="pairs.json")
    written = yaml.safe_load(running.config.read_text())
    written["trading"] = {
        "default_pair": "BTC/EUR",
        "pairs": ["BTC/EUR", "ETH/BTC", "NEW/USD"],
        "inventory_base": {"BTC": 1, "ETH": 20, "NEW": 0},
    }
    running.config.write_text(yaml.safe_dump(written))
    running.start()
    try:
        pairs = running.get("AssetPairs")["result"]
        assert set(pairs) == {"XXBTZEUR", "XETHXXBT", "NEWUSD", "XXBTZUSD", "ZEURZUSD"}
        assert pairs["NEWUSD"]["tick_size"] == "0.0005"
        book = running.get("Depth", pair="NEWUSD", count=10)["result"]["NEWUSD"]
        assert book["bids"]
        assert book["asks"]
    finally:
        running.kill()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"pairs": ["BTC/EURR"]},
            "config.yaml: simulator.pairs: BTC/EURR is in no table of pairs; did you mean BTC/EUR?",
        ),
        ({"asset_pairs": "none.json"}, "config.yaml: simulator.asset_pairs: "),
    ],
)
def test_what_cannot_be_listed_ends_it_with_the_reason(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    running = Running(tmp_path, **settings)
    assert running.spawn().wait(30) == 78
    assert said in (tmp_path / "stderr").read_text()
