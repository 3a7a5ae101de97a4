"""Recordings: Arrow IPC stream files of bus messages, and how they are read.

A folder holds ``NUMBER-TIME.arrows`` files; numbers rise in the order of the messages. A file is an Arrow IPC stream
with zstd: a schema, then batches. A file that is cut off anywhere is read up to its last whole batch.
"""

from __future__ import annotations

import functools
import json
import platform
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from collector.errors import UnreadableRecording
from shared.bus import topics
from shared.clock import boot_ns, rfc3339, wall_ns
from shared.messages import FeedFrame
from shared.version import tradebyte_version

NAME: Final = re.compile(r"(\d{6,})-\d{8}T\d{6}Z\.arrows")
FORMAT: Final = "1"
COLUMNS: Final[tuple[tuple[str, pa.DataType, bool, str], ...]] = (
    ("topic", pa.string(), False, "the topic, without the NUL byte that ends it on the bus"),
    ("src", pa.string(), True, "the process that published it; null where the message's header cannot be read"),
    ("boot", pa.int64(), True, "that process's start, a number that rises with each"),
    (
        "seq",
        pa.int64(),
        True,
        "counts a topic's messages in one boot, from 1; a state that is sent again keeps its seq",
    ),
    ("ts", pa.int64(), True, "when it was published, ns since the epoch"),
    ("heard", pa.int64(), False, "when it was heard here, ns of CLOCK_BOOTTIME; add wall_minus_boot_ns for the epoch"),
    ("missed", pa.int64(), False, "messages of this topic that were lost just before this one"),
    ("payload", pa.binary(), False, "the message as it was on the bus: a msgpack map"),
)
BARE: Final = pa.schema([pa.field(name, kind, nullable=nullable) for name, kind, nullable, _ in COLUMNS])
FRAME_TOPICS: Final = ("feed.book", "feed.ticker")
# What pyarrow raises for bytes that were damaged on the disk: it has no check of its own.
DAMAGED: Final = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError, SystemError)
_frames = msgspec.msgpack.Decoder(FeedFrame)


def schema(session: str, wanted: Iterable[str]) -> pa.Schema:
    """Return the columns, with metadata that explain the file to a stranger; ``session`` names one recorder's run."""
    about = {
        "tradebyte_recording": FORMAT,
        "about": "Messages on the bus of TradeByte, a row each, in the order heard. Any Arrow library reads this: "
        "pyarrow.ipc.open_stream(path). payload is a msgpack map: msgpack.unpackb(payload).",
        "columns": json.dumps({name: text for name, _, _, text in COLUMNS}),
        "session": session,
        "topics": json.dumps(sorted(wanted) or ["all"]),
        "started": rfc3339(wall_ns()),
        "wall_minus_boot_ns": str(wall_ns() - boot_ns()),
        "host": platform.node(),
        "version": tradebyte_version(),
    }
    return BARE.with_metadata(about)


def files_of(folder: Path) -> list[Path]:
    """Return a folder's recorded files, oldest first. Raises OSError when it cannot be read."""
    numbered = [(int(match.group(1)), path) for path in folder.iterdir() if (match := NAME.fullmatch(path.name))]
    return [path for _, path in sorted(numbered)]


def find(paths: Iterable[Path]) -> list[Path]:
    """Return the files among the paths, and the recorded files of the folders. Raises :class:`UnreadableRecording`."""
    files: list[Path] = []
    for path in paths:
        try:
            inside = files_of(path) if path.is_dir() else [path]
            if not path.is_dir():
                path.open("rb").close()
        except OSError as error:
            raise UnreadableRecording(
                f"{path}: {error.strerror}; name a recorded file, or the folder of some"
            ) from error
        if not inside:
            raise UnreadableRecording(f"{path}: no recording is in this folder; 'tradebyte record' makes one")
        files += inside
    return files


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded message; ``heard`` in ns of CLOCK_BOOTTIME, ``wall`` the same in ns since the epoch."""

    session: str
    heard: int
    wall: int
    topic: str
    payload: bytes


def wanted(names: Iterable[str]) -> Callable[[str], bool]:
    """Return a function that is True for topics in ``names`` (kinds or whole topics; empty: all)."""
    prefixes = tuple(prefix for each in names for prefix in topics.subscription(each)) or (b"",)

    @functools.lru_cache(maxsize=1024)
    def is_wanted(topic: str) -> bool:
        return topics.encode(topic).startswith(prefixes)

    return is_wanted


@dataclass
class Recording:
    """Recorded files; they are read once, from the first to the last, with one batch in memory at a time."""

    files: list[Path]
    names: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    #: Bytes read so far, files that were cut off, and why others are no recording: all filled while reading.
    read: int = 0
    cut: list[Path] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(path.stat().st_size for path in self.files if path.exists())

    def rows(self) -> Iterator[Row]:
        """Yield the messages of the wanted topics, heard from ``start`` until before ``end`` (ns since the epoch)."""
        is_wanted = wanted(self.names)
        for path in self.files:
            before = self.read
            for batch, session, offset in self._batches(path, before):
                for heard, topic, payload in batch:
                    wall = heard + offset
                    late = self.end is not None and wall >= self.end
                    early = self.start is not None and wall < self.start
                    if not late and not early and is_wanted(topic):
                        yield Row(session, heard, wall, topic, payload)

    def _batches(self, path: Path, before: int) -> Iterator[tuple[list[tuple[int, str, bytes]], str, int]]:
        """Yield each batch as (heard, topic, payload) rows, its session, and the ns that make ``heard`` wall time."""
        try:
            with pa.OSFile(str(path), "rb") as source:
                try:
                    reader = pa.ipc.open_stream(source)
                    if not reader.schema.equals(BARE):
                        raise ValueError("other columns")
                    about: dict[bytes, bytes] = reader.schema.metadata or {}
                    session, offset = about[b"session"].decode(), int(about[b"wall_minus_boot_ns"])
                except DAMAGED:
                    self.foreign.append(f"{path}: nothing read: cut off at once, or no recording of TradeByte's bus")
                    return
                try:
                    for batch in reader:
                        # As lists: bytes that were damaged on the disk may raise only when they are converted.
                        columns = (batch.column(name).to_pylist() for name in ("heard", "topic", "payload"))
                        rows = list(zip(*columns, strict=True))
                        if any(None in row for row in rows):
                            raise ValueError("a null in a column that has none")
                        yield rows, session, offset
                        self.read = before + source.tell()
                except DAMAGED:
                    self.cut.append(path)
        except FileNotFoundError:
            self.foreign.append(f"{path}: deleted by rotation while reading")
        finally:
            self.read = before + (path.stat().st_size if path.exists() else 0)


def frames(recording: Recording) -> Iterator[bytes]:
    """Yield the raw Kraken frames of a recording, each once, even if several topics carried it."""
    last: tuple[int, bytes] | None = None
    for row in recording.rows():
        try:
            message = _frames.decode(row.payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if (message.received, message.frame) != last:
            last = (message.received, message.frame)
            yield message.frame


def described(recording: Recording) -> list[str]:
    """Return a sentence for each thing that was wrong with the files."""
    lines = [f"{path}: cut off or damaged; read up to its last whole batch" for path in recording.cut]
    return [*lines, *recording.foreign]


def plain(value: int) -> str:
    """Return a number of bytes in kB or MB."""
    return f"{value / 1e6:,.1f} MB" if value >= 100_000 else f"{value / 1e3:,.1f} kB"


def counted(number: int, what: str) -> str:
    """Return a number with its noun: ``1 file``, ``2 files``."""
    return f"{number:,} {what}{'s' if number != 1 else ''}"
