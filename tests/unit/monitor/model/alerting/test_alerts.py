"""Troubles are alerted by their rules; and the troubles that there are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitor.model.alerting.alerts import Alerts, Begin, Condition, End, rule_of_end
from monitor.model.alerting.conditions import SAMPLES_MIN, conditions
from monitor.model.last_minute import LastMinute
from monitor.model.latency import HOPS, Hop
from monitor.model.status_object import MachineFigures
from monitor.model.view import View
from shared.clock import SECOND
from shared.config import Config, alerts as alert_settings
from shared.config.alerts import Rule
from shared.measures.histogram import Histogram
from shared.messages import Account, BookInfo, BookState, BookStatus
from tests.kit.monitor.messages import FIGURES, account, books
from tests.kit.monitor.view import NOW, PAIR, WALL, beat, config as config, take, view as view

STALE = {"stale X": Condition("stale", "X is stale", "X is back")}
LOW = {"rate": Condition("machine_disk", "low", "fine")}


def rules(**changed: Rule) -> alert_settings.Alerts:
    return msgspec.structs.replace(alert_settings.Alerts(), **changed)


def kinds(alerts: Alerts, holds: dict[str, Condition], second: float) -> list[str]:
    return [said.kind for said in alerts.turn(holds, int(second * SECOND))]


def test_a_trouble_is_told_once_and_once_more_when_it_is_over() -> None:
    alerts = Alerts(rules())
    assert kinds(alerts, STALE, 0) == ["stale"]
    assert [kinds(alerts, STALE, second) for second in range(1, 100)] == [[]] * 99
    assert kinds(alerts, {}, 101) == []
    assert kinds(alerts, {}, 105) == ["stale-over"]
    assert kinds(alerts, {}, 106) == []
    assert kinds(alerts, STALE, 107) == ["stale"]


def test_a_trouble_that_flickers_is_not_told_again() -> None:
    alerts = Alerts(rules())
    said = [kind for second in range(20) for kind in kinds(alerts, LOW if second % 3 else {}, second)]
    assert said == ["machine-disk"]


def test_what_must_last_is_not_told_before() -> None:
    alerts, busy = Alerts(rules()), {"cpu": Condition("machine_cpu", "busy", "fine")}
    assert kinds(alerts, busy, 0) + kinds(alerts, busy, 29) + kinds(alerts, {}, 30) == []
    assert kinds(alerts, busy, 31) == []
    assert kinds(alerts, busy, 61) == ["machine-cpu"]


def test_what_lasts_is_told_again_with_how_long_it_has() -> None:
    alerts = Alerts(rules(machine_disk=Rule(again_s=600)))
    said = [said for second in range(1300) for said in alerts.turn(LOW, second * SECOND)]
    assert [each.text for each in said] == ["low", "low (for 10 min now)", "low (for 20 min now)"]


def test_a_rule_of_level_none_tells_neither_beginning_nor_end() -> None:
    alerts = Alerts(rules(machine_disk=Rule(level="none")))
    assert kinds(alerts, LOW, 0) + kinds(alerts, LOW, 100) + kinds(alerts, {}, 200) == []
    assert alerts.active(0, 0) == []


def test_the_level_is_the_rules() -> None:
    alerts = Alerts(rules(machine_disk=Rule(level="critical")))
    assert [said.level for said in alerts.turn(LOW, 0)] == ["critical"]
    assert [each.level for each in alerts.active(SECOND, SECOND)] == ["critical"]


def test_what_was_begun_lasts_until_its_end_without_being_said_again() -> None:
    alerts = Alerts(rules())
    assert [each.kind for each in alerts.begin(Begin("halt", Condition("halted", "halted", "on again")), 0)] == [
        "halted"
    ]
    assert kinds(alerts, {}, 100) == []
    assert [each.kind for each in alerts.active(0, 0)] == ["halted"]
    assert [(each.kind, each.text) for each in alerts.end(End("halt"), 101 * SECOND)] == [("resumed", "on again")]
    assert alerts.end(End("halt"), 102 * SECOND) == []


def test_a_process_silent_and_then_dead_is_told_twice_and_is_back_once() -> None:
    alerts = Alerts(rules())
    silent, dead = (Condition("process", kind, "back", kind) for kind in ("process-silent", "process-dead"))
    said = [*alerts.begin(Begin("book", silent), 0), *alerts.begin(Begin("book", dead), SECOND)]
    said += alerts.begin(Begin("book", dead), 2 * SECOND)
    said += alerts.end(End("book", "book is back as pid 5"), 3 * SECOND)
    assert [each.kind for each in said] == ["process-silent", "process-dead", "process-back"]
    assert said[-1].text == "book is back as pid 5"


def test_every_end_belongs_to_its_rule() -> None:
    for name in alert_settings.Alerts.__struct_fields__:
        assert rule_of_end(Condition(name, "", "").end) == name
    assert rule_of_end("webhook-2-over") == "webhook"
    assert [rule_of_end(kind) for kind in ("halted", "stale", "over", "made-up-over", "process-dead")] == [None] * 5


def conditions_now(view: View, config: Config, **figures: float) -> dict[str, Condition]:
    minute = LastMinute({name: Hop(Histogram()) for name in HOPS}, config.monitor.alerts.latency.above_ms)
    return conditions(view, config, msgspec.convert(FIGURES | figures, MachineFigures), minute, NOW, WALL)


def live(config: Config, stale: bool = False) -> BookStatus:
    info = BookInfo(state=BookState.LIVE, age_ms=1, checksums_ok=1, checksums_failed=0)
    infos = dict.fromkeys(config.trading.pairs, info)
    return BookStatus(books={**infos, PAIR: msgspec.structs.replace(info, stale=stale)}, ts=WALL)


@pytest.mark.parametrize(
    ("figures", "counter", "stale", "wanted"),
    [
        ({}, 25.0, False, []),
        ({}, 25.0, True, [f"stale {PAIR}"]),
        ({}, 101.0, False, [f"rate {PAIR}"]),
        ({"disk_free_mb": 1}, 25.0, False, ["disk"]),
        ({"cpu_percent": 99.0, "memory_percent": 99.0}, 25.0, False, ["cpu", "memory"]),
    ],
)
def test_conditions_are_what_the_thresholds_say(
    view: View, config: Config, figures: dict[str, float], counter: float, stale: bool, wanted: list[str]
) -> None:
    take(view, "book.status", live(config, stale))
    take(view, "account", account(counter))
    assert list(conditions_now(view, config, **figures)) == wanted


def test_without_the_machines_figures_the_rest_is_still_told(view: View, config: Config) -> None:
    take(view, "book.status", live(config, stale=True))
    minute = LastMinute({name: Hop(Histogram()) for name in HOPS}, [])
    config.monitor = msgspec.structs.replace(config.monitor, alerts=rules(latency=alert_settings.Latency(above_ms={})))
    assert list(conditions(view, config, None, minute, NOW, WALL)) == [f"stale {PAIR}"]


@pytest.mark.parametrize("state", [BookState.SYNCING, BookState.RESYNCING, BookState.SILENT])
def test_a_book_that_is_not_live_is_a_trouble(view: View, config: Config, state: BookState) -> None:
    info = BookInfo(state=state, age_ms=1, checksums_ok=0, checksums_failed=0, why="because")
    take(view, "book.status", msgspec.structs.replace(live(config), books=live(config).books | {PAIR: info}))
    (name, condition), *more = conditions_now(view, config).items()
    assert (name, condition.rule, more) == (f"book {PAIR}", "book_invalid", [])
    assert f"{PAIR} is {state} (because)" in condition.text


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"valid": False, "why": "USD: 1.00 at Kraken, 2.00 here"}, ["reconcile"]),
        ({"valid": False}, []),
        ({"day_loss": "39.99"}, []),
        ({"day_loss": "40.00"}, ["loss"]),
        ({"day_loss": "-500"}, []),
        ({"day_loss": "NaN"}, []),
        ({"day_loss": "no number"}, []),
    ],
)
def test_the_account_is_judged(view: View, config: Config, changed: dict[str, Any], wanted: list[str]) -> None:
    take(view, "book.status", live(config))
    take(view, "account", Account(**{"valid": True, **changed}))
    assert list(conditions_now(view, config)) == wanted


def test_a_process_above_its_memory_is_a_trouble_while_it_is_heard(view: View, config: Config) -> None:
    take(view, "book.status", live(config))
    take(view, "heartbeat.book", beat("book", rss_mb=600.0))
    take(view, "heartbeat.collector", beat("collector", rss_mb=600.0), NOW - 4 * SECOND)
    (condition,) = conditions_now(view, config).values()
    assert (condition.rule, condition.text.split(",")[0]) == ("process_memory", "book holds 600 MB")


def test_a_hop_is_judged_by_its_last_minute(view: View, config: Config) -> None:
    take(view, "book.status", live(config))
    hops = {name: Hop(Histogram()) for name in HOPS}
    minute = LastMinute(hops, config.monitor.alerts.latency.above_ms)

    def names() -> list[str]:
        return list(conditions(view, config, msgspec.convert(FIGURES, MachineFigures), minute, NOW, WALL))

    for _ in range(SAMPLES_MIN - 1):
        hops["collector_to_book"].add(SECOND, 1)
    minute.turn(0)
    assert names() == []
    for second in range(100):
        hops["collector_to_book"].add(SECOND, 1)
        minute.turn(second * SECOND)
    assert names() == ["latency collector_to_book"]
    for second in range(100, 200):
        hops["collector_to_book"].add(1000, 1)
        minute.turn(second * SECOND)
    assert names() == []
    assert minute.recent("collector_to_book").count <= 70


def test_the_configuration_knows_the_hops_that_are_measured() -> None:
    assert set(alert_settings.Hop.__args__) == set(HOPS)  # type: ignore[attr-defined]


def test_stale_and_not_live_are_two_things(view: View, config: Config) -> None:
    take(view, "book.status", books(stale=True, state=BookState.SILENT))
    assert f"stale {PAIR}" not in conditions_now(view, config)
