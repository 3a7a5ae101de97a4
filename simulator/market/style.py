"""The behaviour of each pair's crowd in each regime: the numbers that meet MARKET.md."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.pairs.instrument import Pair

REGIMES = ("calm", "trending", "volatile", "thin", "flash_crash", "halted")


@dataclass(frozen=True, slots=True)
class Style:
    """The behaviour of a crowd. Rates are per second, distances in bp, sizes in base currency, widths in ticks.

    ``news`` moves the fair price by itself; a trade moves it by ``stay_bp`` for good and by ``decay_bp`` for a while
    (``decay_s``). Makers follow once they are ``band_bp`` off. Takers come in clusters of ``cluster_mean``; ``quiet``
    is makers changing their minds unasked, ``echo`` how often they do so at once after a taker's order, on average.
    ``near`` and ``deep`` are the levels kept around the touch (median distance ``near_bp``) and behind it; ``width`` is
    the touch, and ``touch`` the median sizes of its smaller and its larger side, times ``level_size``. ``drift_bp`` a
    second is a trend, which turns about every ``trend_s``; ``crash_bp`` is a fall within seconds, of which 60 % come
    back within a minute. ``halted`` is a book in which nothing happens. ``draw`` and ``leave`` are the chances within a
    quarter of a second that a taker hits an account's order that improves the touch, and that the makers behind it
    stand back.
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
    touch: tuple[float, float] = (0.15, 12.0)
    echo: float = 0.0
    drift_bp: float = 0.0
    trend_s: float = 60.0
    crash_bp: float = 0.0
    halted: bool = False
    draw: float = 0.2
    leave: float = 0.3


CALM = {
    "BTC/USD": Style(0.055, 1.95, 0.098, 0.35, 3.25, 0.94, 2.0, 0.026, 8.3, 0.38, 0.59, 15, 110, (1, 1), 2.45,
                     touch=(0.053, 13.0), echo=9.4),
    "ETH/USD": Style(0.25, 0.55, 0.21, 0.21, 4.0, 0.60, 2.0, 0.55, 7.0, 9.0, 0.6, 14, 110, (1, 1), 0.5),
    "SOL/USD": Style(0.25, 0.70, 0.22, 0.22, 4.0, 0.40, 2.0, 6.0, 3.5, 120.0, 2.7, 12, 110, (1, 1), 0.35),
    # No captures: the flow of SOL in dollars, on ticks as fine as those of BTC.
    "DOGE/USD": Style(0.25, 0.70, 0.22, 0.22, 4.0, 0.40, 2.0, 5_600, 3.5, 110_000, 0.6, 12, 110, (1, 1), 0.5),
}  # fmt: skip
# What a taker takes and a level holds on a pair without a capture, in USD, and makers' distances: those of SOL.
_TAKE_USD, _LEVEL_USD = 900.0, 18_000.0
_NEAR_BP, _NEAR_TICKS = 0.6, 4.0
_BAND_BP = 0.5
# On ticks coarser than this the touch hardly moves: what stands there is turned over instead, as takers take it.
_COARSE_BP, _COARSE_LEVEL_USD = 2.0, 1_500.0
# Assets that are worth one of another: their pairs stay near it.
_PEGS = {"USDT": "USD", "USDC": "USD", "DAI": "USD", "TBTC": "BTC"}


def is_pegged(pair: Pair) -> bool:
    """True if both assets of a pair are worth the same by design."""
    base, quote = pair.base.name, pair.quote.name
    return _PEGS.get(base, base) == _PEGS.get(quote, quote)


def tick_bp(pair: Pair) -> float:
    """Return a tick in bp of the start price."""
    return 1e4 * pair.tick / pair.start_price


def _scaled(pair: Pair) -> Style:
    """Return the calm crowd of a pair without a capture: sizes by their worth, distances by the tick."""
    tick, worth = tick_bp(pair), float(pair.base.usd)
    coarse = tick > _COARSE_BP
    return Style(
        0.40, 0.70, 0.22, 0.22, 4.0, 0.70, 2.0,
        take_size=_TAKE_USD / worth,
        quiet_rate=3.5,
        level_size=(_COARSE_LEVEL_USD if coarse else _LEVEL_USD) / worth,
        near_bp=max(_NEAR_BP, _NEAR_TICKS * min(tick, _COARSE_BP)),
        near_levels=12,
        deep_levels=40 if coarse else 110,
        width=(1, 1),
        band_bp=max(_BAND_BP, tick / 2),
    )  # fmt: skip


def style_of(pair: Pair, regime: str) -> Style:
    """Return the style of a pair in a regime; ``volatile`` moves about five times as far on a wider touch."""
    calm = CALM[pair.symbol] if pair.symbol in CALM else _scaled(pair)
    if regime == "trending":
        return replace(calm, drift_bp=0.4)
    if regime == "volatile":
        return replace(
            calm,
            news_rate=calm.news_rate * 4,
            news_bp=calm.news_bp * 2.8,
            stay_bp=calm.stay_bp * 4.6,
            decay_bp=calm.decay_bp * 4.6,
            cluster_rate=calm.cluster_rate * 1.5,
            quiet_rate=calm.quiet_rate * 1.15,
            near_bp=calm.near_bp * 2,
            width=(2, 8),
        )
    if regime == "thin":
        tick = tick_bp(pair)
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
            width=(max(1, round(11 / tick)), max(1, round(26 / tick))),
            band_bp=1.2,
            draw=calm.draw / 10,
            leave=calm.leave / 8,
        )
    if regime == "flash_crash":
        return replace(calm, crash_bp=300.0)
    return replace(calm, halted=regime == "halted")
