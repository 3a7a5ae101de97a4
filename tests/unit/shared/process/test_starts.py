"""Locks, boots, back-off and crash loops."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from monitor.control import halting
from shared import halt
from shared.config import Config
from shared.errors import Held
from shared.messages import ProcessState
from shared.process import account_lock, locks, starts


def test_a_second_holder_is_refused_and_told_by_whom(tmp_path: Path) -> None:
    first = locks.Lock(tmp_path, "collector")
    with pytest.raises(Held, match=f"pid {os.getpid()}"):
        locks.Lock(tmp_path, "collector")
    first.release()
    locks.Lock(tmp_path, "collector").release()


def test_the_account_lock_holds_across_folders_and_names_the_holder() -> None:
    key = f"test-{os.getpid()}"
    first = account_lock.MachineLock(key)
    with pytest.raises(Held, match=f"pid {os.getpid()}"):
        account_lock.MachineLock(key)
    first.release()
    account_lock.MachineLock(key).release()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://api.kraken.com", "HTTPS://API.Kraken.com:443/"),
        ("https://api.kraken.com", "https://api.kraken.com."),
        ("http://127.0.0.1:8180", "http://localhost:8180/"),
        ("http://127.0.0.1:8180", "http://LocalHost:8180"),
        ("http://127.0.0.1:8180", "http://[::1]:8180"),
        ("http://127.0.0.1", "http://127.0.0.1:80"),
        ("http://127.0.0.1/mirror", "http://127.0.0.1/mirror/"),
    ],
)
def test_an_account_has_one_name_however_its_address_is_spelled(one: str, other: str) -> None:
    assert account_lock.account_key(one, "KEY") == account_lock.account_key(other, "KEY")


@pytest.mark.parametrize(
    "other",
    [
        "http://127.0.0.1:8181",
        "http://127.0.0.2:8180",
        "https://127.0.0.1:8180",
        "http://127.0.0.1:8180/a",
        "no: url:x",
    ],
)
def test_another_address_or_another_key_is_another_account(other: str) -> None:
    mine = account_lock.account_key("http://127.0.0.1:8180", "KEY")
    assert account_lock.account_key(other, "KEY") != mine
    assert account_lock.account_key("http://127.0.0.1:8180", "key") != mine
    assert account_lock.account_key("http://h:port", "KEY") != account_lock.account_key("http://h:other", "KEY")


def test_boots_rise_whatever_the_clock_says(tmp_path: Path) -> None:
    (tmp_path / "book.start").write_text('{"boot": 99999999999999999999}')
    assert starts.begin(tmp_path, "book").boot == 100000000000000000000


def test_starts_that_end_before_ready_wait_longer_and_become_a_crash_loop(tmp_path: Path) -> None:
    seen = [starts.begin(tmp_path, "book") for _ in range(6)]
    assert [start.failed for start in seen] == [0, 1, 2, 3, 4, 5]
    assert [start.delay_s for start in seen] == [0, 0.25, 0.5, 1, 2, 4]
    assert [start.is_crash_loop for start in seen] == [False] * 5 + [True]


def test_ready_ends_the_row_and_an_asked_stop_does_not_count(tmp_path: Path) -> None:
    starts.begin(tmp_path, "book")
    second = starts.begin(tmp_path, "book")
    second.settle(ready=False)
    assert starts.begin(tmp_path, "book").failed == 1
    third = starts.begin(tmp_path, "book")
    third.settle(ready=True)
    assert starts.begin(tmp_path, "book").failed == 0


@pytest.mark.parametrize("state", [ProcessState.STARTING, ProcessState.DEGRADED, ProcessState.HALTED])
def test_a_start_that_got_no_further_than_degraded_or_halted_failed_when_it_ends(
    tmp_path: Path, state: ProcessState
) -> None:
    starts.begin(tmp_path, "book").says(state)
    second = starts.begin(tmp_path, "book")
    assert second.failed == 1
    second.says(state)
    second.settle(ready=False)  # asked to stop
    assert starts.begin(tmp_path, "book").failed == 1


def test_ready_ends_the_row_whatever_is_said_before_and_after_it(tmp_path: Path) -> None:
    starts.begin(tmp_path, "book")
    second = starts.begin(tmp_path, "book")
    for state in (ProcessState.DEGRADED, ProcessState.READY, ProcessState.DEGRADED):
        second.says(state)
    second.settle(ready=False)  # as a process does at its end
    assert starts.begin(tmp_path, "book").failed == 0


def test_a_start_that_is_ready_on_a_full_disk_goes_on_and_counts_as_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    start = starts.begin(tmp_path, "book")
    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_text", full)
        start.says(ProcessState.READY)
        start.settle(ready=False)
    assert starts.begin(tmp_path, "book").failed == 1


@pytest.mark.parametrize("content", ["", "[]", "{", '{"boot": "x", "failed": -3}'])
def test_a_damaged_record_of_starts_is_survived(tmp_path: Path, content: str) -> None:
    (tmp_path / "book.start").write_text(content)
    assert starts.begin(tmp_path, "book").failed == 0


def test_failures_from_before_a_resume_are_not_held_against_what_was_mended(tmp_path: Path) -> None:
    config = Config(root=tmp_path)
    config.run.mkdir()
    started = [starts.begin(config.run, "book") for _ in range(6)][-1]
    assert started.is_crash_loop
    halt.halt(config.halt_file, "book failed to start 5 times in a row")
    assert halting.resume(config) == "book failed to start 5 times in a row"
    started.settle(ready=False)  # restarted on purpose, with the mend
    mended = starts.begin(config.run, "book")
    assert (mended.failed, mended.is_crash_loop) == (0, False)
    assert mended.boot > started.boot


def test_a_loop_that_was_not_mended_shows_itself_anew_after_a_resume(tmp_path: Path) -> None:
    for _ in range(6):
        starts.begin(tmp_path, "book")
    starts.forget_failures(tmp_path, "book")
    assert [starts.begin(tmp_path, "book").is_crash_loop for _ in range(5)] == [False] * 4 + [True]


def test_refusals_wait_longer_each_time(tmp_path: Path) -> None:
    assert [starts.refused_delay_s(tmp_path, "book") for _ in range(4)] == [0, 0.5, 1, 2]


def test_halt_keeps_its_first_reason_and_resume_tells_whether_it_was_on(tmp_path: Path) -> None:
    file = tmp_path / "data" / "HALT"
    halt.halt(file, "first")
    halt.halt(file, "second")
    assert halt.is_halted(file)
    assert halt.reason(file) == "first"
    assert [halt.resume(file), halt.resume(file)] == [True, False]


def test_a_halt_on_a_full_disk_is_on_without_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    halt.halt(tmp_path / "HALT", "too much lost")
    assert halt.is_halted(tmp_path / "HALT")


def test_a_halt_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="data"):
        halt.halt(tmp_path / "data" / "HALT", "too much lost")
