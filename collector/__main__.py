"""The collector: Kraken's public WebSocket onto the bus, or a recording of it with ``--replay``.

``python -m collector record`` records the bus, and ``replay`` puts a recording onto a bus of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import itertools
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from collector.errors import UnreadableRecording
from collector.feed.batch import load_batch
from collector.feed.feed import Feed
from collector.feed.level3 import Level3Feed
from collector.feed.listing import Valuing
from collector.feed.rest_instruments import assets_of, pairs_of
from collector.level3_connection import Level3Connection
from collector.replay import parse_speed, play
from shared import limits
from shared.bus import Received
from shared.clock import boot_ns, wall_ns
from shared.errors import CaptureError, RestError, RestRefused
from shared.kraken import captures
from shared.kraken.level3 import depth_for
from shared.kraken.rest import Rest
from shared.kraken.rest_names import RestNames
from shared.kraken.socket import KrakenSocket
from shared.messages import ProcessState, Resync
from shared.process.command_line import EXIT_CONFIG, load_config, parser, refuse
from shared.process.loop import Process
from shared.version import tradebyte_version

COMMANDS = {"record": "collector.recording.record", "replay": "collector.recording.playback"}


class Collector:
    """Wires the feed's core to a socket and the bus."""

    def __init__(self, process: Process, feed: Feed) -> None:
        self.process, self.feed = process, feed
        self.level3: Level3Connection | None = None
        if process.config.kraken.data_key:
            trading = process.config.trading
            orders = Level3Feed(trading.pairs, depth_for(trading.feed_depth), feed.listing.pairs)
            self.level3 = Level3Connection(process, orders)
        self._requests_served = 0
        self.socket = KrakenSocket(
            process.config.kraken.ws_url,
            self._opened,
            self._frames,
            self._closed,
            f"TradeByte/{tradebyte_version()}",
        )

    async def run(self) -> None:
        """Connect after subscribers had time to attach: a snapshot that nobody heard must be requested again."""
        await asyncio.sleep(limits.JOIN_S)
        await asyncio.gather(self.socket.run(), self._fetch_instruments())

    async def _fetch_instruments(self) -> None:
        """Fetch instrument data by REST when the feed wants it, and again every few minutes, since it changes."""
        rest = Rest(self.process.config.kraken.rest_url, "", "", f"TradeByte/{tradebyte_version()}")
        fetched = 0.0
        while True:
            old = fetched and time.monotonic() - fetched > limits.INSTRUMENTS_EVERY_S
            if self.feed.wants_instruments or old:
                try:
                    pairs, assets = await rest.public("AssetPairs"), await rest.public("Assets")
                    names = RestNames(pairs, assets)
                    self.feed.instruments(pairs_of(pairs, names), assets_of(assets, names), boot_ns())
                    fetched = time.monotonic()
                except (RestError, RestRefused, ValueError, KeyError, TypeError, AttributeError) as error:
                    self.process.log.warning("no instrument data by REST, trying again", why=str(error))
                    await asyncio.sleep(limits.SUBSCRIBE_ACK_S)
                self.carry_out()
            await asyncio.sleep(0.1)

    def _opened(self) -> None:
        self.process.log.info("connected", url=self.socket.url, attempts=self.socket.reconnect.attempts)
        self.feed.opened(boot_ns())
        self.carry_out()

    def _frames(self, frames: list[bytes]) -> None:
        at, now = 0, boot_ns()
        while at < len(frames):
            at = self.feed.frames(frames, at, now, wall_ns())
            self.carry_out()
        self.process.stir()

    def _closed(self, why: str) -> None:
        self.process.log.warning("connection lost, connecting again", why=why, drops=self.socket.reconnect.drops)
        self.feed.closed(boot_ns())
        self.carry_out()

    def on_messages(self, received: list[Received]) -> None:
        """Obey ``resync``."""
        for item in received:
            if isinstance(item.message, Resync):
                self.feed.resync(item.message, boot_ns())
        self.carry_out()

    def on_turn(self, now: int) -> None:
        """Turn the feed, and report the process's state."""
        if self.process.publisher.snapshot_requests > self._requests_served:
            self._requests_served = self.process.publisher.snapshot_requests
            self.feed.refresh(now)
            if self.level3 is not None:
                self.level3.refresh(now)
        self.feed.turn(now)
        self.carry_out()
        if self.level3 is not None:
            self.level3.on_turn(now)
        if not self.socket.connected:
            self.process.state(ProcessState.DEGRADED, f"not connected to {self.socket.url}")
        elif not self.feed.is_subscribed:
            self.process.state(ProcessState.DEGRADED, "not every book is subscribed yet")
        else:
            self.process.state(ProcessState.READY)
        self.process.drops = self.socket.dropped
        self.process.details["frames"] = dict(self.feed.out.counts)
        self.process.details["connection_attempts"] = self.socket.reconnect.attempts

    def carry_out(self) -> None:
        """Send and publish what the core wants."""
        wanted = self.feed.take()
        if wanted.finished:
            self.process.publisher.publish_finished(wanted.finished, is_state=False)
        self.process.dispatch(wanted)
        for request in wanted.requests:
            self.socket.send(request)
        if wanted.reconnect:
            self.socket.close(wanted.reconnect)


def main() -> None:
    """Run until asked to stop."""
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        # Imported here: only these commands need Arrow, which takes as much memory as the whole collector.
        sys.exit(importlib.import_module(COMMANDS[sys.argv[1]]).main(sys.argv[2:]))
    options = parser("collector", __doc__ or "")
    options.add_argument(
        "--replay", metavar="PATH", help="send recorded frames instead of Kraken's: a line each, or a recording's"
    )
    options.add_argument("--speed", metavar="N|max", type=_speed, default=1.0, help="times as fast as recorded")
    arguments = options.parse_args()
    configuration = load_config("collector", arguments.config)
    if arguments.replay is not None:
        frames = _frames_of(Path(arguments.replay))
        raise SystemExit(play(Process("collector", configuration, []), frames, arguments.speed))
    process = Process("collector", configuration, ["resync"])
    trading = configuration.trading
    valuing = Valuing(trading.currency, trading.reference_pairs)
    publisher = process.publisher
    feed = Feed(
        trading.pairs,
        trading.feed_depth,
        version=configuration.kraken.websocket_version,
        valuing=valuing,
        batch=load_batch(publisher.src, publisher.boot, publisher.seqs),
    )
    collector = Collector(process, feed)
    process.run_async(collector.run, collector.on_messages, collector.on_turn, turn_ms=50)


def _frames_of(path: Path) -> Iterable[bytes]:
    """Return the frames of a capture or of a recording, or exit 78 with the reason."""
    if path.is_dir() or path.suffix == ".arrows":
        from collector.recording import files as recording

        try:
            files = recording.find([path.absolute()])
        except UnreadableRecording as error:
            refuse(EXIT_CONFIG, "collector", str(error))
        return recording.frames(recording.Recording(files, recording.FRAME_TOPICS))
    lines = captures.frames(path.absolute())
    try:
        return itertools.chain([next(lines)], lines)
    except StopIteration:
        refuse(EXIT_CONFIG, "collector", f"{path}: it is empty; name a recording with frames in it")
    except CaptureError as error:
        refuse(EXIT_CONFIG, "collector", f"{path}: {error}; name a readable recording")


def _speed(text: str) -> float | None:
    try:
        return parse_speed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    main()
