"""The state of account and orders at a recording's start, brought to the played exchange and executor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from backtest.data.columns import BUY, SCHEMA, SELL, Columns, Flag, Kind
from backtest.data.window import window
from backtest.exact.replayed import merge
from backtest.reconciliation.bus import Bus, last_before
from backtest.reconciliation.own_orders import RESTING
from backtest.venue.implementation import Market, load_market
from backtest.venue.kraken import Kraken
from executor.record.journal import Journal
from executor.record.rows import OrderRow, SendRow
from shared.config import Config
from shared.messages import Account, Order, Orders
from shared.numbers import text, unscale
from simulator.errors import KrakenError
from simulator.exchange.orders import OrderRequest
from simulator.pairs.pairs import FEES, PAIRS

PERCENT = Decimal(10_000)  # millionths of the cost in a percent


def account_at(bus: Bus, at: int) -> Account:
    """Return the account as last published at a time (ns of CLOCK_BOOTTIME), or as first."""
    return bus.accounts[max(0, last_before(bus.accounts, at))].message


def resting_at(bus: Bus, strategy: str, symbols: Iterable[str], at: int) -> list[tuple[Orders, Order]]:
    """Return a strategy's resting orders as last published at a time, each with its message."""
    resting = []
    for symbol in symbols:
        place = last_before(bus.orders[symbol], at)
        if place >= 0:
            message = bus.orders[symbol][place].message
            mine = [order for order in message.orders if order.strategy == strategy and order.state in RESTING]
            resting += [(message, order) for order in mine if order.order_id and order.qty > order.filled]
    return resting


def with_account(config: Config, account: Account, symbols: Iterable[str]) -> Config:
    """Return the configuration with the recorded balances, and the volume that has the recorded fees."""
    declared = config.simulator.accounts[0]
    balances = {**declared.balances, **{asset: Decimal(amount) for asset, amount in account.balances.items()}}
    changed = msgspec.structs.replace(
        declared, balances=balances, volume_30d_usd=_volume(account, symbols, declared.volume_30d_usd)
    )
    simulator = msgspec.structs.replace(config.simulator, accounts=[changed])
    return msgspec.structs.replace(config, simulator=simulator)


def _volume(account: Account, symbols: Iterable[str], usual: Decimal) -> Decimal:
    """Return a 30-day volume whose row of the schedule has the recorded fees; the usual one if no row has them."""
    for symbol in symbols:
        fees = account.fees.get(symbol)
        for volume, maker, taker in FEES:
            if fees is None:
                continue
            rates = Decimal(fees.maker) * PERCENT, Decimal(fees.taker) * PERCENT
            if rates == (Decimal(maker), Decimal(taker)):
                return Decimal(volume)
    return usual


def with_places(
    begun: Columns, whole: Columns, resting: Sequence[tuple[Orders, Order]], queue: str, boot_to_wall: int
) -> Columns:
    """Return columns in which resting orders get the place in their queue that the record before gives them.

    ``begun`` begins with a snapshot, ``whole`` are the same rows from the recording's start. Of a level in which an
    order rests the snapshot has what is ahead of it, and a row that follows brings the rest.
    """
    table = begun.table
    if not resting or table["kind"][0].as_py() != Kind.SNAPSHOT:
        return begun
    begin_ts = int(table["exchange_ts"][0].as_py())
    ahead = _ahead(whole, resting, begin_ts, queue, boot_to_wall)
    if not ahead:
        return begun
    last = pa.scalar(int(Flag.LAST), pa.uint8())
    size = int(pc.index(pc.bit_wise_and(table["flags"], last), last).as_py()) + 1
    kept, rest = [], []
    for row in table.slice(0, size).to_pylist():
        before = min(ahead.get((row["side"], row["ticks"]), row["lots"]), row["lots"])
        if before < row["lots"]:
            rest.append({**row, "kind": int(Kind.LEVEL), "flags": 0})
        if before:
            kept.append({**row, "lots": before, "flags": 0})
    for message in (kept, rest):
        if message:
            message[0]["flags"] |= int(Flag.FIRST) if message is kept else 0
            message[-1]["flags"] |= int(Flag.LAST)
    rows = pa.Table.from_pylist([*kept, *rest], SCHEMA)
    return Columns(begun.pair, begun.depth, pa.concat_tables([rows, table.slice(size)]).combine_chunks())


