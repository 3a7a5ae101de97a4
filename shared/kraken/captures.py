"""Captured Kraken frames from a file, each as its own bytes: one a line, an array of them, or a single one.

A line may have something before the frame that a tool wrote (a time, ``<``), or be an object that holds the frame as
text. Files may be gzipped. Numbers are never decoded on the way: checksums are computed over their text.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final  # Any: a JSON document, before its frames are cut out

from shared.errors import CaptureError

_GZIP: Final = b"\x1f\x8b"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What tools put before a frame: at most a time, a direction and the like.
_BEFORE: Final = re.compile(rb'[^\[{"]{1,64}(?=[\[{])')


def frames(path: Path) -> Iterator[bytes]:
    """Yield a capture's frames in order; a line without one is yielded as it is. Raises :class:`CaptureError`."""
    try:
        with _opened(path) as file:
            yield from (frame for _, frame in numbered(file, path.name))
    except OSError as error:
        raise CaptureError(error.strerror or str(error)) from error


def numbered(file: IO[bytes] | gzip.GzipFile, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the frames of an open capture, each with its line (in a ``.json`` document: its place), from 1."""
    try:
        if name.removesuffix(".gz").endswith(".json"):
            yield from enumerate(_of_document(file.read()), 1)
        else:
            yield from ((number, frame) for number, line in enumerate(file, 1) if (frame := of_line(line)))
    except EOFError:
        raise CaptureError("it breaks off in the middle, as a gzip file that is still written") from None
    except zlib.error as error:
        raise CaptureError(f"it is damaged ({error})") from error


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as file:
        first = file.read(4)
    if first.startswith(_UTF16):
        raise CaptureError("it is UTF-16 text; make it UTF-8 first (iconv -f UTF-16 -t UTF-8)")
    return gzip.open(path) if first.startswith(_GZIP) else path.open("rb")


def of_line(line: bytes) -> bytes:
    """Return the frame in a line, or the line itself if none can be found."""
    text = line.removeprefix(codecs.BOM_UTF8).strip()
    before = _BEFORE.match(text)
    if before is not None:
        text = text[before.end() :]
    return _unwrapped(text) if b'\\"' in text else text


def _unwrapped(text: bytes) -> bytes:
    """Return the frame that an object such as ``{"ts": 1, "raw": "{...}"}`` holds as text."""
    try:
        holder = json.loads(text)
    except (ValueError, RecursionError):
        return text
    inner = [value for value in holder.values() if isinstance(value, str)] if isinstance(holder, dict) else []
    return next((value.encode() for value in inner if value.lstrip()[:1] in ("{", "[")), text)


def _of_document(raw: bytes) -> Iterator[bytes]:
    """Yield one frame, or each of an array of them, cut out as text: parsing would lose the text of numbers."""
    try:
        text = raw.decode("utf-8-sig")
        whole: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CaptureError(f"it is no JSON: {error}") from error
    # A frame of version 1 is an array too, and begins with a number.
    if not isinstance(whole, list) or not all(isinstance(each, dict | list) for each in whole):
        yield text.encode()
        return
    decoder, at = json.JSONDecoder(), text.index("[") + 1
    for _ in whole:
        at += len(text[at:]) - len(text[at:].lstrip(", \t\r\n"))
        _, end = decoder.raw_decode(text, at)
        yield text[at:end].encode()
        at = end
