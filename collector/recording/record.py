"""``python -m collector record``: what is on the bus into Arrow files, until Ctrl-C. It binds nothing.

It reads the bus like any other reader: if it cannot keep up it loses messages, says which, and slows nobody down. At
its start it asks the collector for a fresh snapshot of each book; else it acts on nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

import msgspec
import zmq
from rich.console import Console
from rich.live import Live
from rich.text import Text

from collector.errors import DiskFull
from collector.recording.files import counted, plain, schema
from collector.recording.recorder import Recorder
from collector.recording.store import Rules, Store
from shared import bus, limits
from shared.bus import topics
from shared.clock import SECOND, boot_ns, wall_ns
from shared.config import Config
from shared.errors import Held
from shared.process import locks
from shared.process.command_line import EXIT_HELD, load_config, parser, refuse

EXIT_FAILED = 1
MB = 1_000_000
DEFAULT_MAX_MB, DEFAULT_ROTATE_MB, DEFAULT_ROTATE_MINUTES = 1000.0, 64.0, 60.0
# Trading processes come first when both need the processor; the recorder's messages wait in its queue.
NICENESS = 5


class Summary(msgspec.Struct, frozen=True):
    """The outcome of a recording, as ``--json`` prints it."""

    folder: str
    seconds: float
    messages: int
    lost: int
    payload_bytes: int
    written_bytes: int
    files: int
    files_dropped: int
    missed: int
    missed_by_topic: dict[str, int]
    skipped: int
    without_header: int
    stopped_by: str


class Run:
    """One run of the recorder: the bus, the core, the folder, and the line that a person sees."""

    def __init__(self, config: Config, names: list[str], folder: Path, rules: Rules) -> None:
        self.folder = folder
        self.why = ""
        self.stopping = False
        make_schema = functools.partial(schema, str(wall_ns()), names)
        self.recorder = Recorder(min(limits.RECORD_BATCH_BYTES, rules.rotate_bytes))
        self.store = Store(folder, rules, make_schema)
        # A recording without the book that its changes begin from could not be played.
        has_orders = _has(topics.SINGLE_ORDERS, names)
        requests = [topics.SNAPSHOT_REQUEST] if has_orders or _has("feed.book", names) else []
        requests += [topics.SINGLE_ORDERS] if has_orders else []
        self.subscriber = bus.Subscriber(zmq.Context.instance(), (), [*(names or [""]), *requests], config.curve)
        # No backoff: after any absence of a publisher its first messages are wanted too.
        self.subscriber.socket.setsockopt(zmq.RECONNECT_IVL_MAX, 0)
        self.subscriber.connect(bus.addresses(config), config.curve)
        self.began = boot_ns()

    def record(self, seconds: float | None, show: Callable[[str], None]) -> None:
        """Record until stopped, for ``seconds`` at most, or until the disk is full."""
        flush_at = self.began + int(limits.RECORD_FLUSH_S * SECOND)
        end = self.began + int(seconds * SECOND) if seconds is not None else None
        try:
            while not self.stopping and (end is None or boot_ns() < end):
                soon = flush_at if end is None else min(flush_at, end)
                self.subscriber.socket.poll(max(0, min(200, (soon - boot_ns()) // 1_000_000 + 1)), zmq.POLLIN)
                self.drain()
                if boot_ns() >= flush_at:
                    self.flush()
                    flush_at = boot_ns() + int(limits.RECORD_FLUSH_S * SECOND)
                    show(self.line())
            self.drain()
            self.flush()
            self.store.close()
        except (DiskFull, OSError) as error:
            self.why = str(error)
            self.store.close(ended=False)
        finally:
            self.subscriber.socket.close()

    def drain(self) -> None:
        """Take the queued messages; write early if they are many."""
        for _ in range(limits.BUS_DRAIN_MESSAGES):
            try:
                parts = self.subscriber.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self.recorder.take(parts, boot_ns())
            if self.recorder.is_full:
                self.flush()

    def flush(self) -> None:
        """Write the gathered rows."""
        batch = self.recorder.batch()
        if batch is not None:
            self.store.write(batch, boot_ns())

    def line(self) -> str:
        """Return the progress, on one line."""
        recorder = self.recorder
        if not recorder.messages:
            waited = boot_ns() - self.began > limits.RECORD_FIRST_S * SECOND
            return "nothing heard yet; is the system running? See 'tradebyte status'" if waited else "listening"
        missed = recorder.missed.total()
        return (
            f"{(boot_ns() - self.began) / SECOND:,.0f} s, {recorder.messages:,} messages, "
            f"{plain(self.store.written)} written{f', {missed:,} MISSED' if missed else ''}"
        )

    def summary(self) -> Summary:
        """Return the outcome of the recording."""
        recorder, store = self.recorder, self.store
        return Summary(
            folder=str(self.folder),
            seconds=round((boot_ns() - self.began) / SECOND, 1),
            messages=store.rows,
            lost=recorder.messages - store.rows,
            payload_bytes=recorder.payload_bytes,
            written_bytes=store.written,
            files=store.files,
            files_dropped=store.dropped,
            missed=recorder.missed.total(),
            missed_by_topic=dict(recorder.missed.most_common()),
            skipped=recorder.skipped,
            without_header=recorder.headless,
            stopped_by=self.why,
        )


def _has(kind: str, names: list[str]) -> bool:
    """True if what is recorded (everything without ``names``) has messages of a kind of the feed."""
    return not names or any(name == "feed" or name.startswith(kind) for name in names)


def sentences(summary: Summary) -> list[str]:
    """Return the summary for people, a sentence a line."""
    lines = []
    if summary.stopped_by:
        lines.append(f"recording STOPPED: {summary.stopped_by}. Make room, or name another --folder; files are whole")
    if summary.lost:
        lines.append(f"LOST {counted(summary.lost, 'message')} that came and could not be written")
    if summary.messages or summary.lost:
        lines.append(
            f"recorded {summary.messages:,} messages in {summary.seconds:,.1f} s: "
            f"{plain(summary.payload_bytes)}, as {counted(summary.files, 'file')} of "
            f"{plain(summary.written_bytes)} in {summary.folder}"
        )
    else:
        lines.append("no message was heard, so no file was written; is the system running? See 'tradebyte status'")
    if summary.files_dropped:
        lines.append(f"to stay within --max-mb, {counted(summary.files_dropped, 'file')} deleted, the oldest first")
    by_topic = list(summary.missed_by_topic.items())
    if by_topic:
        most = ", ".join(f"{topic} {count:,}" for topic, count in by_topic[: limits.RECORD_GAPS_NAMED])
        more = len(by_topic) - limits.RECORD_GAPS_NAMED
        lines.append(
            f"MISSED {summary.missed:,} messages: {most}{f' and {more} topics more' if more > 0 else ''}. "
            "Each row's 'missed' says where. The machine was too busy, or a process restarted: record fewer topics"
        )
    else:
        lines.append("missed: none")
    if summary.skipped or summary.without_header:
        lines.append(
            f"messages not from TradeByte: {summary.skipped} not recorded, {summary.without_header} without a header"
        )
    return lines


@contextlib.contextmanager
def showing(what: str) -> Iterator[Callable[[str], None]]:
    """Print a first line on stderr, and give a function that replaces it; without a terminal that does nothing."""
    out = Console(stderr=True, highlight=False)
    out.print(what, markup=False, soft_wrap=True)
    if not out.is_terminal:
        yield lambda _line: None
        return
    with Live(Text(""), console=out, auto_refresh=False, transient=True) as live:
        yield lambda line: live.update(Text(line), refresh=True)


def topic(word: str) -> str:
    """Read a command line's kind or whole topic."""
    if why := topics.why_unknown(word):
        raise argparse.ArgumentTypeError(why)
    return word


