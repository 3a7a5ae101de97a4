"""Everybody else: a thin crowd that makes the market, and other people on the executor's own account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from shared.messages import Side
from simulator.errors import KrakenError
from simulator.exchange.orders import SPOT, OrderRequest
from simulator.exchange.venue.venue import CROWD_FROM
from simulator.pairs.pairs import ASSETS, PAIRS
from tests.simulation.markets import Market, Values
from tests.simulation.oddities import FOREIGN, foreign_row, odd_row
from tests.simulation.orders import is_ours

if TYPE_CHECKING:
    from tests.simulation.kraken import Kraken

EARN = "earn/flex"


@dataclass(frozen=True, slots=True)
class Move:
    """An exact amount that the owner moved in or out of a wallet, at the exchange's time."""

    ns: int
    asset: str
    amount: Decimal
    wallet: str = SPOT


class Crowd:
    """Quotes a little on every pair around the world's values, and trades with any resting order."""

    def __init__(self, kraken: Kraken, seed: int, market: Market) -> None:
        self.kraken, self.market = kraken, market
        self.values = Values(market)
        self.rng = Random(f"crowd {seed}")
        self._number = CROWD_FROM + 1
        self._quoted: dict[str, list[int]] = {}
        self.restart()

    def restart(self) -> None:
        """Make the books of an exchange that has just started."""
        self._quoted = {symbol: [] for symbol in self.market.listed}
        for symbol in self.market.listed:
            self._quote(symbol)

    def move(self, symbol: str, bp: float) -> None:
        """Move the price by so many basis points, and quote all pairs that it moves around the new one."""
        for moved in self.values.move(symbol, bp) if self.kraken.world is not None else ():
            self._quote(moved)
        self._flush()

    def _quote(self, symbol: str) -> None:
        """Quote again around the middle, trading with any order in between."""
        world, rng, ts = self.kraken.world, self.rng, self.kraken.ts
        if world is None:
            return
        exchange, venue = world.exchange, world.exchange.venues[symbol]
        for number in self._quoted[symbol]:
            exchange.settle(venue.cancel(number, ts), ts)
        self._quoted[symbol] = []
        mid, lots = int(self.values.mid(symbol)), self.values.lots(symbol, 400)
        touch: tuple[tuple[Side, int], ...] = (("buy", mid), ("sell", mid + 1 + int(rng.random() * 3)))
        for side, price in touch:
            for deep in range(2):
                self._number += 1
                at = price - deep * 7 if side == "buy" else price + deep * 7
                size = 1 + int(lots * rng.expovariate(1.0))
                exchange.settle(venue.submit(self._number, 0, side, at, size, ts), ts)
                self._quoted[symbol].append(self._number)

    def take(self, symbol: str, dollars: float) -> None:
        """Sell into the bids or buy from the asks, whosever they are."""
        world, ts = self.kraken.world, self.kraken.ts
        if world is None or world.exchange.state.system != "online":
            return
        side: Side = self.rng.choice(["buy", "sell"])
        reach = int(self.values.mid(symbol) * (1 + (3e-4 if side == "buy" else -3e-4)))
        self._number += 1
        venue, lots = world.exchange.venues[symbol], 1 + self.values.lots(symbol, dollars)
        world.exchange.settle(venue.submit(self._number, 0, side, reach, lots, ts, "ioc"), ts)
        self._flush()

    def _flush(self) -> None:
        if self.kraken.world is not None:
            self.kraken.flush()


