"""Fit a style to a recording: ``python -m simulator style RECORDING``.

The crowd lives through virtual time with a style, what is seen of it is compared with the recording's figures, and each
number of the style that governs a figure is moved towards it; so in rounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from statistics import fmean, median

from simulator.errors import FitError
from simulator.market import replay
from simulator.market.calibration.captured import taker_reactions
from simulator.market.calibration.figures import after_trade, quantile, volatility
from simulator.market.calibration.follower import Follower
from simulator.market.calibration.listener import Seen, watch_style
from simulator.market.recorded import Arrival
from simulator.market.style import Style, style_of
from simulator.pairs.instrument import Pair
from simulator.pairs.pairs import PAIRS

# Less than this of a pair says too little about it.
SECONDS_MIN, TRADES_MIN = 60.0, 30
# With fewer trades, their impact and the book's reaction are noise: the pair's own are kept.
REACTION_TRADES_MIN = 200
ROUNDS, ROUND_S = 12, 1200.0
# A seed that no round has used: the printed figures are not those of the noise that was fitted.
CHECK_SEED, CHECK_S = 1000, 3600.0
# The largest step of a number in one round (as logarithm), and the share of a step that later rounds take.
STEP_MAX, LATER_POWER = 0.7, 0.4
LONG_BARS_S, BAR_S, SHORT_BAR_S = 600.0, 60, 10

Change = Callable[[Style, float], Style]


@dataclass(frozen=True, slots=True)
class Target:
    """Hold a figure of the recording, how it is read of what was seen, and how a style is changed by target/own."""

    name: str
    value: float
    read: Callable[[Seen], float]
    change: Change
    tolerance: float

    def is_met(self, own: float) -> bool:
        """True if the figure is within the tolerance."""
        return abs(own / self.value - 1) <= self.tolerance


def _scale(name: str) -> Change:
    return lambda style, by: replace(style, **{name: getattr(style, name) * by})


def _small(style: Style, by: float) -> Style:
    return replace(style, touch=(style.touch[0] * by, style.touch[1]))


def _large(style: Style, by: float) -> Style:
    return replace(style, touch=(style.touch[0], style.touch[1] * by))


def _impact(style: Style, by: float) -> Style:
    return replace(style, stay_bp=style.stay_bp * by, decay_bp=style.decay_bp * by)


def targets(seen: Seen, lot: float) -> list[Target]:
    """Return the figures that a style is to reproduce; ``lot`` is a lot's size in base currency."""
    bar_s = BAR_S if seen.seconds >= LONG_BARS_S else SHORT_BAR_S

    def side(which: int) -> Callable[[Seen], float]:
        return lambda seen: lot * median(sorted((a, b))[which] for *_, a, b in seen.touches)

    wanted: list[tuple[str, Callable[[Seen], float], Change, float]] = [
        ("volatility, bp per root s", lambda seen: volatility(seen, bar_s), _scale("news_bp"), 0.2),
        ("trades per second", lambda seen: len(seen.trades) / seen.seconds, _scale("cluster_rate"), 0.2),
        ("mean trade", lambda seen: lot * fmean(t[3] for t in seen.trades), _scale("take_size"), 0.2),
        ("book messages per second", lambda seen: len(seen.messages) / seen.seconds, _scale("quiet_rate"), 0.2),
        ("distance of inserts p50, ticks", lambda seen: quantile(seen.distances, 0.5), _scale("near_bp"), 0.2),
        ("size of new levels p50", lambda seen: lot * quantile(seen.sizes, 0.5), _scale("level_size"), 0.2),
        ("smaller side of the touch p50", side(0), _small, 0.3),
        ("larger side of the touch p50", side(1), _large, 0.3),
    ]
    if len(seen.trades) >= REACTION_TRADES_MIN:
        wanted += [
            ("move 0.5 s after a trade, bp", lambda seen: after_trade(seen, 0.5), _impact, 0.3),
            ("messages 0.1 s after an order, times usual", taker_reactions, _scale("echo"), 0.3),
        ]
    every = [Target(name, read(seen), read, change, tolerance) for name, read, change, tolerance in wanted]
    return [target for target in every if target.value > 0]


