"""The exchange of this benchmark: ``python -m benchmarks.everything.stub PAIRS``.

It serves the books of so many pairs over WebSocket v2 on a free port, and prints it. For each line of standard input, a
load as JSON, it sends that load's frames and prints how late they left. Frames carry their *intended* time. They are
made before the start, WebSocket header included, and those that are due leave in one write.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time
from collections.abc import Sequence

import picows
import uvloop

from benchmarks.chain.public_stub import Client, Exchange
from benchmarks.chain.schedule import END, SECOND
from benchmarks.everything.load import Load, frames

MS = 1_000_000
# Frames that are due within this time of the first leave together.
TOGETHER_NS = MS // 5
STAMP_BYTES = 27
SHORT, MEDIUM = 126, 65_536


class Listener(Client):
    """A connection that takes frames as they are on the wire."""

    def write(self, wire: bytes) -> None:
        """Send frames with their headers."""
        assert self._transport is not None
        self._transport.underlying_transport.write(wire)


class AllBooks(Exchange):
    """Every book, and the load's frames."""

    async def play_load(self, load: Load) -> dict[str, float]:
        """Send a load once somebody hears every book; return when it began, and how late frames left in us."""
        await self._heard.wait()
        ladders = list(self.ladders.values())
        made = [(frame.at_ns, _headed(frame.text)) for frame in frames(load, ladders)]
        (client,) = self.clients
        assert isinstance(client, Listener)
        began = time.time_ns() + 200 * MS
        late: list[int] = []
        at = 0
        while at < len(made):
            left = began + made[at][0] - time.time_ns()
            if left > 0:
                # The loop answers what comes in; the rest is slept in one piece.
                await asyncio.sleep(0)
                _pause(min(left, MS) / SECOND)
                continue
            until = time.time_ns() - began + TOGETHER_NS
            out = bytearray()
            first = at
            while at < len(made) and made[at][0] <= until and at - first < 1000:
                out += made[at][1]
                out += _stamp(began + made[at][0])
                out += TAIL
                at += 1
            client.write(bytes(out))
            late.append(max(0, time.time_ns() - began - made[first][0]))
        late.sort()
        return {
            "began": began,
            "p50_us": late[len(late) // 2] / 1000,
            "p99_us": late[len(late) * 99 // 100] / 1000,
        }


TAIL = END.encode()
_seconds: dict[int, bytes] = {}


def _stamp(ts: int) -> bytes:
    """Return a time as Kraken writes it, to the microsecond."""
    second, ns = divmod(ts, SECOND)
    text = _seconds.get(second)
    if text is None:
        text = _seconds[second] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
    return b"%b.%06dZ" % (text, ns // 1000)


def _pause(seconds: float) -> None:
    """Hold up the whole process: nothing else times a frame as exactly."""
    time.sleep(seconds)


def _headed(text: str) -> bytes:
    """Return a text frame's beginning as a server sends it, up to the time."""
    body = text.encode()
    length = len(body) + STAMP_BYTES + len(TAIL)
    if length < SHORT:
        return struct.pack("!BB", 0x81, length) + body
    assert length < MEDIUM
    return struct.pack("!BBH", 0x81, SHORT, length) + body


async def main(arguments: Sequence[str]) -> None:
    """Serve until standard input ends."""
    exchange = AllBooks(int(arguments[0]))
    server = await picows.ws_create_server(lambda _: Listener(exchange), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    beats = asyncio.ensure_future(exchange.beat())
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await exchange.play_load(Load(**json.loads(line)))), flush=True)
    beats.cancel()
    server.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
