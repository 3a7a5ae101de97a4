"""``python -m executor why``: what a person reads and a machine gets, and what it says when it has nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from executor.explain import chain, sentences
from executor.orders.codec import to_row
from executor.record.archive import archive
from executor.record.journal import Journal
from executor.record.rows import EventRow, FillRow, OrderRow
from shared import limits
from shared.clock import SECOND
from tests.kit.executor.fills import trade
from tests.kit.executor_world import BOOT_TO_WALL, World, buy, configuration

ROOT = Path(__file__).resolve().parents[4]


def events_of(world: World, order: Any) -> list[EventRow]:
    return [row for row in world.event_rows if row.cl_ord_id == order.cl_ord_id]


def row_of(order: Any) -> OrderRow:
    return to_row(order, BOOT_TO_WALL)


def filled() -> tuple[World, Any]:
    """An order that was placed, amended and filled."""
    world = World().ready()
    order = world.place(buy())[0]
    world.report("new", order)
    world.wait(10)
    world.target(buy(839_800))
    world.turn()
    world.now += 2_000_000
    world.answer(world.taken("amend_order")[0])
    world.report("amended", order, limit_price=Decimal("83980.0"), order_qty=Decimal("0.00119047"))
    trade(world, order, order.qty)
    world.report("filled", order)
    return world, order


def why(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, on a configuration of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "TRADEBYTE_CONFIG"}
    return subprocess.run(
        [sys.executable, "-m", "executor", "why", *words, "--config", str(folder / "config.yaml")],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration whose data is beside it."""
    (tmp_path / "config.yaml").write_text(f"logging:\n  data: {tmp_path / 'data'}\n")
    return tmp_path


def kept(folder: Path) -> tuple[Journal, OrderRow]:
    """A journal that holds a filled order and one that is denied."""
    world, order = filled()
    denied = World(configuration(max_order_size=Decimal(50))).ready()
    denied.executor.quoting.placing._counter = 35  # ids of the same beginning
    denied.target(buy())
    denied.turn()
    (other,) = denied.state.registry.visible("BTC/USD")
    journal = Journal(folder / "data/journal.sqlite")
    fills = [row for row in world.out.rows if isinstance(row, FillRow)]
    journal.write([row_of(order), row_of(other), *world.event_rows, *denied.event_rows, *fills])
    return journal, row_of(order)


# --- the chain -------------------------------------------------------------------------------------------------------


def test_the_chain_is_whole_and_in_time_order() -> None:
    world, order = filled()
    steps = chain.steps(row_of(order), events_of(world, order), [])
    assert [step.ts for step in steps] == sorted(step.ts for step in steps)
    first, second = ["target", "plan", "risk", "budget", "sent", "answer", "report"], ["kept", "target", "plan", "risk"]
    assert [step.kind for step in steps] == [
        *first,
        *second,
        *["budget", "sent", "answer", "report", "fill", "report"],
    ]
    assert "amend 83990.0 to 83980.0: the wanted price moved 100 ticks away" in steps[9].text
    assert steps[13].text == "amend_order accepted after 2.0 ms"


def test_a_person_reads_one_screen_and_the_evidence_last() -> None:
    world, order = filled()
    lines = chain.screen(row_of(order), events_of(world, order), [], 40)
    text = "\n".join(lines)
    assert len(lines) < 24
    assert text.count("allowed") == 1  # told once, of the first decision
    assert lines[-1].startswith("evidence: filled, by Kraken's report at ")
    every = "\n".join(chain.screen(row_of(order), events_of(world, order), [], None))
    assert every.count("allowed") == 2


def test_a_long_life_is_cut_in_its_middle_and_says_so() -> None:
    world, order = filled()
    for number in range(500):
        world.state.record(order, "report", world.now + number * SECOND, {"exec_type": "restated!"})
    rows = {row.place: row for row in events_of(world, order)}  # as the journal keeps them
    lines = chain.screen(row_of(order), list(rows.values()), [], 20)
    assert any("steps more; --all shows them" in line for line in lines)
    whole = chain.as_json(row_of(order), list(rows.values()), [])
    assert whole["events_left_out"] == order.audit.events - limits.EVENTS_FIRST - limits.EVENTS_LAST
    assert f"{whole['events_left_out']} events between" in lines[-3]


