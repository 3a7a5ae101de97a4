"""Every section of the picture: what was heard as decimal text, and nothing guessed of what was not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitor.model import sections
from monitor.model.past_fills import fill_in
from monitor.model.picture import Picture
from shared import limits
from shared.clock import SECOND
from shared.config import Config
from shared.messages import (
    Account,
    Alert,
    AssetPosition,
    BookState,
    FeedTrades,
    LogLine,
    Orders,
    OrderState,
    Position,
    Trade,
)
from tests.kit.monitor.messages import fill, line, profit
from tests.kit.monitor.view import NOW, PAIR, WALL, beat, book, book_status, config as config, order, take

WALL_S = WALL / SECOND


@pytest.fixture
def picture(config: Config) -> Picture:
    return Picture(config)


def test_before_anything_was_heard_every_section_answers(picture: Picture, config: Config) -> None:
    assert list(picture.processes(NOW)) == config.process_names
    assert all(process.state == "dead" and process.pid is None for process in picture.processes(NOW).values())
    assert all(each.mid is None and each.bids == [] for each in picture.books(WALL).values())
    assert picture.orders(NOW) == sections.OrdersShown(known=False, orders=[])
    assert picture.own_fills().fills == []
    assert picture.market_trades() == {pair: [] for pair in config.trading.pairs}
    assert picture.positions(NOW) == sections.PositionsShown(
        known=False, why="executor has not been heard", account={}, balances={}, strategies=[], currency="USD"
    )
    assert (picture.profit(NOW).valid, picture.profit(NOW).pairs) == (False, {})
    assert "executor" in picture.profit(NOW).why
    assert all(hop.count == 0 and hop.p50_ms is None for hop in picture.hops().hops)
    assert picture.alerts_shown(NOW, WALL) == sections.AlertsShown(active=[], recent=[])
    assert picture.lines().lines == []
    assert picture.past([], 600, 0).names == picture.history.names


def test_a_process_has_its_figures_and_version(picture: Picture) -> None:
    take(picture, "heartbeat.book", beat("book"), NOW - SECOND)
    process = picture.processes(NOW)["book"]
    assert (process.state, process.pid, process.messages_in, process.messages_out, process.version) == (
        "ready",
        7,
        1,
        2,
        "0",
    )
    assert process.heartbeat_age_s == 1.0


def test_a_live_book_has_mid_spread_and_levels(picture: Picture) -> None:
    take(picture, "book.status", book_status())
    take(picture, f"book.{PAIR}", book())
    section = picture.books(WALL)[PAIR]
    assert (section.state, section.mid, section.bids, section.asks) == (
        "live",
        "100000.50",
        [("100000.0", "0.00000005")],
        [("100001.0", "0.00000005")],
    )
    assert section.spread_bps == pytest.approx(0.1, abs=1e-4)
    assert (section.price_precision, section.qty_precision) == (1, 8)


@pytest.mark.parametrize("state", [BookState.SYNCING, BookState.RESYNCING, BookState.SILENT])
def test_a_book_that_is_not_live_has_no_levels_whatever_was_published(picture: Picture, state: BookState) -> None:
    take(picture, f"book.{PAIR}", book())
    take(picture, "book.status", book_status(state))
    section = picture.books(WALL)[PAIR]
    assert (section.state, section.mid, section.spread_bps, section.bids, section.asks) == (
        str(state),
        None,
        None,
        [],
        [],
    )


def test_orders_say_what_may_still_trade(picture: Picture) -> None:
    both = [order(OrderState.OPEN), order(OrderState.FILLED)]
    take(picture, f"order.{PAIR}", Orders(symbol=PAIR, valid=True, price_precision=1, qty_precision=8, orders=both))
    section = picture.orders(NOW)
    assert [(each.symbol, each.state, each.is_live) for each in section.orders] == [
        (PAIR, "open", True),
        (PAIR, "filled", False),
    ]
    assert (section.orders[0].price, section.orders[0].qty, section.known) == ("0.1", "0.00000001", False)


def test_fills_come_once_from_bus_and_journal_and_are_sorted(picture: Picture) -> None:
    take(picture, f"fill.{PAIR}", fill(30))
    take(picture, "fill.ETH/USD", fill(20, "ETH/USD"))
    fill_in(picture, [line(10), line(30)], "USD")
    take(picture, f"fill.{PAIR}", fill(10))
    take(picture, "fill.DOGE/USD", fill(40, "DOGE/USD"))
    assert [each.exec_id for each in picture.own_fills().fills] == ["T10", "T20", "T30"]
    assert [each.exec_id for each in picture.own_fills(PAIR, 1).fills] == ["T30"]
    assert picture.own_fills().fills[0].ts == 10.0


def test_the_journal_tells_the_past_of_the_profit(picture: Picture) -> None:
    fill_in(picture, [line(10), line(20, realised="2", profit="-1")], "USD")
    past = picture.past(["realised", "fees", f"pnl.{PAIR}"], 600, 0)
    assert past.series == {
        "realised": [(10.0, 1.0), (20.0, 2.0)],
        "fees": [(10.0, 0.5), (20.0, 0.5)],
        f"pnl.{PAIR}": [(10.0, 0.25), (20.0, -1.0)],
    }


def test_everything_recent_is_bounded(picture: Picture) -> None:
    for number in range(limits.FILLS_SHOWN + 10):
        take(picture, f"fill.{PAIR}", fill(number))
    assert len(picture.own_fills().fills) == limits.FILLS_SHOWN
    assert picture.own_fills().fills[0].exec_id == "T10"
    trades = [Trade(side="sell", price=1005, qty=1, trade_ts=n * SECOND) for n in range(limits.TRADES_SHOWN + 3)]
    take(
        picture,
        f"feed.trade.{PAIR}",
        FeedTrades(symbol=PAIR, price_precision=1, qty_precision=2, trades=trades, received=1),
    )
    take(
        picture,
        "feed.trade.X/USD",
        FeedTrades(symbol="X/USD", price_precision=1, qty_precision=2, trades=trades, received=1),
    )
    recent_trades = picture.market_trades()
    assert "X/USD" not in recent_trades
    newest = recent_trades[PAIR]
    assert (len(newest), newest[0].ts, newest[-1].price) == (limits.TRADES_SHOWN, 3.0, "100.5")
    for number in range(limits.ALERTS_SHOWN + 2):
        take(picture, "alert", Alert(level="info", kind="k", text="x" * 10_000, ts=number, src="book"))
        take(picture, "log.book", LogLine(level="warning", event=f"e{number}", src="book"))
    recent = picture.alerts_shown(NOW, WALL).recent
    assert (len(recent), len(recent[0].text)) == (limits.ALERTS_SHOWN, limits.TEXT_SHOWN)
    assert len(picture.notices.lines) <= limits.LINES_SHOWN


def test_positions_are_those_of_the_account_and_of_each_strategy(picture: Picture) -> None:
    position = Position(
        strategy="market_maker", symbol=PAIR, valid=True, qty_precision=8, position=5, account_position=7, fills=2
    )
    take(picture, f"position.market_maker.{PAIR}", position)
    positions, assets = {PAIR: "1", "ETH/USD": "2"}, {"BTC": AssetPosition(position="3", worth="")}
    take(picture, "account", Account(valid=True, balances={"USD": "1.0"}, positions=positions, assets=assets))
    section = picture.positions(NOW)
    assert section.account == {PAIR: "1", "ETH/USD": "2"}
    assert section.assets["BTC"].position == "3"
    assert (section.balances, section.strategies[0].position, section.strategies[0].fills) == (
        {"USD": "1.0"},
        "0.00000005",
        2,
    )


def test_profit_is_what_the_executor_says_with_null_for_what_there_is_not(picture: Picture) -> None:
    pairs = {PAIR: profit(), "ETH/USD": profit(average_price="", mid="", is_stale=True)}
    made: dict[str, Any] = {
        "equity": "11.4",
        "realised": "1.5",
        "fees_paid": "0.1",
        "transfers": "10",
        "day_loss": "-0.25",
    }
    take(picture, "account", Account(valid=True, **made, profits=pairs))
    assert (picture.profit(NOW).valid, picture.profit(NOW).why) == (False, "executor has not been heard")
    take(picture, "heartbeat.executor", beat("executor"))
    section = picture.profit(NOW)
    assert section.valid
    assert not picture.profit(NOW + 4 * SECOND).valid
    # What was paid in is no profit.
    assert (section.total.profit, section.total.transfers, section.total.today) == ("1.4", "10", "0.25")
    assert (section.currency, section.total.equity, section.total.fees) == ("USD", "11.4", "0.1")
    assert section.pairs[PAIR].average_price == "100"
    assert (section.pairs["ETH/USD"].average_price, section.pairs["ETH/USD"].mid) == (None, None)
    assert section.pairs["ETH/USD"].is_stale


def test_log_lines_are_chosen_by_process_and_level_and_any_field_is_survived(picture: Picture) -> None:
    odd = {"b": b"\xff", "l": [1], "n": 1, "long": "x" * 10_000, "none": None}
    take(picture, "log.book", LogLine(level="warning", event="one", src="book", fields=odd, ts=5 * SECOND))
    take(picture, "log.executor", LogLine(level="error", event="two", src="executor"))
    take(picture, "log.executor", LogLine(level="warning", event="alert", src="executor"))
    assert [each.event for each in picture.lines().lines] == ["one", "two"]
    assert [each.event for each in picture.lines("book").lines] == ["one"]
    assert [each.event for each in picture.lines(level="error").lines] == ["two"]
    assert [each.event for each in picture.lines(most=1).lines] == ["two"]
    fields = picture.lines().lines[0].fields
    assert (fields["n"], fields["l"], len(str(fields["long"]))) == (1, "[1]", limits.TEXT_SHOWN)
    assert msgspec.json.encode(picture.lines())


def test_a_condition_is_active_while_it_lasts(picture: Picture) -> None:
    info = msgspec.structs.replace(book_status().books[PAIR], stale=True)
    figures = {"cpu_percent": 1, "memory_percent": 1, "disk_free_mb": 10_000}
    take(picture, "heartbeat.monitor", beat("monitor", details={"machine": figures}))
    take(picture, "book.status", msgspec.structs.replace(book_status(), books={PAIR: info}))
    said = picture.turn(NOW, WALL)
    (active,) = picture.alerts_shown(NOW, WALL).active
    assert [each.kind for each in said] == ["stale"]
    assert (active.kind, active.name, active.level, active.since_ts) == ("stale", f"stale {PAIR}", "warning", WALL_S)
    take(picture, "book.status", book_status())
    picture.turn(NOW + 6 * SECOND, WALL)
    assert picture.alerts_shown(NOW, WALL).active == []


def test_each_turn_samples_what_is_known(picture: Picture) -> None:
    take(picture, "book.status", book_status())
    take(picture, f"book.{PAIR}", book())
    take(picture, "heartbeat.book", beat("book"))
    take(picture, "heartbeat.executor", beat("executor"))
    take(picture, "account", Account(valid=True, equity="1.15", positions={PAIR: "0.5"}, profits={PAIR: profit()}))
    picture.turn(NOW, WALL)
    names = [f"mid.{PAIR}", f"bid.{PAIR}", f"ask.{PAIR}", f"position.{PAIR}", f"pnl.{PAIR}", "equity", "rss_mb.book"]
    series = picture.past(names, 600, 0).series
    values = [series[name][0][1] for name in names]
    assert values == pytest.approx([100_000.5, 100_000.0, 100_001.0, 0.5, 1.15, 1.15, 40.5])
    assert series["equity"][0][0] == WALL_S


def test_an_account_that_is_not_reconciled_makes_no_history(picture: Picture) -> None:
    take(picture, "heartbeat.executor", beat("executor"))
    take(picture, "account", Account(valid=False, equity="5"))
    picture.turn(NOW, WALL)
    assert picture.past(["equity"], 600, 0).series == {"equity": []}


def test_an_unknown_series_is_a_key_error(picture: Picture) -> None:
    with pytest.raises(KeyError):
        picture.past(["nothing"], 600, 0)


def test_control_says_what_is_switched_on(picture: Picture) -> None:
    assert picture.control(None, flattening=True) == sections.ControlShown(
        halted=False, why="", flattening=True, sandbox=True, dry_run=False
    )
    assert (picture.control("because", flattening=False).halted, picture.control("b", flattening=False).why) == (
        True,
        "b",
    )
