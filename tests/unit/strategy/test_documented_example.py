"""The strategy that docs/strategies.md shows is complete: it loads by its name and quotes as the page says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from shared.config import Config, Strategy
from shared.messages import Quote
from strategy.interface import View
from strategy.loading import load_strategy
from tests.kit.market.strategy_view import view
from tests.system import ROOT


def example() -> str:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/strategies.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


@pytest.fixture
def pendulum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    (tmp_path / "pendulum.py").write_text(example())
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pendulum", raising=False)
    section = Strategy(class_="pendulum:Pendulum", settings={"distance_bps": 4})
    kind, settings = load_strategy(Config(strategies={"pendulum": section}), "pendulum")
    return kind(settings)


def quotes(strategy: object, seen: View) -> list[Quote]:
    return list(strategy.on_book(seen).quotes)  # type: ignore[attr-defined]


def test_it_quotes_both_sides_away_from_the_touch(pendulum: object) -> None:
    wanted = quotes(pendulum, view())
    assert [(quote.slot, quote.side) for quote in wanted] == [("b0", "buy"), ("s0", "sell")]
    assert wanted[0].price < 840_000 < 840_001 < wanted[1].price


def test_it_swings_back(pendulum: object) -> None:
    import msgspec

    seen = view()
    long = msgspec.structs.replace(seen.position, position=100_000)
    fields = {name: getattr(seen, name) for name in View.__slots__}
    assert [quote.side for quote in quotes(pendulum, View(**{**fields, "position": long}))] == ["sell"]


def test_it_is_as_short_as_the_page_says() -> None:
    code = [line for line in example().splitlines() if line.strip()]
    assert len(code) <= 30