def _ahead(
    whole: Columns, resting: Sequence[tuple[Orders, Order]], begin_ts: int, queue: str, boot_to_wall: int
) -> dict[tuple[int, int], int]:
    """Return the lots ahead of the first own order at a time, by side and price; only where the record shows its way.

    Of one that the record would have filled by then nothing is ahead.
    """
    before = window(whole.pair, whole.table, None, begin_ts)
    joined = sorted((_joined(order) + boot_to_wall, number) for number, (_, order) in enumerate(resting))
    joined = [(ts, number) for ts, number in joined if before.num_rows and ts > before["exchange_ts"][0].as_py()]
    if not joined:
        return {}
    market = load_market(1, queue)
    merge({whole.pair.symbol: Columns(whole.pair, whole.depth, before)}).play_on(market)
    stand: dict[int, Order] = {}
    for ts, number in joined:
        _play_until(market, ts)
        order = resting[number][1]
        market.submit(0, number + 1, 1, order.side, order.price, order.qty - order.filled, "gtc", True)
        if market.order(0, number + 1) is not None:
            stand[number] = order
    _play_until(market, begin_ts - 1)
    ahead: dict[tuple[int, int], int] = {}
    for number, order in stand.items():
        lots, is_known = market.place(0, number + 1) or (0, True)
        key = (BUY if order.side == "buy" else SELL), order.price
        if is_known:
            ahead[key] = min(lots, ahead.get(key, lots))
    return ahead


def _joined(order: Order) -> int:
    """Return about when an order came to rest where it does, ns of CLOCK_BOOTTIME; 0 if that is not known."""
    return order.acked - (order.acked - order.sent) // 2 if 0 < order.sent < order.acked else 0


def _play_until(market: Market, ts: int) -> None:
    while market.advance(ts, 0)[0]:
        pass


class Start:
    """Places the orders that rested, on the exchange and in the executor's journal, as after a restart."""

    def __init__(self, kraken: Kraken, account: Account, resting: list[tuple[Orders, Order]]) -> None:
        self._kraken, self._account = kraken, account
        self._rows: list[OrderRow] = []
        for message, order in resting:
            self._place(message, order)
        kraken.flush()

    def _place(self, message: Orders, order: Order) -> None:
        pair, remaining = PAIRS[message.symbol], order.qty - order.filled
        request = OrderRequest(
            pair=pair,
            side=order.side,
            kind="limit",
            qty=unscale(remaining, message.qty_precision),
            price=unscale(order.price, message.price_precision),
            cl_ord_id=order.cl_ord_id,
            fee_pref="fciq",
        )
        kraken = self._kraken
        try:
            placed = kraken.world.exchange.add(kraken.account, request, kraken.ts, 0.0)
        except KrakenError:
            # Of an account that others trade too, say: the executor then places it anew, and its fills say START.
            return
        # Its own pace of amends counts from its last one: nothing else changes an order without fills.
        touched_ts = max(order.acked, order.decided) + kraken.boot_to_wall if order.filled else order.changed_ts
        placed.touched_ns = touched_ts
        self._rows.append(
            OrderRow(
                cl_ord_id=order.cl_ord_id,
                order_id=placed.order_id,
                strategy=order.strategy,
                symbol=message.symbol,
                slot=order.slot,
                side=order.side,
                price=text(order.price, message.price_precision),
                qty=text(remaining, message.qty_precision),
                filled=text(0, message.qty_precision),
                state="open",
                is_live=True,
                error="",
                amend="",
                deadline_ts=0,
                created_ts=order.created_ts,
                touched_ts=touched_ts,
                changed_ts=order.changed_ts,
                stamps=json.dumps(
                    [order.received, order.booked, order.decided, order.sent, order.acked, order.heard, order.planned]
                ),
            )
        )

    def write(self, path: Path) -> None:
        """Write the orders, and the points on the pairs' counters, to the journal that the executor begins with."""
        journal = Journal(path)
        counters = self._account.counters.items()
        sends = [SendRow(self._kraken.ts, symbol, "recorded", points, "") for symbol, points in counters if points]
        journal.write([*self._rows, *sends])
        journal.close()
