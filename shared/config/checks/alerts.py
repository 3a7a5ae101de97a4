"""Checks of alert rules and webhooks beyond their types. No text here shows an address: it may be a secret."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final  # Any: a person's JSON template
from urllib.parse import urlsplit

import msgspec

from shared.config.alerts import PLACEHOLDERS, Rule, Webhook
from shared.config.monitor import Monitor
from shared.network.hosts import is_loopback

PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")
Wrong = Callable[[str, str], Exception]


def check_alerts(monitor: Monitor, wrong: Wrong) -> None:
    """Raise ``wrong(key, text)`` for a rule or webhook that cannot be used."""
    for field in msgspec.structs.fields(monitor.alerts):
        _check_rule(f"monitor.alerts.{field.name}", monitor.alerts.rule(field.name), wrong)
    percents = {"loss.percent": monitor.alerts.loss.percent, "latency.percentile": monitor.alerts.latency.percentile}
    for key, percent in percents.items():
        if not 0 < percent <= 100:
            raise wrong(f"monitor.alerts.{key}", f"must be above 0 and 100 at most, found {percent:g}")
    for hop, bound_ms in monitor.alerts.latency.above_ms.items():
        if not bound_ms > 0:
            raise wrong(f"monitor.alerts.latency.above_ms.{hop}", f"must be above 0, found {bound_ms:g}")
    for number, webhook in enumerate(monitor.webhooks):
        _check_webhook(f"monitor.webhooks[{number}]", webhook, wrong)


def _check_rule(key: str, rule: Rule, wrong: Wrong) -> None:
    for name in ("lasts_s", "again_s", "over_s"):
        seconds = getattr(rule, name)
        if not (math.isfinite(seconds) and seconds >= 0):
            raise wrong(f"{key}.{name}", f"must be 0 or more seconds, found {seconds:g}")


def _check_webhook(key: str, webhook: Webhook, wrong: Wrong) -> None:
    try:
        parts = urlsplit(webhook.url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise wrong(f"{key}.url", "is no address; it begins with https://HOST/") from None
    if parts.scheme not in ("https", "http") or not host or re.search(r"[\s\x00-\x1f]", webhook.url):
        raise wrong(f"{key}.url", "is no address; it begins with https://HOST/")
    if parts.scheme == "http" and not is_loopback(host):
        raise wrong(f"{key}.url", f"{host} is not this machine: use https, since anybody in between could read it")
    if host == "kraken.com" or host.endswith(".kraken.com"):
        raise wrong(f"{key}.url", "Kraken takes no alerts; name the service that does")
    for text in _texts(webhook.template):
        for name in PLACEHOLDER.findall(text):
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
                raise wrong(f"{key}.template", f"{{{name}}} is no placeholder; there are {known}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
