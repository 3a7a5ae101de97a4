"""The dispatcher: what leaves before the journal and what after it, on a disk that is locked, full or slow (T9)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from executor.dispatch import Dispatcher
from executor.effects import RestCall
from executor.record.journal import Journal
from executor.record.rows import Row
from shared import limits
from shared.clock import MS, SECOND
from tests.kit.executor_world import KeepingHands, World, buy


class Diary(Journal):
    """A journal that notes in its world's diary when it is written."""

    diary: list[str]

    def write(self, rows: Iterable[Row]) -> None:
        getattr(self, "diary", []).append("journal")
        super().write(rows)


class WritingHands(KeepingHands):
    """Hands that note what leaves, and whose clock stands a little later after each try to write."""

    def __init__(self, world: World, diary: list[str]) -> None:
        super().__init__(world)
        self.diary = diary

    def send(self, text: str) -> bool:
        self.diary.append(json.loads(text)["method"])
        return super().send(text)

    def call(self, call: RestCall) -> None:
        self.diary.append(call.method)


def carried(folder: Path) -> tuple[World, Dispatcher, list[str]]:
    """A healthy executor with one order, its dispatcher, and the diary of what happens in which order."""
    world = World().ready()
    world.place(buy())
    journal = Diary(folder / "journal.sqlite")
    journal.diary = []
    return world, world.dispatcher(journal, WritingHands(world, journal.diary)), journal.diary


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the database, as a copy or a vacuum does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def test_t9_a_cancel_leaves_before_the_journal_is_written(tmp_path: Path) -> None:
    world, dispatcher, diary = carried(tmp_path)
    world.target()
    dispatcher.turn(world.now)
    assert diary.index("cancel_order") < diary.index("journal")


def test_t9_a_cancel_by_rest_leaves_before_the_journal_too(tmp_path: Path) -> None:
    world, dispatcher, diary = carried(tmp_path)
    world.live()[0].cancel.failures = 2
    world.target()
    dispatcher.turn(world.now)
    assert diary.index("CancelOrder") < diary.index("journal")


def test_an_add_leaves_after_the_journal(tmp_path: Path) -> None:
    world, dispatcher, diary = carried(tmp_path)
    world.target(buy(), buy(839_800, slot="b1"))
    dispatcher.turn(world.now)
    assert diary.index("journal") < diary.index("add_order")


def test_t9_with_a_locked_database_cancels_leave_and_adds_wait(tmp_path: Path) -> None:
    world, dispatcher, diary = carried(tmp_path)
    with locked(tmp_path / "journal.sqlite"):
        world.target(buy(), buy(839_800, slot="b1"))
        dispatcher.turn(world.now)
        assert not world.state.life.journal_ok
        assert "add_order" not in diary
        world.target()
        world.now += 100 * MS
        dispatcher.turn(world.now)
        assert "cancel_order" in diary
    world.now += SECOND
    dispatcher.turn(world.now)
    assert world.state.life.journal_ok
    assert [row.state for row in dispatcher.journal.live_orders()] == ["cancelling"]


def test_t9_a_pass_waits_no_longer_for_a_lock_than_its_limit(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        (wait_ms,) = journal.connection.execute("PRAGMA busy_timeout").fetchone()
    assert wait_ms == limits.JOURNAL_BUSY_MS <= 50


def test_a_lock_that_holds_up_a_pass_is_left_alone_for_several(tmp_path: Path) -> None:
    world, dispatcher, diary = carried(tmp_path)

    class Slow(WritingHands):
        def now(self) -> int:
            world.now += 20 * MS  # as the wait for the lock takes
            return world.now

    dispatcher.hands = Slow(world, diary)
    with locked(tmp_path / "journal.sqlite"):
        world.state.record(world.live()[0], "report", world.now, {})
        world.state.registry.note(world.live()[0])
        world.write(dispatcher)
        assert not world.state.life.journal_ok
        tries = diary.count("journal")
        world.write(dispatcher)
        assert diary.count("journal") == tries
    world.now += SECOND
    world.write(dispatcher)
    assert world.state.life.journal_ok


def test_t9_a_cancel_waits_for_no_epoch_and_an_add_of_the_old_one_never_leaves(tmp_path: Path) -> None:
    world, dispatcher, diary = carried(tmp_path)
    world.state.out.outbid(wanted := world.state.life.epoch + 5)
    world.target(buy(slot="b1"))
    dispatcher.turn(world.now)
    assert diary.index("cancel_order") < diary.index("journal")
    assert "add_order" not in diary
    assert world.state.life.epoch == wanted
