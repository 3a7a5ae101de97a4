"""One side of the recorded book, as far as the record follows it, less what own takers took."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.exchange.engine import Side


@dataclass(slots=True)
class RecordedLevel:
    """A recorded level; ``taken`` is what own orders took of it, which the record knows nothing about."""

    lots: int
    taken: int = 0

    @property
    def visible(self) -> int:
        """Lots left to trade with."""
        return max(0, self.lots - self.taken)


@dataclass(slots=True)
class RecordedLevels:
    """A side's levels by price; one that trades emptied stays until the record removes it."""

    side: Side
    by_price: dict[int, RecordedLevel] = field(default_factory=dict)

    def set(self, price: int, lots: int) -> None:
        """Set what the record has at a price; 0 removes the level."""
        if not lots:
            self.by_price.pop(price, None)
        elif price in self.by_price:
            self.by_price[price].lots = lots
        else:
            self.by_price[price] = RecordedLevel(lots)

    def lots(self, price: int) -> int:
        """Return what the record has at a price."""
        level = self.by_price.get(price)
        return level.lots if level is not None else 0

    def visible(self, price: int) -> int:
        """Return what is left to trade with at a price."""
        level = self.by_price.get(price)
        return level.visible if level is not None else 0

    def best_first(self) -> list[int]:
        """Return the prices, best first."""
        return sorted(self.by_price, reverse=self.side == "buy")

    def trim(self, depth: int) -> None:
        """Keep the best ``depth`` levels; all where it is 0."""
        for price in self.best_first()[depth or len(self.by_price) :]:
            del self.by_price[price]

    def shows(self, price: int, depth: int) -> bool:
        """True if a record of ``depth`` levels would have a level at ``price``."""
        if not depth or len(self.by_price) < depth:
            return True
        worst = self.best_first()[-1]
        return price >= worst if self.side == "buy" else price <= worst
