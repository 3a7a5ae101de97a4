"""The worst case of all live orders, updated as orders and prices change.

So a verdict's cost grows with what changed and not with all orders. :class:`executor.decide.risk.Listed` computes the
same from all orders; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from executor.decide import risk
from executor.decide.risk import DOWN, UP, Leg, Portfolio
from executor.orders.order import Order
from executor.orders.registry import Registry
from shared.messages import Side
from shared.numbers import EXACT

ZERO = Decimal(0)
SIDES: tuple[Side, Side] = ("buy", "sell")


@dataclass(frozen=True, slots=True)
class Share:
    """One order's share: what it adds to each of its legs at its worst, and takes from an asset's balance."""

    legs: tuple[Leg, ...]
    worth: Decimal
    asset: str
    amount: Decimal


class Exposure:
    """The worst case by asset and direction, and what orders take from the balance, by symbol and in total."""

    def __init__(self, registry: Registry, max_position_size: Decimal) -> None:
        self._registry, self._most = registry, max_position_size
        self.beyond: set[Leg] = set()  # legs whose worst case is above the limit; mostly none
        self.unpriced: set[str] = set()  # symbols with orders but no mid: valued by their base's rate
        self._moved = registry.watch()
        self._portfolio = Portfolio({}, {}, {})
        # By symbol: each order's share, and what all of them add to each leg, and take from each asset's balance.
        self._shares: dict[str, dict[Order, Share]] = {}
        self._adds: dict[str, dict[Leg, Decimal]] = {}
        self._takes: dict[str, dict[str, Decimal]] = {}
        self._movers: dict[Leg, set[str]] = {}  # the symbols whose orders move a leg
        self._spent: dict[str, Decimal] = {}  # of each asset, by all orders
        self._count = 0
        self._worst: dict[Leg, Decimal] = {}
        # The worst case of each asset in its worse direction, and the sum of these.
        self._gross_of: dict[str, Decimal] = {}
        self._gross = ZERO

    # --- keeping up ----------------------------------------------------------------------------------------------

    @property
    def is_behind(self) -> bool:
        """True if an order has changed since the last update."""
        return bool(self._moved)

    def rebuild(self, portfolio: Portfolio) -> None:
        """Compute everything again, for other positions, rates or pairs."""
        self._portfolio = portfolio
        symbols = [*self._adds, *self._registry.symbols()]
        self._adds.clear()
        self._takes.clear()
        self._movers.clear()
        self._spent.clear()
        self._shares.clear()
        self.unpriced.clear()
        self._count = 0
        self._moved.clear()
        for symbol in dict.fromkeys(symbols):
            self._take_symbol(symbol)
        self._worst, self.beyond = {}, set()
        self._gross_of, self._gross = {}, ZERO
        self._weigh((asset, way) for asset in portfolio.positions for way in (UP, DOWN))

    def reposition(self, portfolio: Portfolio, assets: Iterable[str]) -> None:
        """Take a portfolio in which only the positions of these assets differ."""
        self._portfolio = portfolio
        self._weigh((asset, way) for asset in assets for way in (UP, DOWN))

    def update(self, revalued: Iterable[str] = ()) -> None:
        """Take in orders that changed, and symbols whose mid did."""
        if not self._moved and not revalued:
            return
        legs: dict[Leg, None] = {}
        for symbol in dict.fromkeys([*self._moved, *revalued]):
            legs.update(dict.fromkeys(self._adds.get(symbol, {})))
            self._take_symbol(symbol)
            legs.update(dict.fromkeys(self._adds[symbol]))
        for symbol in revalued:
            for side in SIDES:
                legs.update(dict.fromkeys(risk.moves(symbol, side, self._portfolio.positions)))
        self._moved.clear()
        self._weigh(legs)

    def _take_symbol(self, symbol: str) -> None:
        adds: dict[Leg, Decimal] = {}
        takes: dict[str, Decimal] = {}
        portfolio = self._portfolio
        orders = self._registry.live_on(symbol)
        legs_of = {side: tuple(risk.moves(symbol, side, portfolio.positions)) for side in SIDES}
        shares: dict[Order, Share] = {}
        for order in orders:
            share = Share(legs_of[order.side], risk.open_worth(portfolio, order), *risk.spends(order))
            shares[order] = share
            for leg in share.legs:
                adds[leg] = adds.get(leg, ZERO) + share.worth
            takes[share.asset] = takes.get(share.asset, ZERO) + share.amount
        self._count += len(shares) - len(self._shares.get(symbol, ()))
        self._shares[symbol] = shares
        for leg in self._adds.get(symbol, {}):
            self._movers[leg].discard(symbol)
        for leg in adds:
            self._movers.setdefault(leg, set()).add(symbol)
        for asset, amount in self._takes.get(symbol, {}).items():
            self._spent[asset] = EXACT.subtract(self._spent[asset], amount)
        for asset, amount in takes.items():
            self._spent[asset] = EXACT.add(self._spent.get(asset, ZERO), amount)
        self._adds[symbol], self._takes[symbol] = adds, takes
        if orders and symbol not in self._portfolio.markets:
            self.unpriced.add(symbol)
        else:
            self.unpriced.discard(symbol)

    def _weigh(self, legs: Iterable[Leg]) -> None:
        assets: dict[str, None] = {}
        for leg in legs:
            assets[leg[0]] = None
            asset, way = leg
            total = way * self._portfolio.position_worth(asset)
            for symbol in sorted(self._movers.get(leg, ())):
                total += self._adds[symbol][leg]
            self._worst[leg] = total
            if total > self._most:
                self.beyond.add(leg)
            else:
                self.beyond.discard(leg)
        for asset in assets:
            gross = self._of_asset(asset, None, {})
            change = EXACT.subtract(gross, self._gross_of.get(asset, ZERO))
            self._gross_of[asset], self._gross = gross, EXACT.add(self._gross, change)

    # --- queries, as risk.Standing has them ----------------------------------------------------------------------

    def count(self, without: Order | None) -> int:
        """Return how many orders there are."""
        return self._count - (self._share(without) is not None)

    def on(self, symbol: str) -> list[Order]:
        """Return the orders on a symbol."""
        return self._registry.live_on(symbol)

    def worst(self, leg: Leg, without: Order | None) -> Decimal:
        """Return the worst case of a traded base in a direction."""
        share = self._share(without)
        return self._worst[leg] - share.worth if share is not None and leg in share.legs else self._worst[leg]

    def gross(self, without: Order | None, more: Mapping[Leg, Decimal]) -> Decimal:
        """Return the gross worst case, with ``more`` in some directions."""
        total, share = self._gross, self._share(without)
        touched = {asset for asset, _ in more}
        if share is not None:
            touched |= {asset for asset, _ in share.legs}
        for asset in touched:
            total += self._of_asset(asset, without, more) - self._gross_of[asset]
        return total

    def spent(self, asset: str, without: Order | None) -> Decimal:
        """Return how much of an asset the orders take from the balance at their worst."""
        total, share = self._spent.get(asset, ZERO), self._share(without)
        return total - share.amount if share is not None and share.asset == asset else total

    def _of_asset(self, asset: str, without: Order | None, more: Mapping[Leg, Decimal]) -> Decimal:
        up, down = (asset, UP), (asset, DOWN)
        return max(self.worst(up, without) + more.get(up, ZERO), self.worst(down, without) + more.get(down, ZERO), ZERO)

    def _share(self, order: Order | None) -> Share | None:
        """Return an order's share of the sums; None for one that they do not hold."""
        return None if order is None else self._shares.get(order.symbol, {}).get(order)
