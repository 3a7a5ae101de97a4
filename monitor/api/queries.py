"""Query parameters and bodies of POST, typed, so that the description is made from them too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import msgspec

from monitor.errors import Problem
from shared import limits


class NoQuery(msgspec.Struct, frozen=True):
    """No query parameters."""


class FillsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Choose fills: of a pair (empty: all), and how many of the newest."""

    symbol: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=limits.FILLS_SHOWN)] = 500


class LogsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Choose log lines: of a process (empty: all), from a level on, and how many of the newest."""

    process: str = ""
    level: Literal["", "debug", "info", "warning", "error", "critical"] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=limits.LINES_SHOWN)] = 200


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Choose series (names with commas between; none: the list of names), how many points of each, and since when."""

    series: str = ""
    points: Annotated[int, msgspec.Meta(ge=3, le=limits.HISTORY_POINTS)] = 600
    since_ts: float = 0.0


class HaltBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reason of a halt, for whoever finds it halted."""

    why: Annotated[str, msgspec.Meta(max_length=500)] = "no reason given"


class EmptyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An empty body."""


class PauseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pair or strategy to pause, and why, for whoever comes upon it."""

    name: str
    why: Annotated[str, msgspec.Meta(max_length=500)] = "no reason given"


class ResumeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paused pair or strategy that may go on; without a name the halt ends."""

    name: str = ""


class AcceptBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The assets to take as they are; without any, all that are held."""

    assets: list[str] = []


class AlertTestBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of the test alert."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "a test: alerts come"


class RestartBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The process (or ``all``); ``keep``, of the executor alone, leaves its orders to its next start."""

    process: str
    keep: bool = False


Struct = TypeVar("Struct", bound=msgspec.Struct)


def parse_query(kind: type[Struct], query: Mapping[str, str]) -> Struct:
    """Return the typed query, unknown names ignored. Raises :class:`Problem` for one that does not fit."""
    try:
        parsed: Struct = msgspec.convert(dict(query), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(400, "bad_query", f"the query cannot be read: {error}", "see /openapi.json") from None
    numbers = [getattr(parsed, field) for field in parsed.__struct_fields__]
    if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
        raise Problem(400, "bad_query", "the query holds what is no finite number", "see /openapi.json")
    return parsed


def parse_body(kind: type[Struct], body: bytes) -> Struct:
    """Return the typed body; an empty one stands for ``{}``. Raises :class:`Problem` for one that does not fit."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "bad_body", f"the body cannot be read: {error}", "see /openapi.json") from None
