"""The money side: fills once each, balances explained, positions, profit, fees. A core."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from executor.day import Day
from executor.ledger import Entry, Holding, Ledger, Trade
from executor.pnl import Pnl
from executor.rows import BeforeRow, FillRow, MetaRow, Row, holding_row
from executor.tally import Tally, add_fill
from shared.kraken import v2
from shared.messages import Fees, Profit, Side
from shared.numbers import EXACT, floor_to, plain

ZERO = Decimal(0)


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
class Profits:
    """Profit in total, in quote currency as decimal text, and by pair; ``equity`` has transfers in it."""

    realised: str
    unrealised: str
    fees_paid: str
    rounding: str
    transfers: str
    equity: str
    pairs: dict[str, Profit]


class Account:
    """The account as fills and ledger entries tell it; the callables ask the journal for those of the past."""

    def __init__(
        self,
        inventory_base: dict[str, Decimal],
        knows_fill: Callable[[str], bool],
        knows_entry: Callable[[str], bool],
        assets_settled: Callable[[str], set[str]],
    ) -> None:
        self.ledger = Ledger(knows_entry, assets_settled)
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.pnl: dict[str, Pnl] = {}
        self.fees: dict[str, Fees] = {}
        self.rows: list[Row] = []
        self.day = Day()
        self.lost = ZERO
        # Rises with every fill and ledger entry: what was derived from the account before it is out of date.
        self.changes = 0
        # The profit that was last told, and for which moment and changes it was made.
        self.told: tuple[tuple[int, int], Profits] | None = None
        self._inventory = inventory_base
        self._knows_fill = knows_fill
        self._recent: deque[str] = deque(maxlen=1000)  # not yet on the disk, perhaps
        self._recent_set: set[str] = set()

    # --- restoring -----------------------------------------------------------------------------------------------

    def restore(
        self,
        holdings: dict[str, Holding],
        opened_ts: int,
        carried: tuple[dict[tuple[str, str], Tally], dict[str, Pnl]],
        fills: Iterable[FillRow],
    ) -> None:
        """What the journal holds: balances, when it opened (exchange time), what archived fills add up to, the rest."""
        self.ledger.restore(holdings, opened_ts)
        self.tallies, self.pnl = carried
        for row in fills:
            add_fill(self.tallies, self.pnl, row)

    # --- events --------------------------------------------------------------------------------------------------

    def fill(self, fill: NewFill, cl_ord_id: str, strategy: str) -> FillRow | None:
        """A fill; None when it was counted before, or is older than the journal."""
        if fill.exec_id in self._recent_set or self._knows_fill(fill.exec_id):
            return None
        self._remember(fill.exec_id)
        if not self.ledger.is_open:
            self.rows.append(BeforeRow(fill.exec_id))
            return None
        base, _, quote = fill.symbol.partition("/")
        sign = 1 if fill.side == "buy" else -1
        cost = EXACT.multiply(fill.price, fill.qty)
        effects = {base: sign * fill.qty, quote: -sign * cost}
        for asset, fee in fill.fees.items():
            effects[asset] = effects.get(asset, ZERO) - fee
        self.ledger.fill(Trade(fill.exec_id, effects, fill.fees))
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

    def entry(self, entry: Entry, *, live: bool) -> None:
        """A ledger entry."""
        if self.ledger.is_open and self.ledger.entry(entry, live=live):
            self.rows.append(entry)
            self._keep([entry.asset])

    def snapshot(self, balances: dict[str, Decimal], ts: int) -> bool:
        """Balances as the exchange states them, at its time ``ts``; True when the journal opened with them."""
        opened = not self.ledger.is_open
        if opened:
            self.ledger.open(balances, ts)
            self.rows.append(MetaRow("opened", str(ts)))
        else:
            self.ledger.snapshot(balances)
        self._keep(self.ledger.holdings)
        return opened

    def settle(self) -> None:
        """Looks again whether the balances explain themselves, after decimals or fills became known."""
        before = {asset: len(holding.open_legs) for asset, holding in self.ledger.holdings.items()}
        self.ledger.absorb()
        self._keep([asset for asset, legs in before.items() if len(self.ledger.holdings[asset].open_legs) != legs])

    # --- what is known -------------------------------------------------------------------------------------------

    def base_position(self, symbol: str) -> Decimal:
        """The base balance less ``inventory_base``."""
        base = symbol.partition("/")[0]
        holding = self.ledger.holdings.get(base)
        return (holding.balance if holding else ZERO) - self._inventory.get(base, ZERO)

    def position_lots(self, symbol: str, qty_precision: int) -> int:
        """The same in lots."""
        return floor_to(self.base_position(symbol), qty_precision)

    def tally(self, strategy: str, symbol: str) -> Tally:
        """A strategy's fills on a symbol."""
        return self.tallies.get((strategy, symbol)) or Tally()

    def taker_fee(self, symbol: str) -> Decimal:
        """The taker fee as a fraction; one percent while unknown."""
        fees = self.fees.get(symbol)
        return Decimal(fees.taker) / 100 if fees else Decimal("0.01")

    def profit(self, mids: dict[str, Decimal], live: set[str], symbols: Iterable[str]) -> Profits:
        """Profit by pair (``symbols`` and whatever was traded) and in total; only ``live`` pairs' mids are fresh.

        Totals are sums of what the pairs show, so that they add up to the last digit.
        """
        untraded = Pnl()
        shown = {
            symbol: self.pnl.get(symbol, untraded).shown(mids.get(symbol), is_stale=symbol not in live)
            for symbol in sorted({*self.pnl, *symbols})
        }
        realised, unrealised, fees = (
            sum((Decimal(getattr(profit, name)) for profit in shown.values()), ZERO)
            for name in ("realised", "unrealised", "fees")
        )
        quotes = {symbol.partition("/")[2] for symbol in self.pnl} or {"USD"}
        held = [self.ledger.holdings[asset] for asset in quotes if asset in self.ledger.holdings]
        rounding = sum((holding.rounding for holding in held), ZERO)
        transfers = sum((holding.transfers for holding in held), ZERO)
        return Profits(
            realised=plain(realised),
            unrealised=plain(unrealised),
            fees_paid=plain(fees),
            rounding=plain(rounding),
            transfers=plain(transfers),
            equity=plain(realised + unrealised - fees + transfers + rounding),
            pairs=shown,
        )

    def begin_day(self, date: str, mids: dict[str, Decimal]) -> None:
        """Loss counts from here on (UTC)."""
        self.day.begin(date, self.pnl, mids)
        self.rows += self.day.rows()

    def day_loss(self, mids: dict[str, Decimal]) -> Decimal:
        """The loss since the day began, transfers left out; negative for a gain."""
        if self.day.mark(self.pnl, mids):
            self.rows += self.day.rows()
        self.lost = self.day.loss(self.pnl, mids)
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


def fill_of_report(report: v2.Report, fill_ts: int) -> NewFill | None:
    """The fill of a trade report, or None when it lacks what a fill needs."""
    if not report.exec_id or report.last_qty is None or report.last_price is None or not report.symbol:
        return None
    fees: dict[str, Decimal] = {}
    for fee in report.fees:
        fees[fee.asset] = fees.get(fee.asset, ZERO) + fee.qty
    side: Side = "buy" if report.side == "buy" else "sell"
    return NewFill(
        report.exec_id, report.order_id, report.symbol, side, report.last_price, report.last_qty, fees, fill_ts
    )
