"""Sections of the API that the page reads: the path of each, and the type of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from monitor.model.sections import (
    AlertsShown,
    BookShown,
    FillsShown,
    HistoryShown,
    LatencyShown,
    LogsShown,
    OrdersShown,
    PositionsShown,
    Process,
    ProfitShown,
    TradeShown,
)
from monitor.model.status_object import Status

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Section(Generic[T]):
    """A path of the API, and what it answers."""

    path: str
    kind: type[T]

    @property
    def name(self) -> str:
        """Return the section's name, for people."""
        return self.path.rpartition("/")[2]


STATUS: Final = Section("/api/status", Status)
PROCESSES: Final = Section("/api/processes", dict[str, Process])
BOOKS: Final = Section("/api/books", dict[str, BookShown])
ORDERS: Final = Section("/api/orders", OrdersShown)
FILLS: Final = Section("/api/fills", FillsShown)
TRADES: Final = Section("/api/trades", dict[str, list[TradeShown]])
POSITIONS: Final = Section("/api/positions", PositionsShown)
PROFIT: Final = Section("/api/pnl", ProfitShown)
LATENCY: Final = Section("/api/latency", LatencyShown)
ALERTS: Final = Section("/api/alerts", AlertsShown)
LOGS: Final = Section("/api/logs", LogsShown)
HISTORY: Final = Section("/api/history", HistoryShown)
