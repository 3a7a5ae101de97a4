"""The money side: fills once each, balances explained, positions, profit, fees."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from executor.account.daily_loss import Day
from executor.account.fill_counts import Tally, add_fill
from executor.account.held import Holds, Inventory
from executor.account.ledger import Entry, Holding, Ledger, Trade
from executor.account.pnl import Pnl
from executor.account.profit import Profits, Statement
from executor.orders.registry import ADOPTED, FOREIGN
from executor.record.rows import BeforeRow, FillRow, MetaRow, Row, holding_row
from shared import limits
from shared.clock import SECOND
from shared.kraken import v2
from shared.messages import Fees, Side
from shared.numbers import EXACT, floor_to
from shared.valuation import legs

ZERO = Decimal(0)
DOUBTFUL_KEPT = 1000


@dataclass(frozen=True, slots=True)
class NewFill:
    """A fill as reported, numbers exact; ``fees`` by asset."""

    exec_id: str
    order_id: str
    symbol: str
    side: Side
    price: Decimal
    qty: Decimal
    fees: dict[str, Decimal]
    fill_ts: int


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A fill from around the journal's opening, with its order and strategy."""

    fill: NewFill
    cl_ord_id: str
    strategy: str


class Account:
    """The account by its fills and ledger entries; the callables look past ones up in the journal."""

    def __init__(
        self,
        inventory_base: dict[str, Decimal],
        knows_fill: Callable[[str], bool],
        knows_entry: Callable[[str], bool],
        assets_settled: Callable[[str], set[str]],
        max_position_size: Decimal = Decimal(1000),
    ) -> None:
        self.ledger = Ledger(knows_entry, assets_settled)
        self.inventory = Inventory(inventory_base)
        self.holds = Holds(max_position_size)
        self.statement = Statement()
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.pnl: dict[str, Pnl] = {}
        self.fees: dict[str, Fees] = {}
        self.rows: list[Row] = []
        self.day = Day()
        self.lost = ZERO
        # Rises with every fill and ledger entry: whatever was derived from the account earlier is then out of date.
        self.changes = 0
        self._doubtful: dict[str, Doubtful] = {}
        self._tried: tuple[int, int, str] = (0, 0, "")  # for which entries, fills and difference that was last tried
        self._proven: list[FillRow] = []
        self._knows_fill = knows_fill
        self._recent: deque[str] = deque(maxlen=1000)  # exec ids of fills that may not be on the disk yet
        self._recent_set: set[str] = set()

    # --- restoring -----------------------------------------------------------------------------------------------

    def restore(
        self,
        holdings: dict[str, Holding],
        opened_ts: int,
        carried: tuple[dict[tuple[str, str], Tally], dict[str, Pnl]],
        fills: Iterable[FillRow],
    ) -> None:
        """Take what the journal holds: balances, its opening (exchange time), sums of archived fills, other fills."""
        self.ledger.restore(holdings, opened_ts)
        self.tallies, self.pnl = carried
        for row in fills:
            add_fill(self.tallies, self.pnl, row)

    # --- events --------------------------------------------------------------------------------------------------

    def fill(self, fill: NewFill, cl_ord_id: str, strategy: str) -> FillRow | None:
        """Count a fill; return its row, or None when it was counted before or is older than the journal."""
        if self.knows(fill.exec_id):
            return None
        self._remember(fill.exec_id)
        # An order that the journal names was placed after the opening, whatever the clocks say.
        is_named = strategy not in (FOREIGN, ADOPTED)
        if is_named or self._is_clearly_new(fill) or self.ledger.has_entries(fill.exec_id):
            return self._count(fill, cl_ord_id, strategy)
        if self.ledger.is_open and fill.fill_ts < self.ledger.opened_ts - limits.OPENING_DOUBT_S * SECOND:
            self.rows.append(BeforeRow(fill.exec_id))
            return None
        # The first balances may include it or not: its ledger entry, or what they leave unexplained, will show.
        self._doubtful[fill.exec_id] = Doubtful(fill, cl_ord_id, strategy)
        while len(self._doubtful) > DOUBTFUL_KEPT:
            del self._doubtful[next(iter(self._doubtful))]
        self._count_doubtful()
        mine = [row for row in self._proven if row.exec_id == fill.exec_id]
        self._proven = [row for row in self._proven if row.exec_id != fill.exec_id]
        return mine[0] if mine else None

    def take_rows(self) -> list[Row]:
        """Return the rows for the journal since the last call."""
        rows, self.rows = self.rows, []
        return rows

    def take_proven(self) -> list[FillRow]:
        """Return the fills that the balances proved newer than the opening, each once."""
        rows, self._proven = self._proven, []
        return rows

    def _is_clearly_new(self, fill: NewFill) -> bool:
        """True if a fill came after the opening, allowing for our own clock, which may have timed the opening."""
        since = fill.fill_ts - self.ledger.opened_ts
        return self.ledger.is_open and (not fill.fill_ts or since > limits.OPENING_CLOCK_S * SECOND)

    def _count(self, fill: NewFill, cl_ord_id: str, strategy: str) -> FillRow:
        quote = legs(fill.symbol)[1]
        cost = EXACT.multiply(fill.price, fill.qty)
        effects = _effects(fill)
        self.ledger.fill(Trade(fill.exec_id, effects, fill.fees))
        if strategy == FOREIGN:
            for asset, effect in effects.items():
                self.rows.append(self.holds.change(asset, effect))
        self.tallies.setdefault((strategy, fill.symbol), Tally()).add(fill.side, fill.qty)
        fee = fill.fees.get(quote, ZERO)
        self.pnl.setdefault(fill.symbol, Pnl()).fill(fill.side, fill.qty, fill.price, fee)
        fee_asset = next(iter(fill.fees), quote)
        row = FillRow(
            exec_id=fill.exec_id,
            cl_ord_id=cl_ord_id,
            order_id=fill.order_id,
            strategy=strategy,
            symbol=fill.symbol,
            side=fill.side,
            price=format(fill.price, "f"),
            qty=format(fill.qty, "f"),
            cost=format(cost, "f"),
            fee=format(fill.fees.get(fee_asset, ZERO), "f"),
            fee_asset=fee_asset,
            fill_ts=fill.fill_ts,
        )
        self.rows.append(row)
        self._keep(effects)
        return row

    def knows(self, exec_id: str) -> bool:
        """True if this fill was counted, or is older than the journal."""
        return exec_id in self._recent_set or self._knows_fill(exec_id)

    def entry(self, entry: Entry, *, live: bool) -> FillRow | None:
        """Take a ledger entry of the spot wallet; return the fill that it proves newer than the opening, if any."""
        if not (self.ledger.is_open and self.ledger.entry(entry, live=live)):
            return None
        self.rows.append(entry)
        self._keep([entry.asset])
        if entry.kind != "trade":
            self.rows.append(self.holds.change(entry.asset, entry.change))
        elif live and entry.ref_id in self._doubtful:
            doubtful = self._doubtful.pop(entry.ref_id)
            return self._count(doubtful.fill, doubtful.cl_ord_id, doubtful.strategy)
        return None

    def wallet_entry(self, asset: str, wallet: str, change: Decimal) -> None:
        """Take a ledger entry of another wallet, whose balance is owned but cannot be traded."""
        self.ledger.wallet(asset, wallet, change)
        self.rows.append(self.holds.change(asset, change))
        self.changes += 1

    def give_up(self, ref_id: str) -> None:
        """Count a trade's entries as changes from outside: no fill explains them."""
        changes = self.ledger.give_up(ref_id)
        for asset, change in changes.items():
            self.rows.append(self.holds.change(asset, change))
        self._keep(changes)

    def snapshot(
        self, balances: dict[str, Decimal], ts: int, wallets: dict[str, dict[str, Decimal]] | None = None
    ) -> bool:
        """Take spot balances as the exchange states them at its time ``ts``; True if the journal opens with them.

        ``wallets`` are the balances in other wallets, by asset and wallet.
        """
        opened = not self.ledger.is_open
        self.ledger.wallets = wallets or {}
        if opened:
            self.ledger.open(balances, ts)
            self.rows.append(MetaRow("opened", str(ts)))
            self._leave_old(ts)
        else:
            self.ledger.snapshot(balances)
        self._count_doubtful()
        self._keep(self.ledger.holdings)
        return opened

    def _leave_old(self, opened_ts: int) -> None:
        """Drop fills from clearly before the journal's opening: its first balances include them."""
        for exec_id, doubtful in list(self._doubtful.items()):
            if 0 < doubtful.fill.fill_ts < opened_ts - limits.OPENING_DOUBT_S * SECOND:
                del self._doubtful[exec_id]
                self.rows.append(BeforeRow(exec_id))

    def _count_doubtful(self) -> None:
        """Count the fills from around the opening that the balances prove newer than it."""
        if not self._doubtful or not self.ledger.is_open or not self.ledger.difference:
            return
        for chosen, effects in self._ways_to_explain():
            if self.ledger.would_explain(effects, len(chosen)):
                self._count_proven(chosen)
                return

    def _count_with_transfers(self) -> None:
        """Count fills and transfers from around the opening that only together explain the balances."""
        tried = (self.ledger.undecided, len(self._doubtful), self.ledger.difference)
        if not all(tried) or tried == self._tried:
            return
        self._tried = tried
        for chosen, effects in self._ways_to_explain():
            if newer := self.ledger.take_beside(effects, len(chosen)):
                self._note_newer(newer)
                self._count_proven(chosen)
                return

    def _ways_to_explain(self) -> Iterator[tuple[list[Doubtful], dict[str, Decimal]]]:
        """Yield sets of doubtful fills that may be newer than the opening, each with what they do to balances.

        Newer are all after some moment; or a single one whose entry was lost.
        """
        by_time = sorted(self._doubtful.values(), key=lambda one: one.fill.fill_ts)
        last = [by_time[-count:] for count in range(1, len(by_time) + 1)]
        for chosen in (*last, *([one] for one in by_time)):
            effects: dict[str, Decimal] = {}
            for doubtful in chosen:
                for asset, effect in _effects(doubtful.fill).items():
                    effects[asset] = effects.get(asset, ZERO) + effect
            yield chosen, effects

    def _count_proven(self, chosen: list[Doubtful]) -> None:
        for doubtful in chosen:
            del self._doubtful[doubtful.fill.exec_id]
            self._proven.append(self._count(doubtful.fill, doubtful.cl_ord_id, doubtful.strategy))
        self.ledger.absorb()

    def _note_newer(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.rows.append(entry)
            self._keep([entry.asset])
            self.rows.append(self.holds.change(entry.asset, entry.change))

    def set_fees(self, symbol: str, fees: Fees) -> None:
        """Set a pair's maker and taker fee, in percent."""
        self.fees[symbol] = fees

    def report_in(self, currency: str, bases: tuple[str, ...]) -> None:
        """Set the currency of totals, and the traded bases."""
        self.statement.currency, self.statement.bases = currency, frozenset(bases)

    def set_decimals(self, decimals: dict[str, int]) -> None:
        """Set each asset's decimals, to which the ledger rounds amounts and fees."""
        self.ledger.set_decimals(dict(decimals))

    def settle(self) -> None:
        """Check again whether fills explain the balances, after decimals or fills became known."""
        self._note_newer(self.ledger.newer_than_opening())
        if self._doubtful:
            self._count_with_transfers()
        settled = self.ledger.absorb()
        if settled:
            self._keep(settled)

    def look_at_holds(self, assets: Iterable[str], rates: Mapping[str, Decimal], now: int) -> None:
        """Hold or release traded bases by their position; a base whose fills lack ledger entries waits for them."""
        for asset in assets:
            holding = self.ledger.holdings.get(asset)
            if asset in rates and not (holding and holding.open_legs):
                self.rows += self.holds.look(asset, self.position(asset), rates[asset], now)

    def accept(self, asset: str) -> None:
        """Make an asset's balance its inventory from now on."""
        self.rows.append(self.inventory.accept(asset, self.ledger.total(asset)))
        self.holds.accept(asset)
        self.rows += [self.holds.row(), self.holds.moved_row()]
        self.changes += 1

    # --- queries -------------------------------------------------------------------------------------------------

    def position(self, asset: str) -> Decimal:
        """Return an asset's balance in all wallets less its inventory."""
        return self.ledger.total(asset) - self.inventory.of_asset(asset)

    def position_lots(self, asset: str, qty_precision: int) -> int:
        """Return an asset's position in lots."""
        return floor_to(self.position(asset), qty_precision)

    def traded(self, symbol: str) -> Decimal:
        """Add up the fills on a symbol, in its base."""
        pnl = self.pnl.get(symbol)
        return pnl.qty if pnl is not None else ZERO

    def strategy_positions(self, strategy: str, assets: Iterable[str]) -> dict[str, Decimal]:
        """Add up a strategy's own fills, by base."""
        result = dict.fromkeys(assets, ZERO)
        for (name, symbol), tally in self.tallies.items():
            base = legs(symbol)[0]
            if name == strategy and base in result:
                result[base] += tally.position
        return result

    def tally(self, strategy: str, symbol: str) -> Tally:
        """Return the counts and the position of a strategy's fills on a symbol."""
        return self.tallies.get((strategy, symbol)) or Tally()

    def taker_fee(self, symbol: str) -> Decimal:
        """Return the taker fee as a fraction; one percent while unknown."""
        fees = self.fees.get(symbol)
        return Decimal(fees.taker) / 100 if fees else Decimal("0.01")

    def profit(
        self, mids: Mapping[str, Decimal], live: set[str], symbols: Iterable[str], rates: Mapping[str, Decimal]
    ) -> Profits:
        """Return profit by pair (``symbols``, and any that were traded), by quote asset and in total."""
        return self.statement.profits(self.pnl, self.ledger.holdings, symbols, mids, live, rates)

    def keep_booked(self) -> None:
        """Journal what was converted since the last call, if anything was."""
        row = self.statement.changed_row()
        if row is not None:
            self.rows.append(row)

    def begin_day(self, date: str, mids: dict[str, Decimal]) -> None:
        """Begin to measure the loss of a new day (UTC)."""
        self.day.begin(date, self.pnl, mids)
        self.rows += self.day.rows()

    def day_loss(self, mids: dict[str, Decimal], rates: dict[str, Decimal]) -> Decimal:
        """Return the loss since the day began, in the trading currency without transfers; negative for a gain."""
        if self.day.mark(self.pnl, mids):
            self.rows += self.day.rows()
        losses = self.day.losses(self.pnl, mids)
        self.lost = sum((loss * rates.get(quote, ZERO) for quote, loss in losses.items()), ZERO)
        return self.lost

    # --- details -------------------------------------------------------------------------------------------------

    def _remember(self, exec_id: str) -> None:
        if len(self._recent) == self._recent.maxlen:
            self._recent_set.discard(self._recent[0])
        self._recent.append(exec_id)
        self._recent_set.add(exec_id)

    def _keep(self, assets: Iterable[str]) -> None:
        self.changes += 1
        self.rows += [holding_row(asset, self.ledger.holdings[asset]) for asset in assets]


def _effects(fill: NewFill) -> dict[str, Decimal]:
    """Return what a fill does to each asset's balance, exactly, fees included."""
    base, quote = legs(fill.symbol)
    sign = 1 if fill.side == "buy" else -1
    effects = {base: sign * fill.qty, quote: -sign * EXACT.multiply(fill.price, fill.qty)}
    for asset, fee in fill.fees.items():
        effects[asset] = effects.get(asset, ZERO) - fee
    return effects


def fill_of_report(report: v2.Report, fill_ts: int) -> NewFill | None:
    """Return the fill of a trade report, or None when it lacks what a fill needs."""
    if not report.exec_id or report.last_qty is None or report.last_price is None or not report.symbol:
        return None
    fees: dict[str, Decimal] = {}
    for fee in report.fees:
        fees[fee.asset] = fees.get(fee.asset, ZERO) + fee.qty
    side: Side = "buy" if report.side == "buy" else "sell"
    return NewFill(
        report.exec_id, report.order_id, report.symbol, side, report.last_price, report.last_qty, fees, fill_ts
    )