def test_what_was_sent_without_an_answer_is_told_as_such() -> None:
    world = World().ready()
    world.target(buy())
    world.turn()
    order = world.live()[0]
    steps = chain.steps(row_of(order), events_of(world, order), [])
    assert steps[-1].kind == "sent"
    assert steps[-1].text.startswith("journaled, no answer seen: {")
    assert chain.evidence(row_of(order), events_of(world, order))[1].startswith("sent, by our own decision at ")


def test_every_state_has_its_evidence_in_words() -> None:
    """A live order cancelling, a denied one, and one whose events are gone."""
    world = World().ready()
    order = world.place(buy())[0]
    world.target()
    world.turn()
    assert "cancel: not wanted any more" in chain.evidence(row_of(order), events_of(world, order))[1]
    assert "not among the events that are kept" in chain.evidence(row_of(order), [])[1]
    lines = chain.screen(row_of(order), [], [], 40)
    assert "not kept any more" in "\n".join(lines)
    denied = World(configuration(max_order_size=Decimal(50))).ready()
    denied.target(buy())
    denied.turn()
    (gone,) = denied.state.registry.visible("BTC/USD")
    sentence = chain.evidence(row_of(gone), events_of(denied, gone))[1]
    assert sentence.startswith("denied, by our own decision at ")
    assert "above max_order_size 50" in sentence


def test_a_fill_that_has_no_event_is_told_from_the_table_of_fills() -> None:
    world, order = filled()
    fill = FillRow("T9", order.cl_ord_id, "O", "m", "BTC/USD", "buy", "1", "2", "2", "0.5", "USD", 5)
    steps = chain.steps(row_of(order), events_of(world, order), [fill, replace(fill, exec_id="T1")])
    assert [step.data["exec_id"] for step in steps if step.kind == "fill"] == ["T9", "T1"]


# --- the command -----------------------------------------------------------------------------------------------------


def test_it_takes_either_id_and_a_prefix_that_is_unique(folder: Path) -> None:
    journal, order = kept(folder)
    for word in (order.cl_ord_id, order.order_id, order.cl_ord_id[:-1]):
        done = why(folder, word, "--json")
        assert done.returncode == 0, done.stderr
        printed = json.loads(done.stdout)
        assert (printed["cl_ord_id"], printed["state"]) == (order.cl_ord_id, "filled")
        assert printed["evidence"]["kind"] == "report"
        assert [event["exec_id"] for event in printed["events"] if event["kind"] == "fill"] == ["T1"]
        assert all(event["ts"].endswith("Z") for event in printed["events"])
    journal.close()


def test_an_archived_order_is_found_and_what_remains_of_it(folder: Path) -> None:
    journal, order = kept(folder)
    journal.connection.execute("UPDATE orders SET changed_ts = 0, is_live = 0")
    assert archive(journal, BOOT_TO_WALL) == 2
    journal.close()
    printed = json.loads(why(folder, order.cl_ord_id, "--json").stdout)
    assert (printed["state"], printed["evidence"]["kind"]) == ("filled", "report")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("TTP", "begins the ids of 2 orders: "),
        ("OTHER-ORDER", "no order 'OTHER-ORDER' in "),
        ("T000001001B0000001", "is older than the oldest order that is kept"),
    ],
)
def test_what_it_cannot_show_it_says_with_what_to_do(folder: Path, word: str, said: str) -> None:
    journal, order = kept(folder)
    journal.close()
    done = why(folder, word if word != "TTP" else order.cl_ord_id[:12])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("why: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_slip_is_answered_with_what_is_near(folder: Path) -> None:
    journal, order = kept(folder)
    journal.close()
    done = why(folder, order.cl_ord_id[:-2] + "9Z")
    assert order.cl_ord_id in done.stderr.partition("near it: ")[2]
    assert done.returncode == 1


def test_no_journal_and_a_damaged_one_are_named(folder: Path) -> None:
    done = why(folder, "T1")
    assert done.returncode == 1
    assert "there is no journal at" in done.stderr
    (folder / "data").mkdir()
    (folder / "data/journal.sqlite").write_bytes(b"no database at all")
    done = why(folder, "T1")
    assert done.returncode == 78
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_target_says_by_which_signals_it_was_decided() -> None:
    _, order = filled()
    target = {"ttl_ms": 3000, "fills": 0, "signals": {"volatility": [0.8123], "buy_markout_1s": [-0.25, 0.1]}}
    text = sentences.target(row_of(order), target)
    assert text.endswith("wants nothing in b0, by volatility 0.812, buy markout 1s -0.25, for 3 s, knowing of 0 fills")
