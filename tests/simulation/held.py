"""An asset that somebody else moved beyond its limit is left alone until accepted, or moved back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shared.clock import SECOND
from shared.valuation import legs
from simulator.exchange.orders import Order
from simulator.pairs.pairs import ASSETS
from tests.simulation.crowd import Move
from tests.simulation.host import Host
from tests.simulation.worst_case import WorstCase

if TYPE_CHECKING:
    from tests.simulation.invariants import Watch

CLEARLY = Decimal("1.1")
AT_ONCE = int(0.3 * SECOND)
GONE = int(1.7 * SECOND)


class Held:
    """The assets that must be held, by what was moved at the exchange; and what was accepted."""

    def __init__(self, watch: Watch, worst_case: WorstCase) -> None:
        self.watch, self.worst_case = watch, worst_case
        self._must: set[str] = set()
        self._known_since: dict[str, int] = {}
        self._held_since: dict[str, int] = {}
        self.accepted: dict[str, Decimal] = {}

    # --- events --------------------------------------------------------------------------------------------------

    def moved(self, move: Move) -> None:
        """The owner moved something; beyond the limit by that, the asset must be held."""
        asset, host = move.asset, self.watch.world.main
        if asset not in self.worst_case.market.bases or not host.running:
            return
        position = self.worst_case.position(asset)
        if self._is_beyond(host, asset, CLEARLY) and abs(position) > abs(position - move.amount):
            self._must.add(asset)

    def accepts(self, host: Host, assets: list[str]) -> None:
        """Note that what a person accepted is on the disk: it is the inventory from now on, through every start."""
        for asset in assets:
            self._must.discard(asset)
            self.accepted[asset] = host.state.account.inventory.of_asset(asset)
            self.watch.checks["accepted"] += 1

    def started(self, host: Host) -> None:
        """A start takes up what was accepted."""
        self._known_since.clear()
        self._held_since.clear()
        for asset, amount in self.accepted.items() if host is self.watch.world.main else ():
            if asset not in self.watch.world.files.accept and host.state.account.inventory.of_asset(asset) != amount:
                self.watch.violate("held", f"{amount} {asset} were accepted, and a start forgot it")

    def sent(self, host: Host, body: dict[str, Any], symbol: str) -> None:
        """Nothing that places is sent on a pair of a held asset."""
        for asset in legs(symbol):
            if asset in host.state.account.holds.held:
                self.watch.violate("held", f"{host.name} {body['method']} on {symbol}, and {asset} is held")

    # --- after every step ----------------------------------------------------------------------------------------

    def step(self, host: Host, own: list[Order], clear: int) -> None:
        """Check that what must be held is, and nothing rests on its pairs."""
        now, held = self.watch.world.loop.now, host.state.account.holds.held
        for asset in sorted(self._must):
            if not self._is_beyond(host, asset, Decimal(1)):
                self._must.discard(asset)
                continue
            known = host.state.is_reconciled and self._is_known(host, asset) and now >= host.frozen_until
            since = self._known_since.setdefault(asset, now) if known else self._known_since.pop(asset, now)
            if not known:
                continue
            self.watch.checks["held"] += 1
            if now - since > AT_ONCE and asset not in held:
                self.watch.violate("held", f"{asset} was moved beyond its limit, and is not held")
                self._must.discard(asset)
        self._held_since = {asset: self._held_since.get(asset, now) for asset in held}
        for order in own:
            for asset in legs(order.pair.symbol):
                opened = order.opened_ns - self.watch.world.kraken.offset
                if asset in held and now - max(clear, self._held_since[asset], opened) > GONE:
                    self.watch.violate("held", f"{order.cl_ord_id} rests on {order.pair.symbol}, and {asset} is held")

    def _is_known(self, host: Host, asset: str) -> bool:
        account = self.watch.world.kraken.account
        units = account.balances.get(asset, 0) + sum(account.wallets.get(asset, {}).values())
        return host.state.account.ledger.total(asset) == Decimal(units).scaleb(-ASSETS[asset].decimals)

    def _is_beyond(self, host: Host, asset: str, times: Decimal) -> bool:
        value = self.worst_case.base(host, asset)
        most = self.watch.world.config.trading.max_position_size * times
        return value is not None and abs(self.worst_case.position(asset)) * value[0] > most
