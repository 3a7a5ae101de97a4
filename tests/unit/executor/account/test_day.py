"""The day's loss, and its baseline at a change of day: taken with fresh mids, or said (UTC)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from executor.account.daily_loss import Day, restore_day
from executor.account.pnl import Pnl
from shared import limits
from shared.clock import SECOND
from shared.messages import BookState
from tests.kit.executor_world import BOOT_TO_WALL, World

BEFORE_MIDNIGHT_S = 10
YESTERDAY, TODAY = "2027-01-15", "2027-01-16"
STALE = BookState.RESYNCING


def long_before_midnight(worth: int = 84_000) -> World:
    """10 s before midnight, 1 BTC bought at 84,000.05, of which the mid makes ``worth`` now, all of it lost today."""
    midnight_s = 86400 - BOOT_TO_WALL // SECOND % 86400
    world = World(started=(midnight_s - BEFORE_MIDNIGHT_S - 100) * SECOND).ready()
    world.wait(1)
    world.state.account.pnl["BTC/USD"] = bought("84000.05")
    world.bid, world.ask = worth * 10, worth * 10 + 1
    world.wait(99)
    return world


def bought(price: str) -> Pnl:
    pnl = Pnl()
    pnl.fill("buy", Decimal(1), Decimal(price), Decimal(0))
    return pnl


def test_a_day_begins_at_its_midnight_with_fresh_mids() -> None:
    world = long_before_midnight(worth=83_980)
    assert (world.state.account.day.date, world.state.account.lost) == (YESTERDAY, Decimal(20))
    world.wait(BEFORE_MIDNIGHT_S + 2)
    assert (world.state.account.day.date, world.state.account.lost) == (TODAY, Decimal(0))
    world.bid, world.ask = 839_700, 839_701
    world.wait(2)
    assert world.state.account.lost == 10


def test_without_a_fresh_mid_yesterdays_baseline_stays_until_it_is_there() -> None:
    world = long_before_midnight(worth=83_980)
    world.wait(2 * BEFORE_MIDNIGHT_S, STALE)
    assert (world.state.account.day.date, world.state.account.lost) == (YESTERDAY, Decimal(20))
    assert any("waits for a fresh mid of BTC/USD" in entry.text for entry in world.out.log)
    world.bid, world.ask = 839_700, 839_701  # where the price went while nobody saw it: no loss of today's
    world.wait(2)
    assert (world.state.account.day.date, world.state.account.lost) == (TODAY, Decimal(0))
    assert not any(entry.alert for entry in world.out.log)


def test_a_loss_beyond_the_limit_still_halts_while_the_new_day_waits() -> None:
    world = long_before_midnight(worth=83_980)
    world.wait(BEFORE_MIDNIGHT_S + 1, STALE)
    trading = world.state.config.trading
    world.state.config.trading = msgspec.structs.replace(trading, max_daily_loss=Decimal(20))
    world.wait(2, STALE)
    assert "the day's loss 20.00" in world.halt


def test_a_mid_that_does_not_come_is_waited_for_no_longer_than_that_and_a_person_is_told() -> None:
    world = long_before_midnight(worth=83_980)
    world.wait(BEFORE_MIDNIGHT_S + limits.LOSS_WAITS_S - 1, STALE)
    assert world.state.account.day.date == YESTERDAY
    world.wait(3, STALE)
    assert (world.state.account.day.date, world.state.account.lost) == (TODAY, Decimal(0))  # at the last good mid
    alerts = [alerts.text for alerts in world.out.log if alerts.alert]
    assert alerts == [f"the loss of {TODAY} counts from the last mid of BTC/USD, or from its first if there was none"]


def test_a_start_days_later_judges_no_loss_before_its_own_day_has_begun() -> None:
    midnight_s = 86400 - BOOT_TO_WALL // SECOND % 86400
    world = World(started=(midnight_s + 3600) * SECOND)
    world.state.account.pnl["BTC/USD"] = bought("84000.05")
    world.state.account.day = Day("2027-01-13", {}, {"BTC/USD": Decimal(84_500)})
    world.bid, world.ask = 835_000, 835_001  # 500 less than three days ago
    world.hear_bus()
    world.hear_bus(STALE)
    world.connect()
    world.wait(5, STALE)
    assert (world.halt, world.state.account.day.date) == ("", "2027-01-13")
    world.wait(2)
    assert (world.halt, world.state.account.day.date, world.state.account.lost) == ("", TODAY, Decimal(0))


def test_a_pair_without_a_mid_counts_as_at_the_days_beginning_also_after_a_restart() -> None:
    profits = {"BTC/USD": bought("100"), "ETH/USD": bought("50")}
    day = Day()
    day.begin(TODAY, profits, {"BTC/USD": Decimal(110), "ETH/USD": Decimal(40)})
    assert day.losses(profits, {"BTC/USD": Decimal(107)})["USD"] == 3
    kept = {row.key: row.value for row in day.rows()}
    again = restore_day(kept["day"], kept["marks"], "USD")
    assert again == day
    assert again.losses(profits, {"BTC/USD": Decimal(107)})["USD"] == 3
    assert again.losses(profits, {"BTC/USD": Decimal(107), "ETH/USD": Decimal(38)})["USD"] == 5


def test_a_pair_that_had_no_mid_when_the_day_began_counts_from_its_first_one_on() -> None:
    profits = {"BTC/USD": bought("100"), "ETH/USD": bought("50")}
    day = Day()
    day.begin(TODAY, profits, {"BTC/USD": Decimal(110)})
    kept = {row.key: row.value for row in day.rows()}
    day = restore_day(kept["day"], kept["marks"], "USD")
    mids = {"BTC/USD": Decimal(110), "ETH/USD": Decimal(20)}
    assert day.mark(profits, mids)
    assert day.losses(profits, mids)["USD"] == 0  # what it lost before that is not of today as far as anybody knows
    assert not day.mark(profits, mids)
    assert day.losses(profits, {**mids, "ETH/USD": Decimal(15)})["USD"] == 5


def test_what_is_bought_today_counts_from_its_price() -> None:
    profits: dict[str, Pnl] = {}
    day = Day()
    day.begin(TODAY, profits, {})
    profits["BTC/USD"] = bought("100")
    mids = {"BTC/USD": Decimal(93)}
    assert not day.mark(profits, mids)
    assert day.losses(profits, mids)["USD"] == 7


def test_a_day_of_an_older_journal_has_its_baseline_and_no_marks() -> None:
    assert restore_day("2027-01-16 12.5", None, "USD") == Day(TODAY, {"USD": Decimal("12.5")})
    assert restore_day("2027-01-16 12.5", f'{YESTERDAY} {{"BTC/USD": "1"}}', "USD") == Day(
        TODAY, {"USD": Decimal("12.5")}
    )
    assert restore_day(None, None, "USD") == Day()
