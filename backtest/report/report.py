"""The report of a run as one object. Money is decimal text in ``currency``; everything else is numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from backtest.exact.bounds import Bound, bound
from backtest.exact.engine import LOG_KEPT
from backtest.exact.run import Outcome
from backtest.report import figures
from backtest.report.delays import Delays
from backtest.report.earned import BoundShown, Earned, mean_markouts, parts_of, queue_name, turnover_of
from backtest.report.figures import Course
from shared.attribution import MarkedFill
from shared.clock import SECOND, rfc3339
from shared.numbers import plain

# The rules of the queue at both ends.
OPTIMISTIC, PESSIMISTIC = "front", "back"
# Instead of a rule, where every place in the queue is known.
KNOWN = "known"
# Own fills beyond this share of the volume are not credible on a record that does not react to us.
CREDIBLE_SHARE = 0.05


class Report(Earned, frozen=True, kw_only=True):
    """The object that ``tradebyte backtest --json`` prints: what both engines know, and what only the executor does.

    Times are RFC 3339. ``volume_share`` is own fills as a share of the volume, by pair. ``uptime`` is the share of
    seconds with quotes on both sides, by pair and distance (bp). ``delays_ms`` are by name
    (:class:`backtest.report.delays.Delays`), those of which there are any.
    """

    market: str
    begin: str
    end: str
    times_real_time: float
    seed: int
    latency: str
    delays_ms: dict[str, dict[str, float | None]]
    outbound_sha256: str
    volume_share: dict[str, float]
    maker_share: float | None
    drawdown: float
    inventory: dict[str, dict[str, float | None]]
    sharpe: dict[str, float | int] | None
    uptime: dict[str, dict[str, float]]
    time_to_fill_s: dict[str, float | None]
    queue_ahead_at_arrival: dict[str, dict[str, float | None]]
    orders: int
    requests: int
    rate_points: float
    passes: int
    targets: int
    rejects: dict[str, int]
    halted: str
    warnings: list[str]


def make(
    outcome: Outcome,
    course: Course,
    delays: Delays,
    market: str,
    currency: str,
    coverage_bps: Mapping[str, float | None],
) -> Report:
    """Return the report of a run; ``market`` names its data."""
    fills, curve = course.fills, course.curve
    pnl, parts = figures.profit(outcome), figures.attribution(outcome, fills)
    seconds = (outcome.end_ts - outcome.begin_ts) / SECOND
    bounds = _bounds(outcome, pnl)
    (means, errors), shares = mean_markouts(fills), _volume_shares(outcome)
    turnover = turnover_of(fills)
    return Report(
        strategy=outcome.options.strategy,
        market=market,
        pairs=sorted(outcome.pairs),
        begin=rfc3339(outcome.begin_ts),
        end=rfc3339(outcome.end_ts),
        rows=outcome.rows,
        seconds=seconds,
        wall_s=round(outcome.wall_s, 3),
        times_real_time=round(seconds / outcome.wall_s, 1),
        rows_per_s=round(outcome.rows / outcome.wall_s),
        seed=outcome.options.seed,
        queue=_queue(outcome),
        level3=_level3(outcome),
        latency=outcome.options.latency,
        delays_ms={name: figures.quantiles(values) for name, values in delays.by_name().items()},
        currency=currency,
        fills=len(fills),
        pnl=plain(pnl),
        attribution=parts_of(parts, pnl),
        pnl_per_fill_bps=float(pnl / turnover) * 10_000 if turnover else None,
        markouts_bps=means,
        markout_errors_bps=errors,
        bounds={name: _bound_shown(each) for name, each in bounds.items()},
        outside_depth_share=_outside(bounds["middle"]),
        coverage_bps=dict(coverage_bps),
        outbound_sha256=outcome.digest,
        volume_share=shares,
        maker_share=sum(fill.maker for fill in outcome.fills) / len(fills) if fills else None,
        turnover=plain(turnover),
        drawdown=round(curve.drawdown, 6),
        inventory={symbol: figures.quantiles(values) for symbol, values in curve.inventory.items()},
        sharpe=figures.sharpe(outcome, curve, outcome.options.seed),
        uptime=figures.uptime(outcome),
        time_to_fill_s=figures.quantiles(figures.times_to_fill(outcome)),
        queue_ahead_at_arrival=_ahead(outcome, {n: lots for n, (lots, is_known) in outcome.places.items() if is_known}),
        queue_ahead_at_fill=_ahead(outcome, {n: lots for n, lots in outcome.ahead_at_fill.items() if lots is not None}),
        orders=len(outcome.opened),
        requests=len(outcome.sent),
        rate_points=outcome.points,
        passes=outcome.passes,
        targets=outcome.decisions,
        rejects=dict(outcome.rejects),
        halted=outcome.halted,
        warnings=_warnings(outcome, fills, shares),
    )


def _bounds(outcome: Outcome, pnl: Decimal) -> dict[str, Bound]:
    """Return the run's requests under three rules; in a market whose queues are known, the run's own result."""
    if outcome.tape is None:
        known = Bound(KNOWN, len(outcome.fills), len({fill.number for fill in outcome.fills}), pnl, 0)
        return dict.fromkeys(("optimistic", "middle", "pessimistic"), known)
    rules = {"optimistic": OPTIMISTIC, "middle": outcome.options.queue, "pessimistic": PESSIMISTIC}
    return {name: bound(outcome, rule) for name, rule in rules.items()}


def _bound_shown(each: Bound) -> BoundShown:
    return BoundShown(queue=each.queue, fills=each.fills, orders=each.orders_filled, pnl=plain(each.pnl))


def _outside(middle: Bound) -> float | None:
    return middle.outside_fills / middle.fills if middle.fills else None


def _level3(outcome: Outcome) -> list[str]:
    return outcome.tape.by_order if outcome.tape is not None else []


def _queue(outcome: Outcome) -> str:
    if outcome.tape is None:
        return KNOWN
    return queue_name(outcome.options.queue, outcome.tape.symbols, outcome.tape.by_order)


def _ahead(outcome: Outcome, lots: Mapping[int, int]) -> dict[str, dict[str, float | None]]:
    """Return, by pair, the quantity ahead of orders (lots by their number), in the base asset."""
    ahead: dict[str, list[float]] = {symbol: [] for symbol in outcome.pairs}
    symbols = {change.number: change.symbol for change in outcome.order_changes}
    for number, each in lots.items():
        symbol = symbols[number]
        ahead[symbol].append(each / 10 ** outcome.pairs[symbol].qty_precision)
    return {symbol: figures.quantiles(values) for symbol, values in ahead.items()}


def _volume_shares(outcome: Outcome) -> dict[str, float]:
    """Return, by pair, own fills as a share of what traded in the record."""
    own: dict[str, int] = dict.fromkeys(outcome.traded_lots, 0)
    for fill in outcome.fills:
        if fill.pair.symbol in own:
            own[fill.pair.symbol] += fill.qty
    return {symbol: lots / outcome.traded_lots[symbol] for symbol, lots in own.items() if outcome.traded_lots[symbol]}


def _warnings(outcome: Outcome, fills: list[MarkedFill], shares: Mapping[str, float]) -> list[str]:
    """Return what a reader must know before believing the figures."""
    warnings = []
    if not fills:
        warnings.append("no fills: nothing can be said of the strategy")
    elif len(fills) < 100:
        warnings.append(f"{len(fills)} fills are few: see the errors beside the markouts")
    for symbol, share in shares.items():
        if share > CREDIBLE_SHARE:
            warnings.append(
                f"{symbol}: our fills are {share:.0%} of what traded; beyond {CREDIBLE_SHARE:.0%} others would have "
                "reacted, and the record does not"
            )
    if outcome.halted:
        warnings.append(f"trading halted: {outcome.halted}")
    return warnings + _logged(outcome)


def _logged(outcome: Outcome) -> list[str]:
    """Return what the run's processes logged as warnings and errors, each once with how often."""
    counts = Counter(f"{entry.level}, {entry.kind}: {entry.text}" for entry in outcome.log)
    made = [text if count == 1 else f"{text} ({count} times)" for text, count in counts.items()]
    if len(outcome.log) == LOG_KEPT:
        made.append(f"more than {LOG_KEPT} warnings: the later ones are not kept")
    return made
