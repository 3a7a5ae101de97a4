"""One side of the recorded book, as far as the record follows it, less what own takers took."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.exchange.engine import Side


@dataclass(slots=True)
class RecordedOrder:
    """A single order of the record: what the record says it has, and what is left of that after the trades since.

    ``place`` counts the arrivals in queues of its side; ``taken`` is what own orders took of it.
    """

    lots: int
    left: int
    place: int
    taken: int = 0

    @property
    def visible(self) -> int:
        """Lots left to trade with."""
        return self.left - self.taken


@dataclass(slots=True)
class RecordedLevel:
    """A recorded level; ``taken`` is what own orders took of it, which the record knows nothing about.

    ``orders`` are its single orders by number, next to trade first, where the record has them.
    """

    lots: int
    taken: int = 0
    orders: dict[int, RecordedOrder] = field(default_factory=dict)

    @property
    def visible(self) -> int:
        """Lots left to trade with."""
        return max(0, self.lots - self.taken)

    def visible_before(self, place: int) -> int:
        """Return what is left of the orders that came before a place."""
        return sum(order.visible for order in self.orders.values() if order.place < place)

    def take(self, qty: int) -> None:
        """Let an own order take from the front."""
        self.taken += qty
        for order in self.orders.values():
            part = min(qty, order.visible)
            order.taken += part
            qty -= part

    def trade(self, lots: int) -> None:
        """Let a recorded trade eat from the front."""
        if not self.orders:
            self.lots = max(0, self.lots - lots)
            return
        for order in self.orders.values():
            part = min(lots, order.left)
            order.left -= part
            order.taken = min(order.taken, order.left)
            lots -= part
        self.sum_orders()

    def sum_orders(self) -> None:
        """Make the level what its orders are together."""
        self.lots = sum(order.left for order in self.orders.values())
        self.taken = sum(order.taken for order in self.orders.values())


@dataclass(slots=True)
class RecordedLevels:
    """A side's levels by price; one that trades emptied stays until the record removes it.

    ``arrivals`` counts the single orders that came to the back of a queue. ``hidden`` are those of which the record
    shows nothing at the moment, by number with price and place: they may come back to where they stood.
    """

    side: Side
    by_price: dict[int, RecordedLevel] = field(default_factory=dict)
    arrivals: int = 0
    hidden: dict[int, tuple[int, int]] = field(default_factory=dict)
    _prices: dict[int, int] = field(default_factory=dict)

    def set(self, price: int, lots: int) -> None:
        """Set what the record has at a price; 0 removes the level."""
        if not lots:
            self.by_price.pop(price, None)
        elif price in self.by_price:
            self.by_price[price].lots = lots
        else:
            self.by_price[price] = RecordedLevel(lots)

    def set_order(self, number: int, price: int, lots: int) -> list[int]:
        """Set what the record has of a single order, 0 removes it; return the prices whose queues changed.

        Less than before at its price keeps its place, all else goes to the back.
        """
        old_price = self._prices.get(number)
        if old_price == price and 0 < lots <= (order := self.by_price[price].orders[number]).lots:
            order.lots, order.left = lots, min(order.left, lots)
            order.taken = min(order.taken, order.left)
            self.by_price[price].sum_orders()
            return [price]
        changed = []
        if old_price is not None:
            self._remove_order(number, old_price)
            changed.append(old_price)
        if lots:
            level = self.by_price.setdefault(price, RecordedLevel(0))
            level.orders[number] = RecordedOrder(lots, lots, self._place(number, price))
            level.sum_orders()
            self._prices[number] = price
            changed.append(price)
        return changed

    def _remove_order(self, number: int, price: int) -> None:
        level = self.by_price[price]
        del level.orders[number], self._prices[number]
        if level.orders:
            level.sum_orders()
        else:
            del self.by_price[price]

    def _place(self, number: int, price: int) -> int:
        """Return the place of an order that comes: the one it had before it was hidden, or the last."""
        hidden_price, place = self.hidden.pop(number, (0, 0))
        if hidden_price == price:
            return place
        self.arrivals += 1
        return self.arrivals - 1

    def clear(self) -> None:
        """Empty the side; single orders are hidden."""
        for price in list(self.by_price):
            self._hide(price)

    def lots(self, price: int) -> int:
        """Return what the record has at a price."""
        level = self.by_price.get(price)
        return level.lots if level is not None else 0

    def visible(self, price: int) -> int:
        """Return what is left to trade with at a price."""
        level = self.by_price.get(price)
        return level.visible if level is not None else 0

    def visible_before(self, price: int, place: int) -> int:
        """Return what is left at a price of the single orders that came before a place."""
        level = self.by_price.get(price)
        return level.visible_before(place) if level is not None else 0

    def best_first(self) -> list[int]:
        """Return the prices, best first."""
        return sorted(self.by_price, reverse=self.side == "buy")

    def trim(self, depth: int) -> None:
        """Keep the best ``depth`` levels; all where it is 0. The single orders of others are hidden."""
        for price in self.best_first()[depth or len(self.by_price) :]:
            self._hide(price)

    def _hide(self, price: int) -> None:
        for number, order in self.by_price.pop(price).orders.items():
            self.hidden[number] = price, order.place
            del self._prices[number]

    def shows(self, price: int, depth: int) -> bool:
        """True if a record of ``depth`` levels would have a level at ``price``."""
        if not depth or len(self.by_price) < depth:
            return True
        worst = self.best_first()[-1]
        return price >= worst if self.side == "buy" else price <= worst
