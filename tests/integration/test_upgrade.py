"""An upgrade and a rollback: the journal of the last release goes on, and one of a newer version is refused by name."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import tarfile
from decimal import Decimal
from pathlib import Path

import pytest

from executor.errors import JournalError
from executor.record.export import export
from executor.record.journal import SCHEMA, Journal
from executor.record.restore import restore
from executor.record.rows import MetaRow
from shared.messages import OrderState
from tests.kit.executor_world import configuration
from tests.system import ROOT

BEFORE = "f00998a"
# Run by the code of that version: two orders rest, one is in flight, one was filled, and an entry came for it.
WRITE = """
import sys
from decimal import Decimal
from pathlib import Path
from executor.journal import Journal
from executor.rows import FillRow, OrderRow
journal = Journal(Path(sys.argv[1]))
print(journal.next_epoch(1_790_000_000), journal.strategy_code("market_maker"))
orders = [("T00000100100000001", "O1", "open"), ("T00000100100000002", "O2", "open"),
          ("T00000100100000003", "", "sent"), ("T00000100100000004", "O4", "filled")]
journal.write([
    OrderRow(name, theirs, "market_maker", "BTC/USD", f"B{n}", "buy", "84000.0", "0.00100000",
             "0.00100000" if state == "filled" else "0", state, state != "filled", "", "", 0, 1, 1, 1,
             "[0, 0, 0, 0, 0]")
    for n, (name, theirs, state) in enumerate(orders)
])
journal.write([FillRow("E1", "T00000100100000004", "O4", "market_maker", "BTC/USD", "buy", "84000.0", "0.00100000",
                       "84.0000", "0.0168", "USD", 1)])
journal.close()
"""


@pytest.fixture
def old_journal(tmp_path: Path) -> Path:
    """A journal that the last release wrote."""
    archive = subprocess.run(
        ["git", "archive", BEFORE, "executor", "shared"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"commit {BEFORE} is not in this clone, so the code of that release cannot be run")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(tmp_path / "release", filter="data")
    path = tmp_path / "journal.sqlite"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "-c", WRITE, str(path)],
        cwd=tmp_path / "release",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return path


def test_no_order_and_no_fill_of_the_last_release_is_lost(old_journal: Path) -> None:
    journal = Journal(old_journal)
    assert journal.get("schema") == str(SCHEMA)
    state, _ = restore(configuration(), journal, 1, 0)
    resting = {order.cl_ord_id: order for order in state.registry.live()}
    assert set(resting) == {f"T0000010010000000{n}" for n in (1, 2, 3)}
    assert {resting[name].order_id for name in resting} == {"O1", "O2", ""}
    # What was in flight may rest: it counts, and is asked for.
    assert resting["T00000100100000003"].state is OrderState.UNKNOWN
    assert [fill.exec_id for fill in journal.fills()] == ["E1"]
    assert state.life.epoch > 1_790_000_000
    assert state.codes["market_maker"] == "001"
    journal.close()


def test_the_last_release_refuses_the_journal_of_this_one_by_name(old_journal: Path, tmp_path: Path) -> None:
    journal = Journal(old_journal)
    journal.write([MetaRow("day", '2026-11-30 {"EUR": "1.5"}')])  # which that release could not read
    journal.close()
    opens = "import sys; from pathlib import Path; from executor.journal import Journal; Journal(Path(sys.argv[1]))"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "-c", opens, str(old_journal)],
        cwd=tmp_path / "release",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert f"was written by a newer TradeByte (schema {SCHEMA}" in ran.stderr


def test_the_day_of_the_last_release_goes_on(old_journal: Path) -> None:
    journal = Journal(old_journal)
    journal.write([MetaRow("day", "2026-11-30 -12.5")])
    state, _ = restore(configuration(), journal, 1, 0)
    assert (state.account.day.date, state.account.day.made) == ("2026-11-30", {"USD": Decimal("-12.5")})
    journal.close()


def test_a_journal_of_a_newer_version_is_refused_by_name_and_can_be_exported(old_journal: Path, tmp_path: Path) -> None:
    journal = Journal(old_journal)
    journal.write([MetaRow("schema", str(SCHEMA + 1))])
    journal.close()
    with pytest.raises(JournalError, match=f"newer TradeByte .schema {SCHEMA + 1}, this one knows {SCHEMA}"):
        Journal(old_journal)
    assert export(old_journal, tmp_path / "out") == {"fills": 1, "orders": 4, "ledger": 0}
    with (tmp_path / "out/fills.csv").open() as file:
        (fill,) = csv.DictReader(file)
    assert (fill["exec_id"], fill["price"], fill["fee"]) == ("E1", "84000.0", "0.0168")
    with (tmp_path / "out/orders.csv").open() as file:
        assert [row["order_id"] for row in csv.DictReader(file)] == ["O1", "O2", "", "O4"]


def test_export_is_a_command(tmp_path: Path) -> None:
    Journal(tmp_path / "data/journal.sqlite").close()
    (tmp_path / "config.yaml").write_text("trading: {}\n")
    ran = subprocess.run(
        [sys.executable, "-m", "monitor", "journal", "export", "--json", "--config", str(tmp_path / "config.yaml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    status = json.loads(ran.stdout)
    assert status["rows"] == {"fills": 0, "orders": 0, "ledger": 0}
    assert sorted(path.name for path in Path(status["folder"]).iterdir()) == ["fills.csv", "ledger.csv", "orders.csv"]
