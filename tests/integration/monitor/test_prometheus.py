"""Rules and dashboard of docs/grafana fit what /metrics says, by Prometheus' own tool."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT, World
from .test_monitor import Running, until

pytestmark = pytest.mark.processes

FOLDER = ROOT / "docs" / "grafana"
PROMTOOL = shutil.which("promtool")
promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool here (Debian's package 'prometheus')")
NAME = re.compile(r"\btradebyte_[a-z0-9_]+\b")
# What a histogram, a summary and a counter add to the name that # TYPE has.
ADDED = ("_bucket", "_count", "_sum", "_total")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return a real page, of a monitor that has heard of everything."""
    world = World(tmp_path_factory.mktemp("prometheus") / "w")
    tree = yaml.safe_load(world.file.read_text())
    tree["monitor"]["webhooks"] = [{"url": "http://127.0.0.1:1/"}]
    world.file.write_text(yaml.safe_dump(tree))
    world.whole()
    for name in ("collector", "executor"):
        world.beat(name, details={"connection_attempts": 3})
    slot = {"strategy": "market_maker", "symbol": "BTC/USD", "slot": "b1", "since_ts": 1, "why": "refused"}
    order = {**slot, "cl_ord_id": "T1", "order_id": "O1"}
    earned = {"attribution": {"spread": "1"}, "markouts": {"10": {"fills": 3, "mean_bps": 0.5, "error_bps": 0.1}}}
    world.say("executor", "account", **world.said("account"), empty_slots=[slot], unwanted=[order], **earned)
    running = Running(world)
    try:

        def scraped() -> str:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{world.monitor_port}/metrics", timeout=10) as answer:
                    return str(answer.read().decode())
            except OSError:
                return ""

        wanted = ("tradebyte_webhook_", "tradebyte_machine_", "tradebyte_equity", "tradebyte_operation_", "_attempts")
        yield until(lambda: all(word in (metrics := scraped()) for word in wanted) and metrics)
    finally:
        running.close()
        world.close()


def run(*words: str, given: str = "", folder: Path = FOLDER) -> None:
    """Run promtool, which must find nothing wrong."""
    assert PROMTOOL
    done = subprocess.run(
        [PROMTOOL, *words], input=given, capture_output=True, text=True, cwd=folder, timeout=60, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, ""), done.stdout + done.stderr


def expressions() -> list[str]:
    """Return every query of the dashboard."""

    def all_of(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name == "expr":
                    yield inner
                else:
                    yield from all_of(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from all_of(inner)

    return list(all_of(json.loads((FOLDER / "dashboard.json").read_text())))


@promtool
def test_names_and_units_are_by_convention(page: str) -> None:
    run("check", "metrics", given=page)


@promtool
def test_rules_and_configuration_load() -> None:
    run("check", "rules", "alerts.yml")
    run("check", "config", "prometheus.yml")


@promtool
def test_each_rule_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    written = Path(__file__).with_name("prometheus_rules.yml").read_text()
    file = tmp_path / "tests.yml"
    file.write_text(written.replace("RULES", str(FOLDER / "alerts.yml")))
    run("test", "rules", str(file))


def test_no_rule_is_without_a_test() -> None:
    rules = {rule["alert"] for rule in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]}
    written = Path(__file__).with_name("prometheus_rules.yml").read_text()
    assert len(rules) > 10
    assert [rule for rule in rules if written.count(rule) < 2] == []


@promtool
def test_every_query_of_the_dashboard_can_be_asked(tmp_path: Path) -> None:
    queries = [each.replace("$__rate_interval", "1m").replace("$instance", ".*") for each in expressions()]
    rules = [{"record": f"asked:{number}", "expr": expr} for number, expr in enumerate(queries)]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    run("check", "rules", str(file))


def test_every_metric_that_is_named_exists(page: str) -> None:
    there = set(re.findall(r"^(tradebyte_[a-z0-9_]+)", page, re.MULTILINE))
    rules = [rule["expr"] for rule in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]]
    named = {name for text in [*expressions(), *rules] for name in NAME.findall(text)}
    assert len(named) > 30
    assert named - there == set()


def test_the_dashboard_shows_every_metric_or_says_which_it_leaves_out(page: str) -> None:
    kinds = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    named = {name for text in expressions() for name in NAME.findall(text)}
    bare = {name.removesuffix(end) for name in named for end in ("", *ADDED)}
    left_out = {
        "tradebyte_balance",
        "tradebyte_book_stale",
        "tradebyte_machine_load1",
        "tradebyte_operation_seconds",
        "tradebyte_process_uptime_seconds",
    }
    assert {kind for kind in kinds if kind not in bare and kind.removesuffix("_total") not in bare} == left_out


def test_the_dashboard_asks_for_its_data_source_and_its_panels_do_not_overlap() -> None:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    assert dashboard["templating"]["list"][0]["type"] == "datasource"
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels if panel["type"] != "row")
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
