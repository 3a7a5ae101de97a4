"""The study as one HTML file that needs no network: the surface, the best sets by day, training against test."""

from __future__ import annotations

import html
from collections.abc import Iterable

import numpy as np
import plotly.graph_objects as go

from backtest.report.page import STYLE
from backtest.sweep.days import Split
from backtest.sweep.outcome import value
from backtest.sweep.report import Figures, Ranked, SweepReport
from backtest.sweep.search import Candidate
from backtest.sweep.study import Choice, FloatRange, IntRange, Study

# Sets in the tables and in the chart by day.
BEST = 20
SCALE = "Viridis"


def page(report: SweepReport, study: Study, splits: list[Split], candidates: list[list[Candidate]]) -> str:
    """Return the page's HTML; ``candidates`` are the sets of each split, the best first."""
    last, split, theirs = report.splits[-1], splits[-1], candidates[-1]
    usable = [each for each in theirs if each.train.fills]
    charts = []
    if usable:
        names = list(last.importances) or list(study.ranges)
        charts.append(_surface(study, usable, names))
        charts.append(_parallel(study, usable, names))
        charts.append(_by_day(study, split, usable[:BEST]))
        if split.test:
            charts.append(_train_and_test(study, usable))
    parts = [
        f"<h1>{html.escape(report.strategy)} by {html.escape(report.objective)}</h1>",
        f"<div>{report.days[0]} to {report.days[-1]}, {len(report.splits)} split(s), {report.trials} sets each; "
        f"charts are of the last split, training {last.train[0]} to {last.train[-1]}</div>",
        *(f'<div class="note">{html.escape(text)}</div>' for text in report.warnings),
        _splits(report),
        _ranking(report),
        *(chart.to_html(full_html=False, include_plotlyjs=not n) for n, chart in enumerate(charts)),
    ]
    title = html.escape(f"{report.strategy}: sweep by {report.objective}")
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return head + "<body>" + "\n".join(parts) + "</body></html>"


def _splits(report: SweepReport) -> str:
    rows = []
    for each in report.splits:
        judged = each.overfitting
        overfit = "-" if judged is None or judged.overfit_probability is None else f"{judged.overfit_probability:.0%}"
        rows.append(
            (
                f"{each.number}: {each.train[0]} to {each.train[-1]}",
                *_cells(None if each.best is None else each.best.train),
                *_cells(None if each.best is None else each.best.test),
                *(("-",) * 3 if judged is None else (f"{judged.sharpe:+.3f}", f"{judged.sharpe_by_luck:+.3f}",
                                                     f"{judged.deflated_sharpe:.2f}")),
                overfit,
            )
        )  # fmt: skip
    if report.walk_forward is not None:
        rows.append(("all test days", *("",) * 3, *_cells(report.walk_forward), *("",) * 4))
    head = ("training days", "score", "profit", "fills", "test score", "test profit", "test fills", "Sharpe a slice",
            "by luck", "deflated Sharpe", "overfit probability")  # fmt: skip
    return "<h2>The best set of each split, and what chance explains</h2>" + _table(head, rows)


def _ranking(report: SweepReport) -> str:
    names = list(report.ranking[0].settings) if report.ranking else []
    head = ("set", *names, "train score", "profit", "fills", "test score", "profit", "fills", "exact score", "profit",
            "fills")  # fmt: skip
    rows = [_row(each, names) for each in report.ranking[:BEST]]
    return f"<h2>The best sets of the last split, in {html.escape(report.currency)}</h2>" + _table(head, rows)


def _row(each: Ranked, names: list[str]) -> tuple[str, ...]:
    settings = (_text(each.settings[name]) for name in names)
    mark = "" if each.holds else " (breaks a constraint)"
    return (f"{each.trial}{mark}", *settings, *_cells(each.train), *_cells(each.test), *_cells(each.exact))


def _cells(made: Figures | None) -> tuple[str, str, str]:
    return ("-", "-", "-") if made is None else (f"{made.score:+.4g}", f"{made.pnl:+,.2f}", f"{made.fills:,}")


def _text(setting: object) -> str:
    return f"{setting:.4g}" if isinstance(setting, float) else str(setting)


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div style="overflow-x:auto"><table><tr>{top}</tr>{body}</table></div>'


