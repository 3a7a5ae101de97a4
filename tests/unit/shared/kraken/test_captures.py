"""Captured frames come out as their own bytes, whatever a tool wrapped around them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from shared.errors import CaptureError
from shared.kraken import captures

FRAMES = [
    b'{"method":"subscribe","result":{"channel":"book","depth":10,"symbol":"BTC/USD"},"success":true}',
    b'{"channel":"book","type":"update","data":[{"symbol":"BTC\\/USD","bids":[{"price":84000.10,"qty":1.50000000}]}]}',
    b'[336,{"a":[["84000.10000","1.50000000","1796000000.123456"]],"c":"1"},"book-10","XBT/USD"]',
]


def written(tmp_path: Path, content: bytes, name: str = "capture.jsonl") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (b"", b"\n"),
        (b"", b"\r\n"),
        (b"< ", b"\n"),
        (b"1732903200.123 ", b"\n"),
        (b"1732903200.123: ", b"\n"),
        (b"", b"\n\n"),
    ],
    ids=["plain", "crlf", "wscat", "time", "time with a colon", "empty lines"],
)
def test_what_stands_around_a_frame_is_taken_off(tmp_path: Path, begin: bytes, end: bytes) -> None:
    path = written(tmp_path, b"".join(begin + frame + end for frame in FRAMES))
    assert list(captures.frames(path)) == FRAMES


def test_a_frame_that_is_held_as_text_keeps_its_numbers(tmp_path: Path) -> None:
    lines = [json.dumps({"ts": 1, "raw": frame.decode()}).encode() for frame in FRAMES]
    assert list(captures.frames(written(tmp_path, b"\n".join(lines)))) == FRAMES


def test_marks_of_utf_8_are_passed_over_and_utf_16_is_named(tmp_path: Path) -> None:
    assert list(captures.frames(written(tmp_path, b"\xef\xbb\xbf" + FRAMES[0]))) == FRAMES[:1]
    with pytest.raises(CaptureError, match="UTF-16"):
        list(captures.frames(written(tmp_path, FRAMES[0].decode().encode("utf-16"))))


@pytest.mark.parametrize("name", ["capture.jsonl.gz", "capture.gz", "capture.jsonl"])
def test_a_gzipped_capture_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, gzip.compress(b"\n".join(FRAMES)), name)
    assert list(captures.frames(path)) == FRAMES


def test_a_gzip_file_that_breaks_off_says_so(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="breaks off"):
        list(captures.frames(written(tmp_path, gzip.compress(b"\n".join(FRAMES))[:-12])))


@pytest.mark.parametrize("name", ["capture.json", "capture.json.gz"])
def test_an_array_is_cut_and_one_frame_of_version_1_is_no_array_of_frames(tmp_path: Path, name: str) -> None:
    packed = gzip.compress if name.endswith("gz") else bytes
    array = b"[" + b",\n".join(FRAMES) + b"]"
    assert list(captures.frames(written(tmp_path, packed(array), name))) == FRAMES
    assert list(captures.frames(written(tmp_path, packed(FRAMES[2]), name))) == FRAMES[2:]


@pytest.mark.parametrize(("content", "why"), [(b"[1,]", "it is no JSON"), (b"\xff", "it is no JSON")])
def test_what_is_no_document_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(CaptureError, match=why):
        list(captures.frames(written(tmp_path, content, "capture.json")))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="No such file"):
        list(captures.frames(tmp_path / "none.jsonl"))


@pytest.mark.parametrize("line", [b"no frame", b'{broken \\" ', b'"text"', b"{" * 5000 + b'\\"'])
def test_a_line_without_a_frame_comes_as_it_is(tmp_path: Path, line: bytes) -> None:
    assert captures.of_line(line) == line.strip()
