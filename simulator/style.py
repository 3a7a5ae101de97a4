"""How the crowd of each pair behaves in each regime: the numbers that MARKET.md is met with."""

from __future__ import annotations

from dataclasses import dataclass, replace

REGIMES = ("calm", "trending", "volatile", "thin", "flash_crash", "halted")


@dataclass(frozen=True, slots=True)
class Style:
    """How a crowd behaves. Rates are per second, distances in bp, sizes in base currency, widths in ticks.

    ``news`` moves the fair price by itself; a trade moves it by ``stay_bp`` for good and by ``decay_bp`` for a while
    (``decay_s``). Makers follow once they are ``band_bp`` off. Takers come in clusters of ``cluster_mean``; ``quiet``
    is makers changing their minds. ``near`` and ``deep`` are the levels kept around the touch (median distance
    ``near_bp``) and behind it; ``width`` is the touch. ``drift_bp`` a second is a trend, which turns about every
    ``trend_s``; ``crash_bp`` is a fall within seconds, of which 60 % come back within a minute. ``halted`` is a book in
    which nothing happens.
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
    band_bp: float = 0.0
    drift_bp: float = 0.0
    trend_s: float = 60.0
    crash_bp: float = 0.0
    halted: bool = False


CALM = {
    "BTC/USD": Style(0.10, 0.70, 0.11, 0.272, 3.2, 1.0, 2.0, 0.026, 17.5, 0.38, 0.59, 15, 110, (1, 1), 1.9),
    "ETH/USD": Style(0.25, 0.55, 0.21, 0.21, 4.0, 0.60, 2.0, 0.55, 5.0, 9.0, 0.6, 14, 110, (1, 1), 0.5),
    "SOL/USD": Style(0.25, 0.70, 0.22, 0.22, 4.0, 0.40, 2.0, 6.0, 2.5, 120.0, 2.7, 12, 110, (1, 1), 0.35),
    # No captures: the flow of SOL in dollars, on ticks as fine as those of BTC.
    "DOGE/USD": Style(0.25, 0.70, 0.22, 0.22, 4.0, 0.40, 2.0, 5_600, 2.5, 110_000, 0.6, 12, 110, (1, 1), 0.5),
}
# A tick in bp of the start price: what turns a width in bp into ticks.
_TICK_BP = {"BTC/USD": 0.0119, "ETH/USD": 0.04, "SOL/USD": 0.667, "DOGE/USD": 0.00625}


def style(symbol: str, regime: str) -> Style:
    """The style of a pair in a regime; ``volatile`` moves about five times as far on a wider touch."""
    calm = CALM[symbol]
    if regime == "trending":
        return replace(calm, drift_bp=0.25)
    if regime == "volatile":
        return replace(
            calm,
            news_rate=calm.news_rate * 4,
            news_bp=calm.news_bp * 4.2,
            stay_bp=calm.stay_bp * 4.6,
            decay_bp=calm.decay_bp * 4.6,
            cluster_rate=calm.cluster_rate * 1.5,
            quiet_rate=calm.quiet_rate * 1.15,
            near_bp=calm.near_bp * 2,
            width=(2, 8),
        )
    if regime == "thin":
        tick = _TICK_BP[symbol]
        return replace(
            calm,
            news_rate=0.3,
            news_bp=2.2,
            stay_bp=1.0,
            decay_bp=1.0,
            cluster_rate=calm.cluster_rate / 10,
            quiet_rate=calm.quiet_rate / 8,
            near_bp=25.0,
            near_levels=8,
            deep_levels=40,
            width=(round(11 / tick), round(26 / tick)),
            band_bp=1.2,
        )
    if regime == "flash_crash":
        return replace(calm, crash_bp=300.0)
    return replace(calm, halted=regime == "halted")