def _surface(study: Study, usable: list[Candidate], names: list[str]) -> go.Figure:
    """Return the objective over the two settings that decide the most; over one if there is only one."""
    scores = [each.score for each in usable]
    labels = [f"set {each.trial}" for each in usable]
    across = [each.values[names[0]] for each in usable]
    marker = {"color": scores, "colorscale": SCALE, "size": 9, "line": {"width": 1, "color": "white"}}
    if len(names) == 1:
        chart = go.Figure(layout_title=f"{study.objective} by {names[0]} (training days)")
        chart.add_scatter(x=across, y=scores, mode="markers", text=labels, marker=marker)
        return _framed(chart, study, names[0], str(study.objective), 420)
    up = [each.values[names[1]] for each in usable]
    chart = go.Figure(layout_title=f"{study.objective} over the two settings that decide the most (training days)")
    are_numbers = all(isinstance(study.ranges[name], FloatRange | IntRange) for name in names[:2])
    if are_numbers and len(usable) >= 4:
        chart.add_contour(x=across, y=up, z=scores, colorscale=SCALE, connectgaps=True, line_smoothing=0.8,
                          opacity=0.55, contours_coloring="heatmap", showscale=False, hoverinfo="skip")  # fmt: skip
    marker = {**marker, "colorbar": {"title": str(study.objective)}}
    chart.add_scatter(
        x=across, y=up, mode="markers", marker=marker, text=[f"{label}: {score:.4g}" for label, score in
                                                             zip(labels, scores, strict=True)],
    )  # fmt: skip
    return _framed(chart, study, names[0], names[1], 560)


def _framed(chart: go.Figure, study: Study, across: str, up: str, height: int) -> go.Figure:
    chart.update_layout(template="plotly_white", height=height, showlegend=False)
    for name, update in ((across, chart.update_xaxes), (up, chart.update_yaxes)):
        each = study.ranges.get(name)
        is_log = isinstance(each, FloatRange | IntRange) and each.log
        update(title=name, type="log" if is_log else None)
    return chart


def _parallel(study: Study, usable: list[Candidate], names: list[str]) -> go.Figure:
    """Return all sets as lines over all settings and the objective."""
    dimensions = []
    for name in names:
        each, values = study.ranges[name], [candidate.values[name] for candidate in usable]
        if isinstance(each, Choice):
            places = [each.values.index(setting) for setting in values]
            words_at = [str(setting) for setting in each.values]
            dimensions.append({"label": name, "values": places, "tickvals": list(range(len(words_at))),
                               "ticktext": words_at})  # fmt: skip
        else:
            dimensions.append({"label": name, "values": values})
    scores = [each.score for each in usable]
    dimensions.append({"label": str(study.objective), "values": scores})
    chart = go.Figure(layout_title="All sets; drag along an axis to choose some")
    chart.add_parcoords(dimensions=dimensions, line={"color": scores, "colorscale": SCALE, "showscale": True})
    return chart.update_layout(template="plotly_white", height=420, margin={"t": 110})


def _by_day(study: Study, split: Split, best: list[Candidate]) -> go.Figure:
    """Return the objective of the best sets on each day."""
    scores = np.array([[value(each.by_day[day], study.objective) for day in split.days] for each in best])
    most = float(np.abs(scores).max()) or 1.0
    chart = go.Figure(layout_title=f"The best sets by day: {study.objective} (test days are marked)")
    chart.add_heatmap(
        z=scores,
        x=[f"{day} (test)" if day in split.test else day for day in split.days],
        y=[f"set {each.trial}" for each in best],
        # Orange for losses, blue for profits.
        colorscale=[[0, "#d95f02"], [0.5, "#ffffff"], [1, "#1f77b4"]],
        zmin=-most,
        zmax=most,
    )
    chart.update_yaxes(autorange="reversed")
    chart.update_xaxes(type="category")
    return chart.update_layout(template="plotly_white", height=200 + 20 * len(best))


def _train_and_test(study: Study, usable: list[Candidate]) -> go.Figure:
    """Return each set's objective on the training days beside that on the test days."""
    train = [each.score for each in usable]
    test = [value(each.test, study.objective) for each in usable]
    chart = go.Figure(layout_title=f"{study.objective}: training days across, test days up (grey: both alike)")
    ends = [min(train), max(train)]
    chart.add_scatter(x=ends, y=ends, mode="lines", line={"color": "#bbbbbb", "dash": "dot"}, hoverinfo="skip")
    chart.add_scatter(x=train, y=test, mode="markers", text=[f"set {each.trial}" for each in usable],
                      marker={"color": "#1f77b4", "size": 8})  # fmt: skip
    chart.update_layout(template="plotly_white", height=460, showlegend=False)
    chart.update_xaxes(title="training days")
    return chart.update_yaxes(title="test days")
