"""The statement: what was realised, fill by fill and in total, to the last digit, from journal and archives."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from executor.account.ledger import Entry
from executor.explain.statement import statement
from executor.record.archive import archive
from executor.record.journal import Journal
from executor.record.rows import FillRow, MarkRow
from shared import limits
from shared.clock import SECOND

BEGIN = 1_780_000_000 * SECOND
DAY = 86_400 * SECOND
ALWAYS = (0, 2**63 - 1)


def fill(number: int, symbol: str, side: str, price: str, qty: str, fee: str = "0", day: int = 0) -> FillRow:
    cost = str(Decimal(price) * Decimal(qty))
    quote = symbol.partition("/")[2]
    ts = BEGIN + day * DAY + number * SECOND
    return FillRow(f"T{number}", "c", "o", "maker", symbol, side, price, qty, cost, fee, quote, ts)


def mark(number: int, rate: str) -> MarkRow:
    return MarkRow(f"T{number}", "1", rate, "{}", True)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path / "journal.sqlite")
    made.write(
        [
            fill(1, "BTC/USD", "buy", "100", "2", "0.1"),
            fill(2, "BTC/USD", "sell", "110", "1", "0.2", day=10),
            fill(3, "BTC/EUR", "buy", "90", "1", "0.3", day=10),
            fill(4, "BTC/EUR", "sell", "95", "1", "0.4", day=20),
            mark(3, "1.1"),
            mark(4, "1.2"),
            Entry("L1", "R1", "EUR", "deposit", Decimal(500), Decimal(1), Decimal(499), BEGIN + DAY),
            Entry("L2", "T1", "USD", "trade", Decimal(-200), Decimal("0.1"), Decimal(300), BEGIN + SECOND),
        ]
    )
    return made


def lines(journal: Journal, begin: int = 0, end: int = 2**63 - 1) -> list[dict[str, str]]:
    out = io.StringIO()
    statement(journal.path, "USD", begin, end, out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_fills_and_transfers_come_in_order_and_the_results_last(journal: Journal) -> None:
    made = lines(journal)
    assert [line["kind"] for line in made] == ["fill", "deposit", "fill", "fill", "fill", "result", "result", "result"]
    assert [line["realised"] for line in made if line["kind"] == "fill"] == ["0", "10", "0", "5"]
    deposit = made[1]
    assert (deposit["asset"], deposit["amount"], deposit["fee"], deposit["balance"]) == ("EUR", "500", "1", "499")


def test_results_are_by_asset_and_valued_at_each_fills_own_rate(journal: Journal) -> None:
    eur, usd, total = lines(journal)[-3:]
    assert (eur["asset"], eur["realised"], eur["fee"]) == ("EUR", "5", "0.7")
    assert (usd["asset"], usd["realised"], usd["fee"]) == ("USD", "10", "0.3")
    assert (total["realised_value"], total["fee_value"]) == ("16", "1.11")


def test_a_later_begin_keeps_the_cost_of_what_was_bought_before(journal: Journal) -> None:
    made = lines(journal, BEGIN + 5 * DAY, BEGIN + 15 * DAY)
    assert [line["ref_id"] for line in made if line["kind"] == "fill"] == ["T2", "T3"]
    assert made[-1]["realised_value"] == "10"


def test_a_fill_without_a_rate_has_no_value_and_is_counted(journal: Journal) -> None:
    journal.write([fill(5, "BTC/GBP", "buy", "80", "1", "1", day=21)])
    made = lines(journal)
    assert next(line for line in made if line["ref_id"] == "T5")["fee_value"] == ""
    assert made[-1]["ref_id"] == "1 fills without a rate"


def test_archived_fills_are_in_it(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    before = lines(journal)
    monkeypatch.setattr(limits, "ARCHIVE_KEEP", 1)
    assert archive(journal, BEGIN + 100 * DAY)
    assert lines(journal) == before
