"""Rules of which orders a cancel was: those ahead of ours, or those behind.

A recorded level says that quantity left a queue, never where it stood. Each rule is a bound or a guess; for the same
orders at the same times, ``front`` never fills an order less than the others do, and ``back`` never more.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

POWER_MAX: Final = 16.0
"""Above it the weight of a long queue is no float any more."""


class QueueModel(StrEnum):
    """The rule by which a cancel is shared between the quantity ahead of an order and that behind it."""

    FRONT = "front"
    """Cancels come from ahead of us: optimistic. An order whose place is unknown is first at its price."""
    PRO_RATA = "pro_rata"
    """Each lot of the queue is as likely to be cancelled."""
    POWER = "power"
    """The probability that a cancel was behind is f(behind) / (f(behind) + f(ahead)), with f(x) = x ** power."""
    LOG = "log"
    """The same with f(x) = ln(1 + x)."""
    BACK = "back"
    """Cancels come from behind us as long as there is anything: pessimistic."""


def cancelled_ahead(model: QueueModel, power: float, ahead: int, lots: int, cancelled: int) -> int:
    """Return how much of ``cancelled`` stood ahead, in a queue of ``lots`` of which ``ahead`` are ahead of the order.

    Rounded down, so that what is left ahead is never too small. ``power`` and ``log`` are the family of hftbacktest's
    probability queue models: what the share behind cannot have is taken from ahead; kept within the bounds.
    """
    behind = lots - ahead
    most, least = min(ahead, cancelled), max(0, cancelled - behind)
    if model is QueueModel.FRONT:
        return most
    if model is QueueModel.BACK:
        return least
    if model is QueueModel.PRO_RATA:
        return cancelled * ahead // lots
    weight_ahead, weight_behind = (_weight(model, power, quantity) for quantity in (ahead, behind))
    share = weight_behind / (weight_behind + weight_ahead)
    taken = cancelled * (1.0 - share) + max(0.0, cancelled * share - behind)
    return min(max(math.floor(taken), least), most)


def _weight(model: QueueModel, power: float, quantity: int) -> float:
    return math.log1p(quantity) if model is QueueModel.LOG else float(quantity) ** power
