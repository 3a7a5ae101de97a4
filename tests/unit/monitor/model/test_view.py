"""The status object: exactly the promised fields, and the truth about what has not been heard."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from monitor.api.site import health
from monitor.model import status_details
from monitor.model.view import View
from shared.clock import SECOND
from shared.config import Config
from shared.messages import (
    Account,
    AssetPosition,
    Book,
    BookState,
    FeedStatus,
    Instruments,
    Orders,
    OrderState,
    Position,
    ProcessState,
)
from tests.kit.monitor.view import NOW, PAIR, WALL, beat, book, book_status, config as config, order, take, view as view


def status(view: View, now: int, wall: int, halted: str | None) -> dict[str, Any]:
    """Return the status object as JSON has it."""
    made = status_details.status(view, view.config, now, wall, halted)
    return cast("dict[str, Any]", msgspec.to_builtins(made))


def test_every_configured_process_is_listed_also_one_never_heard(view: View, config: Config) -> None:
    take(view, "heartbeat.book", beat("book"), NOW - SECOND // 2)
    processes = status(view, NOW, WALL, None)["processes"]
    assert list(processes) == config.process_names
    wanted = {"state", "pid", "boot", "uptime_s", "heartbeat_age_s", "rss_mb", "gaps", "drops"}
    assert all(wanted <= set(process) for process in processes.values())
    assert (
        processes["book"] | {"state": "ready", "pid": 7, "boot": 9, "heartbeat_age_s": 0.5, "gaps": 3}
        == processes["book"]
    )
    assert processes["executor"]["state"] == "dead"
    assert processes["executor"]["pid"] is None


def test_a_process_unheard_for_3_s_is_dead(view: View) -> None:
    take(view, "heartbeat.book", beat("book", state=ProcessState.DEGRADED))
    assert view.state_of("book", NOW + 3 * SECOND) == "degraded"
    assert view.state_of("book", NOW + 3 * SECOND + 1) == "dead"


def test_a_live_book_shows_its_touch_as_decimal_text(view: View) -> None:
    take(view, "book.status", book_status())
    take(view, f"book.{PAIR}", book())
    row = status(view, NOW, WALL + SECOND // 10, None)["books"][PAIR]
    assert row["state"] == "live"
    assert (row["bid"], row["ask"]) == ("100000.0", "100001.0")
    assert row["age_ms"] == 130
    assert (row["checksums_ok"], row["checksums_failed"]) == (12, 1)


def test_a_book_whose_publisher_is_unheard_for_1_s_is_silent_whatever_it_said(view: View) -> None:
    take(view, "book.status", book_status())
    take(view, f"book.{PAIR}", book())
    row = status(view, NOW, WALL + SECOND + 1, None)["books"][PAIR]
    assert (row["state"], row["bid"], row["ask"]) == ("silent", None, None)
    assert "1 s ago" in row["why"]


@pytest.mark.parametrize("state", [BookState.SYNCING, BookState.RESYNCING, BookState.SILENT])
def test_a_book_that_is_not_live_shows_no_touch(view: View, state: BookState) -> None:
    take(view, f"book.{PAIR}", book())
    take(view, "book.status", book_status(state))
    row = status(view, NOW, WALL, None)["books"][PAIR]
    assert (row["state"], row["bid"], row["ask"]) == (str(state), None, None)


def test_a_book_never_heard_of_is_silent(view: View) -> None:
    row = status(view, NOW, WALL, None)["books"]["SOL/USD"]
    assert (row["state"], row["age_ms"]) == ("silent", None)


@pytest.mark.parametrize("state", list(OrderState))
def test_open_orders_are_those_that_may_still_trade(view: View, state: OrderState) -> None:
    take(view, f"order.{PAIR}", Orders(symbol=PAIR, valid=True, orders=[order(state)]))
    live = state in (OrderState.SENT, OrderState.OPEN, OrderState.UNKNOWN, OrderState.CANCELLING)
    assert status(view, NOW, WALL, None)["open_orders"] == int(live)


def test_positions_are_what_each_pairs_fills_add_up_to_and_assets_what_is_held(view: View) -> None:
    row = AssetPosition(position="-0.0015", worth="-126.00")
    take(
        view,
        f"position.market_maker.{PAIR}",
        Position(
            strategy="market_maker", symbol=PAIR, valid=True, qty_precision=8, position=1, account_position=-150_000
        ),
    )
    take(view, "account", Account(valid=True, positions={PAIR: "9", "ETH/USD": "0.5"}, assets={"BTC": row}))
    take(view, "heartbeat.executor", beat("executor"))
    assert status(view, NOW, WALL, None)["positions"] == {PAIR: "9", "ETH/USD": "0.5"}
    assert status(view, NOW, WALL, None)["assets"]["BTC"]["position"] == "-0.0015"


def test_halted_is_what_the_file_says(view: View) -> None:
    assert status(view, NOW, WALL, None)["halted"] is False
    assert status(view, NOW, WALL, "why")["halted"] is True


def test_what_the_configuration_does_not_name_is_counted_and_left_out(view: View) -> None:
    take(view, "heartbeat.stranger", beat("stranger"))
    take(view, "heartbeat.book", beat("executor"))  # says another name than its topic
    take(view, "order.DOGE/USD", Orders(symbol="DOGE/USD", valid=True, orders=[order(OrderState.OPEN)]))
    assert view.strangers == 3
    assert view.heartbeats == {}
    assert view.open_orders == 0


def test_it_is_complete_once_everything_shown_was_heard(view: View, config: Config) -> None:
    for name in config.process_names:
        take(view, f"heartbeat.{name}", beat(name))
    take(view, "book.status", book_status())
    take(view, "account", Account(valid=True))
    take(view, "feed.status", FeedStatus(connected=True, connection=1, last_byte=1))
    take(view, "feed.instrument", Instruments())
    for pair in config.trading.pairs:
        assert not view.is_complete
        take(view, f"order.{pair}", Orders(symbol=pair, valid=True))
        empty = Book(symbol=pair, state=BookState.LIVE, price_precision=1, qty_precision=1, bids=[], asks=[])
        take(view, f"book.{pair}", empty)
    assert view.is_complete


def test_new_starts_are_counted(view: View) -> None:
    for boot in (9, 9, 10, 11):
        take(view, "heartbeat.book", beat("book", boot=boot))
    assert status(view, NOW, WALL, None)["processes"]["book"]["restarts"] == 2
    assert status(view, NOW, WALL, None)["processes"]["executor"]["restarts"] == 0


def test_health_is_200_only_when_every_process_says_ready(view: View, config: Config) -> None:
    for name in config.process_names:
        code, body = health(status_details.status(view, config, NOW, WALL, None))
        assert (code, name in body.not_ready) == (503, True)
        take(view, f"heartbeat.{name}", beat(name))
    assert health(status_details.status(view, config, NOW, WALL, None))[0] == 200
    take(view, "heartbeat.executor", beat("executor", state=ProcessState.HALTED))
    code, body = health(status_details.status(view, config, NOW, WALL, "why"))
    assert (code, body.not_ready, body.halted) == (503, ["executor"], True)
