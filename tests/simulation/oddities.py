"""An exchange that is not consistent: snapshots that lag, channels out of order, foreign rows of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from executor.orders import ids
from shared.clock import SECOND, rfc3339
from simulator.pairs.pairs import PAIRS, Pair
from simulator.ws_v2.private import PrivateSession

if TYPE_CHECKING:
    from tests.simulation.kraken import Kraken

# Somebody else's orders, as rows that the engine here does not have: what each has beside a plain limit order.
FOREIGN: dict[str, dict[str, Any]] = {
    "by hand": {},
    "stop-loss": {"order_type": "stop-loss", "limit_price": None, "triggers": {"status": "untriggered"}},
    "stop inside the touch": {"order_type": "stop-loss-limit", "inside": True, "triggers": {"status": "untriggered"}},
    "take-profit-limit": {"order_type": "take-profit-limit", "inside": True},
    "trailing stop": {
        "order_type": "trailing-stop",
        "limit_price": None,
        "triggers": {"price": 1.5, "price_type": "pct"},
    },
    "trailing stop, relative price": {
        "order_type": "trailing-stop-limit",
        "limit_price": -0.05,
        "limit_price_type": "quote",
    },
    "iceberg inside the touch": {"order_type": "iceberg", "inside": True, "display_qty": 0.00001},
    "margin": {"margin": True, "reduce_only": True},
    "good till a date": {"time_in_force": "GTD", "expire_time": "2037-01-01T00:00:00Z"},
    "conditional close": {"contingent": {"order_type": "stop-loss", "trigger_price": 1.0}},
    "market by cash": {"order_type": "market", "limit_price": None, "order_qty": None, "cash_order_qty": 5.0},
    "id like ours": {"cl_ord_id": str(ids.OrderId(ids.EPOCH_MAX, "001", "b0", 1))},
    "nulls": {"cl_ord_id": None, "reason": None, "fees": None, "post_only": None},
    "time with an offset": {"timestamp": "2026-11-29T18:00:00.000000+00:00"},
}
ODD = ('"NaN"', '"Infinity"', "1e999999", "-1e-999999", "5" * 70, "0." + "1" * 70, "null", "[]", '"x"')


class OddSession(PrivateSession):
    """A private session that may leave the newest orders out of a snapshot, and adds foreign orders."""

    def __init__(self, kraken: Kraken, connection_id: int, send: Callable[[str], None]) -> None:
        assert kraken.world is not None
        super().__init__(kraken.world, connection_id, send)
        self.kraken = kraken

    def inject(self, channel: str, row: str) -> None:
        """One more element of a channel, where that is subscribed to."""
        subscription = self._subscriptions.get(channel)
        if subscription is not None:
            self._push(channel, subscription, "update", f"[{row}]")

    def _push(self, channel: str, subscription: Any, kind: str, data: str) -> None:
        if kind != "snapshot" or channel != "executions":
            super()._push(channel, subscription, kind, data)
            return
        rows = [bytes(row).decode() for row in msgspec.json.decode(data, type=list[msgspec.Raw])]
        late = [row for row in rows if self.kraken.lags(json.loads(row).get("order_id", ""))]
        rows = [row for row in rows if row not in late] + list(self.kraken.others.rows.values())
        super()._push(channel, subscription, kind, f"[{','.join(rows)}]")
        for row in late:
            self.kraken.loop.after(self.kraken.rng.uniform(0.05, 1.5), self._send_left_out, subscription, row)

    def _send_left_out(self, subscription: Any, row: str) -> None:
        """The report that the snapshot lagged behind."""
        order = self.kraken.account.orders.get(json.loads(row)["order_id"])
        current = self._subscriptions.get("executions")
        if order is not None and current is not None and current is subscription:
            super()._push("executions", current, "update", f"[{row}]")


def foreign_row(rng: Random, kind: str, symbol: str, mid: float, order_id: str, ts: int) -> str:
    """A row of somebody else's order of this kind, small, and far from the market where it rests."""
    pair: Pair = PAIRS[symbol]
    side = rng.choice(["buy", "sell"])
    inside = FOREIGN[kind].get("inside", False)
    away = 0.0005 if inside else rng.uniform(-0.06, -0.04)
    ticks = int(mid * (1 + away if side == "buy" else 1 - away))
    row = {
        "order_id": order_id,
        "symbol": symbol,
        "side": side,
        "order_type": "limit",
        "exec_type": "new",
        "order_status": "new",
        "order_qty": "QTY",
        "limit_price": "PRICE",
        "limit_price_type": "static",
        "cum_qty": 0,
        "timestamp": rfc3339(ts),
    }
    row |= {name: value for name, value in FOREIGN[kind].items() if name != "inside"}
    written = json.dumps(row if kind == "nulls" else {name: value for name, value in row.items() if value is not None})
    return written.replace('"QTY"', pair.qty(pair.qty_min)).replace('"PRICE"', pair.price(ticks))


def odd_row(rng: Random, channel: str, symbol: str, n: int) -> str:
    """An element with a number or a null that no market has."""
    odd = rng.choice(ODD)
    if channel == "balances":
        name = rng.choice(["amount", "balance", "fee", "type", "wallet_type"])
        row: dict[str, Any] = {
            "asset": "ODD",
            "ledger_id": f"LODD{n}",
            "ref_id": None,
            "amount": 0,
            "balance": 0,
            "fee": 0,
        }
    else:
        name = rng.choice(["order_qty", "limit_price", "cum_qty", "symbol", "side", "timestamp"])
        row = {
            "order_id": f"OODD{n}",
            "symbol": symbol,
            "side": "buy",
            "exec_type": "status",
            "order_status": "canceled",
        }
    return json.dumps({**row, name: "ODD_VALUE"}).replace('"ODD_VALUE"', odd)


def hold_until(rng: Random, now: int) -> dict[str, int]:
    """Until when a new connection's channels are held back: either may come first, and one may be late."""
    if rng.random() < 0.5:
        return {}
    return {rng.choice(["executions", "balances"]): now + int(rng.uniform(0.1, 2.0) * SECOND)}