def first_guess(pair: Pair, seen: Seen) -> Style:
    """Return the pair's calm style with the recording's touch, from which the rounds begin."""
    widths = sorted(ask - bid for _, bid, ask, *_ in seen.touches)
    low, high = (max(1, round(quantile(widths, share) / pair.tick)) for share in (0.25, 0.75))
    calm = style_of(pair, "calm")
    return replace(calm, width=(low, high), echo=calm.echo or 1.0)


def fit(pair: Pair, seen: Seen) -> tuple[Style, list[tuple[Target, float]]]:
    """Return the style that comes nearest, and each target with the figure of a seed that was not fitted to."""
    wanted = targets(seen, 10.0**-pair.qty_precision)
    first = first_guess(pair, seen)
    # By what each target has scaled the first guess so far, as logarithms.
    scales = [0.0] * len(wanted)
    later: list[list[float]] = []
    for number in range(ROUNDS):
        watched = watch_style(pair, _scaled(first, wanted, scales), ROUND_S, number + 1)[1]
        power = 1.0 if number < ROUNDS // 2 else LATER_POWER
        for at, target in enumerate(wanted):
            step = power * math.log(target.value / max(target.read(watched), 1e-12))
            scales[at] += min(STEP_MAX, max(-STEP_MAX, step))
        if number >= ROUNDS // 2:
            later.append(list(scales))
    # Each round fits the noise of its seed too; their mean has less of it.
    best = _scaled(first, wanted, [fmean(column) for column in zip(*later, strict=True)])
    checked = watch_style(pair, best, CHECK_S, CHECK_SEED)[1]
    return best, [(target, target.read(checked)) for target in wanted]


def _scaled(style: Style, wanted: Sequence[Target], scales: Sequence[float]) -> Style:
    for target, scale in zip(wanted, scales, strict=True):
        style = target.change(style, math.exp(scale))
    return style


def fitted(arrived: list[Arrival]) -> tuple[str, bool]:
    """Return styles as text, one for each pair that was recorded for long enough, and whether every figure is met.

    Raises :class:`FitError` where there is none, and RecordingError where the recording has no book.
    """
    texts, short, met = [], [], True
    for symbol, moments in replay.ordered(arrived).items():
        if not any(moment.kind == "snapshot" for moment in moments):
            short.append(f"{symbol}: no snapshot of its book")
            continue
        seen = Follower(moments).follow()
        if seen.seconds < SECONDS_MIN or len(seen.trades) < TRADES_MIN or not seen.distances:
            short.append(f"{symbol}: {seen.seconds:.1f} s of its book and {len(seen.trades)} trades")
            continue
        style, figures = fit(PAIRS[symbol], seen)
        texts.append(as_text(symbol, style, figures, seen))
        met = met and all(target.is_met(own) for target, own in figures)
    if not texts:
        least = f"a style takes {SECONDS_MIN:g} s of a pair's book, and {TRADES_MIN} trades"
        raise FitError("; ".join([*short, least]))
    return "\n".join([*texts, *(f"# {why}: too little for a style" for why in short)]), met


def as_text(symbol: str, style: Style, figures: list[tuple[Target, float]], seen: Seen) -> str:
    """Return a style as an entry of CALM in simulator/market/style.py, its table of figures as comments."""
    lines = [f"# {symbol}: {seen.seconds:.1f} s, {len(seen.messages)} book messages, {len(seen.trades)} trades"]
    lines.append(f"# {'property':<46} {'recording':>10} {'accepted':>11} {'fitted':>10}")
    for target, own in figures:
        mark = "" if target.is_met(own) else "  *"
        accepted = f"within {target.tolerance:.0%}"
        lines.append(f"# {target.name:<46} {target.value:>10.4g} {accepted:>11} {own:>10.4g}{mark}")
    lines.append(f'"{symbol}": Style(')
    for field in fields(Style):
        value = getattr(style, field.name)
        if value != field.default:
            lines.append(f"    {field.name}={_literal(value)},")
    return "\n".join([*lines, "),"])


def _literal(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_literal(each) for each in value)})"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
