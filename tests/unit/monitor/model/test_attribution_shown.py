"""Where the profit comes from, as the executor publishes it: in the section, the terminal, the page and the metrics."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from monitor.api.metrics import Metrics
from monitor.cli import pnl
from monitor.model import status_details
from monitor.model.latency import Latency
from monitor.model.view import View
from monitor.top import panels
from monitor.ui.snapshot import Watch
from monitor.ui.text import text_of
from monitor.web import money
from shared.bus import Received, topics
from shared.config import Config, check
from shared.messages import Account, MarkoutMean, Message, Parts
from tests.kit.monitor.messages import profit
from tests.kit.monitor.view import NOW, WALL, beat

PARTS = Parts(spread="3.25", adverse="-1.5", drift="0.25", fees="-0.5", unmarked="0.75", unexplained="0")
MARKOUTS = {
    "1": MarkoutMean(fills=8, mean_bps=-0.5, error_bps=0.125),
    "10": MarkoutMean(fills=0, mean_bps=None, error_bps=None),
}


@pytest.fixture
def config() -> Config:
    made = Config()
    check(made, lambda _key: "test")
    return made


def account(**changed: Any) -> Account:
    fields: dict[str, Any] = {"attribution": PARTS, "unmarked_fills": 2, "markouts": MARKOUTS}
    return Account(valid=True, profits={"BTC/USD": profit()}, **{**fields, **changed})


def take(view: View | Watch, topic: str, message: Message) -> None:
    kind = topics.kind_of(topic)
    assert kind is not None
    view.take(Received(topic, kind, topics.rest_of(topic, kind), message), NOW)


def watch(config: Config, message: Account) -> Watch:
    made = Watch(config, NOW)
    take(made, "heartbeat.executor", beat("executor"))
    take(made, "account", message)
    return made


def test_the_section_has_all_parts(config: Config) -> None:
    section = watch(config, account()).look(NOW, WALL, None, flattening=False).profit
    assert msgspec.to_builtins(section.attribution) == msgspec.to_builtins(PARTS)
    assert (section.unmarked_fills, section.markouts["1"].mean_bps) == (2, -0.5)
    before = watch(config, account(attribution=None)).look(NOW, WALL, None, flattening=False).profit
    assert before.attribution is None


def test_the_terminal_has_a_line_of_parts_and_one_of_markouts(config: Config) -> None:
    snapshot = watch(config, account()).look(NOW, WALL, None, flattening=False)
    lines = [text_of(row) for row in panels.profit(snapshot, 120)]
    assert "of which, USD: spread +3.25  adverse -1.50  drift +0.25  fees -0.50  unmarked +0.75" in lines
    assert "markouts: 1 s -0.50 bp" in lines
    silent = watch(config, account(attribution=None, markouts={})).look(NOW, WALL, None, flattening=False)
    assert not any("of which" in text_of(row) for row in panels.profit(silent, 120))


def test_the_page_has_a_card_for_each_part_and_a_table_of_markouts(config: Config) -> None:
    section = watch(config, account()).look(NOW, WALL, None, flattening=False).profit
    cards = {card.name: card.value for card in money.parts(section)}
    assert cards == {
        "Spread captured": "3.25",
        "Adverse selection": "-1.50",
        "Drift": "0.25",
        "Fees": "-0.50",
        "Unmarked": "0.75",
    }
    assert re.search(r"1 s.*-0\.50.*>0\.12.*8", money.markouts(section), re.DOTALL)


def test_metrics_have_parts_and_markouts(config: Config) -> None:
    view = View(config)
    take(view, "heartbeat.executor", beat("executor"))
    take(view, "account", account())
    metrics = Metrics(config, view, Latency(), lambda: status_details.status(view, config, NOW, WALL, None))
    text = metrics.text().decode()
    assert 'tradebyte_attribution{currency="USD",part="adverse"} -1.5' in text
    assert 'tradebyte_markout_ratio{horizon="1"} -5e-05' in text
    assert 'horizon="10"' not in text.partition("tradebyte_markout_ratio")[2].partition("# HELP")[0]


def test_the_command_prints_one_object(config: Config) -> None:
    made = msgspec.to_builtins(pnl.described(account(equity="2.25")))
    assert made["equity"] == "2.25"
    assert made["attribution"] == msgspec.to_builtins(PARTS)
    assert made["markouts"]["1"] == {"fills": 8, "mean_bps": -0.5, "error_bps": 0.125}
    assert made["pairs"]["BTC/USD"]["realised"]
