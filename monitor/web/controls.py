"""Descriptions of what a control will do, before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from monitor.model.status_object import Status


@dataclass(frozen=True, slots=True)
class Question:
    """A confirmation: what is asked, what will happen, the word on the button, and what is then posted where."""

    title: str
    happens: list[str]
    yes: str
    path: str
    body: dict[str, object] = field(default_factory=dict)


def halt(status: Status | None) -> Question:
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


def resume(status: Status | None) -> Question:
    """End a halt."""
    why = (status.halted_why if status else "") or "no reason was given"
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


def flatten(status: Status | None) -> Question:
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


def go_on(name: str, status: Status | None) -> Question:
    """End one pause."""
    return Question(
        f"Let {name} go on?",
        [f"{name} is quoted again within seconds.", *_stake(status)],
        f"Resume {name}",
        "/api/resume",
        {"name": name},
    )


def accept(asset: str, status: Status | None) -> Question:
    """Take what is held as wanted."""
    row = status.assets.get(asset) if status else None
    return Question(
        f"Accept {asset} as it is?",
        [
            f"{row.held if row else ''}.",
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


def _orders(status: Status | None) -> str:
    if status is None or not status.orders_known:
        return "Every open order is"
    count = status.open_orders
    return "The one open order is" if count == 1 else f"All {count} open orders are" if count else "Any open order is"


def _closing(status: Status | None) -> Iterator[str]:
    if status is None or not status.orders_known:
        yield "Which positions are open is not known now: the executor has published none, or is not heard."
        return
    # What no order can close is dust, and counts as flat.
    closing = {
        asset: Decimal(row.position)
        for asset, row in status.assets.items()
        if not row.held and abs(Decimal(row.position)) >= Decimal(row.least)
    }
    for asset, position in closing.items():
        if position:
            side = "sold" if position > 0 else "bought"
            yield f"{asset}: {format(abs(position), 'f')} {side} at the market, within the price band."
    for asset, row in status.assets.items():
        if row.held:
            yield f"{asset} is left as it is: it is held."
    if not any(closing.values()):
        yield "No position is open now."


def _stake(status: Status | None) -> Iterator[str]:
    if status is None or not (status.sandbox or status.dry_run):
        yield "This is real money."
