"""Pausing one pair or one strategy."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared import pausing
from shared.config import Config
from shared.errors import UnknownName


def test_what_is_paused_stays_so_until_it_is_resumed(tmp_path: Path) -> None:
    config = Config(root=tmp_path)
    assert pausing.paused(config) == {}
    pausing.pause(config, "ETH/USD", "odd fills")
    pausing.pause(config, "ETH/USD", "a second reason")
    pausing.pause(config, "market_maker", "new settings")
    assert pausing.paused(config) == {"ETH/USD": "odd fills", "market_maker": "new settings"}
    assert pausing.paused(Config(root=tmp_path)) == pausing.paused(config)
    assert [pausing.resume(config, "ETH/USD"), pausing.resume(config, "ETH/USD")] == [True, False]
    assert list(pausing.paused(config)) == ["market_maker"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("XETH/USD", "did you mean ETH/USD"),
        ("eth/usd", "did you mean ETH/USD"),
        ("market-maker", "did you mean market_"),
    ],
)
def test_an_unknown_name_is_refused_with_the_likely_one(tmp_path: Path, name: str, said: str) -> None:
    config = Config(root=tmp_path)
    for act in (lambda: pausing.pause(config, name, "x"), lambda: pausing.resume(config, name)):
        with pytest.raises(UnknownName, match=said):
            act()
    assert pausing.paused(config) == {}


def test_an_empty_file_made_by_hand_pauses_too(tmp_path: Path) -> None:
    config = Config(root=tmp_path)
    (config.data / "PAUSED").mkdir(parents=True)
    (config.data / "PAUSED" / "BTC_USD").touch()
    assert pausing.paused(config) == {"BTC/USD": ""}
