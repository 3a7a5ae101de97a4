"""A calibration as one object, as text, and as files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from backtest.calibration.arrivals import Arrivals, measure
from backtest.calibration.fit import Depth, Fit, Volatility, fit, volatility
from backtest.data.columns import Columns
from backtest.errors import DataError
from shared.clock import SECOND

# Moves by so many seconds: a volatility that falls with the step is the touch's bouncing.
STEPS_S = (1, 10, 60)
# A fit that is off by more than this (about a third) is no line.
RESIDUAL_MOST = 0.3


class PairCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """One pair's figures, in the units of the models' settings: bp of the mid and seconds.

    ``arrival_rate`` is A of one side in 1/s, ``arrival_decay`` k in 1/bp, both with standard errors (null where the
    data are too few); ``sigma_bps`` is in bp per √s, by the step of its moves. ``settings`` is what a strategy's
    ``settings:`` take.
    """

    symbol: str
    seconds: float
    takers: int
    half_spread_bps: float
    arrival_rate: float
    arrival_rate_error: float | None
    arrival_decay: float
    arrival_decay_error: float | None
    fit_from_bps: float
    fit_to_bps: float
    fit_residual: float
    sigma_bps: dict[str, float]
    sigma_errors_bps: dict[str, float]
    settings: dict[str, float]
    warnings: list[str]
    table: list[Depth]


def calibrate(columns: Columns, bounds_bps: tuple[float, float] | None) -> PairCalibration:
    """Return the figures of a pair. Raises DataError that names it."""
    symbol = columns.pair.symbol
    arrivals = measure(columns)
    try:
        made = fit(arrivals, bounds_bps)
    except DataError as error:
        raise DataError(f"{symbol}: {error}") from error
    sigmas = [each for step in STEPS_S if (each := volatility(arrivals, step)) is not None]
    return _made(symbol, arrivals, made, sigmas)


def _made(symbol: str, arrivals: Arrivals, made: Fit, sigmas: list[Volatility]) -> PairCalibration:
    return PairCalibration(
        symbol=symbol,
        seconds=arrivals.live_ns / SECOND,
        takers=len(arrivals.ts),
        half_spread_bps=float(sorted(arrivals.half_spreads_bps)[len(arrivals.half_spreads_bps) // 2]),
        arrival_rate=made.rate,
        arrival_rate_error=made.rate_error,
        arrival_decay=made.decay,
        arrival_decay_error=made.decay_error,
        fit_from_bps=made.from_bps,
        fit_to_bps=made.to_bps,
        fit_residual=made.residual,
        sigma_bps={str(each.step_s): each.sigma_bps for each in sigmas},
        sigma_errors_bps={str(each.step_s): each.error_bps for each in sigmas},
        settings={"arrival_rate": _short(made.rate), "arrival_decay": _short(made.decay)},
        warnings=_warnings(made),
        table=made.table,
    )


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _warnings(made: Fit) -> list[str]:
    warnings = []
    if made.residual > RESIDUAL_MOST:
        warnings.append(f"the logarithms are off the line by {made.residual:.2f}: fit a narrower range (--fit-bps)")
    if made.decay_error is None or made.rate_error is None:
        warnings.append("too few takers for an error: name more data")
    elif made.decay_error > made.decay / 4 or made.rate_error > made.rate / 4:
        warnings.append("an error is above a quarter of its value: name more data")
    return warnings


def lines(made: PairCalibration) -> list[str]:
    """Return a calibration for people, with a block to paste."""
    sigmas = ", ".join(
        f"{bps:.3f} ± {made.sigma_errors_bps[step]:.3f} by {step} s" for step, bps in made.sigma_bps.items()
    )
    return [
        f"{made.symbol}: {made.takers:,} takers in {made.seconds:,.0f} s; half spread {made.half_spread_bps:.3f} bp",
        f"A = {_with_error(made.arrival_rate, made.arrival_rate_error)} /s (one side), "
        f"k = {_with_error(made.arrival_decay, made.arrival_decay_error)} /bp; fitted from {made.fit_from_bps:.3f} to "
        f"{made.fit_to_bps:.3f} bp, logarithms off by {made.fit_residual:.3f}",
        f"σ in bp/√s: {sigmas or 'too few data'}",
        *(f"warning: {text}" for text in made.warnings),
        *_depths(made.table),
        "",
        f"# {made.symbol}: Glft takes both; AvellanedaStoikov takes arrival_decay. risk_aversion is your choice.",
        "settings:",
        *(f"  {name}: {value!r}" for name, value in made.settings.items()),
        "",
    ]


def _with_error(value: float, error: float | None) -> str:
    return f"{value:.4g}" if error is None else f"{value:.4g} ± {error:.2g}"


def _depths(table: list[Depth]) -> list[str]:
    """Return about a dozen rows of the fit's table."""
    rows = [f"  {'depth bp':>9} {'takers':>8} {'a second':>10} {'fitted':>10}"]
    for each in table[:: max(1, len(table) // 12)]:
        mark = "" if each.is_in_range else "  (outside the fit)"
        rows.append(
            f"  {each.depth_bps:9.3f} {each.count:8,} {each.arrivals_per_s:10.4f} {each.fitted_per_s:10.4f}{mark}"
        )
    return rows


def write(folder: Path, made: list[PairCalibration]) -> None:
    """Write ``calibration.json`` and the fits' tables. Raises DataError if they cannot be written."""
    rows = [{"symbol": each.symbol, **msgspec.to_builtins(depth)} for each in made for depth in each.table]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "calibration.json").write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=2))
        pq.write_table(pa.Table.from_pylist(rows), folder / "arrivals.parquet", compression="zstd")
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror or error}; name another folder with --out") from error
