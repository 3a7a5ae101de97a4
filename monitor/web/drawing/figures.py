"""Charts as Plotly's own JSON. Numbers become floats here, at the very last step.

``uirevision`` keeps a person's zoom while the data moves on: it changes only when another thing is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final  # Any: Plotly's JSON

from monitor.model.sections import FillShown, TradeShown

# JSON of Plotly's own schema, which its script reads in the browser.
Plotly = dict[str, Any]
Figure = Plotly
Trace = Plotly
Points = Sequence[Sequence[float]]

# Each reads on white and on near-black; blue and orange are told apart by every kind of eye.
BLUE: Final = "#3a86c8"
ORANGE: Final = "#d9722e"
GREY: Final = "#8a94a1"
GREEN: Final = "#2a9d8f"
VIOLET: Final = "#9b6fc4"
SIDES: Final = {"buy": BLUE, "sell": ORANGE}
CYCLE: Final = (BLUE, ORANGE, GREEN, VIOLET, GREY)

CONFIG: Final[Plotly] = {"displaylogo": False, "displayModeBar": False, "scrollZoom": False}


def figure(traces: Iterable[Trace], revision: str, height: int, **layout: object) -> Figure:
    """Return a figure of traces with the layout that all charts share."""
    shared: Plotly = {
        "uirevision": revision,
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        "hovermode": "closest",
        "showlegend": True,
        "xaxis": {"automargin": True},
        "yaxis": {"automargin": True},
    }
    for key, value in layout.items():
        known = shared.get(key)
        shared[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
    return {"data": list(traces), "layout": shared}


def times(seconds: Iterable[float]) -> list[int]:
    """Return seconds since the epoch in ms, as a time axis takes them (drawn as UTC)."""
    return [round(second * 1000) for second in seconds]


def line(
    name: str, points: Points, color: str, *, dash: str = "solid", step: bool = False, width: float = 1.6
) -> Trace:
    """Return the trace of a value over time from ``[[ts, value], ...]``."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": times(point[0] for point in points),
        "y": [point[1] for point in points],
        "line": {"color": color, "width": width, "dash": dash, "shape": "hv" if step else "linear"},
        "hovertemplate": "%{y} at %{x|%H:%M:%S}",
    }


def dots(
    name: str, records: Sequence[TradeShown | FillShown], side: str, symbol: str, size: int, *, own: bool
) -> Trace:
    """Return the trace of one side's trades over time; own ones are filled, the market's are outlines."""
    color = SIDES[side]
    marker = {
        "color": color,
        "size": size,
        "symbol": symbol if own else f"{symbol}-open",
        "line": {"width": 1.2, "color": color},
    }
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": times(record.ts for record in records),
        "y": [float(record.price) for record in records],
        "customdata": [record.qty for record in records],
        "marker": marker,
        "hovertemplate": f"{name}: %{{customdata}} at %{{y}}, %{{x|%H:%M:%S}}<extra></extra>",
    }


def over_time(traces: Iterable[Trace], revision: str, height: int = 300, unit: str = "") -> Figure:
    """Return a chart with the time (UTC) below."""
    drawn = list(traces)
    value = {"title": {"text": unit}, "tickformat": ",~f"}
    made = figure(drawn, revision, height, xaxis={"type": "date", "tickangle": 0, "nticks": 4}, yaxis=value)
    if not any(trace["x"] for trace in drawn):
        said = {"text": "no history yet", "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
        made["layout"]["annotations"] = [said]
        made["layout"]["xaxis"]["showticklabels"] = made["layout"]["yaxis"]["showticklabels"] = False
    return made
