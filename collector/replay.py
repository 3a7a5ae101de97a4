"""Replay: captured or recorded frames are published as if they came from Kraken now.

A capture has one frame a line; a recording has the raw frames among its messages. Frames are paced by their own times,
divided by the speed; those without a time follow at once. The replay starts when somebody subscribes to books; the
process ends with the file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal

from collector.feed.batch import load_batch
from collector.feed.feed import Feed
from collector.feed.frames import Kind
from shared import limits
from shared.bus import Received
from shared.clock import SECOND, boot_ns, parse_rfc3339, wall_ns
from shared.errors import CaptureError
from shared.messages import ProcessState
from shared.process.loop import Process

_V2_TIME = re.compile(rb'"timestamp"\s*:\s*"([0-9T:.-]+Z)"')
_V1_TIME = re.compile(rb'"(\d{10}\.\d{1,9})"')


EXIT_FAILED = 1
MARKET = frozenset({Kind.BOOK.value, Kind.TRADE.value, Kind.TICKER.value})


def parse_speed(text: str) -> float | None:
    """Return a speed: None for ``max``, else a factor above 0. Raises ValueError for anything else."""
    if text == "max":
        return None
    factor = float(text)
    if not 0 < factor < float("inf"):
        raise ValueError("the speed is 'max' or a number above 0")
    return factor


def frame_time(raw: bytes) -> int | None:
    """Return the newest time in a frame, ns since the epoch, or None."""
    times = [parse_rfc3339(text.decode()) for text in _V2_TIME.findall(raw)]
    times += [int(Decimal(text.decode()) * SECOND) for text in _V1_TIME.findall(raw)]
    return max(times, default=None)


def schedule(lines: Iterator[bytes], speed: float | None) -> Iterator[tuple[int, bytes]]:
    """Yield each frame, after the ns from the start at which it is due."""
    first: int | None = None
    due = 0
    for line in lines:
        raw = line.rstrip(b"\r\n")
        if not raw:
            continue
        at = frame_time(raw) if speed is not None else None
        if at is not None and speed is not None:
            first = at if first is None else first
            due = max(due, int((at - first) / speed))
        yield due, raw


def play(process: Process, recording: Iterable[bytes], speed: float | None) -> int:
    """Play all of a recording's frames onto the bus, then stop the process; return its exit code.

    The code is 1 if the file breaks off, or has no frame of a book, of trades or of a ticker.
    """
    publisher = process.publisher
    batch = load_batch(publisher.src, publisher.boot, publisher.seqs)
    feed = Feed([], process.config.trading.book_depth, replay=True, batch=batch)
    frames = schedule(iter(recording), speed)
    broken: list[str] = []
    pending: tuple[int, bytes] | None = None
    started = 0
    ended = 0
    waited = boot_ns()

    def following() -> tuple[int, bytes] | None:
        try:
            return next(frames, None)
        except CaptureError as error:
            broken.append(f"the capture cannot be read further: {error}")
            process.log.error(broken[0])
            return None

    def carry_out() -> None:
        wanted = feed.take()
        publisher.publish_finished(wanted.finished, is_state=False)
        process.dispatch(wanted)

    def on_turn(now: int) -> None:
        nonlocal pending, started, ended
        if not started:
            # Frames that are sent before anybody listens are lost: wait a while for a subscriber to books.
            if not process.publisher.is_subscribed("feed.book.") and now - waited < limits.REPLAY_WAIT_S * SECOND:
                return
            started = now
            feed.opened(now)
            pending = following()
            process.state(ProcessState.READY, "replaying")
        due: list[bytes] = []
        while pending is not None and pending[0] <= now - started and len(due) < limits.REPLAY_FRAMES_A_TURN:
            due.append(pending[1])
            pending = following()
        at = 0
        while at < len(due):
            at = feed.frames(due, at, boot_ns(), wall_ns())
            carry_out()
        feed.turn(now)
        carry_out()
        if pending is None:
            ended = ended or now
            # The last messages must have left before the sockets close.
            if now - ended > limits.REPLAY_LINGER_S * SECOND:
                process.log.info("replay ended", frames=dict(feed.out.counts))
                process.stopping = True

    def ignore(_received: list[Received]) -> None:
        return

    process.run_polled(ignore, on_turn, turn_ms=5)
    if pending is None and started and not feed.out.counts.keys() & MARKET:
        broken.append("nothing was replayed: no frame of a book or of trades is in the file")
    for text in broken:
        print(f"collector: {text}", file=sys.stderr, flush=True)
    return EXIT_FAILED if broken else 0
