"""The data of one frame of the window: a snapshot, and the chart's mids and trades. Immutable."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.desktop.curve import Curve, Line
from monitor.model.sections import TradeShown
from monitor.ui.snapshot import Snapshot, Watch
from shared.clock import SECOND
from shared.config import Config


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment. ``mids`` and ``trades`` are by pair, oldest first."""

    snapshot: Snapshot
    mids: dict[str, Line]
    trades: dict[str, list[TradeShown]]


class Framer:
    """Keeps the curves, and makes frames of them and each snapshot."""

    def __init__(self, config: Config) -> None:
        self.curves = {pair: Curve() for pair in config.trading.pairs}

    def frame(self, watch: Watch, snapshot: Snapshot) -> Frame:
        """Return the frame of ``snapshot``, which ``watch`` has just made."""
        for pair, book in snapshot.books.items():
            if book.mid is not None:
                self.curves[pair].add(snapshot.wall / SECOND, float(book.mid))
        mids = {pair: curve.line() for pair, curve in self.curves.items()}
        return Frame(snapshot, mids, watch.picture.market_trades())
