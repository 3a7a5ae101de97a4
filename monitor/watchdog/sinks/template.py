"""The JSON of an alert, by a template: a tree of plain values in whose texts placeholders stand.

The tree is filled in first and encoded after, so that whatever an alert says stays inside of its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from shared import limits
from shared.clock import rfc3339
from shared.config.alerts import PLACEHOLDERS
from shared.messages import Alert

_PLACEHOLDER: Final = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")


def values(alert: Alert, host: str) -> dict[str, str]:
    """Return what stands for each placeholder."""
    return {
        "level": alert.level,
        "kind": alert.kind[: limits.TEXT_SHOWN],
        "text": " ".join(alert.text.split())[: limits.WEBHOOK_TEXT],
        "process": alert.src,
        "time": rfc3339(max(0, alert.ts)),
        "host": host,
    }


def body(template: Mapping[str, object], filled: Mapping[str, str]) -> bytes:
    """Return the template as JSON, its placeholders filled in."""
    return msgspec.json.encode(_filled(dict(template), filled))


def _filled(value: object, filled: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: filled[match[1]], value)
    if isinstance(value, dict):
        return {_filled(str(name), filled): _filled(inner, filled) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, filled) for inner in value]
    return value
