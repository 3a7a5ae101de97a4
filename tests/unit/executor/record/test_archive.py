"""Archiving: the journal stays bounded, nothing is lost, and what fills add up to is the same before and after."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from executor.account.fill_counts import add_fill
from executor.errors import JournalError
from executor.record import archive as module
from executor.record.archive import all_fills, archive, carried
from executor.record.journal import Journal
from executor.record.rows import FillRow
from shared import limits
from shared.clock import SECOND

DAY = 86_400 * SECOND
NOW = 1_790_000_000 * SECOND


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_KEEP", 20)


def fill(number: int, draw: random.Random, fill_ts: int) -> FillRow:
    symbol = draw.choice(["BTC/USD", "ETH/USD"])
    return FillRow(
        exec_id=f"T{number}",
        cl_ord_id=f"C{number}",
        order_id=f"O{number}",
        strategy=draw.choice(["market_maker", "other"]),
        symbol=symbol,
        side=draw.choice(["buy", "sell"]),
        price=f"{draw.randint(100, 200)}.5",
        qty=f"0.{draw.randint(1, 999):03d}",
        cost="1",
        fee="0.01",
        fee_asset="USD",
        fill_ts=fill_ts,
    )


def filled(path: Path, count: int = 300) -> Journal:
    """A journal with fills over thirty days."""
    journal = Journal(path)
    draw = random.Random(1)
    journal.write(fill(n, draw, NOW - 30 * DAY + n * 30 * DAY // count) for n in range(count))
    return journal


def sums(journal: Journal) -> object:
    tallies, profits = carried(journal.connection)
    for row in journal.fills():
        add_fill(tallies, profits, row)
    return tallies, profits


def test_old_fills_leave_and_everything_still_adds_up(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = filled(path)
    before, listed = sums(journal), all_fills(path)
    assert archive(journal, NOW) > 200
    assert 20 <= len(journal.fills()) < 80
    assert sums(journal) == before
    assert all_fills(path) == listed
    assert archive(journal, NOW) == 0
    assert journal.knows_fill("T299")


def test_a_run_is_bounded_and_the_next_goes_on(tmp_path: Path) -> None:
    journal = filled(tmp_path / "journal.sqlite")
    before = sums(journal)
    assert archive(journal, NOW, rows_most=100) == 100
    assert archive(journal, NOW, rows_most=100) == 100
    assert sums(journal) == before


def test_the_newest_stay_whatever_their_age(tmp_path: Path) -> None:
    journal = filled(tmp_path / "journal.sqlite", 30)
    archive(journal, NOW + 1000 * DAY)
    assert len(journal.fills()) == 20


def test_a_crash_between_copying_and_deleting_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite"
    journal = filled(path)
    before, listed = sums(journal), all_fills(path)

    def crash(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "_delete", crash)
        with pytest.raises(KeyboardInterrupt):
            archive(journal, NOW)
    assert all_fills(path) == listed
    again = Journal(path)
    assert archive(again, NOW) > 200
    assert sums(again) == before
    assert all_fills(path) == listed


def test_a_damaged_archive_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    filled(path)
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/journal-2026-01.sqlite").write_bytes(b"no database")
    with pytest.raises(JournalError, match="archive"):
        all_fills(path)


def test_orders_that_ended_long_ago_leave_and_live_ones_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    for name, is_live, changed in (("OLD", 0, NOW - 8 * DAY), ("LIVE", 1, NOW - 8 * DAY), ("NEW", 0, NOW - DAY)):
        texts = (name, "", "m", "BTC/USD", "b0", "buy", "1", "1", "0", "cancelled")
        values = (*texts, is_live, "", "", 0, 0, 0, changed, "[]")
        journal.connection.execute(f"INSERT INTO orders VALUES ({','.join('?' * 18)})", values)
    assert archive(journal, NOW) == 1
    left = {row[0] for row in journal.connection.execute("SELECT cl_ord_id FROM orders")}
    assert left == {"LIVE", "NEW"}
    archives = list((tmp_path / "archive").iterdir())
    opened = sqlite3.connect(next(path for path in archives if path.suffix == ".sqlite"))
    assert opened.execute("SELECT cl_ord_id FROM orders").fetchall() == [("OLD",)]
    opened.close()
