"""Calibration: takers of a known intensity give back its A and k, and a walk of a known size its volatility."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from backtest.calibration import command, report
from backtest.calibration.arrivals import measure
from backtest.calibration.fit import fit, volatility
from backtest.data.columns import BUY, SELL, Columns, Mark
from backtest.data.formats import day_files
from backtest.data.places import place
from backtest.errors import DataError
from shared.clock import MS, SECOND
from strategy.models import avellaneda_stoikov, glft
from tests.kit.backtest.market import BEGIN_TS, Tape

MID = 1_000_000  # 1 bp is 100 ticks
DEEP = {side: {MID + sign * (1 + 50 * n): 10**9 for n in range(25)} for side, sign in ((BUY, -1), (SELL, 1))}


def takers(rate: float, decay: float, seconds: int, seed: int = 1) -> Columns:
    """A still book of a tick's half spread, met by takers whose reach is exponential from the mid on."""
    rng, tape = Random(seed), Tape()
    tape.snapshot(BEGIN_TS, DEEP[BUY], DEEP[SELL])
    ts = float(BEGIN_TS + SECOND)
    while ts < BEGIN_TS + seconds * SECOND:
        ts += rng.expovariate(2 * rate) * SECOND
        side = rng.choice((BUY, SELL))
        ticks = round(rng.expovariate(decay) * 100)
        tape.trade(int(ts), side, MID + (ticks if side == BUY else -ticks), 1)
    # The book ends with the last taker.
    tape.levels(int(ts) + 1, (BUY, MID - 1, 10**9))
    return tape.columns()


@pytest.mark.parametrize(("rate", "decay"), [(0.5, 0.7), (2.0, 0.3)])
def test_a_known_intensity_comes_back_within_its_error(rate: float, decay: float) -> None:
    made = fit(measure(takers(rate, decay, 6000)))
    assert made.rate_error is not None
    assert made.decay_error is not None
    assert made.rate == pytest.approx(rate, abs=3 * made.rate_error, rel=0)
    assert made.decay == pytest.approx(decay, abs=3 * made.decay_error, rel=0)
    assert made.decay_error < decay / 8
    assert made.residual < 0.15


def test_the_table_counts_takers_that_reach_a_depth() -> None:
    arrivals = measure(takers(0.5, 0.7, 3000))
    made = fit(arrivals, (0.5, 3.0))
    inside = [each for each in made.table if each.is_in_range]
    assert (inside[0].depth_bps, inside[-1].depth_bps) == (0.5, 3.0)
    for each in made.table:
        naive = sum(depth >= each.depth_bps for depth in arrivals.depth_bps.tolist())
        assert each.count == naive
        assert each.arrivals_per_s == pytest.approx(naive / (2 * arrivals.live_ns / SECOND))
        assert each.fitted_per_s == pytest.approx(made.rate * math.exp(-made.decay * each.depth_bps))


def test_a_taker_that_sweeps_levels_counts_once_from_the_mid_before_it() -> None:
    tape = Tape()
    tape.snapshot(BEGIN_TS, {MID - 100: 500, MID - 200: 500}, {MID + 100: 5, MID + 300: 5, MID + 400: 500})
    ts = BEGIN_TS + SECOND
    for ticks in (MID + 100, MID + 300, MID + 400):
        tape.trade(ts, BUY, ticks, 5)
    tape.trade(ts + MS, SELL, MID - 100, 5)
    arrivals = measure(tape.columns())
    assert len(arrivals.ts) == 2
    assert arrivals.depth_bps[0] == pytest.approx(4.0)
    assert arrivals.half_spreads_bps[0] == pytest.approx(1.0)
    # The second taker meets the book that the first left: bid at -1 bp, ask at +4 bp.
    assert arrivals.depth_bps[1] == pytest.approx(2.5, rel=1e-3)


def test_trades_without_a_book_do_not_count_nor_does_the_time() -> None:
    tape = Tape()
    tape.trade(BEGIN_TS, BUY, MID, 5)
    tape.snapshot(BEGIN_TS + SECOND, DEEP[BUY], DEEP[SELL])
    tape.mark(BEGIN_TS + 3 * SECOND, Mark.RECONNECT)
    tape.trade(BEGIN_TS + 4 * SECOND, BUY, MID, 5)
    tape.snapshot(BEGIN_TS + 10 * SECOND, DEEP[BUY], DEEP[SELL])
    tape.trade(BEGIN_TS + 11 * SECOND, BUY, MID + 1, 5)
    arrivals = measure(tape.columns())
    assert arrivals.ts.tolist() == [BEGIN_TS + 11 * SECOND]
    assert arrivals.spans == [
        (BEGIN_TS + SECOND, BEGIN_TS + 3 * SECOND),
        (BEGIN_TS + 10 * SECOND, BEGIN_TS + 11 * SECOND),
    ]


def test_the_volatility_of_a_walk_is_its_step() -> None:
    """Moves of 2 bp a second by chance up or down: σ is 2 bp per √s, whichever step it is measured by."""
    rng, tape, mid = Random(3), Tape(), MID
    tape.snapshot(BEGIN_TS, {mid - 10: 5}, {mid + 10: 5})
    for second in range(1, 4000):
        was, mid = mid, round(mid * math.exp(rng.choice((-2e-4, 2e-4))))
        changes = [(BUY, was - 10, 0), (SELL, was + 10, 0), (BUY, mid - 10, 5), (SELL, mid + 10, 5)]
        tape.levels(BEGIN_TS + second * SECOND, *changes)
    arrivals = measure(tape.columns())
    for step in (1, 10):
        sigma = volatility(arrivals, step)
        assert sigma is not None
        assert sigma.sigma_bps == pytest.approx(2.0, abs=3 * sigma.error_bps + 0.01, rel=0)


@pytest.mark.parametrize("bounds", [(3.0, 1.0), (-1.0, 2.0), (500.0, 600.0)])
def test_a_range_that_cannot_be_fitted_is_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(DataError, match="--fit-bps"):
        fit(measure(takers(0.5, 0.7, 500)), bounds)


def test_few_takers_are_refused_and_some_are_warned_of() -> None:
    with pytest.raises(DataError, match=r"BTC/USD: .*name more data"):
        report.calibrate(takers(0.5, 0.7, 5), None)
    assert report.calibrate(takers(0.5, 0.7, 25), None).warnings


def test_the_settings_are_those_of_the_models() -> None:
    made = report.calibrate(takers(0.5, 0.7, 2000), None)
    settings = msgspec.convert(made.settings, glft.Settings)
    assert settings.arrival_decay == pytest.approx(made.arrival_decay, rel=1e-3)
    msgspec.convert({"arrival_decay": made.settings["arrival_decay"]}, avellaneda_stoikov.Settings)


def test_the_command_prints_a_block_to_paste_and_writes_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place(str(tmp_path / "BTC-USD" / "2026-05-28.parquet"))
    day_files.write(file, takers(0.5, 0.7, 1000), "made up", {})
    command.main([str(tmp_path), "--out", str(tmp_path / "out")])
    text = capsys.readouterr().out
    assert "\nsettings:\n  arrival_rate: 0." in text
    command.main([str(tmp_path / "BTC-USD"), "--json", "--fit-bps", "0.2", "4"])
    (made,) = json.loads(capsys.readouterr().out)
    assert (made["fit_from_bps"], made["fit_to_bps"]) == (0.2, 4.0)
    table = pq.read_table(tmp_path / "out" / "arrivals.parquet")
    assert np.all(np.diff(table["count"].to_numpy()) <= 0)
    with pytest.raises(SystemExit):
        command.main([str(tmp_path / "nothing")])
