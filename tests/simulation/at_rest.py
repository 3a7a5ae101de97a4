"""At rest our orders, fills, positions and money equal those of the exchange's own books, to the last digit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from executor.orders import ids
from shared import limits
from shared.clock import SECOND
from shared.valuation import legs
from simulator.exchange.orders import SPOT, Fill
from simulator.pairs.pairs import ASSETS
from tests.simulation.host import Host
from tests.simulation.orders import is_ours
from tests.simulation.sizes import oversized

if TYPE_CHECKING:
    from tests.simulation.invariants import Watch
    from tests.simulation.world import World

ZERO = Decimal(0)
# Realised and unrealised profit of a pair are published to eight decimals each.
SHOWN = Decimal("0.00000001")


def all_fills(world: World) -> Iterator[Fill]:
    """Return every fill of the account, oldest first."""
    for row in world.kraken.store._db.execute("SELECT exec_id FROM trades ORDER BY rowid"):
        yield world.kraken.store.history.fills_by_id(1, [row[0]])[0]


class AtRest:
    """Invariants 2, 7 and 10, when nothing moves any more."""

    def __init__(self, watch: Watch, host: Host) -> None:
        self.watch, self.host = watch, host
        self.world = watch.world

    def check(self) -> None:
        """All of it."""
        fills = {fill.exec_id: fill for fill in all_fills(self.world)}
        before = {row[0] for row in self.host.journal._db.execute("SELECT exec_id FROM before")}
        # One that its ledger entries showed to be newer than the journal after all counts like any other.
        # One from around the opening that they do not is in the first balances: what the money checks would show.
        opened_ts = self.host.state.account.ledger.opened_ts
        window = int((limits.OPENING_DOUBT_S + limits.OPENING_CLOCK_S) * SECOND)
        before |= {name for name, f in fills.items() if not is_ours(f.cl_ord_id) and abs(f.ns - opened_ts) < window}
        before -= {row.exec_id for row in self.host.journal.fills()}
        counted = {name: fill for name, fill in fills.items() if name not in before}
        self._fills(counted)
        if any(is_ours(fills[name].cl_ord_id) for name in before):
            self.watch.violate("2", "a fill of ours counts as older than the journal")
        self._filled(fills.values())
        self._money(list(counted.values()))
        self._profit(list(counted.values()))
        for text in oversized(self.host):
            self.watch.violate("10", text)

    def _fills(self, fills: dict[str, Fill]) -> None:
        kept = self.host.journal.fills()
        names = Counter(row.exec_id for row in kept)
        for name in fills.keys() - names.keys():
            self.watch.violate("2", f"fill {name} of {fills[name].cl_ord_id} is not in the journal")
        for name in names.keys() - fills.keys():
            self.watch.violate("2", f"the journal's fill {name} is not the exchange's")
        positions: dict[tuple[str, str], Decimal] = {}
        codes = {code: name for name, code in self.host.state.codes.items()}
        for row in kept:
            fill = fills.get(row.exec_id)
            if fill is None:
                continue
            pair = fill.pair
            row_fields = (row.symbol, row.side, Decimal(row.price), Decimal(row.qty), Decimal(row.fee), row.order_id)
            price, qty = Decimal(pair.price(fill.price)), Decimal(pair.qty(fill.qty))
            if row_fields != (pair.symbol, fill.side, price, qty, Decimal(pair.cost(fill.fee)), fill.order_id):
                self.watch.violate("2", f"{row} differs from {fill}")
            mine = ids.parse(fill.cl_ord_id or "")
            # Orders of a rival's epoch are of nobody here; those of every life of this machine have their strategy.
            owner = codes[mine.strategy] if mine is not None and mine.epoch in self.host.epochs else row.strategy
            if row.strategy != owner:
                self.watch.violate("2", f"fill {row.exec_id} of {owner} counts for {row.strategy}")
            key = (row.strategy, row.symbol)
            positions[key] = positions.get(key, Decimal(0)) + (qty if fill.side == "buy" else -qty)
        for key, position in positions.items():
            held = self.host.state.account.tally(*key).position
            if held != position:
                self.watch.violate("2", f"the position of {key} is {held}, its fills add up to {position}")

    def _filled(self, fills: Iterable[Fill]) -> None:
        """Check that each order's filled part is the sum of the exchange's fills of it: none twice, none left out."""
        truth: dict[str, Decimal] = {}
        for fill in fills:
            truth[fill.order_id] = truth.get(fill.order_id, Decimal(0)) + Decimal(fill.pair.qty(fill.qty))
        query = "SELECT cl_ord_id, order_id, state, filled FROM orders"
        for cl_ord_id, order_id, state, filled in self.host.journal._db.execute(query):
            must = truth.get(order_id, Decimal(0))
            self.watch.checks["filled"] += 1
            if Decimal(filled) != must:
                self.watch.violate("2", f"{cl_ord_id} ({state}) is {filled} filled here, {must} at the exchange")

    # --- money ---------------------------------------------------------------------------------------------------

    def _transfers(self, asset: str) -> Decimal:
        """Return what was moved in and out of the spot wallet since the journal began."""
        return sum((m.amount for m in self.world.others.moves if (m.asset, m.wallet) == (asset, SPOT)), ZERO)

    def _money(self, fills: list[Fill]) -> None:
        account, ledger = self.world.kraken.account, self.host.state.account.ledger
        if ledger.difference:
            self.watch.violate("7", ledger.difference)
        for asset, units in account.balances.items():
            held = ledger.spendable().get(asset)
            if held != Decimal(units).scaleb(-ASSETS[asset].decimals):
                self.watch.violate("7", f"{asset}: {held} here, {units} units at the exchange")
            other_wallets = sum(account.wallets.get(asset, {}).values())
            if ledger.total(asset) != Decimal(units + other_wallets).scaleb(-ASSETS[asset].decimals):
                self.watch.violate(
                    "7", f"{asset}: {ledger.total(asset)} here in all wallets, {units} and {other_wallets}"
                )
        for asset, holding in ledger.holdings.items():
            if asset not in ASSETS:
                continue  # of rows that no exchange sends
            if holding.transfers != self._transfers(asset):
                self.watch.violate("7", f"transfers of {asset} are {holding.transfers}, not {self._transfers(asset)}")
            rounding = self._rounding(asset, fills)
            if holding.rounding != rounding:
                self.watch.violate("7", f"the rounding account of {asset} is {holding.rounding}, must be {rounding}")
            if holding.open_legs:
                self.watch.violate("7", f"{asset} has legs without an entry at rest: {holding.open_legs}")

    def _rounding(self, asset: str, fills: list[Fill]) -> Decimal:
        """Return what the exchange's rounding took or gave of an asset: the balance less all that is exact."""
        effects = ZERO
        for fill in fills:
            price, qty, fee = _amounts(fill)
            sign = 1 if fill.side == "buy" else -1
            if fill.pair.base.name == asset:
                effects += sign * qty
            if fill.pair.quote.name == asset:
                effects -= sign * price * qty + fee
        balance = Decimal(self.world.kraken.account.balances.get(asset, 0)).scaleb(-ASSETS[asset].decimals)
        return balance - self.host.state.account.ledger.holdings[asset].opening - effects - self._transfers(asset)

    def _profit(self, fills: list[Fill]) -> None:
        """Of each quote asset: equity is realised + unrealised - fees + transfers + rounding, each of them true."""
        account = self.host.account
        if account is None:
            self.watch.violate("profit", "nothing was told of the account")
            return
        for symbol, row in account.profits.items():
            own = [fill for fill in fills if fill.pair.symbol == symbol]
            qty = sum((_signed(fill) for fill in own), ZERO)
            cash = -sum((_signed(fill) * _amounts(fill)[0] for fill in own), ZERO)
            made = Decimal(row.realised) + Decimal(row.unrealised)
            if own and row.mid and abs(made - qty * Decimal(row.mid) - cash) > 2 * SHOWN:
                self.watch.violate("profit", f"{symbol}: {made} here, {qty * Decimal(row.mid) + cash} by the fills")
            if Decimal(row.fees) != sum((_amounts(fill)[2] for fill in own), ZERO):
                self.watch.violate("profit", f"{symbol}: fees {row.fees} differ from the exchange's")
        for quote, total in account.quotes.items():
            self.watch.checks["profit"] += 1
            terms = dict.fromkeys(("realised", "unrealised", "fees"), ZERO)
            for symbol, row in account.profits.items():
                if legs(symbol)[1] == quote:
                    terms = {name: amount + Decimal(getattr(row, name)) for name, amount in terms.items()}
            # What is moved of a base that others are quoted in is a position.
            terms["transfers"] = ZERO if quote in self.world.market.bases else self._transfers(quote)
            terms["rounding"] = self._rounding(quote, fills)
            for name, amount in terms.items():
                if Decimal(getattr(total, name)) != amount:
                    self.watch.violate("profit", f"{quote}: {name} is {getattr(total, name)}, must be {amount}")
            equity = terms["realised"] + terms["unrealised"] - terms["fees"] + terms["transfers"] + terms["rounding"]
            if Decimal(total.equity) != equity:
                self.watch.violate("profit", f"{quote}: equity is {total.equity}, its terms come to {equity}")
        parts = [account.realised, account.unrealised, account.transfers, account.rounding, account.fx]
        if Decimal(account.equity) != sum(map(Decimal, parts)) - Decimal(account.fees_paid):
            self.watch.violate("profit", f"equity is {account.equity}, its terms come to something else")


def _amounts(fill: Fill) -> tuple[Decimal, Decimal, Decimal]:
    """Return a fill's price, quantity and fee."""
    pair = fill.pair
    return Decimal(pair.price(fill.price)), Decimal(pair.qty(fill.qty)), Decimal(pair.cost(fill.fee))


def _signed(fill: Fill) -> Decimal:
    return _amounts(fill)[1] if fill.side == "buy" else -_amounts(fill)[1]
