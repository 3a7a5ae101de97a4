"""The mid, the market's trades and own fills of one pair over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg  # type: ignore[import-untyped]
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from monitor.desktop.frame import Frame
from monitor.desktop.look import Look
from monitor.model.sections import FillShown, TradeShown

# The smallest span of the price axis, as a share of the price: a still market is a line, not noise.
SPAN_MIN = 1e-5


class Prices(pg.AxisItem):  # type: ignore[misc]
    """Prices in full, with as many decimals as tell one tick of the axis from the next."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return the labels of these values, ``spacing`` apart."""
        decimals = max(0, math.ceil(-math.log10(spacing * scale)))
        return [f"{value * scale:,.{decimals}f}" for value in values]


class Chart(QWidget):
    """Draws the newest frame of one pair; keeps nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn: object = None
        self.plot = pg.PlotWidget(axisItems={"bottom": pg.DateAxisItem(utcOffset=0), "left": Prices("left")})
        self.plot.setMenuEnabled(False)
        self.plot.setLabel("bottom", "UTC")
        self.plot.addLegend(offset=(10, 10), horSpacing=16, colCount=5)
        self.mid = self.plot.plot([], [], name="mid")
        self.marks = {
            (whose, side): pg.ScatterPlotItem(symbol=symbol, size=size, pxMode=True, name=f"{word} {side}")
            for whose, word, size in (("market", "trade", 5), ("own", "own fill", 13))
            for side, symbol in (("buy", "t1" if whose == "own" else "o"), ("sell", "t" if whose == "own" else "o"))
        }
        for mark in self.marks.values():
            self.plot.addItem(mark)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)

    def put(self, frame: Frame, pair: str) -> None:
        """Draw the pair's past as of this frame; leave out trades and fills older than the curve."""
        line = frame.mids[pair]
        times, values = np.frombuffer(line.times), np.frombuffer(line.values)
        trades = frame.trades.get(pair, [])
        fills = [fill for fill in frame.snapshot.fills.fills if fill.symbol == pair]
        drawn = (pair, line, trades, fills)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.mid.setData(times, values)
        if len(values):
            self.plot.setLimits(minYRange=values[-1] * SPAN_MIN)
        since = times[0] if len(times) else frame.snapshot.wall / 1e9
        dealt: dict[str, Sequence[TradeShown | FillShown]] = {"market": trades, "own": fills}
        for (whose, side), mark in self.marks.items():
            points = [(one.ts, float(one.price)) for one in dealt[whose] if one.side == side and one.ts >= since]
            mark.setData([ts for ts, _ in points], [price for _, price in points])

    def apply_look(self, look: Look, palette: QPalette) -> None:
        """Change the colours."""
        self.plot.setBackground(palette.base().color())
        text = palette.text().color()
        for name in ("left", "bottom"):
            axis = self.plot.getPlotItem().getAxis(name)
            axis.setPen(text)
            axis.setTextPen(text)
        legend = self.plot.getPlotItem().legend
        legend.setLabelTextColor(text)
        for _sample, label in legend.items:
            label.setText(label.text, color=text)
        self.mid.setPen(pg.mkPen(look.mid, width=2))
        for (whose, side), mark in self.marks.items():
            colour = pg.mkColor(look.buy if side == "buy" else look.sell)
            if whose == "market":
                colour.setAlpha(110)
            mark.setBrush(pg.mkBrush(colour))
            mark.setPen(pg.mkPen(text) if whose == "own" else pg.mkPen(None))
