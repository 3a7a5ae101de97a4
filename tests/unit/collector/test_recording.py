"""Recordings: nothing lost that was written, nothing kept beyond the budget, nothing missed unsaid."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from collector.errors import DiskFull, UnreadableRecording
from collector.recording import files as format_
from collector.recording.files import Recording, Row, files_of, find, frames, schema
from collector.recording.playback import schedule
from collector.recording.record import Summary, sentences
from collector.recording.recorder import Recorder
from collector.recording.store import Rules, Store
from shared.bus import topics
from shared.clock import SECOND
from shared.messages import Alert, FeedFrame, Message

ROOT = Path(__file__).resolve().parents[3]
ROOMY = Rules(max_bytes=10**9, rotate_bytes=10**9, rotate_ns=10**18, spare_bytes=0)


def sent(message: Message, topic: str, seq: int = 1, boot: int = 7) -> list[bytes]:
    stamped = msgspec.structs.replace(message, src="book", boot=boot, seq=seq, ts=1_000_000 + seq)
    return [topics.encode(topic), msgspec.msgpack.encode(stamped)]


def alert(seq: int, noise: bytes = b"") -> list[bytes]:
    return sent(Alert(level="info", kind="test", text=f"number {seq} {noise.hex()}"), "alert", seq)


def store_in(folder: Path, rules: Rules = ROOMY, session: str = "one", **more: Any) -> Store:
    folder.mkdir(exist_ok=True)
    return Store(folder, rules, lambda: schema(session, []), **more)


def record(folder: Path, batches: list[list[list[bytes]]], rules: Rules = ROOMY, apart_ns: int = SECOND) -> list[int]:
    """Writes batches of messages; returns the size of the newest file after each."""
    recorder, store, sizes = Recorder(), store_in(folder, rules), []
    for number, messages in enumerate(batches):
        for parts in messages:
            recorder.take(parts, (number + 1) * apart_ns)
        batch = recorder.batch()
        assert batch is not None
        store.write(batch, (number + 1) * apart_ns)
        sizes.append(files_of(folder)[-1].stat().st_size)
    store.close()
    return sizes


def noisy(count: int, each: int = 20) -> list[list[list[bytes]]]:
    """Batches that do not compress well."""
    return [[alert(batch * each + n + 1, os.urandom(60)) for n in range(each)] for batch in range(count)]


def test_what_comes_in_comes_out_byte_for_byte_and_in_order(tmp_path: Path) -> None:
    batches = noisy(5)
    record(tmp_path, batches)
    rows = list(Recording(find([tmp_path])).rows())
    assert [[topics.encode(row.topic), row.payload] for row in rows] == [parts for batch in batches for parts in batch]


def test_a_stranger_reads_the_columns_and_what_they_mean(tmp_path: Path) -> None:
    record(tmp_path, [[alert(1)]])
    table = pa.ipc.open_stream(files_of(tmp_path)[0].read_bytes()).read_all()
    (row,) = table.to_pylist()
    assert (row["topic"], row["src"], row["boot"], row["seq"], row["missed"]) == ("alert", "book", 7, 1, 0)
    assert set(msgspec.json.decode(table.schema.metadata[b"columns"])) == set(table.column_names)
    assert b"pyarrow.ipc.open_stream" in table.schema.metadata[b"about"]


def test_a_file_cut_off_anywhere_reads_up_to_its_last_whole_batch(tmp_path: Path) -> None:
    sizes = record(tmp_path / "whole", noisy(25))
    raw = files_of(tmp_path / "whole")[0].read_bytes()
    assert len(raw) > 40_000
    cut = tmp_path / "000001-20260131T120000Z.arrows"
    for length in [*range(0, len(raw), 1000), *sizes]:
        cut.write_bytes(raw[:length])
        recording = Recording([cut])
        assert len(list(recording.rows())) == 20 * sum(size <= length for size in sizes), length
        assert bool(recording.cut or recording.foreign) == (length not in sizes)
        assert recording.read == length


def test_missed_messages_are_counted_by_topic_and_stand_beside_the_next(tmp_path: Path) -> None:
    recorder, store = Recorder(), store_in(tmp_path)
    for seq in (1, 2, 5, 5, 6):
        recorder.take(alert(seq), seq)
    recorder.take(sent(Alert(level="info", kind="k", text="t"), "alert", 3, boot=8), 9)
    store.write(recorder.batch(), 1)
    store.close()
    assert recorder.missed == {"alert": 2 + 2}
    table = pa.ipc.open_stream(files_of(tmp_path)[0].read_bytes()).read_all()
    assert table.column("missed").to_pylist() == [0, 0, 2, 0, 0, 2]


@pytest.mark.parametrize(
    ("parts", "skipped", "headless"),
    [
        ([b"alert\0"], 1, 0),
        ([b"alert\0", b"", b""], 1, 0),
        ([b"no nul", b"\x80"], 1, 0),
        ([b"\xff\xfe\0", b"\x80"], 1, 0),
        ([b"alert\0", b"garbage"], 0, 1),
        ([b"alert\0", b""], 0, 1),
        ([b"alert\0", msgspec.msgpack.encode({"src": "x", "seq": 2**64 - 1, "boot": 1})], 0, 1),
        ([b"unheard-of\0", msgspec.msgpack.encode({"src": "x", "seq": 1, "boot": 1, "ts": 1})], 0, 0),
    ],
)
def test_whatever_is_on_the_bus_is_survived_and_counted(parts: list[bytes], skipped: int, headless: int) -> None:
    recorder = Recorder()
    recorder.take(parts, 1)
    recorder.take(alert(1), 2)
    assert (recorder.skipped, recorder.headless) == (skipped, headless)
    batch = recorder.batch()
    assert batch is not None
    assert batch.num_rows == 2 - skipped


def test_what_waits_in_memory_is_bounded() -> None:
    recorder = Recorder(batch_bytes=1000)
    taken = 0
    while not recorder.is_full:
        recorder.take(alert(taken + 1), 1)
        taken += 1
    assert recorder.payload_bytes < 2000
    recorder.batch()
    assert not recorder.is_full


def test_files_rotate_by_size_and_by_time(tmp_path: Path) -> None:
    record(tmp_path / "size", noisy(12), Rules(10**9, 6000, 10**18, 0))
    by_size = files_of(tmp_path / "size")
    assert len(by_size) > 3
    assert all(path.stat().st_size < 3 * 6000 for path in by_size)
    record(tmp_path / "time", noisy(6), Rules(10**9, 10**9, 2 * SECOND, 0))
    assert len(files_of(tmp_path / "time")) == 3
    assert len(list(Recording(find([tmp_path / "size"])).rows())) == 12 * 20


def test_the_budget_holds_and_the_oldest_go_first(tmp_path: Path) -> None:
    rules = Rules(max_bytes=24_000, rotate_bytes=6000, rotate_ns=10**18, spare_bytes=0)
    (tmp_path / "notes.txt").write_text("somebody's own")
    recorder, store = Recorder(), store_in(tmp_path, rules)
    for number, messages in enumerate(noisy(40)):
        for parts in messages:
            recorder.take(parts, number)
        store.write(recorder.batch(), number)
        assert sum(path.stat().st_size for path in files_of(tmp_path)) <= rules.max_bytes
    store.close()
    kept = [row.payload for row in Recording(find([tmp_path])).rows()]
    assert store.dropped > 3
    assert b"number 800 " in kept[-1]
    numbers = [int(payload.partition(b"number ")[2].split()[0]) for payload in kept]
    assert numbers == list(range(numbers[0], 801))
    assert (tmp_path / "notes.txt").exists()


def test_a_later_run_goes_on_counting_and_keeps_the_budget_of_all(tmp_path: Path) -> None:
    record(tmp_path, noisy(4))
    record(tmp_path, noisy(4))
    assert [path.name[:6] for path in files_of(tmp_path)] == ["000001", "000002"]
    record(tmp_path, noisy(1), Rules(max_bytes=10_000, rotate_bytes=5000, rotate_ns=10**18, spare_bytes=0))
    assert [path.name[:6] for path in files_of(tmp_path)] == ["000003"]


def test_a_disk_that_others_need_stops_the_recording_and_removes_nothing(tmp_path: Path) -> None:
    free = [10_000_000]
    rules = Rules(10**9, 10**9, 10**18, spare_bytes=5_000_000)
    recorder, store = Recorder(), store_in(tmp_path, rules, free_bytes=lambda _: free[0])
    recorder.take(alert(1), 1)
    store.write(recorder.batch(), 1)
    free[0] = 5_000_100
    recorder.take(alert(2), 2)
    with pytest.raises(DiskFull, match=r"5\.0 MB are free, and 5\.0 MB are left to the others"):
        store.write(recorder.batch(), 2)
    store.close(ended=False)
    assert len(list(Recording(find([tmp_path])).rows())) == 1


def test_a_write_that_fails_midway_leaves_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, store = Recorder(), store_in(tmp_path)
    recorder.take(alert(1), 1)
    store.write(recorder.batch(), 1)
    whole = files_of(tmp_path)[0].read_bytes()
    real: Callable[[int, Any], int] = os.write
    calls = []

    def half(descriptor: int, data: Any) -> int:
        calls.append(data)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data)[: len(data) // 2])

    monkeypatch.setattr("collector.recording.store.os.write", half)
    recorder.take(alert(2), 2)
    with pytest.raises(DiskFull, match="No space left"):
        store.write(recorder.batch(), 2)
    store.close(ended=False)
    assert files_of(tmp_path)[0].read_bytes() == whole


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("book",), "book.BTC/USD book.BTC/USDT book.status"),
        (("book.BTC/USD",), "book.BTC/USD"),
        (("feed", "alert"), "feed.book.BTC/USD feed.status alert"),
        ((), "book.BTC/USD book.BTC/USDT book.status feed.book.BTC/USD feed.status alert"),
    ],
)
def test_topics_are_chosen_as_tail_chooses_them(names: tuple[str, ...], wanted: str) -> None:
    every = ("book.BTC/USD", "book.BTC/USDT", "book.status", "feed.book.BTC/USD", "feed.status", "alert")
    assert [name for name in every if format_.wanted(names)(name)] == wanted.split()


def test_a_stretch_of_time_is_chosen_by_the_wall_clock(tmp_path: Path) -> None:
    record(tmp_path, noisy(10, each=1))
    rows = list(Recording(find([tmp_path])).rows())
    chosen = list(Recording(find([tmp_path]), (), rows[3].wall, rows[6].wall).rows())
    assert chosen == rows[3:6]


def test_messages_are_due_as_they_were_heard_and_pauses_between_runs_are_passed_over() -> None:
    rows = [Row("a", heard, 0, "t", b"") for heard in (100, 300, 250)] + [Row("b", 9_000, 0, "t", b"")]
    assert [due for due, _ in schedule(iter(rows), 1.0)] == [0, 200, 200, 200]
    assert [due for due, _ in schedule(iter(rows), 2.0)] == [0, 100, 100, 100]
    assert [due for due, _ in schedule(iter(rows), None)] == [0, 0, 0, 0]


def test_a_frame_that_several_topics_carried_is_one_frame(tmp_path: Path) -> None:
    def carried(symbol: str, raw: bytes, received: int) -> list[bytes]:
        message = FeedFrame(symbol=symbol, frame=raw, connection=1, received=received)
        return sent(message, f"feed.ticker.{symbol}")

    record(
        tmp_path, [[carried("A/B", b"1", 5), carried("C/D", b"1", 5), carried("A/B", b"1", 6), [b"feed.book\0", b""]]]
    )
    assert list(frames(Recording(find([tmp_path]), format_.FRAME_TOPICS))) == [b"1", b"1"]


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecording, match="no recording is in this folder"):
        find([tmp_path])
    with pytest.raises(UnreadableRecording, match="No such file"):
        find([tmp_path / "none.arrows"])
    text = tmp_path / "text.arrows"
    text.write_text("frames")
    recording = Recording([text])
    assert list(recording.rows()) == []
    assert "no recording" in recording.foreign[0]


@given(damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_file_with_damaged_bytes_is_read_as_far_as_it_goes_and_named(damage: list[tuple[float, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), [[alert(number) for number in range(20)], [alert(number) for number in range(20, 40)]])
        (path,) = files_of(Path(folder))
        raw = bytearray(path.read_bytes())
        for where, value in damage:
            raw[int(where * len(raw))] = value
        path.write_bytes(raw)
        recording = Recording([path])
        assert all(isinstance(row, Row) for row in recording.rows())


def test_what_is_not_written_is_told_as_lost(tmp_path: Path) -> None:
    recorder, store = Recorder(), store_in(tmp_path, Rules(10**9, 10**9, 10**18, 10), free_bytes=lambda _folder: 5)
    for number in range(5):
        recorder.take(alert(number), 1)
    with pytest.raises(DiskFull):
        store.write(recorder.batch(), 1)
    assert (recorder.messages, store.rows) == (5, 0)
    lines = sentences(
        Summary(
            folder=str(tmp_path),
            seconds=0.0,
            messages=store.rows,
            lost=recorder.messages - store.rows,
            payload_bytes=0,
            written_bytes=0,
            files=0,
            files_dropped=0,
            missed=0,
            missed_by_topic={},
            skipped=0,
            without_header=0,
            stopped_by="disk full",
        )
    )
    assert "LOST 5 messages" in " ".join(lines)
    assert "recorded 0 messages" in " ".join(lines)


def test_the_documented_example_reads_a_recording_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/recording.md").read_text(), re.DOTALL)
    assert code.count("\n") <= 11
    (tmp_path / "data").mkdir()
    record(tmp_path / "data/recordings", noisy(3, each=4))
    path = files_of(tmp_path / "data/recordings")[0]
    path.write_bytes(path.read_bytes()[:-100])
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    printed = capsys.readouterr().out
    assert "cut off" in printed
    assert "alert 8 {" in printed
    assert "number 8 " in printed
    assert "alert 9 {" not in printed
