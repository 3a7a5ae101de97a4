"""The pages made from the code are current, and say every key, topic and bound."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from scripts import code_docs, config_docs
from shared import limits
from shared.bus import topics

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("docs_pages", ROOT / "scripts" / "docs_pages.py")
assert _spec is not None
assert _spec.loader is not None
docs_pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(docs_pages)


def test_the_pages_are_what_the_code_says() -> None:
    assert docs_pages.outdated(ROOT / "docs") == [], "make docs-pages"


def test_every_key_has_words_and_no_words_are_left_over() -> None:
    keys = [key for _, rows in config_docs.sections() for key, *_ in rows]
    assert set(keys) - config_docs.ABOUT.keys() == set(), "say in scripts/config_docs.py what they are for"
    assert config_docs.ABOUT.keys() - set(keys) == set()
    assert len(keys) == len(set(keys))


def test_defaults_and_what_is_allowed_come_from_the_schema() -> None:
    rows = {row[0]: row for _, section in config_docs.sections() for row in section}
    assert rows["trading.max_position_size"][1:3] == ("number", "`1000`")
    assert rows["trading.book_depth"][1:3] == ("`10`, `25`, `100`, `500`, `1000`", "`10`")
    assert rows["kraken.sandbox"][2] == "`true`"
    assert rows["strategies.NAME.class"][2] == "`strategy.market_maker:MarketMaker`"
    assert rows["simulator.accounts[].name"][2] == "must be set"


def test_no_key_of_the_sandbox_is_on_the_page() -> None:
    assert "TRADEBYTE-SANDBOX" not in config_docs.page()


def test_every_topic_and_every_bound_is_on_its_page() -> None:
    page = code_docs.topics_page()
    assert all(f"| `{kind.name}` |" in page for kind in topics.KINDS)
    bounds = code_docs.limits_page()
    assert all(f"| `{name}` |" in bounds for name in vars(limits) if name.isupper())


def test_every_row_of_the_topics_page_has_the_columns_of_its_table() -> None:
    columns = 0
    for line in code_docs.topics_page().splitlines():
        if line.startswith("| --- "):
            columns = line.count("|")
        elif columns and line.startswith("| "):
            assert line.count("|") == columns, line
        elif not line.startswith("|"):
            columns = 0
