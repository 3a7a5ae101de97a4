"""The recorder's core: messages in, batches out, and how many messages each topic missed."""

from __future__ import annotations

from collections import Counter

import msgspec
import pyarrow as pa

from collector.recording.files import BARE
from shared import bus, limits
from shared.bus import topics
from shared.messages import Message

_header = msgspec.msgpack.Decoder(Message)
INT64_MAX = 2**63 - 1


class Recorder:
    """Gathers rows until they are taken as a batch; bounded, if the caller takes one whenever it :attr:`is_full`."""

    def __init__(self, batch_bytes: int = limits.RECORD_BATCH_BYTES) -> None:
        self.messages = 0
        self.payload_bytes = 0
        #: Messages without a topic, or with more than one payload, which are not recorded.
        self.skipped = 0
        #: Messages that are recorded although their header could not be read.
        self.headless = 0
        self.missed: Counter[str] = Counter()
        self._batch_bytes = batch_bytes
        self._tracker = bus.Tracker()
        self._rows: list[tuple[object, ...]] = []
        self._pending_bytes = 0

    @property
    def is_full(self) -> bool:
        """True once enough is gathered that it should be written at once."""
        return self._pending_bytes >= self._batch_bytes or len(self._rows) >= limits.RECORD_BATCH_ROWS

    def take(self, parts: list[bytes], heard: int) -> None:
        """Take one message as it came, ``heard`` in ns of CLOCK_BOOTTIME. Never raises."""
        try:
            raw_topic, payload = parts
            topic = topics.decode(raw_topic)
        except ValueError:
            self.skipped += 1
            return
        header = self._header(payload)
        missed = (self._tracker.admit(topic, header) or 0) if header is not None else 0
        if missed:
            self.missed[topic] += missed
        src = (header.src, header.boot, header.seq, header.ts) if header is not None else (None,) * 4
        self._rows.append((topic, *src, heard, missed, payload))
        self.messages += 1
        self.payload_bytes += len(payload)
        self._pending_bytes += len(payload)

    def _header(self, payload: bytes) -> Message | None:
        try:
            header = _header.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            header = None
        if header is None or not all(0 <= each <= INT64_MAX for each in (header.boot, header.seq, header.ts)):
            self.headless += 1
            return None
        return header

    def batch(self) -> pa.RecordBatch | None:
        """Return the rows gathered since the last batch, or None without any."""
        if not self._rows:
            return None
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, BARE.types, strict=True)]
        self._rows, self._pending_bytes = [], 0
        return pa.record_batch(arrays, schema=BARE)
