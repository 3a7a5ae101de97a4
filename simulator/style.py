"""How the crowd of each pair behaves in each regime: the numbers that MARKET.md is met with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """How a crowd behaves. Rates are per second, distances in bp, sizes in base currency, widths in ticks.

    ``news`` moves the fair price by itself; a trade moves it by ``stay_bp`` for good and by ``decay_bp`` for a while
    (``decay_s``). Takers come in clusters of ``cluster_mean``; ``quiet`` is makers changing their minds. ``near`` and
    ``deep`` are the levels kept around the touch (median distance ``near_bp``) and behind it; ``width`` is the touch.
    """

    news_rate: float
    news_bp: float
    stay_bp: float
    decay_bp: float
    decay_s: float
    cluster_rate: float
    cluster_mean: float
    take_size: float
    quiet_rate: float
    level_size: float
    near_bp: float
    near_levels: int
    deep_levels: int
    width: tuple[int, int]


CALM = {
    "BTC/USD": Style(0.9, 0.46, 0.16, 0.16, 4.0, 1.0, 2.0, 0.0205, 6.0, 0.38, 0.49, 14, 110, (1, 1)),
    "ETH/USD": Style(0.7, 0.50, 0.18, 0.18, 4.0, 0.60, 2.0, 0.55, 3.5, 9.0, 0.6, 14, 110, (1, 1)),
    "SOL/USD": Style(0.5, 0.70, 0.22, 0.22, 4.0, 0.40, 2.0, 6.0, 2.0, 120.0, 2.7, 12, 110, (1, 1)),
}


def style(symbol: str, regime: str) -> Style:
    """The style of a pair in a regime; ``volatile`` moves about five times as far on a wider touch."""
    calm = CALM[symbol]
    if regime == "calm":
        return calm
    return Style(
        calm.news_rate * 2, calm.news_bp * 3.2, calm.stay_bp * 4, calm.decay_bp * 4, calm.decay_s,
        calm.cluster_rate * 1.5, calm.cluster_mean, calm.take_size, calm.quiet_rate * 1.5, calm.level_size,
        calm.near_bp * 2, calm.near_levels, calm.deep_levels, (2, 8),
    )  # fmt: skip
