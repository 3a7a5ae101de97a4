"""Fees by 30-day volume: Kraken's schedule by what an account has traded, over restarts, until it is 30 days old."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from simulator.exchange.accounts.volume import HOUR_NS, HOURS, Volume
from simulator.pairs.pairs import FEES
from simulator.wire import NS
from tests.unit.simulator.worlds import START, TestWorld, call, limit

DAY_S = 24 * 3600


def sells(world: TestWorld, qty: str) -> str:
    """Have the visitor sell to the maker at 50,000 USD; return the reported fee in percent."""
    maker, visitor = world.account(), world.account("visitor")
    world.exchange.add(maker, limit("buy", qty, "50000"), world.now)
    world.exchange.add(visitor, limit("sell", qty, "50000", tif="ioc"), world.now)
    world.world.flush(world.now)
    fill = visitor.fills[-1]
    return f"{Decimal(100 * fill.fee) / fill.cost:.4f}"


def reported_volume(world: TestWorld) -> dict[str, str | None]:
    answer = call(world, "TradeVolume", pair="XBTUSD")
    maker, taker = answer["fees_maker"]["XXBTZUSD"], answer["fees"]["XXBTZUSD"]
    return {"volume": answer["volume"], "maker": maker["fee"], **{n: taker[n] for n in ("fee", "nextfee")},
            "from": taker["tiervolume"], "next": taker["nextvolume"]}  # fmt: skip


ENTRY = {"maker": "0.2500", "fee": "0.4000", "nextfee": "0.3500", "from": "0.0000", "next": "10000.0000"}
SECOND = {"maker": "0.2000", "fee": "0.3500", "nextfee": "0.2400", "from": "10000.0000", "next": "50000.0000"}


def test_trading_over_a_threshold_changes_the_next_fill_s_fee_until_30_days_later(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path)
    world.empty()
    assert sells(world, "0.199999") == "0.4000"
    assert reported_volume(world) == {"volume": "9999.9500", **ENTRY}
    # The fill that reaches it still pays what held before it.
    assert sells(world, "0.00005") == "0.4000"
    assert reported_volume(world) == {"volume": "10002.4500", **SECOND}
    assert sells(world, "0.01") == "0.3500"
    world = TestWorld(path, world.now + 3 * DAY_S * NS)
    world.empty()
    assert reported_volume(world) == {"volume": "10502.4500", **SECOND}
    assert sells(world, "0.01") == "0.3500"
    world.after(27 * DAY_S - 2 * 3600)
    assert reported_volume(world) == {"volume": "11002.4500", **SECOND}
    world.after(2 * 3600)
    assert reported_volume(world) == {"volume": "500.0000", **ENTRY}
    assert sells(world, "0.01") == "0.4000"
    assert reported_volume(TestWorld(path, world.now + DAY_S * NS)) == {"volume": "1000.0000", **ENTRY}


def test_the_configured_volume_counts_beside_the_fills_and_stays() -> None:
    world = TestWorld()
    world.empty()
    sells(world, "0.01")
    maker = world.account()
    assert (maker.volume.units, maker.maker_rate, maker.taker_rate) == (10_000_500_0000, 0, 1000)
    world.after(31 * DAY_S)
    assert (maker.volume.units, maker.maker_rate, maker.taker_rate) == (10_000_000_0000, 0, 1000)


@pytest.mark.parametrize("row", range(len(FEES)))
def test_a_row_holds_from_its_volume_on(row: int) -> None:
    volume = Volume(FEES[row][0] * 10_000)
    assert volume.row == row
    if row:
        assert Volume(FEES[row][0] * 10_000 - 1).row == row - 1


def test_a_volume_keeps_one_number_an_hour_and_bears_a_clock_put_back() -> None:
    volume = Volume(5)
    for minute in range(0, 40 * 24 * 60, 10):
        now = START + minute * 60 * NS
        volume.expire(now)
        volume.add(1, now)
        assert len(volume._hours) <= HOURS
    assert 5 + (HOURS - 1) * 6 < volume.units <= 5 + HOURS * 6
    volume.add(7, START)
    volume.expire(now + HOURS * HOUR_NS)
    assert volume.units == 5
