"""A plain chain, as one writes it with asyncio, websockets, pyzmq and msgpack: ``python -m benchmarks.chain.plain``.

Four processes (``feed``, ``book``, ``strategy``, ``orders``), or all in one (``single``). It verifies no checksum, cuts
no book, has no limits, no risk, no journal and no recovery, and publishes ten levels a side as floats.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence

import msgpack
import websockets
import zmq
import zmq.asyncio

LEVELS = 10
Levels = list[tuple[float, float]]


def parse(text: str | bytes) -> list[tuple[str, Levels, Levels, bool]]:
    """Return (symbol, bids, asks, is a snapshot) of each book in a frame."""
    frame = json.loads(text)
    if frame.get("channel") != "book":
        return []
    return [
        (
            row["symbol"],
            [(level["price"], level["qty"]) for level in row["bids"]],
            [(level["price"], level["qty"]) for level in row["asks"]],
            frame["type"] == "snapshot",
        )
        for row in frame["data"]
    ]


class Books:
    """Every pair's levels by price."""

    def __init__(self) -> None:
        self._sides: dict[str, tuple[dict[float, float], dict[float, float]]] = {}

    def update(self, symbol: str, bids: Levels, asks: Levels, is_snapshot: bool) -> tuple[Levels, Levels]:
        """Take in changes; return the best levels of both sides."""
        if is_snapshot:
            self._sides[symbol] = ({}, {})
        sides = self._sides[symbol]
        for side, changes in zip(sides, (bids, asks), strict=True):
            for price, qty in changes:
                if qty:
                    side[price] = qty
                else:
                    side.pop(price, None)
        best = sorted(sides[0].items(), reverse=True)[:LEVELS], sorted(sides[1].items())[:LEVELS]
        for side, kept in zip(sides, best, strict=True):
            if len(side) > 2 * LEVELS:
                side.clear()
                side.update(kept)
        return best


class Rule:
    """Joins the bid."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def decide(self, symbol: str, bids: Levels) -> float | None:
        """Return the price of the order wanted, or None if it has not changed."""
        if not bids or self._last.get(symbol) == bids[0][0]:
            return None
        self._last[symbol] = bids[0][0]
        return bids[0][0]


class Orders:
    """Keeps one order a pair where it is wanted."""

    def __init__(self) -> None:
        self._number = 0
        self._names: dict[str, str] = {}

    def request(self, symbol: str, price: float, qty: float) -> str:
        """Return the request that puts the pair's order there."""
        self._number += 1
        if symbol in self._names:
            params = {"cl_ord_id": self._names[symbol], "limit_price": price, "order_qty": qty, "symbol": symbol}
            return json.dumps({"method": "amend_order", "params": params, "req_id": self._number})
        self._names[symbol] = f"plain{self._number}"
        params = {
            "order_type": "limit",
            "side": "buy",
            "limit_price": price,
            "order_qty": qty,
            "symbol": symbol,
            "post_only": True,
            "cl_ord_id": self._names[symbol],
            "token": "plain",
        }
        return json.dumps({"method": "add_order", "params": params, "req_id": self._number})


async def read_feed(url: str, symbols: Sequence[str], on_frame: Callable[[str | bytes], Awaitable[None]]) -> None:
    """Subscribe, and hand on every frame."""
    async with websockets.connect(url, max_size=None, compression=None) as socket:
        for at in range(0, len(symbols), 50):
            params = {"channel": "book", "symbol": symbols[at : at + 50], "depth": LEVELS}
            await socket.send(json.dumps({"method": "subscribe", "params": params, "req_id": 1}))
        async for frame in socket:
            await on_frame(frame)


async def feed(folder: str, url: str, symbols: Sequence[str]) -> None:
    """Publish each change of a book."""
    out = _publisher(folder, "feed")

    async def on_frame(text: str | bytes) -> None:
        for symbol, bids, asks, is_snapshot in parse(text):
            await out.send_multipart([symbol.encode(), msgpack.packb((symbol, bids, asks, is_snapshot))])

    await asyncio.sleep(0.5)
    await read_feed(url, symbols, on_frame)


async def book(folder: str) -> None:
    """Publish the best levels after each change."""
    out, source, books = _publisher(folder, "book"), _subscriber(folder, "feed"), Books()
    while True:
        topic, raw = await source.recv_multipart()
        symbol, bids, asks, is_snapshot = msgpack.unpackb(raw)
        best = books.update(symbol, bids, asks, is_snapshot)
        await out.send_multipart([topic, msgpack.packb((symbol, *best))])


async def strategy(folder: str) -> None:
    """Publish the price wanted when it changes."""
    out, source, rule = _publisher(folder, "strategy"), _subscriber(folder, "book"), Rule()
    while True:
        topic, raw = await source.recv_multipart()
        symbol, bids, _ = msgpack.unpackb(raw)
        price = rule.decide(symbol, bids)
        if price is not None:
            await out.send_multipart([topic, msgpack.packb((symbol, price))])


async def orders(folder: str, url: str) -> None:
    """Send the request for each price wanted."""
    source, made = _subscriber(folder, "strategy"), Orders()
    async with websockets.connect(url, max_size=None, compression=None) as socket:
        answers = asyncio.ensure_future(_ignore(socket))
        while True:
            _, raw = await source.recv_multipart()
            symbol, price = msgpack.unpackb(raw)
            await socket.send(made.request(symbol, price, 1.0))
        await answers


async def single(public: str, private: str, symbols: Sequence[str]) -> None:
    """Do all of it in one process."""
    books, rule, made = Books(), Rule(), Orders()
    async with websockets.connect(private, max_size=None, compression=None) as socket:
        answers = asyncio.ensure_future(_ignore(socket))

        async def on_frame(text: str | bytes) -> None:
            for symbol, bids, asks, is_snapshot in parse(text):
                price = rule.decide(symbol, books.update(symbol, bids, asks, is_snapshot)[0])
                if price is not None:
                    await socket.send(made.request(symbol, price, 1.0))

        await read_feed(public, symbols, on_frame)
        await answers


async def _ignore(socket: websockets.ClientConnection) -> None:
    async for _ in socket:
        pass


def _publisher(folder: str, name: str) -> zmq.asyncio.Socket:
    socket = zmq.asyncio.Context.instance().socket(zmq.PUB)
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.bind(f"ipc://{folder}/{name}")
    return socket


def _subscriber(folder: str, name: str) -> zmq.asyncio.Socket:
    socket = zmq.asyncio.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, 0)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(f"ipc://{folder}/{name}")
    return socket


def main(arguments: Sequence[str]) -> None:
    """Run one role until killed; arguments are its folder and addresses, then the pairs."""
    role, *rest = arguments
    if role == "feed":
        asyncio.run(feed(rest[0], rest[1], rest[2:]))
    elif role == "book":
        asyncio.run(book(rest[0]))
    elif role == "strategy":
        asyncio.run(strategy(rest[0]))
    elif role == "orders":
        asyncio.run(orders(rest[0], rest[1]))
    else:
        asyncio.run(single(rest[0], rest[1], rest[2:]))


if __name__ == "__main__":
    main(sys.argv[1:])
