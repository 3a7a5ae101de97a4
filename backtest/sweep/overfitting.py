"""Judge the choice of the best of many sets: deflated Sharpe ratio, probability of backtest overfitting.

Both take the profits of equal slices of time, a column a set.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import msgspec
import numpy as np
from skfolio.model_selection import CombinatorialPurgedCV

from backtest.sweep.outcome import Array, sharpe

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
EULER: Final = 0.5772156649015329
# Folds of the cross-validation, of which half train and half test: 252 ways.
FOLDS: Final = 10
# Slices at a border that belong to neither side: a position may last from one into the next.
PURGED: Final = 1
SLICES_LEAST: Final = 4 * FOLDS


class Overfitting(msgspec.Struct, frozen=True, kw_only=True):
    """The best set's Sharpe ratio a slice, that of the best of so many sets without skill, and two probabilities.

    ``deflated_sharpe`` is the probability that the true ratio is above 0, given that it is the best of ``sets``.
    ``overfit_probability`` is that of the best of one half of the time being below the median in the other half, None
    where there are too few slices.
    """

    sets: int
    slices: int
    sharpe: float
    sharpe_by_luck: float
    deflated_sharpe: float
    overfit_probability: float | None


def assess(profits: Matrix, best: int) -> Overfitting | None:
    """Return the figures for the set in column ``best``; None where there are too few sets or slices to say a thing."""
    slices, sets = profits.shape
    if slices < 3 or sets < 2:
        return None
    ratios = [sharpe(profits[:, column]) for column in range(sets)]
    luck = luckiest(sets, float(np.var(ratios, ddof=1)))
    return Overfitting(
        sets=sets,
        slices=slices,
        sharpe=ratios[best],
        sharpe_by_luck=luck,
        deflated_sharpe=probability_above(profits[:, best], luck),
        overfit_probability=overfit_probability(profits) if slices >= SLICES_LEAST else None,
    )


def luckiest(sets: int, variance: float) -> float:
    """Return the highest Sharpe ratio to expect of so many sets without skill whose ratios vary so much.

    Bailey and López de Prado, "The deflated Sharpe ratio: correcting for selection bias, backtest overfitting and
    non-normality" (2014). Sets that resemble each other are fewer than their number: it is on the safe side.
    """
    normal = NormalDist()
    quantiles = (1 - EULER) * normal.inv_cdf(1 - 1 / sets) + EULER * normal.inv_cdf(1 - 1 / (sets * math.e))
    return math.sqrt(variance) * quantiles


def probability_above(profits: Array, benchmark: float) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark, with skewness and kurtosis in the error.

    Bailey and López de Prado (2014); ratios are a slice, not annualised.
    """
    ratio = sharpe(profits)
    spread = float(profits.std())
    if not spread:
        return 0.0
    normed = (profits - profits.mean()) / spread
    skewness, kurtosis = float(np.mean(normed**3)), float(np.mean(normed**4))
    scale = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    # Few slices can make the estimate of the error's square negative; it says nothing then.
    if scale <= 0:
        return 0.0
    return NormalDist().cdf((ratio - benchmark) * math.sqrt(len(profits) - 1) / math.sqrt(scale))


def overfit_probability(profits: Matrix) -> float:
    """Return how often the best of one half of the time is below the median set of the other half.

    Bailey, Borwein, López de Prado and Zhu, "The probability of backtest overfitting" (2017), over the ways in which
    half of the folds train and half test; the slices at a border are purged.
    """
    folds = CombinatorialPurgedCV(n_folds=FOLDS, n_test_folds=FOLDS // 2, purged_size=PURGED, embargo_size=0)
    below = ways = 0
    for train, tests in folds.split(profits):
        test = np.concatenate(tests)
        inside, outside = _ratios(profits[train]), _ratios(profits[test])
        best = int(np.argmax(inside))
        # Its rank among all, from 0 to 1; equal ones share theirs.
        lower, equal = int((outside < outside[best]).sum()), int((outside == outside[best]).sum())
        below += (lower + (equal + 1) / 2) / (len(outside) + 1) <= 0.5
        ways += 1
    return below / ways


def _ratios(profits: Matrix) -> Array:
    spread = profits.std(axis=0, ddof=1)
    ratios: Array = np.divide(profits.mean(axis=0), spread, out=np.zeros(len(spread)), where=spread > 0)
    return ratios
