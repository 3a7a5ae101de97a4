"""Alive is not trading: what is wanted and is not so is shown everywhere, with its reason (invariant 12)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.api.metrics import Metrics
from monitor.api.site import health
from monitor.cli import last_output
from monitor.cli.doctor import system
from monitor.cli.status import lines
from monitor.model import status_details
from monitor.model.latency import Latency
from monitor.model.status_object import Status
from monitor.model.troubles import not_trading
from monitor.model.view import View
from monitor.ui import troubles
from monitor.ui.snapshot import Watch
from monitor.ui.text import text_of
from shared.clock import SECOND
from shared.config import Config
from shared.messages import Account, EmptySlot, UnwantedOrder
from tests.kit.monitor.view import NOW, PAIR, WALL, beat, config as config, take, view as view

SINCE = WALL - 45 * SECOND
REFUSAL = "EAccount:Invalid permissions"


def slot(*, refused: bool) -> EmptySlot:
    why, error = ("refused", REFUSAL) if refused else ("rate budget", "")
    return EmptySlot(
        strategy="market_maker", symbol=PAIR, slot="B0", since_ts=SINCE, why=why, refused=refused, error=error
    )


def hear_account(view: View, **account: Any) -> None:
    for name in view._names:
        take(view, f"heartbeat.{name}", beat(name))
    take(view, "account", Account(valid=True, **account))


def status(view: View, config: Config) -> Status:
    return status_details.status(view, config, NOW, WALL, None)


@pytest.mark.parametrize(("refused", "code", "level"), [(True, 503, "error"), (False, 200, "warning")])
def test_a_wanted_slot_that_is_empty_is_told_with_its_reason(
    view: View, config: Config, refused: bool, code: int, level: str
) -> None:
    hear_account(view, empty_slots=[slot(refused=refused)])
    made = status(view, config)
    assert health(made)[0] == code
    (finding,) = system.trading(made, WALL)
    reason = REFUSAL if refused else "rate budget"
    assert (finding.level, f"market_maker {PAIR} B0: wanted and empty for 45 s" in finding.text) == (level, True)
    assert reason in finding.text
    assert any(f"market_maker {PAIR} B0" in line and reason in line for line in lines(made))
    page = Metrics(config, view, Latency(), lambda: made).text().decode()
    flag = str(refused).lower()
    assert f'tradebyte_slots_empty{{refused="{flag}",strategy="market_maker",symbol="{PAIR}"}} 1.0' in page


def test_an_order_that_nobody_wants_is_told(view: View, config: Config) -> None:
    order = UnwantedOrder(
        strategy="gone",
        symbol=PAIR,
        slot="S1",
        cl_ord_id="T1",
        order_id="O1",
        since_ts=SINCE,
        why="the cancel is refused",
    )
    hear_account(view, unwanted=[order])
    (finding,) = system.trading(status(view, config), WALL)
    assert (finding.level, "T1 is open for 45 s, and unwanted: the cancel is refused" in finding.text) == (
        "error",
        True,
    )


def test_the_screens_say_it_first(config: Config) -> None:
    watch = Watch(config, NOW)
    view = watch.picture.view
    take(view, "heartbeat.executor", beat("executor", details={"paused": {PAIR: "odd fills"}}))
    take(view, "account", Account(valid=True, empty_slots=[slot(refused=True)]))
    said = [text_of(row) for row in troubles.now(watch.look(NOW, WALL, None, flattening=False))]
    assert said[0] == f"! {PAIR}: paused, 'tradebyte resume {PAIR}' ends it: odd fills"
    assert REFUSAL in said[1]


def test_with_nothing_amiss_nothing_is_said(view: View, config: Config) -> None:
    hear_account(view)
    made = status(view, config)
    assert (health(made)[0], not_trading(made, WALL)) == (200, [])
    assert [finding.level for finding in system.trading(made, WALL)] == ["ok"]
    assert made.paused == {}


def test_the_connection_covers_the_executors_own(view: View, config: Config) -> None:
    details = {"connected": False, "connection_problem": "no WebSocket token: EAPI:Invalid key"}
    take(view, "heartbeat.executor", beat("executor", details=details))
    made = status(view, config)
    assert any("private connection" in line and "EAPI:Invalid key" in line for line in lines(made))


def test_a_process_that_is_not_heard_shows_what_it_said_last(tmp_path: Path) -> None:
    config = Config(root=tmp_path)
    config.logs.mkdir()
    (config.logs / "executor.out.log").write_text("executor: config.yaml:3: trading.pairs: no\n\n")
    made = last_output.added(status(View(config), config), config)
    assert made.processes["executor"].why == ("never heard; it said last: executor: config.yaml:3: trading.pairs: no")
    assert made.processes["book"].why == "never heard"