def above_zero(text: str) -> float:
    """Read a command line's number, finite and above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, found {text}")
    return value


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    options = parser("collector record", "record what is on the bus into Arrow files, until Ctrl-C")
    options.add_argument("topics", nargs="*", type=topic, metavar="TOPIC", help="kinds or topics (default: all)")
    options.add_argument("--folder", type=Path, help="where the files go (default: data/recordings)")
    options.add_argument("--max-mb", type=above_zero, default=DEFAULT_MAX_MB, help="of all files; the oldest go first")
    options.add_argument("--rotate-mb", type=above_zero, help="a new file after so much (default: 64)")
    options.add_argument("--rotate-minutes", type=above_zero, default=DEFAULT_ROTATE_MINUTES, help="and after so long")
    options.add_argument("--seconds", type=above_zero, help="end after so long")
    options.add_argument("--json", action="store_true", help="print one JSON object at the end")
    chosen = options.parse_args(argv)
    if chosen.rotate_mb is not None and chosen.rotate_mb > chosen.max_mb / 2:
        options.error("--rotate-mb is more than half of --max-mb: the oldest files could not go in time")
    config = load_config("collector record", chosen.config)
    rotate_mb = chosen.rotate_mb or min(DEFAULT_ROTATE_MB, chosen.max_mb / 4)
    rules = Rules(
        max_bytes=int(chosen.max_mb * MB),
        rotate_bytes=max(1, int(rotate_mb * MB)),
        rotate_ns=int(chosen.rotate_minutes * 60 * SECOND),
        spare_bytes=int(config.monitor.disk_free_mb * MB),
    )
    folder = chosen.folder.absolute() if chosen.folder is not None else config.data / "recordings"
    try:
        lock = locks.Lock(folder, "recorder")
        run = Run(config, chosen.topics, folder, rules)
    except Held as held:
        refuse(EXIT_HELD, "collector record", f"{held}, or name another --folder")
    except OSError as error:
        refuse(EXIT_FAILED, "collector record", f"{folder}: {error.strerror}; name a --folder that you may write to")

    def stop(_number: int, _frame: FrameType | None) -> None:
        run.stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    os.nice(NICENESS)
    with showing(f"recording {', '.join(chosen.topics) or 'every topic'} to {folder} (Ctrl-C ends it)") as show:
        run.record(chosen.seconds, show)
    lock.release()
    summary = run.summary()
    print(json.dumps(msgspec.to_builtins(summary)) if chosen.json else "\n".join(sentences(summary)), flush=True)
    return EXIT_FAILED if run.why or not summary.messages else 0
