"""The private side of the made-up exchange: ``python -m benchmarks.chain.private_stub PAIRS``.

Serves WebSocket v2 on a free port, prints it, acknowledges every request at once and has no limits. It notes when each
order's frame came, and prints what came since the last time for each line of standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: a request's JSON

import picows
import uvloop

from benchmarks.chain.public_stub import Clock

ORDERS = frozenset({"add_order", "amend_order", "batch_add", "cancel_order", "batch_cancel"})
BALANCE = 10**6
# When an order's frame came (ns of CLOCK_MONOTONIC), its method, pair and price.
Note = tuple[int, str, str | None, float | None]


@dataclass(slots=True)
class Order:
    """An open order, as its reports show it; numbers are those of its request."""

    name: str
    order_id: str
    symbol: str
    side: str
    price: object
    qty: object

    def report(self, kind: str, now: str) -> str:
        """Return a row of ``executions``."""
        status, why = ("canceled", '"reason":"User requested",') if kind == "canceled" else ("new", "")
        return (
            f'{{"exec_type":"{kind}","order_status":"{status}","order_id":"{self.order_id}","cl_ord_id":"{self.name}",'
            f'"symbol":"{self.symbol}","side":"{self.side}","order_type":"limit","limit_price":{self.price},'
            f'"order_qty":{self.qty},"cum_qty":0,"cum_cost":0,{why}"timestamp":"{now}"}}'
        )


class Client(picows.WSListener):
    """One connection."""

    def __init__(self, notes: list[Note], assets: Sequence[str]) -> None:
        self._notes, self._assets = notes, assets
        self._clock = Clock()
        self._transport: picows.WSTransport | None = None
        self._sequence = {"executions": 0, "balances": 0}
        self._orders: dict[str, Order] = {}
        self._added = 0

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Say that trading is open, and go on saying that the connection lives."""
        self._transport = transport
        self._send('{"channel":"status","type":"update","data":[{"version":"2.0.0","system":"online",'
                   '"api_version":"v2","connection_id":2}]}')  # fmt: skip
        self._beat()

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """Stop the heartbeat."""
        self._transport = None

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Note when an order came, then answer it."""
        came = time.monotonic_ns()
        if frame.msg_type is not picows.WSMsgType.TEXT:
            return
        request = json.loads(frame.get_payload_as_bytes())
        method, params = request["method"], request.get("params", {})
        if method in ORDERS:
            self._note(came, method, params)
        self._answer(request, method, params)

    def _note(self, came: int, method: str, params: dict[str, Any]) -> None:
        rows = params["orders"] if method == "batch_add" else [params]
        for row in rows:
            order = self._orders.get(str(row.get("cl_ord_id")))
            symbol = order.symbol if order else params.get("symbol")
            self._notes.append((came, method, symbol, row.get("limit_price")))

    def _answer(self, request: dict[str, Any], method: str, params: dict[str, Any]) -> None:
        now = self._clock.text()
        tail = f'"success":true,"time_in":"{now}","time_out":"{now}","req_id":{request.get("req_id", 0)}}}'
        reports: list[str] = []
        result = "{}"
        if method in ("subscribe", "unsubscribe"):
            result = f'{{"channel":"{params["channel"]}","maxratecount":180}}'
        elif method == "cancel_all_orders_after":
            trigger = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + float(params["timeout"])))
            result = f'{{"currentTime":"{now}","triggerTime":"{trigger}"}}'
        elif method == "add_order":
            order = self._add(params, params["symbol"])
            result, reports = _named(order), [order.report("new", now)]
        elif method == "batch_add":
            orders = [self._add(row, params["symbol"]) for row in params["orders"]]
            result, reports = f"[{','.join(map(_named, orders))}]", [order.report("new", now) for order in orders]
        elif method == "amend_order":
            order = self._orders[params["cl_ord_id"]]
            order.price, order.qty = params["limit_price"], params["order_qty"]
            result = f'{{"amend_id":"TA{time.monotonic_ns()}","cl_ord_id":"{order.name}"}}'
            reports = [order.report("amended", now)]
        elif method in ("cancel_order", "batch_cancel"):
            ids = params.get("order_id") or params.get("cl_ord_id") or params.get("orders") or []
            gone = [order for order in [*self._orders.values()] if order.name in ids or order.order_id in ids]
            for order in gone:
                del self._orders[order.name]
            tail = f'"orders_cancelled":{len(gone)},{tail}'
            result, reports = _named(gone[0]) if gone else "{}", [order.report("canceled", now) for order in gone]
        self._send(f'{{"method":"{"pong" if method == "ping" else method}","result":{result},{tail}')
        for row in reports:
            self._push("executions", "update", row)
        if method == "subscribe":
            self._sequence[params["channel"]] = 0
            self._push(params["channel"], "snapshot", self._snapshot(params["channel"], now))

    def _snapshot(self, channel: str, now: str) -> str:
        if channel == "balances":
            return ",".join(map(_balance, self._assets))
        return ",".join(order.report("new", now) for order in self._orders.values())

    def _add(self, row: dict[str, Any], symbol: str) -> Order:
        self._added += 1
        order_id = f"O{self._added:05d}-AAAAA-AAAAAA"
        order = Order(row["cl_ord_id"], order_id, symbol, row["side"], row["limit_price"], row["order_qty"])
        self._orders[order.name] = order
        return order

    def _push(self, channel: str, kind: str, rows: str) -> None:
        if channel == "executions" and kind == "update" and not self._sequence[channel]:
            return  # nobody has subscribed
        self._sequence[channel] += 1
        self._send(f'{{"channel":"{channel}","type":"{kind}","data":[{rows}],"sequence":{self._sequence[channel]}}}')

    def _send(self, text: str) -> None:
        if self._transport is not None:
            self._transport.send(picows.WSMsgType.TEXT, text.encode())

    def _beat(self) -> None:
        if self._transport is not None:
            self._send('{"channel":"heartbeat"}')
            asyncio.get_running_loop().call_later(1, self._beat)


def _named(order: Order) -> str:
    return f'{{"order_id":"{order.order_id}","cl_ord_id":"{order.name}"}}'


def _balance(asset: str) -> str:
    return (
        f'{{"asset":"{asset}","asset_class":"currency","balance":{BALANCE},'
        f'"wallets":[{{"type":"spot","id":"main","balance":{BALANCE}}}]}}'
    )


async def main(arguments: Sequence[str]) -> None:
    """Serve until standard input ends."""
    notes: list[Note] = []
    server = await picows.ws_create_server(lambda _: Client(notes, arguments), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(notes), flush=True)
        notes.clear()
    server.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