class Others:
    """Other people on the executor's account: manual orders, orders of odd kinds, deposits and withdrawals."""

    def __init__(self, kraken: Kraken, crowd: Crowd) -> None:
        self.kraken, self.crowd, self.rng = kraken, crowd, crowd.rng
        self.rows: dict[str, str] = {}  # orders that only snapshots and reports show
        self.moves: list[Move] = []
        self._number = 0

    # --- orders --------------------------------------------------------------------------------------------------

    def place_row(self, symbol: str) -> str:
        """Show an order of any kind, in snapshots and reports only; return its id."""
        kind = self.rng.choice(list(FOREIGN))
        self._number += 1
        order_id = f"OFORE{self._number}"
        row = foreign_row(self.rng, kind, symbol, self.crowd.values.mid(symbol), order_id, self.kraken.ts)
        self.rows[order_id] = row
        self.kraken.injected[f"foreign order: {kind}"] += 1
        self.kraken.inject("executions", row)
        return order_id

    def end_row(self, order_id: str) -> None:
        """Cancel it, as its owner would."""
        self.rows.pop(order_id, None)
        row = {"order_id": order_id, "exec_type": "canceled", "order_status": "canceled", "reason": "User requested"}
        self.kraken.inject("executions", json.dumps(row))

    def send_odd_row(self, symbol: str) -> None:
        """Send an element that cannot be read."""
        channel = self.rng.choice(["executions", "balances"])
        self._number += 1
        self.kraken.inject(channel, odd_row(self.rng, channel, symbol, self._number))

    def act(self, symbol: str, how: str) -> None:
        """Place a manual order that rests or takes, or cancel one."""
        kraken, rng = self.kraken, self.rng
        if kraken.world is None:
            return
        exchange, account = kraken.world.exchange, kraken.account
        if how == "cancel":
            mine = [o for o in account.orders.values() if not is_ours(o.cl_ord_id) and o.pair.symbol == symbol]
            if mine and account.counter(symbol).now(kraken.ts) < 60 and kraken.system != "maintenance":
                exchange.cancel(account, rng.choice(mine), kraken.ts, forced=True)
                kraken.flush()
            return
        if account.counter(symbol).now(kraken.ts) > 60 or len(account.orders) > 15:
            return
        pair = PAIRS[symbol]
        side: Side = rng.choice(["buy", "sell"])
        away = rng.uniform(0, 20) if how == "rest" else -3
        price = int(self.crowd.values.mid(symbol) * (1 - away / 1e4 if side == "buy" else 1 + away / 1e4))
        request = OrderRequest(
            pair,
            side,
            "limit",
            Decimal(max(pair.qty_min, self.crowd.values.lots(symbol, 40))).scaleb(-pair.qty_precision),
            Decimal(price).scaleb(-pair.price_precision),
            tif="gtc" if how == "rest" else "ioc",
            userref=7,
        )
        try:
            exchange.add(account, request, kraken.ts)
        except KrakenError:
            kraken.injected["foreign order refused"] += 1
        kraken.flush()

    def cancel_all(self) -> None:
        """Cancel everything that is not the executor's."""
        if self.kraken.world is not None:
            for order in list(self.kraken.account.orders.values()):
                if not is_ours(order.cl_ord_id):
                    self.kraken.world.exchange.cancel(self.kraken.account, order, self.kraken.ts, forced=True)
            self.kraken.flush()

    # --- money ---------------------------------------------------------------------------------------------------

    def deposit(self, asset: str, dollars: float) -> Move | None:
        """Book a deposit, or a withdrawal where negative, of what there is at the most; None when nothing moved."""
        units = int(dollars / self.crowd.values.usd(asset) * 10 ** ASSETS[asset].decimals)
        units = max(units, -self.kraken.account.balances.get(asset, 0) // 4)
        return self._book(asset, "deposit" if units > 0 else "withdrawal", units)

    def to_earn(self, asset: str, dollars: float) -> None:
        """Move some of an asset to the earn wallet, or back: two entries."""
        units = int(dollars / self.crowd.values.usd(asset) * 10 ** ASSETS[asset].decimals)
        account = self.kraken.account
        units = min(units, account.balances.get(asset, 0) // 4)
        units = max(units, -account.wallets.get(asset, {}).get(EARN, 0))
        self._book(asset, "earn", -units)
        self._book(asset, "earn", units, EARN)

    def _book(self, asset: str, kind: str, units: int, wallet: str = SPOT) -> Move | None:
        world, ts = self.kraken.world, self.kraken.ts
        if world is None or not units:
            return None
        state = world.exchange.state
        state.book(self.kraken.account, asset, kind, units, 0, state.reference(), ts, ts + state.lag(), wallet=wallet)
        self.kraken.injected[f"ledger entry: {kind}"] += 1
        self.kraken.flush()
        move = Move(ts, asset, Decimal(units).scaleb(-ASSETS[asset].decimals), wallet)
        self.moves.append(move)
        return move
