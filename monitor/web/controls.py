"""Descriptions of what a control will do, before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """A confirmation: what is asked, what will happen, the word on the button, and what is then posted where."""

    title: str
    happens: list[str]
    yes: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)


def halt(status: dict[str, Any]) -> Question:
    """Pull everything."""
    return Question(
        "Halt trading?",
        [
            f"{_orders(status)} pulled at once, and nothing more is placed, whatever restarts.",
            "Positions stay as they are.",
            "Only resume ends it.",
        ],
        "Halt now",
        "/api/halt",
        {"why": "from the web page"},
    )


def resume(status: dict[str, Any]) -> Question:
    """End a halt."""
    why = status.get("halted_why") or "no reason was given"
    return Question(
        "Resume trading?",
        [
            f"The halt ends ({why}).",
            "Strategies that are ready place their quotes again within seconds.",
            *_stake(status),
        ],
        "Resume trading",
        "/api/resume",
    )


def flatten(status: dict[str, Any]) -> Question:
    """Close every position."""
    return Question(
        "Flatten every position?",
        [
            f"{_orders(status)} pulled first.",
            *_closing(status),
            "When all is flat, trading is halted.",
            *_stake(status),
        ],
        "Flatten now",
        "/api/flatten",
    )


def pause(name: str) -> Question:
    """Pull one pair or strategy."""
    return Question(
        f"Pause {name}?",
        [f"Every quote of {name} is pulled, and none is placed for it, whatever restarts.", "The rest goes on."],
        f"Pause {name}",
        "/api/pause",
        {"name": name, "why": "from the web page"},
    )


def go_on(name: str, status: dict[str, Any]) -> Question:
    """End one pause."""
    return Question(
        f"Let {name} go on?",
        [f"{name} is quoted again within seconds.", *_stake(status)],
        f"Resume {name}",
        "/api/resume",
        {"name": name},
    )


def accept(asset: str, status: dict[str, Any]) -> Question:
    """Take what is held as wanted."""
    row = status.get("assets", {}).get(asset, {})
    return Question(
        f"Accept {asset} as it is?",
        [
            f"{row.get('held', '')}.",
            f"Accepted, all {asset} that there is counts as kept, flatten does not sell it, and it is quoted again.",
            *_stake(status),
        ],
        f"Accept {asset}",
        "/api/accept",
        {"assets": [asset]},
    )


def restart(name: str, *, keep: bool) -> Question:
    """Stop and start one process."""
    return Question(
        f"Restart {name}?",
        [_restarting(name, keep)],
        f"Restart {name}",
        "/api/restart",
        {"process": name, "keep": keep} if name == "executor" else {"process": name},
    )


def _restarting(name: str, keep: bool) -> str:
    if name == "executor":
        if keep:
            return "It hands its orders over to its next start: they stay at the exchange."
        return "It pulls every order before it goes, and quotes again once it has started."
    if name.startswith("strategy"):
        return "It is back before its quotes run out, so that they keep their place in the queue."
    if name == "monitor":
        return "This page shows nothing new until it is back; trading goes on."
    if name == "simulator":
        return "The sandbox's exchange goes away for a moment: everything reconnects, and quotes are pulled meanwhile."
    return "Every book counts as invalid until it is back, and quotes are pulled meanwhile."


def _orders(status: dict[str, Any]) -> str:
    count = status.get("open_orders")
    if count is None or not status.get("orders_known", True):
        return "Every open order is"
    return "The one open order is" if count == 1 else f"All {count} open orders are" if count else "Any open order is"


def _closing(status: dict[str, Any]) -> Iterator[str]:
    if not status.get("orders_known", True):
        yield "Which positions are open is not known now: the executor has not told, or is not heard."
        return
    assets = status.get("assets", {})
    positions = {asset: Decimal(row["position"]) for asset, row in assets.items() if not row.get("held")}
    # What no order can close is dust, and counts as flat.
    positions = {
        asset: amount for asset, amount in positions.items() if abs(amount) >= Decimal(assets[asset].get("least", "0"))
    }
    for asset, position in positions.items():
        if position:
            side = "sold" if position > 0 else "bought"
            yield f"{asset}: {format(abs(position), 'f')} {side} at the market, within the price band."
    for asset, row in assets.items():
        if row.get("held"):
            yield f"{asset} is left as it is: it is held."
    if not any(positions.values()):
        yield "No position is open now."


def _stake(status: dict[str, Any]) -> Iterator[str]:
    if not status.get("sandbox", False) and not status.get("dry_run", False):
        yield "This is real money."
