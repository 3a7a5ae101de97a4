"""The folder of a recording: files rotated by size and time, and a budget for all of them together.

The oldest files are deleted first, never the one being written. A file is only appended to, one whole batch at a time.
A batch that a full disk cuts short is removed again, so that every file stays readable.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from collector.errors import DiskFull
from collector.recording.files import NAME, files_of, plain
from shared.clock import rfc3339, wall_ns


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits: bytes of all files together and of one, ns of one, and bytes that the disk must keep free for others."""

    max_bytes: int
    rotate_bytes: int
    rotate_ns: int
    spare_bytes: int


class _Sink(io.RawIOBase):
    """Gathers the bytes that Arrow writes, so that a batch goes to the file in one piece."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: bytes) -> int:  # type: ignore[override]
        part = bytes(data)
        self._parts.append(part)
        self._at += len(part)
        return len(part)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        raw = b"".join(self._parts)
        self._parts.clear()
        return raw


class _Writing:
    """The file being written."""

    def __init__(self, path: Path, schema: pa.Schema, now: int) -> None:
        self.path, self.opened, self.size = path, now, 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._sink = _Sink()
        # Arrow's own threads would compete with the trading processes.
        options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
        self._writer = pa.ipc.new_stream(self._sink, schema, options=options)

    def encoded(self, batch: pa.RecordBatch) -> bytes:
        """Return a batch's bytes for this file; the first batch has the schema before it."""
        self._writer.write_batch(batch)
        return self._sink.taken()

    def append(self, raw: bytes) -> None:
        """Write all bytes or, with an OSError, none."""
        left = memoryview(raw)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            os.ftruncate(self._file, self.size)
            os.lseek(self._file, self.size, os.SEEK_SET)
            raise
        self.size += len(raw)

    def close(self, *, ended: bool) -> None:
        """Close the file, with a stream's end mark if ``ended``; delete it if it is empty."""
        if ended and self.size:
            self._writer.close()
            self.append(self._sink.taken())
        os.close(self._file)
        if not self.size:
            self.path.unlink(missing_ok=True)


class Store:
    """A folder of recorded files; ``schema`` makes each file's own. One process at a time (hold a lock)."""

    def __init__(
        self,
        folder: Path,
        rules: Rules,
        schema: Callable[[], pa.Schema],
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.written = 0
        self.rows = 0
        self.files = 0
        self.dropped = 0
        self._folder, self._rules, self._make_schema, self._free_bytes = folder, rules, schema, free_bytes
        self._writing: _Writing | None = None
        self._kept = [(path, path.stat().st_size) for path in files_of(folder)]
        self._number = max((int(path.name.partition("-")[0]) for path, _ in self._kept), default=0)

    def write(self, batch: pa.RecordBatch, now: int) -> None:
        """Append a batch; ``now`` in ns of CLOCK_BOOTTIME. Raises :class:`DiskFull`, and OSError for other trouble."""
        rules, writing = self._rules, self._writing
        if writing is not None and (writing.size >= rules.rotate_bytes or now - writing.opened >= rules.rotate_ns):
            self._finish()
        try:
            if self._writing is None:
                self._open(now)
            assert self._writing is not None
            raw = self._writing.encoded(batch)
            self._make_room(len(raw))
            self._writing.append(raw)
            self.files += self._writing.size == len(raw)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise DiskFull(f"{self._folder}: {error.strerror}") from error
            raise
        self.written += len(raw)
        self.rows += batch.num_rows

    def close(self, *, ended: bool = True) -> None:
        """End the file being written."""
        if self._writing is not None:
            self._writing.close(ended=ended)
            self._writing = None

    def _finish(self) -> None:
        assert self._writing is not None
        self._writing.close(ended=True)
        self._kept.append((self._writing.path, self._writing.size))
        self._writing = None

    def _open(self, now: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._number += 1
        stamp = rfc3339(wall_ns())[:19].replace("-", "").replace(":", "")
        path = self._folder / f"{self._number:06d}-{stamp}Z.arrows"
        assert NAME.fullmatch(path.name)
        self._writing = _Writing(path, self._make_schema(), now)

    def _make_room(self, more: int) -> None:
        """Delete the oldest files to stay within the budget. Raises DiskFull if too little would be left to others."""
        assert self._writing is not None
        while self._kept and self._writing.size + more + sum(size for _, size in self._kept) > self._rules.max_bytes:
            path, _ = self._kept.pop(0)
            path.unlink(missing_ok=True)
            self.dropped += 1
        free = self._free_bytes(self._folder)
        if free - more < self._rules.spare_bytes:
            spare = plain(self._rules.spare_bytes)
            raise DiskFull(f"{self._folder}: only {plain(free)} are free, and {spare} are left to the others")
