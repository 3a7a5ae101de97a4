"""The shell of a webhook: a task that posts what its outbox holds, and never shows an address.

An address may be a secret. People see a webhook's number, its host and a reason in our own words; errors of
libraries, which may quote the address, stay here.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from monitor.model.alerting.alerts import Condition
from monitor.model.status_object import WebhookFigures
from monitor.watchdog.sinks import template
from monitor.watchdog.sinks.outbox import Outbox, Outcome, wants
from shared import limits
from shared.clock import boot_ns
from shared.config import Config
from shared.config.alerts import Webhook
from shared.errors import ProxyUnusable
from shared.messages import Alert
from shared.network.http_errors import why_unanswered
from shared.network.proxies import is_socks, proxy_for

# Statuses of a service that is busy; any other from 400 to 499 will not be taken later either.
LATER: Final = (408, 425, 429)
LOOK_EVERY_S: Final = 0.2


def label(number: int, webhook: Webhook) -> str:
    """Return a webhook's name for people: its place in the configuration and its host."""
    return f"webhook {number} ({urlsplit(webhook.url).hostname})"


def open_session() -> aiohttp.ClientSession:
    """Return a session for :func:`post`; its time limits are per try."""
    timeout = aiohttp.ClientTimeout(total=limits.WEBHOOK_TIMEOUT_S)
    return aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


async def post(session: aiohttp.ClientSession, url: str, body: bytes) -> Outcome:
    """Try once. Follow no redirect: it would take the alert, and perhaps the secret, to another host."""
    headers = {"Content-Type": "application/json", "User-Agent": "tradebyte"}
    try:
        proxy = proxy_for(url)
        if proxy is not None and is_socks(proxy):
            return Outcome(ok=False, why="webhooks go through no SOCKS proxy; name an HTTP one in https_proxy")
        async with session.post(url, data=body, headers=headers, allow_redirects=False, proxy=proxy) as answer:
            return judged(answer.status)
    except ProxyUnusable as error:
        return Outcome(ok=False, why=str(error))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Outcome(ok=False, why=why_unanswered(error, limits.WEBHOOK_TIMEOUT_S), again=True)


def judged(status: int) -> Outcome:
    """Return what an HTTP status says."""
    if 200 <= status < 300:
        return Outcome(ok=True, why=f"HTTP {status}")
    if 300 <= status < 400:
        return Outcome(ok=False, why=f"HTTP {status}: it sends elsewhere, which is not followed; mend the url")
    if status in LATER or status >= 500:
        return Outcome(ok=False, why=f"HTTP {status}", again=True)
    return Outcome(ok=False, why=f"HTTP {status}: it refuses this; mend the url or the template")


class Webhooks:
    """Every webhook of a configuration, each with a task and an outbox of its own."""

    def __init__(self, config: Config) -> None:
        self._rules = config.monitor.alerts
        self._webhooks = list(enumerate(config.monitor.webhooks, 1))
        self._outboxes = {number: Outbox() for number, _ in self._webhooks}
        self._host = socket.gethostname()

    def take(self, alert: Alert) -> None:
        """Queue an alert for each webhook that wants it. An alert about one webhook goes to the others."""
        filled: Mapping[str, str] | None = None
        for number, webhook in self._webhooks:
            own = alert.kind.removesuffix("-over") == _kind(number)
            if not own and alert.kind != TEST_KIND and wants(alert, webhook.level, self._rules):
                filled = filled or template.values(alert, self._host)
                self._outboxes[number].put(template.body(webhook.template, filled), boot_ns())

    async def run(self) -> None:
        """Post until cancelled."""
        if not self._webhooks:
            return
        async with open_session() as session:
            await asyncio.gather(*(self._serve(session, number, webhook) for number, webhook in self._webhooks))

    async def _serve(self, session: aiohttp.ClientSession, number: int, webhook: Webhook) -> None:
        outbox = self._outboxes[number]
        while True:
            body = outbox.next(boot_ns())
            if body is None:
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            outcome = await post(session, webhook.url, body)
            outbox.done(body, outcome, boot_ns())

    def troubles(self) -> dict[str, Condition]:
        """Return which do not take what they are sent."""
        conditions = {}
        for number, webhook in self._webhooks:
            outbox, name = self._outboxes[number], label(number, webhook)
            if outbox.trouble:
                minutes = limits.WEBHOOK_OLD_S / 60
                waits = f"{outbox.waiting} wait, for {minutes:.0f} min at most" if outbox.waiting else "none waits"
                text = f"{name} does not take alerts: {outbox.trouble}; {waits}; 'tradebyte alert-test' tries it"
                conditions[f"webhook {number}"] = Condition(
                    "webhook", text, f"{name} takes alerts again, or there was none to take for long", _kind(number)
                )
        return conditions

    def figures(self) -> list[WebhookFigures]:
        """Return what was sent, dropped and waits, and why the last one did not go."""
        return [
            WebhookFigures(
                host=urlsplit(webhook.url).hostname,
                sent=outbox.sent,
                dropped=outbox.dropped,
                waiting=outbox.waiting,
                trouble=outbox.trouble,
            )
            for number, webhook in self._webhooks
            for outbox in (self._outboxes[number],)
        ]


# An alert of this kind only shows that alerts come; 'tradebyte alert-test' sends it to the webhooks itself.
TEST_KIND: Final = "test"


def _kind(number: int) -> str:
    return f"webhook-{number}"


async def try_all(config: Config, alert: Alert) -> list[Outcome]:
    """Post one alert to every webhook at once, whatever their levels; one try each."""
    filled = template.values(alert, socket.gethostname())
    async with open_session() as session:
        tries = [post(session, each.url, template.body(each.template, filled)) for each in config.monitor.webhooks]
        return list(await asyncio.gather(*tries))
