"""Chance is named as chance, skill as skill, and the formulas agree with figures computed by hand."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from backtest.sweep.overfitting import assess, luckiest, overfit_probability, probability_above


def noise(seed: int, slices: int = 200, sets: int = 40) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(size=(slices, sets))


def test_the_luckiest_of_many_is_about_what_draws_show() -> None:
    drawn = np.random.default_rng(1).normal(scale=0.1, size=(4000, 100)).max(axis=1).mean()
    assert luckiest(100, 0.01) == pytest.approx(drawn, rel=0.02)


def test_the_probability_for_normal_profits_is_the_textbooks() -> None:
    profits = np.random.default_rng(2).normal(0.1, 1.0, 10_000)
    ratio = profits.mean() / profits.std(ddof=1)
    expected = NormalDist().cdf(ratio * 9999**0.5 / (1 + ratio**2 / 2) ** 0.5)
    assert probability_above(profits, 0.0) == pytest.approx(expected, abs=1e-3)
    # Rare large losses make the same ratio less sure.
    skewed = np.where(np.arange(400) % 40, 0.3, -8.0)
    mirrored = 2 * skewed.mean() - skewed
    assert probability_above(skewed, -0.1) < probability_above(mirrored, -0.1)


def test_the_best_of_noise_is_luck() -> None:
    judged = [assess(noise(seed), int(np.argmax(noise(seed).mean(axis=0)))) for seed in range(8)]
    assert np.mean([each.deflated_sharpe for each in judged if each is not None]) < 0.8
    chances = [each.overfit_probability for each in judged if each is not None]
    assert np.mean([chance for chance in chances if chance is not None]) == pytest.approx(0.5, abs=0.2)


def test_a_set_that_always_earns_is_skill() -> None:
    profits = noise(3)
    profits[:, 7] += 0.6
    judged = assess(profits, 7)
    assert judged is not None
    assert judged.deflated_sharpe > 0.99
    assert judged.overfit_probability == 0.0


def test_sets_that_are_all_alike_are_in_the_middle() -> None:
    alike = np.repeat(noise(4, sets=1), 10, axis=1)
    assert overfit_probability(alike) == 1.0


@pytest.mark.parametrize("shape", [(2, 5), (50, 1)])
def test_too_few_say_nothing(shape: tuple[int, int]) -> None:
    assert assess(noise(1, *shape), 0) is None


def test_few_slices_have_no_probability_of_overfitting() -> None:
    judged = assess(noise(1, 20, 5), 0)
    assert judged is not None
    assert judged.overfit_probability is None
