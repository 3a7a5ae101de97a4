"""Marks: the mids around a fill by the exchange's time, through restarts, and never guessed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from executor.account.marks import KEY, Marks
from executor.account.pnl import Pnl
from executor.record.archive import archive, files
from executor.record.journal import Journal
from executor.record.rows import FillRow, MarkRow, MetaRow, Row
from shared import limits
from shared.clock import SECOND
from shared.messages import Book, BookState

BEGIN = 1_780_000_000 * SECOND
ONE = Decimal(1)


def book(at_s: float, bid: int, ask: int, state: BookState = BookState.LIVE) -> tuple[Book, int]:
    ts = BEGIN + int(at_s * SECOND)
    live = state is BookState.LIVE
    made = Book(
        symbol="BTC/USD",
        state=state,
        price_precision=1,
        qty_precision=8,
        bids=[(bid, 1)] if live else [],
        asks=[(ask, 1)] if live else [],
        exchange_ts=ts,
    )
    return made, ts


def fill(at_s: float, side: str = "buy", exec_id: str = "T1") -> FillRow:
    ts = BEGIN + int(at_s * SECOND)
    return FillRow(exec_id, "c", "o", "maker", "BTC/USD", side, "100.0", "2", "200.0", "0.5", "USD", ts)


def walked(marks: Marks) -> None:
    """A mid that begins at 101 and rises by 1 a second."""
    for second in range(70):
        marks.book(*book(second, 1010 + 10 * second, 1010 + 10 * second))


def last(rows: list[Row], kind: type[Row]) -> Row:
    return [row for row in rows if isinstance(row, kind)][-1]


def test_the_mid_before_a_fill_is_that_before_its_own_moment() -> None:
    marks = Marks()
    marks.book(*book(0, 1010, 1010))
    marks.book(*book(5, 1050, 1050))
    assert marks.fill(fill(5), ONE).mid == "101.0"
    assert marks.fill(fill(5.000001, exec_id="T2"), ONE).mid == "105.0"


def test_horizons_are_taken_at_their_own_times_however_late_the_pass() -> None:
    marks = Marks()
    walked(marks)
    marks.fill(fill(2.5), ONE)
    rows = marks.turn(BEGIN + 70 * SECOND)
    done = last(rows, MarkRow)
    assert isinstance(done, MarkRow)
    assert done.is_done
    assert json.loads(done.after) == {"0.1": "103.0", "1": "104.0", "10": "113.0", "60": "163.0"}


def test_a_mark_waits_for_the_books_that_show_it() -> None:
    marks = Marks()
    marks.book(*book(0, 1010, 1010))
    marks.fill(fill(1), ONE)
    assert marks.turn(BEGIN + int((1.1 + limits.MARK_WAITS_S) * SECOND) - 1) == []
    assert len(marks.turn(BEGIN + int((1.1 + limits.MARK_WAITS_S) * SECOND))) == 1


def test_the_parts_are_known_at_once_and_stay_when_the_fill_is_old() -> None:
    marks = Marks()
    walked(marks)
    marks.fill(fill(2.5), ONE)
    young = marks.parts({"BTC/USD": Decimal(200)}, {"USD": ONE})["BTC/USD"]
    assert (young.spread, young.adverse, young.drift, young.fees) == tuple(map(Decimal, ("6", "194", "0", "-0.5")))
    marks.turn(BEGIN + 70 * SECOND)
    old = marks.parts({"BTC/USD": Decimal(200)}, {"USD": ONE})["BTC/USD"]
    assert (old.spread, old.adverse, old.drift, old.fees) == tuple(map(Decimal, ("6", "20", "174", "-0.5")))
    assert young.total == old.total
    assert [each.fills for each in marks.markouts()] == [1, 1, 1, 1]


def test_a_book_that_was_not_live_gives_no_mid() -> None:
    marks = Marks()
    marks.book(*book(0, 1010, 1010))
    marks.book(*book(1, 0, 0, BookState.RESYNCING))
    row = marks.fill(fill(2), ONE)
    assert row.mid == ""
    marks.turn(BEGIN + 70 * SECOND)
    parts = marks.parts({"BTC/USD": Decimal(110)}, {"USD": ONE})["BTC/USD"]
    assert marks.unmarked == 1
    assert parts.unmarked == parts.total == Decimal("19.5")


def test_a_fill_older_than_what_was_heard_is_unmarked() -> None:
    marks = Marks()
    marks.book(*book(10, 1010, 1010))
    assert marks.fill(fill(3), ONE).mid == ""


def test_a_missing_rate_leaves_a_fill_unmarked_and_its_symbol_out() -> None:
    marks = Marks()
    walked(marks)
    marks.fill(fill(2.5), None)
    marks.turn(BEGIN + 70 * SECOND)
    assert marks.unmarked == 1
    assert marks.parts({"BTC/USD": ONE}, {}) == {}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def restored(journal: Journal, pnl: dict[str, Pnl] | None = None) -> Marks:
    marks = Marks()
    marks.restore(journal.get(KEY), pnl or {}, {"BTC/USD": 3}, journal.waiting_marks())
    return marks


def test_a_restart_goes_on_with_the_horizons_that_are_left(journal: Journal) -> None:
    marks = restored(journal)
    walked(marks)
    row = fill(2.5)
    journal.write([row, marks.fill(row, ONE), MetaRow(KEY, '{"totals": {}, "markouts": {}}')])
    journal.write(marks.turn(BEGIN + 5 * SECOND))
    again = restored(journal)
    again.book(*book(30, 1310, 1310))
    journal.write(again.turn(BEGIN + 70 * SECOND))
    # The ten seconds passed while nothing ran: the fill cannot be taken apart, and is not guessed at.
    assert again.unmarked == 1
    assert journal.waiting_marks() == []
    assert restored(journal).totals == again.totals


def test_the_sums_survive_a_restart(journal: Journal) -> None:
    marks = restored(journal)
    walked(marks)
    for number in range(3):
        row = fill(2.5 + number, "sell" if number == 1 else "buy", f"T{number}")
        journal.write([row, marks.fill(row, ONE)])
    journal.write(marks.turn(BEGIN + 80 * SECOND))
    again = restored(journal)
    assert again.totals == marks.totals
    assert again.sums == marks.sums


def test_the_fills_of_an_older_journal_are_unmarked(journal: Journal) -> None:
    pnl = Pnl()
    pnl.fill("buy", Decimal(2), Decimal(100), Decimal(1))
    pnl.fill("sell", Decimal(1), Decimal(110), Decimal(1))
    marks = restored(journal, {"BTC/USD": pnl})
    parts = marks.parts({"BTC/USD": Decimal(120)}, {"USD": ONE})["BTC/USD"]
    assert parts.unmarked == parts.total == pnl.profit(Decimal(120))
    assert marks.unmarked == 3


def test_marks_leave_the_journal_with_their_fills(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_KEEP", 1)
    marks = restored(journal)
    rows = [fill(0, exec_id=f"T{number}") for number in range(4)]
    journal.write([row for each in rows for row in (each, marks.fill(each, ONE))])
    assert archive(journal, BEGIN + int(2 * limits.ARCHIVE_AFTER_S * SECOND)) == 3
    assert [mark.exec_id for _, mark in journal.waiting_marks()] == ["T3"]
    old = Journal(files(journal.path)[0], read_only=True)
    assert {mark.exec_id for _, mark in old.waiting_marks()} == {"T0", "T1", "T2"}


def test_the_history_is_bounded() -> None:
    marks = Marks()
    for number in range(3 * limits.MIDS_KEPT):
        marks.book(*book(number / 100, number, number + 1))
    history = marks._history["BTC/USD"]
    assert len(history.ts) <= limits.MIDS_KEPT
