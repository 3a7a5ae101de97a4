"""The floor: four processes of our parts that only hand bytes on, ``python -m benchmarks.chain.bare ROLE``.

picows on uvloop at both ends, blocking pyzmq between. Nothing is parsed: no book, no message of its own; the rule finds
the price of the first bid in the frame's text. What it takes are the wires, the wake-ups and the interpreter.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence

import picows
import uvloop
import zmq

BID = b'"bids":[{"price":'
# A frame that calls for no order changes no ask.
QUIET = b'"asks":[]'


class Reader(picows.WSListener):
    """Subscribes, and hands on the bytes of each frame."""

    def __init__(self, subscriptions: Sequence[str], on_frame: Callable[[bytes], None]) -> None:
        self._subscriptions, self._on_frame = subscriptions, on_frame

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Subscribe."""
        for text in self._subscriptions:
            transport.send(picows.WSMsgType.TEXT, text.encode())

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:  # noqa: ARG002 - its interface
        """Hand a frame on."""
        self._on_frame(frame.get_payload_as_bytes())


async def feed(folder: str, url: str, symbols: Sequence[str]) -> None:
    """Publish each frame as it came."""
    out = _socket(zmq.PUB, folder, "feed")
    params = {"channel": "book", "symbol": list(symbols), "depth": 10}
    subscribe = json.dumps({"method": "subscribe", "params": params, "req_id": 1})

    def on_frame(frame: bytes) -> None:
        if frame.startswith(b'{"channel":"book"'):
            out.send(frame)

    await asyncio.sleep(0.5)
    transport, _ = await picows.ws_connect(lambda: Reader([subscribe], on_frame), url)
    await transport.wait_disconnected()


def book(folder: str) -> None:
    """Hand on each frame."""
    source, out = _socket(zmq.SUB, folder, "feed"), _socket(zmq.PUB, folder, "book")
    while True:
        out.send(source.recv())


def strategy(folder: str) -> None:
    """Hand on the first bid's price of each frame that calls for an order."""
    source, out = _socket(zmq.SUB, folder, "book"), _socket(zmq.PUB, folder, "strategy")
    while True:
        frame = source.recv()
        if QUIET not in frame:
            begin = frame.index(BID) + len(BID)
            out.send(frame[begin : frame.index(b",", begin)])


async def orders(folder: str, url: str, symbol: str) -> None:
    """Send the request for each price."""
    source = _socket(zmq.SUB, folder, "strategy")
    transport, _ = await picows.ws_connect(lambda: Reader([], lambda _: None), url)
    terms = {"limit_price": "PRICE", "order_qty": 1.0, "cl_ord_id": "bare"}
    new = {**terms, "order_type": "limit", "side": "buy", "symbol": symbol, "token": "bare"}
    request, amend = _template("add_order", new), _template("amend_order", terms)

    def read() -> None:
        nonlocal request
        # The fd tells of an edge only.
        while source.poll(0):
            price: bytes = source.recv()
            transport.send(picows.WSMsgType.TEXT, request % (price,))
            request = amend

    asyncio.get_running_loop().add_reader(int(source.getsockopt(zmq.FD)), read)
    await transport.wait_disconnected()


def _template(method: str, params: dict[str, object]) -> bytes:
    """Return a request with a place for the price."""
    text = json.dumps({"method": method, "params": params, "req_id": 1})
    return text.replace('"PRICE"', "%b").encode()


def _socket(kind: int, folder: str, name: str) -> zmq.Socket[bytes]:
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(kind)
    if kind == zmq.PUB:
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.bind(f"ipc://{folder}/{name}")
    else:
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.SUBSCRIBE, b"")
        socket.connect(f"ipc://{folder}/{name}")
    return socket


def main(arguments: Sequence[str]) -> None:
    """Run one role until killed; arguments are its folder and address, then the pairs."""
    role, folder, *rest = arguments
    if role == "feed":
        uvloop.run(feed(folder, rest[0], rest[1:]))
    elif role == "book":
        book(folder)
    elif role == "strategy":
        strategy(folder)
    else:
        uvloop.run(orders(folder, rest[0], rest[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
