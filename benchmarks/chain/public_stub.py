"""The public side of the made-up exchange: ``python -m benchmarks.chain.public_stub PAIRS``.

Serves WebSocket v2 on a free port, prints it, and then obeys lines of standard input: ``run`` with a plan as JSON sends
that plan's frames at their intended times, and prints when it began. Every frame carries the time at which it leaves.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence

import picows
import uvloop

from benchmarks.chain.pairs import listed
from benchmarks.chain.schedule import END, SECOND, Frame, Ladder, Plan, frames
from simulator.pairs.instrument import Pair
from simulator.pairs.pairs import ASSETS
from simulator.pairs.views import instrument_data

MS = 1_000_000
# The event loop is left for longer waits; the rest is slept in one piece, to the microsecond.
ASLEEP_NS = 3 * MS
# Requests of clients are read at least so often while frames leave.
SERVED_EVERY_NS = 50 * MS


class Clock:
    """Writes the time as Kraken does, quickly: the second's text is made once."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def text(self) -> str:
        """Return now, in UTC with microseconds."""
        second, ns = divmod(time.time_ns(), SECOND)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{ns // 1000:06d}Z"


class Client(picows.WSListener):
    """One connection."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._transport: picows.WSTransport | None = None
        self.symbols: set[str] = set()

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Say that trading is open."""
        self._transport = transport
        self._exchange.clients.add(self)
        self.send('{"channel":"status","type":"update","data":[{"version":"2.0.0","system":"online",'
                  '"api_version":"v2","connection_id":1}]}')  # fmt: skip

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """Forget the connection."""
        self._exchange.clients.discard(self)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Answer a request."""
        if frame.msg_type is picows.WSMsgType.TEXT:
            self._exchange.answer(self, json.loads(frame.get_payload_as_bytes()))

    def send(self, text: str) -> None:
        """Send a message."""
        assert self._transport is not None
        self._transport.send(picows.WSMsgType.TEXT, text.encode())


class Exchange:
    """The books and who is subscribed to them."""

    def __init__(self, count: int) -> None:
        self.clients: set[Client] = set()
        # Set once somebody hears every book.
        self._heard = asyncio.Event()
        self.clock = Clock()
        self.ladders = {pair.symbol: Ladder(pair) for pair in listed(count)}

    def answer(self, client: Client, request: dict[str, object]) -> None:
        """Answer one request."""
        method, params, number = request["method"], request.get("params"), request.get("req_id", 0)
        now = self.clock.text()
        times = f'"time_in":"{now}","time_out":"{now}"'
        if method == "ping" or not isinstance(params, dict):
            client.send(f'{{"method":"pong","req_id":{number},{times}}}')
            return
        channel = params["channel"]
        for symbol in params.get("symbol", [""]):
            named = {"channel": channel} | ({"symbol": symbol} if symbol else {})
            named |= {"depth": params["depth"]} if channel == "book" and "depth" in params else {}
            result = json.dumps(named | {"snapshot": True})
            client.send(f'{{"method":"{method}","result":{result},"success":true,{times},"req_id":{number}}}')
            if method == "subscribe" and channel == "book":
                client.symbols.add(symbol)
                if client.symbols >= self.ladders.keys():
                    self._heard.set()
                client.send(self.ladders[symbol].snapshot() + now + END)
        if method == "subscribe" and channel == "instrument":
            pairs = [ladder.pair for ladder in self.ladders.values()]
            assets = {asset.name: asset for pair in pairs for asset in (pair.base, pair.quote, ASSETS["USD"])}
            data = instrument_data(assets.values(), [_Listed(pair) for pair in pairs])
            client.send(f'{{"channel":"instrument","type":"snapshot","data":{data}}}')

    async def play(self, plan: Plan) -> int:
        """Send a plan's frames at their times once somebody hears every book; return when it began.

        In ns of CLOCK_MONOTONIC.
        """
        await self._heard.wait()
        made = frames(plan, list(self.ladders.values()))
        await asyncio.sleep(0.05)
        began = time.monotonic_ns() + 20 * MS
        served = 0
        for frame in made:
            due = began + frame.at_ns
            while (left := due - time.monotonic_ns()) > 0:
                if left > ASLEEP_NS:
                    await asyncio.sleep((left - ASLEEP_NS + MS) / SECOND)
                else:
                    _pause(left / SECOND)
            self._send(frame)
            if due - served > SERVED_EVERY_NS:
                served = due
                await asyncio.sleep(0)
        return began

    def _send(self, frame: Frame) -> None:
        text = frame.text + self.clock.text() + END
        self.ladders[frame.symbol].sent(text)
        for client in self.clients:
            if frame.symbol in client.symbols:
                client.send(text)

    async def beat(self) -> None:
        """Send heartbeats."""
        while True:
            await asyncio.sleep(1)
            for client in self.clients:
                client.send('{"channel":"heartbeat"}')


def _pause(seconds: float) -> None:
    """Hold up the whole process: nothing else times a frame as exactly."""
    time.sleep(seconds)


class _Listed:
    """A pair that trades, as the simulator's rows want it."""

    status = "online"

    def __init__(self, pair: Pair) -> None:
        self.pair = pair


async def main(arguments: Sequence[str]) -> None:
    """Serve until standard input ends."""
    exchange = Exchange(int(arguments[0]))
    server = await picows.ws_create_server(lambda _: Client(exchange), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    beats = asyncio.ensure_future(exchange.beat())
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        began = await exchange.play(Plan(**json.loads(line)))
        print(began, flush=True)
    beats.cancel()
    server.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
