"""Make docs/orders.md: the order state machine as a table, from the machine itself."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from executor.orders import transitions
from executor.orders.order import Active, Amend, Finished, OrderLife
from executor.orders.transitions import Ended, life_after

# Any: arguments of the events, each of its own type.
VALUES: dict[str, Any] = {
    "str": "",
    "int": 0,
    "int | None": None,
    "bool": False,
    "Finished": Finished.CANCELLED,
    "Amend": Amend(0, 0, 0, 0),
}
HEAD = """# An order's life

An order is *active* while it may still trade as far as we know, and *finished* after that. Only events change it.
`executor/orders/transitions.py` is the state machine, and this page is made from it. [why](why.md) shows the events of
one order.

| active | |
| --- | --- |
| `sent` | the request was sent; no response or report has come yet |
| `open` | the exchange has it |
| `unknown` | no response will come; a report, a snapshot or the history must show whether it was placed |
| `cancelling` | a cancel was sent |

| finished | |
| --- | --- |
| `filled`, `cancelled`, `expired` | as the exchange reported it |
| `refused` | the exchange rejected it |
| `denied` | our own limits denied it, and it was never sent |
| `never_placed` | no response came, and neither a later snapshot nor the history knows it |

A dot means that the event leaves the state as it is. The description says what else it changes.

| event | sent | open | unknown | cancelling | finished | |
| --- | --- | --- | --- | --- | --- | --- |
"""


def events() -> list[type]:
    """Return every kind of event, in the order of the code."""
    return list(typing.get_args(transitions.Event))


def sample(kind: type) -> transitions.Event:
    """Return an event of a kind, with values that say nothing."""
    made = kind(*[VALUES[str(field.type)] for field in dataclasses.fields(kind)])
    return typing.cast(transitions.Event, made)


def page() -> str:
    """Return the page."""
    return HEAD + "\n".join(_row(kind) for kind in events()) + "\n"


def _row(kind: type) -> str:
    lives: list[OrderLife] = [*Active, Finished.CANCELLED]
    cells = [_cell(life, kind) for life in lives]
    text = " ".join((kind.__doc__ or "").split()).replace("``", "`")
    return f"| {kind.__name__} | {' | '.join(cells)} | {text} |"


def _cell(life: OrderLife, kind: type) -> str:
    after = life_after(life, sample(kind))
    if after is life:
        return "·"
    return "as reported" if kind is Ended else after.value
