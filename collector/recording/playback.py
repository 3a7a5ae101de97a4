"""``python -m collector replay``: a recording onto a bus of its own, byte for byte, in order, as fast as wanted.

That bus has a folder of its own with a configuration for it; the live bus is never touched. All messages leave by one
endpoint, the collector's, so that they keep their order across the processes that once sent them.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

import msgspec
import yaml
import zmq
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from collector.errors import UnreadableRecording
from collector.recording.files import Recording, Row, counted, described, find
from collector.recording.record import topic
from collector.replay import parse_speed
from shared import bus, config as configuration, limits
from shared.clock import SECOND, boot_ns, parse_rfc3339, rfc3339, wall_ns
from shared.config import Config
from shared.errors import Held
from shared.process import locks
from shared.process.command_line import EXIT_CONFIG, EXIT_HELD, load_config, parser, refuse

EXIT_FAILED = 1
MARK = "# Written by 'tradebyte replay' for a bus that carries a recording. Nothing can be traded with it."
# Added to the ports of the live monitor and web page, for those started on the recording.
PORTS_BESIDE = 10
# Nothing listens there: what is started with this configuration reaches no exchange.
NO_PORT = 1


def schedule(rows: Iterator[Row], speed: float | None) -> Iterator[tuple[int, Row]]:
    """Yield each row, after the ns from the start at which it is due; pauses between recorders' runs are skipped."""
    due = 0
    last: Row | None = None
    for row in rows:
        if speed is not None and last is not None and last.session == row.session:
            due += int(max(0, row.heard - last.heard) / speed)
        last = row
        yield due, row


