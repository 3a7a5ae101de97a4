"""``python -m book verify``: what it prints and its exit codes."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from book import verify
from tests.frames import frame_lines, frames_path

BTC = "public_v2/book10_BTCUSD_python-kraken-sdk_repadded.jsonl"


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    try:
        code = verify.main([str(word) for word in words])
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def run_json(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    code, out, _ = run(capsys, "--json", *words)
    return code, json.loads(out)


@pytest.mark.parametrize("options", [[], ["--python"]], ids=["default", "python"])
@pytest.mark.parametrize(
    ("name", "frames", "checked", "symbols"),
    [
        ("public_v1/book1000_10pairs_cryptofeed.jsonl", 4279, 4269, 10),
        (BTC, 510, 510, 1),
        ("public_v2/book10_BTCUSD_python-kraken-sdk.jsonl", 510, 510, 1),
        ("public_v2/book25_MINAGBP_depthcharge_verbatim.jsonl", 25, 25, 1),
        ("public_v2/docs_Book_Level_2.jsonl", 2, 2, 1),
    ],
)
def test_every_capture_verifies(
    capsys: pytest.CaptureFixture[str], options: list[str], name: str, frames: int, checked: int, symbols: int
) -> None:
    code, report = run_json(capsys, *options, frames_path(name))
    assert code == 0
    assert (report["frames"], report["checked"], report["failed"]) == (frames, checked, 0)
    assert len(report["symbols"]) == symbols
    assert sum(tally["checked"] for tally in report["symbols"].values()) == checked


def test_a_capture_that_was_written_anew_says_what_was_lost(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    level = '{{"price":{}.0,"qty":1.50000000}}'
    text = "".join(f"{price}0150000000" for price in (84001, 84000))
    bids, asks = level.format(84000), level.format(84001)
    body = f'{{"symbol":"BTC/USD","bids":[{bids}],"asks":[{asks}],"checksum":{zlib.crc32(text.encode())}}}'
    frame = f'{{"channel":"book","type":"snapshot","data":[{body}]}}'
    capture = tmp_path / "capture.jsonl"
    capture.write_text(frame)
    assert run(capsys, capture)[0] == 0
    capture.write_text(json.dumps(json.loads(frame)))
    code, out, _ = run(capsys, capture)
    assert code == 1
    assert "BTC/USD: most often numbers have lost their trailing zeros" in out


def test_a_configuration_is_taken_as_by_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, _ = run(capsys, frames_path(BTC), "--config", "anything.yaml")
    assert code == 0


def test_a_gzipped_capture_verifies(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    packed = tmp_path / "capture.jsonl.gz"
    packed.write_bytes(gzip.compress(frames_path(BTC).read_bytes()))
    assert run_json(capsys, packed)[1]["checked"] == 510


def test_captures_are_added_up(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, frames_path(BTC), frames_path(BTC))
    assert code == 0
    assert "BTC/USD" in out
    assert out.splitlines()[-1].split() == ["all", "1020", "1020", "0"]


def test_one_changed_digit_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = list(frame_lines(BTC))
    lines[7] = lines[7].replace(b"6.65182177", b"6.65182178")
    capture = tmp_path / "changed.jsonl"
    capture.write_bytes(b"\n".join(lines))
    code, report = run_json(capsys, capture)
    assert code == 1
    assert (report["checked"], report["failed"]) == (8, 1)
    assert report["symbols"]["BTC/USD"]["unsynced"] == 510 - 8


@pytest.mark.parametrize("text", ["", "hello\n{}\n[]\n", '{"channel":"heartbeat"}\n', "[1,[],5]\n"])
def test_nothing_to_check_is_a_failure(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str) -> None:
    capture = tmp_path / "other.jsonl"
    capture.write_text(text)
    code, out, err = run(capsys, "--json", capture)
    assert code == 1
    assert json.loads(out) == {"frames": 0, "checked": 0, "failed": 0, "symbols": {}}
    assert "no checksum could be checked" in err


def test_an_unreadable_book_frame_fails_and_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    capture = tmp_path / "torn.jsonl"
    lines = list(frame_lines(BTC))[:5]
    capture.write_bytes(b"\n".join([*lines, lines[-1][:-20], lines[-1].replace(b"0.80000000", b"-0.8")]))
    code, report = run_json(capsys, capture)
    assert code == 1
    assert (report["checked"], report["failed"]) == (5, 2)
    assert "-0.8" in report["symbols"]["BTC/USD"]["errors"][0]


def test_a_json_file_is_one_frame_or_an_array_of_them(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = [line.decode() for line in list(frame_lines(BTC))[:3]]
    one, many = tmp_path / "one.json", tmp_path / "many.json"
    one.write_text(lines[0])
    many.write_text("[\n" + ",\n  ".join(lines) + " ]\n")
    assert run_json(capsys, one)[1]["checked"] == 1
    assert run_json(capsys, many)[1]["checked"] == 3


def test_the_depth_comes_from_the_acknowledgement_the_option_or_the_snapshot(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    snapshot = next(iter(frame_lines(BTC))).decode()
    ack = '{"method":"subscribe","result":{"channel":"book","depth":500,"symbol":"BTC/USD"},"success":true}'
    plain, acked = tmp_path / "plain.jsonl", tmp_path / "acked.jsonl"
    plain.write_text(snapshot)
    acked.write_text(f"{ack}\n{snapshot}")
    depths = [
        run_json(capsys, *arguments)[1]["symbols"]["BTC/USD"]["depth"]
        for arguments in ((plain,), ("--depth", "100", plain), ("--depth", "100", acked))
    ]
    assert depths == [10, 100, 500]


@pytest.mark.parametrize("arguments", [["missing.jsonl"], ["."], [], ["--depth", "11", "x"]])
def test_a_file_that_cannot_be_read_or_a_wrong_command_is_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err
