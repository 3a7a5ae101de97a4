"""``tradebyte why`` in a whole running system: a filled, an amended, a refused and an adopted order, each complete."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from executor import ids
from shared.clock import boot_ns
from shared.messages import Heartbeat
from tests.system import System, running, until

pytestmark = pytest.mark.processes

PLACED = {"frame", "book", "target", "plan", "risk", "budget", "sent", "answer"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("why")) as found:
        yield found


def why(system: System, order: str) -> dict[str, Any]:
    """The chain, with what every chain promises."""
    done = system.tradebyte("why", order, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    times = [event["ts"] for event in found["events"]]
    assert times == sorted(times)
    assert [
        event for event in found["events"] if event["kind"] == "sent" and '"(redacted)"' not in event["bytes"]
    ] == []
    return found


def kinds(found: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in found["events"]]


def fault(system: System, rule: dict[str, Any]) -> None:
    """Tells the simulator to go wrong."""
    port = system.tree["simulator"]["port"]
    body = json.dumps(rule).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/simulator/faults", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_a_filled_order_tells_everything_from_frame_to_fill(system: System) -> None:
    fill = until("a fill", lambda: system.lines("fills"), 90, every=1)[0]

    def ended() -> dict[str, Any]:
        found = why(system, fill["order_id"])
        return found if found["state"] == "filled" else {}

    found = until("the journal has the end of a filled order", ended, 60, every=1)
    assert kinds(found)[:3] == ["frame", "book", "target"]
    frame, book = found["events"][:2]
    assert frame["exchange"]
    assert float(book["bid"]) < float(book["ask"])
    assert PLACED | {"report", "fill"} <= set(kinds(found))
    assert fill["exec_id"] in {event.get("exec_id") for event in found["events"]}
    assert found["evidence"]["kind"] in ("report", "fill")
    shown = system.tradebyte("why", found["cl_ord_id"])
    assert f"({fill['exec_id']})" in shown.stdout
    assert "evidence: filled, by " in shown.stdout
    assert len(shown.stdout.splitlines()) < 60


def test_an_amended_order_tells_what_moved_it(system: System) -> None:
    def amended() -> dict[str, Any]:
        for order in system.lines("orders", "--live"):
            found = why(system, order["cl_ord_id"])
            answers = [event for event in found["events"] if event.get("method") == "amend_order"]
            if answers:
                return found
        return {}

    found = until("an order is amended", amended, 90, every=1)
    plan = next(event for event in found["events"] if event.get("step") == "amend")
    assert plan["price"] != plan["old_price"] or plan["qty"] != plan["old_qty"]
    assert plan["why"]
    assert kinds(found).count("sent") >= 2


def test_a_refused_order_tells_the_answer(system: System) -> None:
    fault(system, {"kind": "refuse", "method": "add_order", "text": "EOrder:Invalid price", "count": 1})
    fault(system, {"kind": "refuse", "method": "batch_add", "text": "EOrder:Invalid price", "count": 1})

    def refused() -> dict[str, Any]:
        ended = [order for order in system.lines("orders") if order["state"] == "refused"]
        names = [order["cl_ord_id"] for order in ended if order["error"] == "EOrder:Invalid price"]
        found = why(system, names[0]) if names else {}
        return found if found and "answer" in kinds(found) else {}

    found = until("an order is refused", refused, 110, every=1)
    assert set(kinds(found)) >= PLACED
    (answer,) = [event for event in found["events"] if event["kind"] == "answer"]
    assert answer["error"] == "EOrder:Invalid price"
    assert found["evidence"]["kind"] == "answer"


def test_an_order_adopted_after_a_crash_tells_by_which_start_and_by_what(system: System) -> None:
    until("orders rest", lambda: system.lines("orders", "--live"), 60, every=1)
    began = boot_ns()
    killed = system.kill("executor")

    def heard() -> Heartbeat | None:
        beat = system.heartbeat("executor")
        return beat if beat is not None and beat.pid != killed and beat.state == "ready" else None

    epoch = until("the new executor is ready", heard, 60).details["epoch"]
    system.until_quoting(60, began)

    def adopted() -> dict[str, Any]:
        for order in system.lines("orders", "--live"):
            mine = ids.parse(order["cl_ord_id"])
            found = why(system, order["cl_ord_id"]) if mine is not None and mine.epoch < epoch else {}
            if found and "snapshot" in kinds(found):
                return found
        return {}

    found = until("an order of the life before is explained", adopted, 30, every=1)
    assert set(kinds(found)) >= PLACED
    (restored,) = [event for event in found["events"] if event["kind"] == "restored"]
    assert restored["epoch"] == epoch
    snapshot = next(event for event in found["events"] if event["kind"] == "snapshot")
    assert (snapshot["is_start"], snapshot["order_id"]) == (True, found["order_id"])


def test_it_answers_with_everything_stopped(system: System) -> None:
    fill = system.lines("fills")[0]
    system.stop()
    assert "fill" in kinds(why(system, fill["cl_ord_id"]))


def test_neither_a_token_nor_a_key_is_in_the_journal(system: System) -> None:
    written = b"".join(file.read_bytes() for file in (system.folder / "data").glob("journal.sqlite*"))
    assert b"(redacted)" in written
    assert not re.findall(rb'token[\\":]+(?!\(redacted\))[\w/+-]{8,}', written)
    for account in system.config.simulator.accounts:
        for key in account.keys:
            assert key.api_key.encode() not in written
            assert key.api_secret.encode() not in written
