"""The report as one HTML file that needs no network: the figures first, then what happened over time."""

from __future__ import annotations

import html
from collections.abc import Iterable
from itertools import accumulate

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from backtest.exact.run import Outcome
from backtest.report import figures
from backtest.report.delays import Delays
from backtest.report.figures import Course
from backtest.report.report import KNOWN, Report
from shared.attribution import ADVERSE_S, HORIZONS_S, MarkedFill

# One colour for one thing on the whole page; told apart by people who see red and green alike.
BUY, SELL, MID, EQUITY = "#1f77b4", "#d95f02", "#555555", "#222222"
PARTS = {"spread": "#1b9e77", "adverse": "#d95f02", "fees": "#7570b3", "drift": "#999999"}
DELAYS = {
    "to_exchange": "Request to the exchange",
    "inside": "Inside the exchange",
    "back": "Answer back",
    "decision_to_sent": "Live: decision to request",
    "sent_to_ack": "Live: request to ack",
    "decision_to_ack": "Live: decision to ack",
}
# More points than this tell a screen nothing.
POINTS = 3000
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; }
.card { border: 1px solid #ddd; border-radius: 6px; padding: .6rem .9rem; min-width: 8.5rem; }
.card b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; } .card span { color: #666; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .4rem 0; }
th, td { text-align: right; padding: .15rem .9rem .15rem 0; } th:first-child, td:first-child { text-align: left; }
.note { color: #8a4b00; } .small { color: #666; font-size: .85rem; word-break: break-all; }
"""


def page(report: Report, outcome: Outcome, course: Course, delays: Delays) -> str:
    """Return the page's HTML."""
    fills = course.fills
    charts = [_money(course), *(_market(outcome, symbol) for symbol in sorted(outcome.mids)), _markouts(fills)]
    charts += [_waiting(outcome), _latency(report, delays)]
    parts = [
        f"<h1>{html.escape(report.strategy)}</h1>",
        f"<div>{html.escape(report.market)}, {html.escape(', '.join(report.pairs))}: "
        f"{report.begin[:19]} to {report.end[:19]} UTC</div>",
        _cards(report),
        *(f'<div class="note">{html.escape(warning)}</div>' for warning in report.warnings),
        _tables(report),
        *(chart.to_html(full_html=False, include_plotlyjs=not n) for n, chart in enumerate(charts)),
        _small(report),
    ]
    title = html.escape(f"{report.strategy}: {float(report.pnl):+.2f} {report.currency}")
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>' + (
        "<body>" + "\n".join(parts) + "</body></html>"
    )


def _cards(report: Report) -> str:
    per_fill = "-" if report.pnl_per_fill_bps is None else f"{report.pnl_per_fill_bps:+.2f} bp"
    cards = [
        (f"{float(report.pnl):+,.4f}", f"profit in {report.currency}"),
        (per_fill, "of turnover"),
        (f"{report.fills}", "fills"),
        (f"{float(report.turnover):,.0f}", f"turnover in {report.currency}"),
        (f"{report.drawdown:,.4f}", "worst drawdown"),
        (f"{report.requests}", f"requests, {report.rate_points:g} rate points"),
        (f"{sum(report.rejects.values())}", "rejected or denied"),
    ]
    return (
        '<div class="cards">'
        + "".join(f'<div class="card"><b>{b}</b><span>{s}</span></div>' for b, s in cards)
        + "</div>"
    )


def _tables(report: Report) -> str:
    parts = [
        (name, f"{float(getattr(report.attribution, name)):+,.6f}") for name in report.attribution.__struct_fields__
    ]
    made = "<h2>Where it comes from</h2>" + _table(
        ("part", report.currency), [*parts, ("profit", f"{float(report.pnl):+,.6f}")]
    )
    if report.queue != KNOWN:
        bounds = [
            (f"{name} ({bound.queue})", str(bound.fills), str(bound.orders), f"{float(bound.pnl):+,.6f}")
            for name, bound in report.bounds.items()
        ]
        outside = "-" if report.outside_depth_share is None else f"{report.outside_depth_share:.0%}"
        made += "<h2>The same requests under other rules of the queue</h2>"
        made += _table(("rule", "fills", "orders filled", "profit"), bounds)
        made += f"<div>Fills of orders whose place in the queue the data do not show: {outside}.</div>"
    means = [
        (f"{horizon} s", _number(mean), _number(report.markout_errors_bps[horizon]))
        for horizon, mean in report.markouts_bps.items()
    ]
    made += "<h2>Markouts</h2>" + _table(("after", "mean, bp", "standard error, bp"), means)
    distances = next(iter(report.uptime.values()), {})
    rows = [(symbol, *(f"{share:.0%}" for share in shares.values())) for symbol, shares in report.uptime.items()]
    made += "<h2>Time with quotes on both sides, by distance from the mid</h2>"
    return made + _table(("pair", *(f"{distance} bp" for distance in distances)), rows)


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _small(report: Report) -> str:
    texts = [
        f"{report.rows:,} rows, {report.times_real_time:,.0f} times real time; queue rule {report.queue}, "
        f"latency {report.latency}, seed {report.seed}",
        f"outbound requests: sha256 {report.outbound_sha256}",
    ]
    return "<h2>How it was made</h2>" + "".join(f'<div class="small">{html.escape(text)}</div>' for text in texts)


def _time(ts: Iterable[int]) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    return np.array(list(ts), "datetime64[ns]")


def _money(course: Course) -> go.Figure:
    """Return equity with its parts so far, and the inventory below."""
    curve, fills = course.curve, course.fills
    names = list(curve.inventory)
    chart = make_subplots(
        rows=1 + len(names), cols=1, shared_xaxes=True, vertical_spacing=0.04,
        subplot_titles=["Equity and its parts", *(f"Inventory, {name}" for name in names)],
        row_heights=[0.6, *([0.4 / len(names)] * len(names))],
    )  # fmt: skip
    times = _time(curve.ts)
    chart.add_scatter(x=times, y=curve.equity, name="equity", line_color=EQUITY, row=1, col=1)
    series = {
        "spread": [float(f.sign * f.qty * (f.mid - f.price) * f.rate) for f in fills],
        "adverse": [float(f.sign * f.qty * (f.after.get(ADVERSE_S, f.mid) - f.mid) * f.rate) for f in fills],
        "fees": [float(-f.fee * f.rate) for f in fills],
    }
    stamps = _time(f.ts for f in fills)
    for name, values in series.items():
        total = list(accumulate(values))
        chart.add_scatter(
            x=stamps, y=total, name=f"{name} so far", line={"color": PARTS[name], "shape": "hv"}, row=1, col=1
        )
    for place, name in enumerate(names, 2):
        chart.add_scatter(x=times, y=curve.inventory[name], name=name, showlegend=False,
                          line={"color": MID, "shape": "hv"}, row=place, col=1)  # fmt: skip
    return _framed(chart, 420 + 150 * len(names))


def _market(outcome: Outcome, symbol: str) -> go.Figure:
    """Return the mid with own quotes and fills."""
    pair, mids = outcome.pairs[symbol], outcome.mids[symbol]
    step = max(1, (outcome.end_ts - outcome.begin_ts) // POINTS)
    times = np.arange(outcome.begin_ts, outcome.end_ts, step, dtype=np.int64)
    chart = go.Figure(layout_title=f"{symbol}: mid, own best quotes, fills")
    chart.add_scattergl(x=_time(times.tolist()), y=figures.sampled(mids, times, pair.price_precision), name="mid",
                        line={"color": MID, "width": 1})  # fmt: skip
    quotes = figures.best_quotes(outcome, symbol, times.tolist())
    for place, (name, colour) in enumerate((("own bid", BUY), ("own ask", SELL))):
        values = [None if quote[place] is None else quote[place] / 10**pair.price_precision for quote in quotes]
        chart.add_scattergl(x=_time(times.tolist()), y=values, name=name,
                            line={"color": colour, "width": 1, "shape": "hv"}, opacity=0.5)  # fmt: skip
    for side, colour, mark in (("buy", BUY, "triangle-up"), ("sell", SELL, "triangle-down")):
        own = [fill for fill in outcome.fills if fill.pair.symbol == symbol and fill.side == side]
        chart.add_scattergl(
            x=_time(fill.ns for fill in own),
            y=[fill.price / 10**pair.price_precision for fill in own],
            mode="markers",
            name=f"{side} fills",
            marker={"color": colour, "symbol": mark, "size": 9, "line": {"width": 1, "color": "white"}},
        )
    return _framed(chart, 420)


def _markouts(fills: list[MarkedFill]) -> go.Figure:
    """Return the mean markout by horizon, with twice its standard error."""
    chart = go.Figure(layout_title="Markouts: the mid's move from the fill's price in our favour, bp (bars: 95 %)")
    for side, colour in (("buy", BUY), ("sell", SELL)):
        means, errors = [], []
        for horizon in HORIZONS_S:
            values = [v for f in fills if f.side == side and (v := f.markout_bps(horizon)) is not None]
            means.append(float(np.mean(values)) if values else None)
            errors.append(1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0)
        chart.add_scatter(x=[f"{h:g} s" for h in HORIZONS_S], y=means, name=side, line_color=colour,
                          error_y={"type": "data", "array": errors})  # fmt: skip
    chart.add_hline(y=0, line_width=1, line_color="#bbb")
    return _framed(chart, 340)


def _waiting(outcome: Outcome) -> go.Figure:
    """Return how long orders waited for their first fill, and what stood ahead of them as they came and then."""
    titles = ["Seconds until the first fill", "Lots ahead on arrival", "Lots ahead at the first fill"]
    chart = make_subplots(rows=1, cols=3, subplot_titles=titles)
    chart.add_histogram(x=figures.times_to_fill(outcome), nbinsx=40, marker_color=BUY, row=1, col=1)
    ahead = [lots for lots, is_known in outcome.places.values() if is_known]
    chart.add_histogram(x=ahead, nbinsx=40, marker_color=SELL, row=1, col=2)
    at_fill = [lots for lots in outcome.ahead_at_fill.values() if lots is not None]
    chart.add_histogram(x=at_fill, nbinsx=40, marker_color=MID, row=1, col=3)
    chart.update_layout(showlegend=False)
    return _framed(chart, 320)


def _latency(report: Report, delays: Delays) -> go.Figure:
    """Return how long requests travelled, and what the recorded live system needed where there is one."""
    parts = delays.by_name()
    quantiles = {name: report.delays_ms[name] for name in parts}
    titles = [
        f"{DELAYS[name]}<br>ms: median {_plain(each['p50'])}, 90 % {_plain(each['p90'])}"
        for name, each in quantiles.items()
    ]
    chart = make_subplots(rows=max(1, -(-len(parts) // 3)), cols=3, subplot_titles=titles, vertical_spacing=0.25)
    for place, (name, values) in enumerate(parts.items()):
        row, column = divmod(place, 3)
        chart.add_histogram(
            x=values, nbinsx=50, name=DELAYS[name], marker_color=BUY if row == 0 else SELL, row=row + 1, col=column + 1
        )
    chart.update_layout(showlegend=False)
    return _framed(chart, 180 + 200 * max(1, -(-len(parts) // 3)))


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _framed(chart: go.Figure, height: int) -> go.Figure:
    return chart.update_layout(
        template="plotly_white", height=height, margin={"l": 60, "r": 20, "t": 60, "b": 40}, hovermode="x unified"
    )
