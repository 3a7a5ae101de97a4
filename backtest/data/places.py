"""Files and folders on this machine, or in a store that pyarrow knows (``s3://``, ``gs://``).

A store's address may carry options: ``s3://bucket/folder?endpoint_override=localhost:9000&scheme=http``. Keys come from
the environment, as the store's own tools take them.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import pyarrow as pa
from pyarrow import fs

from backtest.errors import DataError

T = TypeVar("T")
_GZIP: Final = b"\x1f\x8b"
_BUFFER_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder: ``text`` as it was named, ``path`` within ``system``."""

    text: str
    system: fs.FileSystem
    path: str

    @property
    def name(self) -> str:
        """Return the last part of the path, without ``.gz``."""
        return self.path.rstrip("/").rpartition("/")[2].removesuffix(".gz")

    @property
    def is_folder(self) -> bool:
        """True for a folder. Raises DataError where there is nothing."""
        kind = _tried(self.text, lambda: self.system.get_file_info(self.path).type)
        if kind == fs.FileType.NotFound:
            raise DataError(f"{self.text}: there is no such file or folder")
        return bool(kind == fs.FileType.Directory)

    def files(self) -> list[Place]:
        """Return the files in a folder and the folders in it, by path; none where there is no folder."""
        selector = fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        infos = _tried(self.text, lambda: self.system.get_file_info(selector))
        return [self.inside(info.path) for info in sorted(infos, key=lambda info: info.path) if info.is_file]

    def inside(self, path: str) -> Place:
        """Return the place of a path of the same system."""
        text = path if isinstance(self.system, fs.LocalFileSystem) else f"{self.system.type_name}://{path}"
        return Place(text, self.system, path)

    def below(self, name: str) -> Place:
        """Return the place of a name below this folder."""
        return self.inside(f"{self.path.rstrip('/')}/{name}")

    def exists(self) -> bool:
        """True if there is a file or folder."""
        kind = _tried(self.text, lambda: self.system.get_file_info(self.path).type)
        return bool(kind != fs.FileType.NotFound)

    def open(self) -> io.BufferedReader | gzip.GzipFile:
        """Open the file to read, unzipped where it is gzipped. Raises DataError."""
        raw = _tried(self.text, lambda: self.system.open_input_file(self.path))
        file = io.BufferedReader(raw, _BUFFER_BYTES)
        return gzip.GzipFile(fileobj=file) if file.peek(2).startswith(_GZIP) else file

    def source(self) -> pa.NativeFile:
        """Open the file to read at any position. Raises DataError."""
        return _tried(self.text, lambda: self.system.open_input_file(self.path))


def place(text: str) -> Place:
    """Return the place that a person names. Raises DataError."""
    if "://" not in text:
        return Place(text, fs.LocalFileSystem(), str(Path(text).absolute()))
    system, path = _tried(text, lambda: fs.FileSystem.from_uri(text))
    return Place(text, system, path)


def _tried(text: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{text}: {error}") from error
