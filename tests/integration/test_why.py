"""``tradebyte why`` in a whole running system: a filled, an amended, a refused and an adopted order, each complete."""

from __future__ import annotations

import contextlib
import io
import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from executor.explain.why import main as why_here
from executor.orders import ids
from shared.clock import boot_ns
from shared.messages import Heartbeat, Order, Orders, OrderState
from tests.system import System, eager, running, until

pytestmark = pytest.mark.processes

PLACED = {"frame", "book", "target", "plan", "risk", "budget", "sent", "answer"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("why"), eager) as system:
        yield system


def why(system: System, order: str) -> dict[str, Any]:
    """The chain, with what every chain promises."""
    done = system.tradebyte("why", order, "--json")
    assert done.returncode == 0, done.stderr
    return sound(done.stdout)


def looked_up(system: System, order: str) -> dict[str, Any]:
    """The same without a process for each look."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        why_here([order, "--json", "--config", str(system.folder / "config/config.yaml")])
    return sound(out.getvalue())


def sound(chain: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(chain)
    times = [event["ts"] for event in decoded["events"]]
    assert times == sorted(times)
    assert [
        event for event in decoded["events"] if event["kind"] == "sent" and '"(redacted)"' not in event["bytes"]
    ] == []
    return decoded


def orders(system: System) -> list[Order]:
    """Our own, live and just ended, as the bus has them."""
    system.listen()
    return [order for said in system.last.values() if isinstance(said, Orders) for order in said.orders]


def kinds(chain: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in chain["events"]]


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
    until("a fill", system.fills, 90)
    fill = system.lines("fills")[0]
    until(
        "the journal has the end of a filled order",
        lambda: looked_up(system, fill["order_id"])["state"] == "filled",
        60,
        every=0.2,
    )
    chain = why(system, fill["order_id"])
    assert kinds(chain)[:3] == ["frame", "book", "target"]
    frame, book = chain["events"][:2]
    assert frame["exchange"]
    assert float(book["bid"]) < float(book["ask"])
    assert PLACED | {"report", "fill"} <= set(kinds(chain))
    assert fill["exec_id"] in {event.get("exec_id") for event in chain["events"]}
    assert chain["evidence"]["kind"] in ("report", "fill")
    printed = system.tradebyte("why", chain["cl_ord_id"])
    assert f"({fill['exec_id']})" in printed.stdout
    assert "evidence: filled, by " in printed.stdout
    assert len(printed.stdout.splitlines()) < 60


def test_an_amended_order_tells_what_moved_it(system: System) -> None:
    def amended() -> str:
        for order in orders(system):
            events = looked_up(system, order.cl_ord_id)["events"]
            if any(event.get("method") == "amend_order" for event in events):
                return order.cl_ord_id
        return ""

    chain = why(system, until("an order is amended", amended, 90, every=0.5))
    plan = next(event for event in chain["events"] if event.get("step") == "amend")
    assert plan["price"] != plan["old_price"] or plan["qty"] != plan["old_qty"]
    assert plan["why"]
    assert kinds(chain).count("sent") >= 2


def test_a_refused_order_tells_the_answer(system: System) -> None:
    fault(system, {"kind": "refuse", "method": "add_order", "text": "EOrder:Invalid price", "count": 1})
    fault(system, {"kind": "refuse", "method": "batch_add", "text": "EOrder:Invalid price", "count": 1})

    def refused() -> str:
        ended = [order for order in orders(system) if order.state is OrderState.REFUSED]
        names = [order.cl_ord_id for order in ended if order.error == "EOrder:Invalid price"]
        return names[0] if names and "answer" in kinds(looked_up(system, names[0])) else ""

    chain = why(system, until("an order is refused", refused, 110, every=0.2))
    assert set(kinds(chain)) >= PLACED
    (answer,) = [event for event in chain["events"] if event["kind"] == "answer"]
    assert answer["error"] == "EOrder:Invalid price"
    assert chain["evidence"]["kind"] == "answer"


def test_an_order_adopted_after_a_crash_tells_by_which_start_and_by_what(system: System) -> None:
    system.until_quoting(60)
    # One in flight when the executor dies has no answer to tell of.
    rested = {order.cl_ord_id for order in orders(system) if order.state is OrderState.OPEN}
    rested = {name for name in rested if "answer" in kinds(looked_up(system, name))}
    began = boot_ns()
    killed = system.kill("executor")

    def heard() -> Heartbeat | None:
        beat = system.heartbeat("executor")
        return beat if beat is not None and beat.pid != killed and beat.state == "ready" else None

    epoch = until("the new executor is ready", heard, 60).details["epoch"]
    system.until_quoting(60, began)

    def adopted() -> str:
        return next((name for name in rested if "snapshot" in kinds(looked_up(system, name))), "")

    chain = why(system, until("an order of the life before is explained", adopted, 30, every=0.2))
    assert set(kinds(chain)) >= PLACED
    (restored,) = [event for event in chain["events"] if event["kind"] == "restored"]
    assert restored["epoch"] == epoch
    mine = ids.parse(chain["cl_ord_id"])
    assert mine is not None
    assert mine.epoch < epoch
    snapshot = next(event for event in chain["events"] if event["kind"] == "snapshot")
    assert (snapshot["is_start"], snapshot["order_id"]) == (True, chain["order_id"])


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
