"""The synthetic market is like the captured one, row by row (MARKET.md); and its regimes are what they are called."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from simulator.market.calibration import calibrate, listener
from simulator.market.calibration.figures import volatility
from simulator.wire import NS
from tests.unit.simulator.worlds import TestWorld, limit


def test_every_row_is_met(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "market.md"
    exit_code = calibrate.main(900, seed=1, page=page)
    output = capsys.readouterr()
    assert exit_code == 0, output.out
    assert "57 of 57 rows met" in page.read_text()
    assert "inserts that improve the touch" in output.out
    assert output.err.count("measuring ") == 5


def test_a_row_that_is_not_met_is_marked_and_fails_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [calibrate.Row("one", "1", "1 to 2", own, 1, 2) for own in (1.5, 2.5)]
    assert [line.endswith("*") for line in calibrate.table(rows).splitlines()[1:]] == [False, True]
    # A minute is too short for some rows.
    assert calibrate.main(calibrate.SECONDS_MIN, seed=1) == 1


def test_a_row_is_met_where_every_seed_meets_it() -> None:
    def rows(*own: float) -> list[calibrate.Row]:
        return [calibrate.Row(f"row {at}", "1", "1 to 2", figure, 1, 2) for at, figure in enumerate(own)]

    text = calibrate.table(rows(1.5, 1.5), [rows(1.6, 2.5), rows(1.7, 1.7)]).splitlines()
    assert text[0].split()[-3:] == ["here"] * 3
    assert text[1].split()[-3:] == ["1.500", "1.600", "1.700"]
    assert [line.endswith("*") for line in text[1:]] == [False, True]


def test_several_seeds_stand_side_by_side_in_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "market.md"
    assert calibrate.main(calibrate.SECONDS_MIN, seed=3, page=page, seeds=2) == 1
    assert "rows met in 60 virtual seconds of each of the seeds 3 to 4" in capsys.readouterr().out
    text = page.read_text()
    assert "`python -m simulator calibrate --seconds 60 --seed 3 --seeds 2`" in text
    (line,) = [line for line in text.splitlines() if line.startswith("volatility, bp per root s")]
    alone = [volatility(listener.watch("BTC/USD", "calm", 60, seed)[1]) for seed in (3, 4)]
    assert [float(figure) for figure in line.removesuffix("*").split()[-2:]] == pytest.approx(alone, abs=5e-4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_calm_moves_and_its_touch_is_as_thin_as_was_measured(seed: int) -> None:
    """The short form of what `make calibrate` shows of four hours: 0.5 ± 0.1 bp per root s, 0.01 to 0.03 BTC."""
    _, seen = listener.watch("BTC/USD", "calm", 900, seed)
    own = {row.name: row.own for row in calibrate.calm_rows(seen, 1e-8)}
    assert 0.4 <= own["volatility, bp per root s"] <= 0.6
    assert 0.01 <= own["smaller side, median BTC"] <= 0.03


def middles(regime: str, seconds: float, symbol: str = "BTC/USD") -> list[float]:
    _, seen = listener.watch(symbol, regime, seconds)
    return [(bid + ask) / 2 for _, bid, ask, *_ in seen.touches]


def test_a_trend_goes_farther_than_calm() -> None:
    def range_of(regime: str) -> float:
        mids = middles(regime, 200)
        return max(mids) - min(mids)

    assert range_of("trending") > 1.5 * range_of("calm")


def test_a_flash_crash_falls_and_mostly_comes_back() -> None:
    mids = middles("flash_crash", 150)
    fall = 1 - min(mids) / mids[0]
    left = 1 - median(mids[-100:]) / mids[0]
    assert 0.015 < fall < 0.06
    assert left < 0.6 * fall


def test_in_a_halted_market_nothing_happens_and_everything_stands() -> None:
    world = TestWorld(regime="halted")
    client = world.public()
    client.call("subscribe", channel="book", symbol=["BTC/USD"])
    before = len(client.frames)
    world.run(20)
    assert len(client.frames) == before
    assert len(world.exchange.venues["BTC/USD"].book.bids.keys) > 30


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_improving_the_touch_draws_takers_and_makes_makers_stand_back(side: str) -> None:
    world = TestWorld(seed=3, regime="thin")
    venue = world.exchange.venues["BTC/USD"]
    world.run(2)
    account = world.account()
    hits, orders = 0, 0
    for _ in range(12):
        bid, ask = world.touch()
        price = bid + (ask - bid) // 3 if side == "buy" else ask - (ask - bid) // 3
        order = world.exchange.add(account, limit(side, "0.0001", f"{price / 10:.1f}", post_only=True), world.now)
        world.run(15)
        orders += 1
        hits += order.filled > 0
        if order.order_id in account.orders:
            world.exchange.lifecycle.pull(order, "canceled", "test", world.now)
    assert hits >= orders // 2
    assert venue.trade_id


def test_a_quote_that_does_not_improve_draws_nobody() -> None:
    world = TestWorld(seed=3, regime="halted")
    bid, _ = world.touch()
    order = world.exchange.add(world.account(), limit("buy", "0.001", f"{bid / 10:.1f}"), world.now)
    world.run(30)
    assert not order.filled
    assert world.now - order.opened_ns == 30 * NS
