"""Answers and problems as bytes."""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web

HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
JSON: Final = "application/json"


class ProblemShown(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every 4xx and 5xx: a word for machines, what happened and why, and what to do."""

    error: str
    text: str
    mend: str


def respond(body: object, code: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return JSON of a value, or of bytes that are JSON already."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return web.Response(body=raw, status=code, content_type=JSON, headers=HEADERS | (headers or {}))
