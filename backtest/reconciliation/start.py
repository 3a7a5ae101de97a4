"""The state of account and orders at a recording's start, brought to the played exchange and executor."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import msgspec

from backtest.reconciliation.bus import Bus, last_before
from backtest.reconciliation.market.own_orders import RESTING
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
