"""``python -m book verify`` on captures made here: its counts, the depths it takes, and its words on the rest."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from book import implementation, orderbook, verify
from book.verify import ERRORS_KEPT, Tally, Verifier, table

LEVELS = [(f"{100 - number}.0", "1.00000000") for number in range(30)]


def frame(kind: str, levels: list[tuple[str, str]], checksum: int | None = None, symbol: str = "BTC/USD") -> bytes:
    side = ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in levels)
    tail = "" if checksum is None else f',"checksum":{checksum}'
    body = f'{{"symbol":"{symbol}","bids":[{side}],"asks":[]{tail}}}'
    return f'{{"channel":"book","type":"{kind}","data":[{body}]}}'.encode()


def checksum(levels: list[tuple[str, str]]) -> int:
    """Kraken's CRC-32 of a book with these bids."""
    text = "".join(f"{price}{qty}".replace(".", "").lstrip("0") for price, qty in levels[:10])
    return zlib.crc32(text.encode())


def verified(*frames: bytes, depth: int | None = None) -> Verifier:
    verifier = Verifier(depth, orderbook)
    for each in frames:
        verifier.take(each)
    return verifier


SNAPSHOT = frame("snapshot", LEVELS[:3], checksum(LEVELS[:3]))


def test_frames_checksums_and_what_failed_are_counted_by_symbol() -> None:
    wrong = frame("update", [], 7)
    tallies = verified(SNAPSHOT, frame("update", [], checksum(LEVELS[:3])), wrong, frame("update", [])).tallies
    tally = tallies["BTC/USD"]
    assert (tally.frames, tally.checked, tally.failed, tally.unsynced, tally.unreadable) == (4, 3, 1, 1, 0)


def test_an_update_before_a_snapshot_is_out_of_sync_and_nothing_else() -> None:
    tally = verified(frame("update", LEVELS[:1], 7)).tallies["BTC/USD"]
    assert (tally.frames, tally.checked, tally.failed, tally.unsynced) == (1, 0, 0, 1)


def test_a_book_frame_that_cannot_be_read_has_failed_and_other_noise_is_passed_over() -> None:
    verifier = verified(b"proxy restarting", b'{"channel":"heartbeat"}', b"7", b'{"channel":"book', SNAPSHOT)
    assert verifier.tallies["?"].errors == ["a line that is no JSON"]
    assert (verifier.tallies["?"].unreadable, verifier.tallies["?"].failed) == (1, 1)
    verifier.take(frame("update", [("x", "1")]).replace(b'"price":x', b'"price":"x"'))
    assert verifier.tallies["BTC/USD"].unreadable == 1
    assert verifier.report()["failed"] == 2


def test_the_first_reasons_are_kept_once_each() -> None:
    tally = Tally()
    for why in ("a", "a", "b", "c", "d"):
        tally.note(why)
    assert tally.errors == ["a", "b", "c"]
    assert len(tally.errors) == ERRORS_KEPT


# --- the depth -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("levels", "depth"), [(3, 10), (10, 10), (11, 25)])
def test_a_depth_that_nothing_tells_is_the_smallest_that_holds_the_snapshot(levels: int, depth: int) -> None:
    assert verified(frame("snapshot", LEVELS[:levels])).tallies["BTC/USD"].depth == depth


def test_a_depth_is_taken_from_the_option_where_no_frame_tells_one() -> None:
    assert verified(SNAPSHOT, depth=100).tallies["BTC/USD"].depth == 100
    assert verified(frame("update", []), depth=100).tallies["BTC/USD"].depth == 100
    assert verified(frame("update", [])).tallies["BTC/USD"].depth == 10


@pytest.mark.parametrize(
    "acknowledgement",
    [
        {"method": "subscribe", "result": {"channel": "book", "depth": 25, "symbol": "BTC/USD"}, "success": True},
        {"event": "subscriptionStatus", "pair": "XBT/USD", "subscription": {"name": "book", "depth": 25}},
    ],
)
def test_a_subscriptions_depth_goes_before_the_option(acknowledgement: dict[str, Any]) -> None:
    assert verified(json.dumps(acknowledgement).encode(), SNAPSHOT, depth=100).tallies["BTC/USD"].depth == 25


@pytest.mark.parametrize(
    "acknowledgement",
    [
        {"method": "subscribe", "result": {"channel": "ticker", "symbol": "BTC/USD"}},
        {"method": "subscribe", "result": {"depth": 11, "symbol": "BTC/USD"}},
        {"method": "subscribe", "result": {"depth": 25, "symbol": 7}},
        {"method": "subscribe", "error": "no"},
        [1, 2],
    ],
)
def test_what_acknowledges_no_depth_of_a_symbol_changes_nothing(acknowledgement: object) -> None:
    assert verified(json.dumps(acknowledgement).encode(), SNAPSHOT).tallies["BTC/USD"].depth == 10