class Playback:
    """Sends rows when they are due. Waits for slow readers, but not for one that has stopped reading."""

    def __init__(self, publisher: bus.Publisher, warn: Callable[[str], None]) -> None:
        self.sent = 0
        self.payload_bytes = 0
        self.first: Row | None = None
        self.last: Row | None = None
        self.stopping = False
        self.stalled = False
        self._publisher, self._warn = publisher, warn
        publisher.socket.setsockopt(zmq.XPUB_NODROP, 1)

    def wait_for_reader(self, seconds: float) -> None:
        """Wait until somebody subscribes, and a moment longer for their other subscriptions."""
        end = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < end:
            self._serve(20)
            if self._publisher.is_subscribed(""):
                end = min(end, time.monotonic() + limits.JOIN_S * 3)

    def play(self, rows: Iterator[Row], speed: float | None) -> None:
        """Play all rows, or until stopped."""
        started = boot_ns()
        for due, row in schedule(rows, speed):
            while not self.stopping and (left := started + due - boot_ns()) > 0:
                self._serve(min(50, left // 1_000_000 + 1))
            if self.stopping:
                return
            if self.sent % limits.REPLAY_FRAMES_A_TURN == 0:
                self._serve(0)
            if not self._send(row):
                return
            self.first = self.first or row
            self.last = row
            self.sent += 1
            self.payload_bytes += len(row.payload)

    def _send(self, row: Row) -> bool:
        end = time.monotonic() + limits.REPLAY_READER_S
        while not self.stopping:
            try:
                self._publisher.publish_encoded(row.topic, row.payload)
            except zmq.Again:
                if time.monotonic() < end:
                    self._serve(1)
                    continue
                self.stalled = True
                self._publisher.socket.setsockopt(zmq.XPUB_NODROP, 0)
                seconds = f"{limits.REPLAY_READER_S:.0f} s"
                self._warn(f"a reader took nothing for {seconds}: from now on it loses what it does not take in time")
            else:
                return True
        return False

    def _serve(self, wait_ms: int) -> None:
        if self._publisher.socket.poll(wait_ms, zmq.POLLIN):
            try:
                self._publisher.serve_subscriptions()
            except zmq.Again:
                return  # the newcomer's queue is full; the recording repeats each state anyway


def config_text(config: Config) -> str:
    """Return the configuration text of a recording's bus: our pairs and strategies, no keys, no exchange in reach."""
    tree = {
        "kraken": {"sandbox": True},
        "trading": msgspec.to_builtins(config.trading),
        "strategies": msgspec.to_builtins(config.strategies),
        "simulator": {"port": NO_PORT},
        "monitor": {
            "port": config.monitor.port + PORTS_BESIDE,
            "web_port": config.monitor.web_port + PORTS_BESIDE,
        },
    }
    return f"{MARK}\n{yaml.safe_dump(tree, sort_keys=False)}"


def own_bus(config: Config, folder: Path) -> Config:
    """Write the configuration of the recording's bus into ``folder``; exit 78 where that is another system's."""
    path = folder / "config" / "config.yaml"
    try:
        if path.exists() and not path.read_text(encoding="utf-8").startswith(MARK):
            refuse(EXIT_CONFIG, "collector replay", f"{path} is a system's own; name another --folder for the replay")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(config_text(config), encoding="utf-8")
        made = configuration.load(path, environ={})
    except (OSError, UnicodeDecodeError) as error:
        refuse(EXIT_CONFIG, "collector replay", f"{path}: {error}; name a --folder that you may write to")
    shared = set(bus.addresses(made)) & set(bus.addresses(config))
    if shared:
        refuse(EXIT_CONFIG, "collector replay", f"{min(shared)} is the live bus; name another --folder for the replay")
    return made


def moment(text: str) -> int:
    """Read a command line's time, RFC 3339 in UTC, as ns since the epoch."""
    try:
        return parse_rfc3339(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-01-31T12:00:00Z") from None


def speed_of(text: str) -> float | None:
    """Read a command line's speed."""
    try:
        return parse_speed(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 'max' nor a number above 0") from None


class Summary(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """The outcome of a playback, as ``--json`` prints it; times RFC 3339."""

    messages: int
    payload_bytes: int
    seconds: float
    start: str | None
    end: str | None
    files: int
    problems: list[str]
    reader_stalled: bool
    interrupted: bool
    config: str


def summary(playback: Playback, recording: Recording, seconds: float, config: Path) -> Summary:
    """Return the outcome of a playback."""
    first, last = playback.first, playback.last
    return Summary(
        messages=playback.sent,
        payload_bytes=playback.payload_bytes,
        seconds=round(seconds, 3),
        start=rfc3339(first.wall) if first else None,
        end=rfc3339(last.wall) if last else None,
        files=len(recording.files),
        problems=described(recording),
        reader_stalled=playback.stalled,
        interrupted=playback.stopping,
        config=str(config),
    )


def sentences(result: Summary) -> list[str]:
    """Return the summary for people, a sentence a line."""
    lines = [f"note: {problem}" for problem in result.problems]
    if not result.messages:
        return [*lines, "nothing was replayed: no message of these topics and times is in the recording"]
    how = "interrupted; replayed" if result.interrupted else "replayed"
    return [
        *lines,
        f"{how} {result.messages:,} messages in {result.seconds:,.1f} s, "
        f"heard from {result.start} to {result.end}, from {counted(result.files, 'file')}",
    ]


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    options = parser("collector replay", "put a recording onto a bus of its own, byte for byte and in order")
    options.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders (data/recordings)")
    options.add_argument("--speed", type=speed_of, default=1.0, metavar="N|max", help="times as fast as recorded")
    options.add_argument(
        "--topics", type=topic, action="append", default=[], metavar="TOPIC", help="only this; again for more"
    )
    options.add_argument("--from", dest="start", type=moment, metavar="TIME", help="heard from then on (RFC 3339, UTC)")
    options.add_argument("--to", dest="end", type=moment, metavar="TIME", help="heard before then")
    options.add_argument("--folder", type=Path, help="of the recording's own bus (default: run/replay)")
    options.add_argument("--json", action="store_true", help="print one JSON object at the end")
    chosen = options.parse_args(argv)
    config = load_config("collector replay", chosen.config)
    try:
        files = find(chosen.paths or [config.data / "recordings"])
    except UnreadableRecording as error:
        refuse(EXIT_CONFIG, "collector replay", str(error))
    recording = Recording(files, tuple(chosen.topics), chosen.start, chosen.end)
    folder = chosen.folder.absolute() if chosen.folder is not None else config.run / "replay"
    own = own_bus(config, folder)
    try:
        lock = locks.Lock(own.run, "collector")
    except Held as held:
        refuse(EXIT_HELD, "collector replay", f"{held}, or name another --folder")
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    endpoint = bus.address(own, str(own.bus["collector"]))
    publisher = bus.Publisher(context, endpoint, "collector", wall_ns(), None)
    out = Console(stderr=True, highlight=False)
    playback = Playback(publisher, lambda text: out.print(text, markup=False, soft_wrap=True))

    def stop(_number: int, _frame: FrameType | None) -> None:
        playback.stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    out.print(f"look at it with: tradebyte tail --config {own.source}", markup=False, soft_wrap=True)
    out.print("starts when somebody looks, or in 10 s; Ctrl-C ends it", markup=False, soft_wrap=True)
    playback.wait_for_reader(limits.REPLAY_WAIT_S)
    began = time.monotonic()
    playback.play(followed(recording, out), chosen.speed)
    seconds = time.monotonic() - began
    # The last messages must have left before the socket closes, unless a person stopped the playback.
    publisher.socket.close(linger=0 if playback.stopping else int(limits.REPLAY_READER_S * 1000))
    context.term()
    lock.release()
    assert own.source is not None
    result = summary(playback, recording, seconds, own.source)
    print(json.dumps(msgspec.to_builtins(result)) if chosen.json else "\n".join(sentences(result)), flush=True)
    return 0 if playback.sent else EXIT_FAILED


def followed(recording: Recording, out: Console) -> Iterator[Row]:
    """Yield the rows, while a bar on the terminal shows how far the files are read."""
    columns = (TextColumn("replaying"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[at]}"))
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("", total=max(1, recording.size), at="")
        due = 0
        for row in recording.rows():
            if (now := boot_ns()) >= due:
                due = now + SECOND // 5
                bar.update(task, completed=recording.read, at=rfc3339(row.wall)[:19])
            yield row
