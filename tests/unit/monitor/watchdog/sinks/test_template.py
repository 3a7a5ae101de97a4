"""An alert inside of a template stays inside of its text, whatever it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from monitor.watchdog.sinks.template import body, values
from shared import limits
from shared.config import parse
from shared.config.alerts import Webhook
from shared.errors import ConfigError
from shared.messages import Alert

ROOT = Path(__file__).resolve().parents[5]
FILLED = values(Alert(level="warning", kind="stale", text="X is\n stale", src="monitor", ts=10**18), "here")


def test_every_placeholder_is_filled_in() -> None:
    made = json.loads(body(Webhook(url="").template, FILLED))
    assert made == {
        "level": "warning",
        "kind": "stale",
        "text": "X is stale",
        "process": "monitor",
        "time": "2001-09-09T01:46:40.000000Z",
        "host": "here",
    }


def test_numbers_lists_and_names_are_kept() -> None:
    template = {"n": 1.5, "b": [True, None, "{level}"], "{kind}": {"deep": "a {text} b"}, "braces": "{ } {{}} $"}
    made = json.loads(body(template, FILLED))
    assert made == {
        "n": 1.5,
        "b": [True, None, "warning"],
        "stale": {"deep": "a X is stale b"},
        "braces": "{ } {{}} $",
    }


@given(st.text(max_size=300))
def test_nothing_in_an_alert_reaches_out_of_its_text(text: str) -> None:
    filled = {**FILLED, "text": text}
    made = json.loads(body({"text": "{text}", "more": "<{text}>"}, filled))
    assert made == {"text": text, "more": f"<{text}>"}


def test_a_long_text_is_cut() -> None:
    filled = values(Alert(level="info", kind="k", text="x" * 10**6), "here")
    assert len(filled["text"]) == limits.WEBHOOK_TEXT


def refusal(webhook: Any, **environ: str) -> str:
    written = yaml.safe_dump({"monitor": {"webhooks": [webhook]}})
    with pytest.raises(ConfigError) as error:
        parse(written, Path("c.yaml"), Path("/tmp"), environ)
    return str(error.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("hooks.example/SECRET-SECRET-SECRET", "is no address"),
        ("ftp://hooks.example/SECRET-SECRET-SECRET", "is no address"),
        ("https://hooks.example:port/SECRET-SECRET-SECRET", "is no address"),
        ("https:// hooks/SECRET-SECRET-SECRET", "is no address"),
        ("http://hooks.example/SECRET-SECRET-SECRET", "hooks.example is not this machine: use https"),
        ("https://api.kraken.com/SECRET-SECRET-SECRET", "Kraken takes no alerts"),
    ],
)
def test_an_address_that_cannot_be_is_refused_without_showing_it(url: str, reason: str) -> None:
    said = refusal({"url": url})
    assert "monitor.webhooks[0].url" in said
    assert reason in said
    assert "SECRET" not in said


def test_a_wrong_type_of_a_webhook_shows_nothing_of_it() -> None:
    assert "SECRET" not in refusal({"url": ["https://hooks.example/SECRET"]})
    assert "SECRET" not in refusal({"url": "https://hooks.example/SECRET", "level": "loud"})
    assert "SECRET" not in refusal("https://hooks.example/SECRET")
    assert "HOOK is not set" in refusal({"url": "${HOOK}"})


def test_an_unknown_placeholder_is_refused_with_those_there_are() -> None:
    said = refusal({"url": "https://h.example/", "template": {"a": [{"b": "{message}"}]}})
    assert "{message} is no placeholder; there are {level}, {kind}, {text}" in said


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"stale": {"lasts_s": -1}}, "monitor.alerts.stale.lasts_s: must be 0 or more"),
        ({"stale": {"levle": "info"}}, "did you mean 'level'"),
        ({"stael": {}}, "did you mean 'stale'"),
        ({"loss": {"percent": 0}}, "must be above 0"),
        ({"latency": {"above_ms": {"book_to_strategy": -5}}}, "must be above 0"),
        ({"stale": {"level": "loud"}}, "monitor.alerts.stale.level"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_line_and_mend(rule: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(yaml.safe_dump({"monitor": {"alerts": rule}}), Path("c.yaml"), Path("/tmp"), {})
    assert reason in str(error.value)


def test_what_a_rule_leaves_out_is_its_own_default() -> None:
    written = "monitor: {alerts: {book_invalid: {level: critical}}}"
    rule = parse(written, Path("c.yaml"), Path("/tmp"), {}).monitor.alerts.book_invalid
    assert (rule.level, rule.lasts_s) == ("critical", 10)


def test_the_templates_of_the_docs_are_configurations() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "webhooks:" in block]
    assert len(blocks) >= 3
    names = set(re.findall(r"\$\{([A-Z_]+)\}", page))
    environ = dict.fromkeys(names, "https://hooks.example/x")
    for block in blocks:
        (webhook,) = parse(block, Path("c.yaml"), Path("/tmp"), environ).monitor.webhooks
        assert "X is stale" in body(webhook.template, FILLED).decode()
