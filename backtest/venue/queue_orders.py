"""Own orders of one pair in price-time priority, and the terms on which one may come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from simulator.errors import EngineError
from simulator.exchange.engine import OWNER_MAX, VALUE_MAX, Side

RECORDED_IDS_FROM = 1 << 40
"""The first id of a recorded taker or maker in events; own ids are below."""


@dataclass(slots=True, eq=False)
class QueuedOrder:
    """An own order; ``ahead`` is the recorded quantity before it, and says nothing while the place is unknown.

    ``place`` is the number of single orders that had come to its side of the record before it.
    """

    order_id: int
    owner: int
    side: Side
    price: int
    remaining: int
    filled: int
    stp: str
    ahead: int = 0
    place: int = 0
    is_known: bool = False

    def fill(self, qty: int) -> None:
        """Count a fill."""
        self.remaining -= qty
        self.filled += qty

    def reaches(self, price: int) -> bool:
        """True if it would trade with the other side's ``price``."""
        return self.price >= price if self.side == "buy" else self.price <= price

    def is_better_than(self, price: int) -> bool:
        """True if its price comes before ``price`` of the same side."""
        return self.price > price if self.side == "buy" else self.price < price


@dataclass(slots=True)
class OwnOrders:
    """The orders of both sides, each side best first."""

    sides: dict[Side, list[QueuedOrder]] = field(default_factory=lambda: {"buy": [], "sell": []})

    def __iter__(self) -> Iterator[QueuedOrder]:
        for orders in self.sides.values():
            yield from orders

    def find(self, order_id: int) -> QueuedOrder | None:
        """Return an order by its id."""
        return next((order for order in self if order.order_id == order_id), None)

    def at(self, side: Side, price: int) -> list[QueuedOrder]:
        """Return the orders at a price, next to trade first."""
        return [order for order in self.sides[side] if order.price == price]

    def insert(self, order: QueuedOrder) -> None:
        """Put an order behind all that are as good as it or better."""
        queue = self.sides[order.side]
        place = next((at for at, other in enumerate(queue) if order.is_better_than(other.price)), len(queue))
        queue.insert(place, order)

    def remove(self, order: QueuedOrder) -> None:
        """Take an order out."""
        self.sides[order.side].remove(order)

    def remove_filled(self) -> None:
        """Take out all that have nothing left."""
        for orders in self.sides.values():
            orders[:] = [order for order in orders if order.remaining]


def to_side(name: str) -> Side:
    """Return the side of this name. Raises EngineError."""
    if name not in ("buy", "sell"):
        raise EngineError(f"{name!r} is no side")
    return "buy" if name == "buy" else "sell"


def check_terms(order_id: int, owner: int, price: int | None, qty: int, tif: str, post_only: bool, stp: str) -> None:
    """Raise EngineError for what no order may be."""
    check_id(order_id)
    check_range(owner, 0, OWNER_MAX)
    check_value(price)
    check_value(qty)
    if tif not in ("gtc", "ioc", "fok"):
        raise EngineError(f"{tif!r} is no time in force")
    if stp not in ("cancel_newest", "cancel_oldest", "cancel_both"):
        raise EngineError(f"{stp!r} is no self-trade rule")
    if post_only and (price is None or tif != "gtc"):
        raise EngineError("a post-only order is a limit order good till cancelled")


def check_id(order_id: int) -> None:
    """Raise EngineError for an id that no own order may have."""
    check_range(order_id, 0, RECORDED_IDS_FROM - 1)


def check_value(value: int | None) -> None:
    """Raise EngineError for what is no price or quantity."""
    if value is not None:
        check_range(value, 1, VALUE_MAX)


def check_range(value: int, least: int, most: int) -> None:
    """Raise EngineError for a value beyond its range."""
    if not least <= value <= most:
        raise EngineError(f"{value} is not within {least} to {most}")
