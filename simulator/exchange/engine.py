"""A matching engine for one pair, naive on purpose: the reference that the Rust one has to equal.

Prices are integers in ticks, quantities integers in lots. A side is one list of orders, best first, so that price-time
priority is plain to see: a new order goes behind every order that is not worse. Owner 0 is the crowd, whose orders
may trade with each other.

Events, in the order in which they happen:

- ``("trade", taker_id, maker_id, price, qty, taker_remaining, maker_remaining)``
- ``("rest", order_id, price, remaining)``: what is left of an incoming order now stands in the book
- ``("cancel", order_id, remaining, reason)``: an order ended with this much unfilled; the reason is ``post_only``,
  ``ioc``, ``fok``, ``stp``, ``user``, ``reduced`` or ``market``
- ``("amend", order_id, price, remaining)``: an amend was taken; trades of it follow, and then a ``rest``
- ``("refused", order_id, reason)``: an amend was not taken (``unknown``, ``post_only``), nothing changed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from shared.rust import rust_module
from simulator.errors import EngineError

Side = Literal["buy", "sell"]
# Any: both engines give plain tuples, whose first member decides on the others (above); a venue adds a trade's id.
Event = tuple[Any, ...]

VALUE_MAX = 2**63 - 1
ID_MAX = 2**64 - 1
OWNER_MAX = 2**32 - 1


def opposite(side: Side) -> Side:
    """Return the other side."""
    return "sell" if side == "buy" else "buy"


class RestingOrder(NamedTuple):
    """An order in the book, as ``Engine.order`` gives its parts."""

    owner: int
    side: Side
    price: int
    remaining: int
    filled: int


class Engine(Protocol):
    """The interface of both engines; each call that can be wrong raises its module's EngineError (a ValueError)."""

    def submit(
        self,
        order_id: int,
        owner: int,
        side: str,
        price: int | None,
        qty: int,
        tif: str = "gtc",
        post_only: bool = False,
        stp: str = "cancel_newest",
    ) -> list[Event]:
        """Submit a new order, at market where ``price`` is None; ``tif`` is gtc, ioc or fok."""

    def amend(self, order_id: int, price: int | None, qty: int | None, post_only: bool = False) -> list[Event]:
        """Amend a resting order; None changes nothing, ``qty`` is the new total, filled part included."""

    def cancel(self, order_id: int) -> list[Event]:
        """Take an order out; no event if it does not rest here."""

    def levels(self, side: str, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (price, total quantity), best first."""

    def best(self, side: str) -> tuple[int, int] | None:
        """Return the best level, None where the side is empty."""

    def queue(self, side: str, price: int) -> list[int]:
        """Return the orders at a price, next to trade first."""

    def order(self, order_id: int) -> tuple[int, Side, int, int, int] | None:
        """Return (owner, side, price, remaining, filled) of a resting order."""

    def count(self) -> int:
        """Return the number of resting orders."""

    def changes(self) -> list[tuple[Side, int, int]]:
        """Return levels touched since the last call, in the order of first touch, with their totals now; 0 is gone."""


@dataclass(slots=True, eq=False)
class _Order:
    order_id: int
    owner: int
    side: Side
    price: int
    remaining: int
    filled: int
    stp: str


class MatchingEngine:
    """The naive engine; every operation may look at every order."""

    def __init__(self) -> None:
        self._sides: dict[Side, list[_Order]] = {"buy": [], "sell": []}
        # A dict as an ordered set: levels in the order of their first touch.
        self._touched: dict[tuple[Side, int], None] = {}

    def submit(
        self,
        order_id: int,
        owner: int,
        side: str,
        price: int | None,
        qty: int,
        tif: str = "gtc",
        post_only: bool = False,
        stp: str = "cancel_newest",
    ) -> list[Event]:
        _check_range(order_id, 0, ID_MAX)
        _check_range(owner, 0, OWNER_MAX)
        own_side = _side(side)
        _check_value(price)
        _check_value(qty)
        if tif not in ("gtc", "ioc", "fok"):
            raise EngineError(f"{tif!r} is no time in force")
        if stp not in ("cancel_newest", "cancel_oldest", "cancel_both"):
            raise EngineError(f"{stp!r} is no self-trade rule")
        if self._find(order_id):
            raise EngineError(f"order {order_id} is resting already")
        if post_only and (price is None or tif != "gtc"):
            raise EngineError("a post-only order is a limit order good till cancelled")
        # A market order's price is as bad as can be.
        limit = price if price is not None else (VALUE_MAX if own_side == "buy" else 0)
        taker = _Order(order_id, owner, own_side, limit, qty, 0, stp)
        if post_only and self._crossed_by(taker):
            return [("cancel", order_id, qty, "post_only")]
        if tif == "fok" and not self._fills_whole(taker):
            return [("cancel", order_id, qty, "fok")]
        events, stopped = self._match(taker)
        if taker.remaining and not stopped:
            if price is None or tif != "gtc":
                events.append(("cancel", order_id, taker.remaining, "market" if price is None else tif))
            else:
                self._rest(taker)
                events.append(("rest", order_id, price, taker.remaining))
        return events

    def amend(self, order_id: int, price: int | None, qty: int | None, post_only: bool = False) -> list[Event]:
        _check_range(order_id, 0, ID_MAX)
        _check_value(price)
        _check_value(qty)
        order = self._find(order_id)
        if order is None:
            return [("refused", order_id, "unknown")]
        total = order.filled + order.remaining if qty is None else qty
        if total <= order.filled:
            self._remove(order)
            return [("cancel", order_id, order.remaining, "reduced")]
        new_price = order.price if price is None else price
        remaining = total - order.filled
        moved = _Order(order_id, order.owner, order.side, new_price, remaining, order.filled, order.stp)
        if post_only and self._crossed_by(moved):
            return [("refused", order_id, "post_only")]
        events: list[Event] = [("amend", order_id, new_price, remaining)]
        if new_price == order.price and remaining <= order.remaining:
            if remaining < order.remaining:
                order.remaining = remaining
                self._touch(order)
            return events
        self._remove(order)
        trades, stopped = self._match(moved)
        events += trades
        if moved.remaining and not stopped:
            self._rest(moved)
            if trades:
                events.append(("rest", order_id, new_price, moved.remaining))
        return events

    def cancel(self, order_id: int) -> list[Event]:
        _check_range(order_id, 0, ID_MAX)
        order = self._find(order_id)
        if order is None:
            return []
        self._remove(order)
        return [("cancel", order_id, order.remaining, "user")]

    def levels(self, side: str, n: int) -> list[tuple[int, int]]:
        totals: dict[int, int] = {}
        for order in self._sides[_side(side)]:
            totals[order.price] = totals.get(order.price, 0) + order.remaining
        return list(totals.items())[: max(n, 0)]

    def best(self, side: str) -> tuple[int, int] | None:
        levels = self.levels(side, 1)
        return levels[0] if levels else None

    def queue(self, side: str, price: int) -> list[int]:
        _check_range(price, 0, ID_MAX)
        return [order.order_id for order in self._sides[_side(side)] if order.price == price]

    def order(self, order_id: int) -> tuple[int, Side, int, int, int] | None:
        _check_range(order_id, 0, ID_MAX)
        order = self._find(order_id)
        if order is None:
            return None
        return order.owner, order.side, order.price, order.remaining, order.filled

    def count(self) -> int:
        return len(self._sides["buy"]) + len(self._sides["sell"])

    def changes(self) -> list[tuple[Side, int, int]]:
        totals = {side: dict(self.levels(side, self.count())) for side in self._sides}
        changes = [(side, price, totals[side].get(price, 0)) for side, price in self._touched]
        self._touched.clear()
        return changes

    def _find(self, order_id: int) -> _Order | None:
        return next((order for side in self._sides.values() for order in side if order.order_id == order_id), None)

    def _touch(self, order: _Order) -> None:
        self._touched[(order.side, order.price)] = None

    def _remove(self, order: _Order) -> None:
        self._sides[order.side].remove(order)
        self._touch(order)

    def _rest(self, order: _Order) -> None:
        """Put an order behind all that are as good as it or better."""
        queue = self._sides[order.side]
        place = next((at for at, other in enumerate(queue) if _is_better(order, other)), len(queue))
        queue.insert(place, order)
        self._touch(order)

    def _opposite(self, taker: _Order) -> list[_Order]:
        """Return the orders that the taker's price reaches, in the order in which it would trade with them."""
        others = self._sides[opposite(taker.side)]
        return [maker for maker in others if _reaches(taker, maker.price)]

    def _crossed_by(self, taker: _Order) -> bool:
        return bool(self._opposite(taker))

    def _fills_whole(self, taker: _Order) -> bool:
        available = 0
        for maker in self._opposite(taker):
            if not _same_owner(taker, maker):
                available += maker.remaining
            elif taker.stp != "cancel_oldest":
                break
        return available >= taker.remaining

    def _match(self, taker: _Order) -> tuple[list[Event], bool]:
        """Trade the taker; return the events, and whether its owner's own order stopped it."""
        events: list[Event] = []
        for maker in self._opposite(taker):
            if not taker.remaining:
                break
            if _same_owner(taker, maker):
                if taker.stp != "cancel_newest":
                    self._remove(maker)
                    events.append(("cancel", maker.order_id, maker.remaining, "stp"))
                if taker.stp != "cancel_oldest":
                    events.append(("cancel", taker.order_id, taker.remaining, "stp"))
                    return events, True
                continue
            qty = min(taker.remaining, maker.remaining)
            for order in (taker, maker):
                order.remaining -= qty
                order.filled += qty
            self._touch(maker)
            if not maker.remaining:
                self._remove(maker)
            left = (taker.remaining, maker.remaining)
            events.append(("trade", taker.order_id, maker.order_id, maker.price, qty, *left))
        return events, False


def resting_order(engine: Engine, order_id: int) -> RestingOrder | None:
    """Return an order that rests in an engine, None if it does not."""
    parts = engine.order(order_id)
    return None if parts is None else RestingOrder(*parts)


def load_engine() -> type[Engine]:
    """Return the Rust engine, without the Rust module the naive one."""
    module = rust_module()
    engine: type[Engine] = MatchingEngine if module is None else module.MatchingEngine
    return engine


def _is_better(order: _Order, other: _Order) -> bool:
    return order.price > other.price if order.side == "buy" else order.price < other.price


def _reaches(taker: _Order, price: int) -> bool:
    return taker.price >= price if taker.side == "buy" else taker.price <= price


def _same_owner(taker: _Order, maker: _Order) -> bool:
    return taker.owner != 0 and taker.owner == maker.owner


def _side(name: str) -> Side:
    if name not in ("buy", "sell"):
        raise EngineError(f"{name!r} is no side")
    return "buy" if name == "buy" else "sell"


def _check_value(value: int | None) -> None:
    if value is not None:
        _check_range(value, 1, VALUE_MAX)


def _check_range(value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise EngineError(f"{value} is not within {least} to {most}")