def test_a_snapshot_of_another_depth_begins_a_new_book_and_an_update_does_not() -> None:
    deeper = frame("snapshot", LEVELS[:11], checksum(LEVELS[:11]))
    verifier = verified(SNAPSHOT, deeper, frame("update", [], checksum(LEVELS[:11])), SNAPSHOT)
    tally = verifier.tallies["BTC/USD"]
    assert (tally.depth, tally.checked, tally.failed) == (10, 4, 0)


def test_another_capture_forgets_books_and_depths_and_keeps_the_counts() -> None:
    verifier = verified(b'{"method":"subscribe","result":{"depth":25,"symbol":"BTC/USD"}}', SNAPSHOT)
    verifier.new_connection()
    verifier.take(frame("update", []))
    tally = verifier.tallies["BTC/USD"]
    assert (tally.frames, tally.unsynced, tally.depth) == (2, 1, 10)


# --- lost zeros ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantities", "has_lost"),
    [(["1.50", "2.00"], False), (["1.5", "2.00"], True), (["1.50", "2e1"], True), (["1.50", "2E1"], True), ([], False)],
)
def test_quantities_of_different_decimals_have_lost_zeros(quantities: list[str], has_lost: bool) -> None:
    raw = ",".join(f'{{"price": 1.0, "qty": {qty}}}' for qty in quantities).encode()
    assert verify.has_lost_zeros(raw) is has_lost


def test_lost_zeros_are_named_where_all_failed_or_the_frame_shows_them() -> None:
    good, wrong = SNAPSHOT, frame("update", [("99.0", "1.00000000")], 7)
    assert verified(good, wrong).tallies["BTC/USD"].errors == []
    assert verified(good, frame("update", [("99.0", "1.0"), ("98.0", "1.00")], 7)).tallies["BTC/USD"].errors != []
    assert verified(frame("snapshot", LEVELS[:3], 7)).tallies["BTC/USD"].errors == [verify.LOST_ZEROS]


# --- the command -----------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = verify.main([str(word) for word in words])
    return (code, *capsys.readouterr())


def written(tmp_path: Path, *frames: bytes) -> Path:
    path = tmp_path / f"capture{len(list(tmp_path.iterdir()))}.jsonl"
    path.write_bytes(b"\n".join(frames))
    return path


def test_captures_that_match_end_with_0_and_are_printed_as_a_table_or_as_json(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    capture = written(tmp_path, SNAPSHOT)
    code, out, _ = run(capsys, capture, capture)
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["symbol", "depth", "frames", "checked", "failed", "unsynced"],
        ["BTC/USD", "10", "2", "2", "0", "0"],
        ["all", "2", "2", "0"],
    ]
    code, out, _ = run(capsys, "--json", "--python", "--depth", "25", capture)
    report = json.loads(out)
    assert (code, report["frames"], report["checked"], report["failed"]) == (0, 1, 1, 0)
    assert report["symbols"]["BTC/USD"]["depth"] == 25


def test_what_failed_ends_with_1_and_its_reason_stands_below_the_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = run(capsys, written(tmp_path, SNAPSHOT, b'{"channel":"book'))
    assert code == 1
    assert out.splitlines()[-1] == "?: a line that is no JSON"


def test_nothing_to_check_ends_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, written(tmp_path, b'{"channel":"heartbeat"}'))
    assert (code, "no checksum could be checked" in err) == (1, True)


def test_a_file_that_cannot_be_read_ends_with_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = run(capsys, tmp_path / "none.jsonl")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == f"cannot read {tmp_path / 'none.jsonl'}: No such file or directory"


@pytest.mark.parametrize(
    ("rust", "options", "is_told"), [(False, [], True), (False, ["--python"], False), (True, [], False)]
)
def test_it_is_told_when_the_python_book_stands_in_for_the_rust_one(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rust: bool,
    options: list[str],
    is_told: bool,
) -> None:
    monkeypatch.setattr(implementation, "RUST", rust)
    _, _, err = run(capsys, *options, written(tmp_path, SNAPSHOT))
    assert ("the Rust module is not built" in err) is is_told


def test_a_table_of_nothing_has_its_head_and_its_sum() -> None:
    assert [line.split()[0] for line in table(Verifier().report()).splitlines()] == ["symbol", "all"]
