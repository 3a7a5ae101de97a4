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

import msgspec
import picows
import uvloop

from benchmarks.chain.public_stub import Clock

ORDERS = frozenset({"add_order", "amend_order", "batch_add", "cancel_order", "batch_cancel"})
BALANCE = 10**6
# When an order's frame came (ns of CLOCK_MONOTONIC), its method, pair and price.
Note = tuple[int, str, str | None, float | None]


class Params(msgspec.Struct):
    """Members of a request, or of an order of a batch."""

    channel: str = ""
    timeout: float = 0.0
    symbol: str | None = None
    side: str = ""
    limit_price: float | None = None
    order_qty: float = 0.0
    cl_ord_id: str | list[str] = ""
    order_id: list[str] = []
    # Of a batch: orders to add, or ids to cancel.
    orders: list[Params | str] = []


class Request(msgspec.Struct):
    """A request."""

    method: str
    params: Params = msgspec.field(default_factory=Params)
    req_id: int = 0


_decoder = msgspec.json.Decoder(Request)


@dataclass(slots=True)
class Order:
    """An open order, as its reports show it; numbers are those of its request."""

    name: str
    order_id: str
    symbol: str | None
    side: str
    price: float | None
    qty: float

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
        request = _decoder.decode(frame.get_payload_as_bytes())
        if request.method in ORDERS:
            for row in self._rows(request):
                order = self._orders.get(str(row.cl_ord_id))
                symbol = order.symbol if order else request.params.symbol
                self._notes.append((came, request.method, symbol, row.limit_price))
        self._answer(request)

    def _rows(self, request: Request) -> list[Params]:
        """Return the orders that a request adds, or its own members."""
        if request.method != "batch_add":
            return [request.params]
        return [row for row in request.params.orders if isinstance(row, Params)]

    def _answer(self, request: Request) -> None:
        now, method, params = self._clock.text(), request.method, request.params
        tail = f'"success":true,"time_in":"{now}","time_out":"{now}","req_id":{request.req_id}}}'
        reports: list[str] = []
        result = "{}"
        if method in ("subscribe", "unsubscribe"):
            result = f'{{"channel":"{params.channel}","maxratecount":180}}'
        elif method == "cancel_all_orders_after":
            trigger = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + params.timeout))
            result = f'{{"currentTime":"{now}","triggerTime":"{trigger}"}}'
        elif method in ("add_order", "batch_add"):
            added = [self._add(row, params.symbol) for row in self._rows(request)]
            result = ",".join(map(_named, added))
            result = f"[{result}]" if method == "batch_add" else result
            reports = [order.report("new", now) for order in added]
        elif method == "amend_order":
            order = self._orders[str(params.cl_ord_id)]
            order.price, order.qty = params.limit_price, params.order_qty
            result = f'{{"amend_id":"TA{time.monotonic_ns()}","cl_ord_id":"{order.name}"}}'
            reports = [order.report("amended", now)]
        elif method in ("cancel_order", "batch_cancel"):
            ids = [*params.order_id, *params.orders, *params.cl_ord_id]
            gone = [order for order in [*self._orders.values()] if order.name in ids or order.order_id in ids]
            for order in gone:
                del self._orders[order.name]
            tail = f'"orders_cancelled":{len(gone)},{tail}'
            result, reports = _named(gone[0]) if gone else "{}", [order.report("canceled", now) for order in gone]
        self._send(f'{{"method":"{"pong" if method == "ping" else method}","result":{result},{tail}')
        for row in reports:
            self._push("executions", "update", row)
        if method == "subscribe":
            self._sequence[params.channel] = 0
            self._push(params.channel, "snapshot", self._snapshot(params.channel, now))

    def _snapshot(self, channel: str, now: str) -> str:
        if channel == "balances":
            return ",".join(map(_balance, self._assets))
        return ",".join(order.report("new", now) for order in self._orders.values())

    def _add(self, row: Params, symbol: str | None) -> Order:
        self._added += 1
        order_id = f"O{self._added:05d}-AAAAA-AAAAAA"
        order = Order(str(row.cl_ord_id), order_id, symbol, row.side, row.limit_price, row.order_qty)
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
