"""``tradebyte alert-test``: a test alert through everything that carries alerts, and the outcome of each."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import msgspec
import typer
from rich.markup import escape

from monitor.api.loopback import OPENER, api
from monitor.cli.common import EXIT_FAILED, ConfigOption, JsonOption, console, load, print_json, table
from monitor.model.listener import GATHER_S
from monitor.model.sections import AlertsShown
from monitor.watchdog.merged_log import NAME as MERGED
from monitor.watchdog.sinks import webhook
from shared import bus, limits
from shared.clock import rfc3339, wall_ns
from shared.config import Config
from shared.messages import Alert, Control

POLL_MS = 50
TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a test alert went, whether it came there, and why not."""

    sink: str
    ok: bool
    why: str


def alert_test(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Send a test alert to the log, the bus, the views and every webhook, and say what came of each.

    Webhooks are asked by this command itself, whatever their levels, so that they can be tried with nothing running.
    """
    settings = load(config)
    text = f"a test of {rfc3339(wall_ns())}: alerts come"
    came = [*_by_the_monitor(settings, text), *_webhooks(settings, text)]
    ok = all(each.ok for each in came)
    if json:
        print_json({"ok": ok, "sinks": [{"sink": each.sink, "ok": each.ok, "why": each.why} for each in came]})
    else:
        _show(came)
    if not ok:
        raise typer.Exit(EXIT_FAILED)


def _by_the_monitor(config: Config, text: str) -> list[Arrival]:
    """Have the monitor publish the alert, and look for it wherever it should be."""
    listening = bus.attach(config, ["alert", "control"])
    try:
        # A subscription takes a moment to arrive, and an alert is sent once: the state that the monitor sends to
        # whoever subscribes says that it has.
        _arrival("monitor", lambda: _is_attached(listening), "", GATHER_S)
        refused = _ask(config, text)
        if refused:
            return [Arrival(sink, False, refused) for sink in ("bus", "log", "views")]
        return [
            _arrival("bus", lambda: _is_on_the_bus(listening, text), "it did not come over the bus"),
            _arrival(
                "log", lambda: _is_in_the_log(config, text), f"it is not in {config.logs / MERGED}; is the disk full?"
            ),
            _arrival("views", lambda: _is_shown(config, text), "the monitor does not show it"),
        ]
    finally:
        listening.close()


def _ask(config: Config, text: str) -> str:
    """Ask the monitor to publish the alert; return why it did not, empty when it did."""
    try:
        token = (config.run / "api-token").read_text(encoding="utf-8").strip()
        request = urllib.request.Request(
            f"{api(config)}/api/alert-test",
            data=msgspec.json.encode({"text": text}),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with OPENER.open(request, timeout=limits.ALERT_TEST_S):
            return ""
    except urllib.error.HTTPError as error:
        return f"the monitor refuses: HTTP {error.code}; 'tradebyte restart monitor' and try again"
    except OSError:
        return f"the monitor does not answer on port {config.monitor.port}; start the system ('make run')"


def _arrival(sink: str, look: Callable[[], bool], why: str, seconds: float = limits.ALERT_TEST_S) -> Arrival:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if look():
            return Arrival(sink, True, "")
        time.sleep(POLL_MS / 1000)
    return Arrival(sink, False, why)


def _is_attached(listening: bus.Subscriber) -> bool:
    return any(isinstance(received.message, Control) for received in listening.drain())


def _is_on_the_bus(listening: bus.Subscriber, text: str) -> bool:
    messages = [received.message for received in listening.drain()]
    return any(isinstance(message, Alert) and message.text == text for message in messages)


def _is_in_the_log(config: Config, text: str) -> bool:
    try:
        with open(config.logs / MERGED, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            return text.encode() in file.read()
    except OSError:
        return False


def _is_shown(config: Config, text: str) -> bool:
    try:
        with OPENER.open(f"{api(config)}/api/alerts", timeout=limits.ALERT_TEST_S) as answer:
            recent = msgspec.json.decode(answer.read(), type=AlertsShown).recent
    except (OSError, msgspec.DecodeError):
        return False
    return any(alert.text == text for alert in recent)


def _webhooks(config: Config, text: str) -> list[Arrival]:
    alert = Alert(level="info", kind=webhook.TEST_KIND, text=text, src="tradebyte", ts=wall_ns())
    outcomes = asyncio.run(webhook.try_all(config, alert))
    named = enumerate(zip(config.monitor.webhooks, outcomes, strict=True), 1)
    return [Arrival(webhook.label(number, each), outcome.ok, outcome.why) for number, (each, outcome) in named]


def _show(came: list[Arrival]) -> None:
    rows = table("sink", "came", "")
    for (ok, why), alike in groupby(came, key=lambda each: (each.ok, each.why)):
        names = ", ".join(escape(each.sink) for each in alike)
        rows.add_row(names, "[green]yes[/green]" if ok else "[red]no[/red]", escape(why))
    out = console()
    out.print(rows)
    if len(came) == len(("bus", "log", "views")):
        out.print("no webhook is set: docs/alerts.md shows how (monitor.webhooks)")
