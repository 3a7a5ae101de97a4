"""docs/strategies.md names every model, setting and default as they are, and its examples load."""

from __future__ import annotations

import re

import msgspec
import pytest
import yaml

from shared.config import Config, Strategy
from strategy.loading import load_strategy
from strategy.models import avellaneda_stoikov, glft, grid, market_maker, microprice, pure
from strategy.models.guard import GuardSettings
from strategy.models.levels import LevelSettings
from strategy.signals.values import Signals
from tests.system import ROOT

PAGE = (ROOT / "docs/strategies.md").read_text(encoding="utf-8")
SHARED = set(LevelSettings.__struct_fields__)
SECTIONS: list[tuple[str, type[msgspec.Struct], set[str]]] = [
    ("Settings of every model with levels", LevelSettings, set()),
    ("The market maker", market_maker.Settings, set()),
    ("Avellaneda-Stoikov", avellaneda_stoikov.Settings, SHARED),
    ("GLFT", glft.Settings, SHARED),
    ("Microprice and imbalance", microprice.Settings, SHARED),
    ("Grid", grid.Settings, SHARED - {"spacing_bps"}),
    ("The pure market maker", pure.Settings, set(market_maker.Settings.__struct_fields__)),
    ("The guard", GuardSettings, set()),
]


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0].partition("\n### ")[0]


def rows(text: str) -> dict[str, str]:
    """Return the first two cells of each row, a row with several names once for each."""
    cells = re.findall(r"^\| (`[^|]+?) \| ([^|]*?) ?\|", text, re.MULTILINE)
    return {name: default for names, default in cells for name in re.findall(r"`([^`]+)`", names)}


@pytest.mark.parametrize(("title", "kind", "elsewhere_documented"), SECTIONS, ids=[row[0] for row in SECTIONS])
def test_a_models_table_has_its_settings_with_their_defaults(
    title: str, kind: type[msgspec.Struct], elsewhere_documented: set[str]
) -> None:
    documented = rows(section(title))
    defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
    assert set(documented) == set(defaults) - elsewhere_documented
    for name, text in documented.items():
        value = defaults[name]
        if text and value is not msgspec.NODEFAULT:
            shown_default = text.partition(" ")[0]
            assert shown_default == (f"{value:g}" if isinstance(value, float) else str(value).lower()), name


def test_every_signal_is_documented() -> None:
    documented = section("Signals")
    assert all(f"`{name}" in documented for name in Signals.__struct_fields__ if "markout" not in name)


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_examples_load(block: str) -> None:
    sections = msgspec.convert(yaml.safe_load(block)["strategies"], dict[str, Strategy], strict=False)
    for name in sections.keys() - {"pendulum"}:  # which is beside the page, not in the project
        load_strategy(Config(strategies=sections), name)


def test_every_class_that_the_page_names_loads() -> None:
    names = set(re.findall(r"`(strategy\.[\w.]+:\w+)`", PAGE))
    assert len(names) == 6
    for name in names:
        load_strategy(Config(strategies={"m": Strategy(class_=name)}), "m")
