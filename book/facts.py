"""Facts about a parsed book frame (symbol, depth, snapshot or not), before any book reads its levels."""

from __future__ import annotations

import json
from dataclasses import dataclass

from book.frames import new_name

DEPTHS = (10, 25, 100, 500, 1000)
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Facts:
    """A book frame's symbol (its new name), its depth if it states one, and a snapshot's number of levels.

    ``snapshot_levels`` is that of the longer side; None if the frame is no snapshot.
    """

    symbol: str
    depth: int | None
    snapshot_levels: int | None


def describe(parsed: object) -> Facts | None:
    """Return the facts of a frame, or None if it is no book frame."""
    if isinstance(parsed, dict):
        return _v2_facts(parsed)
    if isinstance(parsed, list) and len(parsed) >= 4 and isinstance(parsed[-1], str):
        return _v1_facts(parsed)
    return None


def depth_that_holds(levels: int) -> int:
    """Return the smallest of Kraken's depths that holds a snapshot's longer side."""
    return next((depth for depth in DEPTHS if depth >= levels), DEPTHS[-1])


def replayed_depth(frame: bytes, configured: int) -> int | None:
    """Return the depth that a recorded snapshot was subscribed with; None if the frame is no snapshot.

    If its longer side has exactly one of Kraken's depths, that is it. Else it is a thin book, which was recorded, in
    all likelihood, with the configured depth.
    """
    try:
        about = describe(json.loads(frame))
    except (ValueError, RecursionError):
        return None
    if about is None or about.snapshot_levels is None:
        return None
    if about.depth or about.snapshot_levels in DEPTHS:
        return about.depth or about.snapshot_levels
    return max(configured, depth_that_holds(about.snapshot_levels))


def _v2_facts(parsed: dict[str, object]) -> Facts | None:
    data = parsed.get("data")
    if parsed.get("channel") != "book" or not isinstance(data, list) or not data:
        return None
    element: dict[str, object] = data[0] if isinstance(data[0], dict) else {}
    symbol = element.get("symbol")
    longest = _longest(element, "bids", "asks") if parsed.get("type") == "snapshot" else None
    return Facts(new_name(symbol) if isinstance(symbol, str) else UNKNOWN, None, longest)


def _v1_facts(parsed: list[object]) -> Facts | None:
    channel = parsed[-2]
    name, depth = (channel.get("name"), channel.get("depth")) if isinstance(channel, dict) else (channel, None)
    if not isinstance(name, str) or name.partition("-")[0] != "book":
        return None
    named = name.partition("-")[2] or str(depth)
    bodies = [body for body in parsed[1:-2] if isinstance(body, dict)]
    snapshot = any("as" in body or "bs" in body for body in bodies)
    longest = max((_longest(body, "as", "bs") for body in bodies), default=0) if snapshot else None
    return Facts(new_name(str(parsed[-1])), int(named) if named in map(str, DEPTHS) else None, longest)


def _longest(body: dict[str, object], *sides: str) -> int:
    return max(len(side) if isinstance(side := body.get(key), list) else 0 for key in sides)
