"""Read the executor's messages about its orders from recordings of the bus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from backtest.errors import DataError
from collector.errors import UnreadableRecording
from collector.recording.files import Recording, find
from shared.messages import Orders

_orders = msgspec.msgpack.Decoder(Orders)


def read(paths: Sequence[str]) -> Iterator[Orders]:
    """Yield the messages of those paths that are recordings on this machine, in order; unreadable ones are left out.

    Raises DataError.
    """
    for path in map(Path, paths):
        if path.suffix != ".arrows" and not (path.is_dir() and any(path.glob("*.arrows"))):
            continue
        try:
            for row in Recording(find([path]), ("order",)).rows():
                try:
                    yield _orders.decode(row.payload)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
        except UnreadableRecording as error:
            raise DataError(f"{path}: {error}") from error
