"""Flatten (T11) by the exchange's books: each order reduces, each asset has one pair, and the end is flat to dust."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shared.numbers import scale
from shared.valuation import legs
from simulator.pairs.pairs import ASSETS, PAIRS, Pair
from tests.simulation.host import Host
from tests.simulation.worst_case import WorstCase

if TYPE_CHECKING:
    from tests.simulation.invariants import Watch

ZERO = Decimal(0)
STRATEGY = "flatten"


class Flat:
    """Judges the orders of a flatten, and its end."""

    def __init__(self, watch: Watch, worst_case: WorstCase) -> None:
        self.watch, self.worst_case = watch, worst_case
        self.market = watch.world.market
        self._pairs: dict[str, set[str]] = {}

    def begin(self) -> None:
        """Look at which pairs close each asset from now on."""
        self._pairs.clear()

    def sent(self, host: Host, symbol: str, row: dict[str, Any]) -> None:
        """One order of a flatten."""
        self.watch.checks["flatten orders"] += 1
        pair, side = PAIRS[symbol], row["side"]
        base = legs(symbol)[0]
        name = f"{row['cl_ord_id']} {side} {row['order_qty']} {symbol}"
        if row.get("time_in_force") != "ioc":
            self.watch.violate("T11", f"{name} may rest")
        if not host.state.controls.flattening:
            self.watch.violate("T11", f"{name}, and nobody asked for it")
        self._pairs.setdefault(base, set()).add(symbol)
        others = [
            order
            for name, order in self.worst_case.standing(host).items()
            if order.ours and (self.watch.world.rival is None or host.state.registry.find(name) is not None)
        ]  # beside a second executor, those that this one may know of
        if any(base in legs(order.symbol) for order in others):
            self.watch.violate("T11", f"{name} while another order on {base} is open")
        held = self._positions(host, base)
        most = max(held) if side == "sell" else -min(held)
        # With a second executor at work the other's fill of a moment ago is not known here yet.
        if self.watch.world.rival is None and Decimal(str(row["order_qty"])) > max(ZERO, most):
            self.watch.violate("T11", f"{name} is more than the position, {most}")
        mid = host.mids.last(symbol) or ZERO
        band = mid * self.watch.world.config.trading.price_band_percent / 100
        price = Decimal(scale(row["limit_price"], pair.price_precision)).scaleb(-pair.price_precision)
        if abs(price - mid) > band:
            self.watch.violate("T11", f"{name} at {price} is outside the price band around {mid}")

    def done(self, host: Host) -> None:
        """The executor calls it done: every traded base is at its inventory, but for dust and what is held."""
        self.watch.checks["flattened"] += 1
        if self.watch.world.rival is None:
            self._dust(host)

    def at_end(self, host: Host) -> None:
        """At the end of a flatten in calm weather."""
        self._dust(host)
        bases = set(self.market.bases)
        for base, used in self._pairs.items():
            own = [symbol for symbol in self.market.traded if legs(symbol)[0] == base]
            outside = [symbol for symbol in own if legs(symbol)[1] not in bases]
            if len(used) > 1 or (outside and not used <= set(outside)):
                self.watch.violate("T11", f"{base} was closed through {sorted(used)}")

    def _positions(self, host: Host, asset: str) -> tuple[Decimal, ...]:
        """Return the positions when the process decided, with and without changes that it could not know yet."""
        held = self.worst_case.position(asset, host)
        unknown = list(self.worst_case.unknown(host, asset))
        ups = sum((change for change in unknown if change > 0), ZERO)
        downs = sum((change for change in unknown if change < 0), ZERO)
        return held, held - ups, held - downs, held - ups - downs

    def _dust(self, host: Host) -> None:
        held = host.state.account.holds.held.keys()
        for asset in self.market.bases:
            quotes = {legs(symbol)[1] for symbol in self.market.traded if legs(symbol)[0] == asset}
            if asset in held or quotes <= held:
                continue  # left alone, or closed only by trading one that is
            left = min(self._positions(host, asset), key=abs)
            for symbol in self.market.traded:
                pair = PAIRS[symbol]
                amount = min(left, self._spot(asset)) if left > 0 else min(-left, self._affordable(host, pair))
                if symbol not in self._pairs.get(asset, {symbol}):
                    continue  # each asset is closed through one pair, and ends where that pair's money does
                if pair.base.name == asset and pair.quote.name not in held and self._can_trade(host, pair, amount):
                    self.watch.violate("T11", f"called flat with {left} {asset}, which {symbol} could close")

    def _spot(self, asset: str) -> Decimal:
        return Decimal(self.watch.world.kraken.account.balances.get(asset, 0)).scaleb(-ASSETS[asset].decimals)

    def _affordable(self, host: Host, pair: Pair) -> Decimal:
        """Return how much the quote's balance buys; a flatten ends when that is used up."""
        mid = host.mids.last(pair.symbol)
        return self._spot(pair.quote.name) * Decimal("0.98") / mid if mid else ZERO

    def _can_trade(self, host: Host, pair: Pair, amount: Decimal) -> bool:
        """True if it is well above the pair's minimums, at a price in the band."""
        mid = host.mids.last(pair.symbol)
        if mid is None or amount * Decimal("0.98") < Decimal(pair.qty_min).scaleb(-pair.qty_precision):
            return False
        least = Decimal(pair.cost_min).scaleb(-pair.quote.decimals)
        return amount * mid * Decimal("0.97") > least
