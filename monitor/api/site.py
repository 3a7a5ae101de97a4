"""Every section of the picture as of now, encoded once for all requests of about the same time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final, Literal, get_args

import msgspec

from monitor.api.queries import FillsQuery, HistoryQuery, LogsQuery
from monitor.errors import Problem
from monitor.model import halted
from monitor.model.picture import Picture
from monitor.model.sections import ControlShown, FillsShown, HistoryShown, LogsShown
from monitor.model.status_object import Health, Status
from shared import halt as switch, limits
from shared.clock import SECOND, boot_ns, wall_ns
from shared.config import Config
from shared.messages import ProcessState

# The stream's sections, and those of them that change all the time.
SectionName = Literal[
    "status",
    "processes",
    "books",
    "orders",
    "fills",
    "trades",
    "positions",
    "pnl",
    "latency",
    "alerts",
    "logs",
    "control",
]
SECTIONS: Final[tuple[SectionName, ...]] = get_args(SectionName)
SLOW_SECTIONS: Final = frozenset({"status", "processes", "latency"})


@dataclasses.dataclass(slots=True)
class Site:
    """The picture and the configuration; ``metrics`` makes Prometheus' page."""

    config: Config
    picture: Picture
    metrics: Callable[[], bytes]
    _fresh: dict[str, tuple[int, bytes]] = dataclasses.field(default_factory=dict)

    def status(self) -> Status:
        """Return the status object as of now."""
        return self.picture.status(boot_ns(), wall_ns(), halted.text(self.config))

    def control(self) -> ControlShown:
        """Return the switches that are on."""
        why = halted.text(self.config)
        # A halt ends a flatten, whether its file is gone yet or not.
        is_flattening = why is None and switch.is_halted(self.config.flatten_file)
        return self.picture.control(why, flattening=is_flattening)

    def section(self, name: str) -> object:
        """Return a section as of now, as GET without a query shows it."""
        picture, now, wall = self.picture, boot_ns(), wall_ns()
        match name:
            case "status":
                return self.status()
            case "processes":
                return picture.processes(now)
            case "books":
                return picture.books(wall)
            case "orders":
                return picture.orders(now)
            case "fills":
                return self.fills(FillsQuery())
            case "trades":
                return picture.market_trades()
            case "positions":
                return picture.positions(now)
            case "pnl":
                return picture.profit(now)
            case "latency":
                return picture.hops()
            case "alerts":
                return picture.alerts_shown(now, wall)
            case "logs":
                return self.logs(LogsQuery())
            case "control":
                return self.control()
        raise KeyError(name)

    def encoded(self, name: str) -> bytes:
        """Return a section as JSON, at most :data:`limits.API_FRESH_S` old."""
        now = boot_ns()
        made, raw = self._fresh.get(name, (0, b""))
        if not made or now - made > limits.API_FRESH_S * SECOND:
            raw = msgspec.json.encode(self.section(name))
            self._fresh[name] = (now, raw)
        return raw

    def forget(self) -> None:
        """Forget what is encoded, since an action made it old."""
        self._fresh.clear()

    def fills(self, query: FillsQuery) -> FillsShown:
        """Return the newest own fills."""
        pairs = self.config.trading.pairs
        if query.symbol and query.symbol not in pairs:
            raise Problem(404, "no_such_pair", f"{query.symbol!r} is not traded here", f"there are {', '.join(pairs)}")
        return self.picture.own_fills(query.symbol, query.limit)

    def logs(self, query: LogsQuery) -> LogsShown:
        """Return the newest warnings and errors."""
        names = self.config.process_names
        if query.process and query.process not in names:
            text = f"there is no process {query.process!r} here"
            raise Problem(404, "no_such_process", text, f"there are {', '.join(names)}")
        return self.picture.lines(query.process, query.level, query.limit)

    def history(self, query: HistoryQuery) -> HistoryShown:
        """Return the past of some series, or the names of all."""
        names = dict.fromkeys(name for name in query.series.split(",") if name)
        known = set(self.picture.history.names)
        unknown = [name for name in names if name not in known]
        if unknown:
            text = f"there is no series {unknown[0]!r}"
            raise Problem(404, "no_such_series", text, "GET /api/history without 'series' lists them")
        return self.picture.past(names, query.points, query.since_ts)

    def health(self) -> tuple[int, Health]:
        """Return the HTTP status and the body of ``/health``."""
        return health(self.status())


def health(status: Status) -> tuple[int, Health]:
    """Return the answer to ``/health``: 200 when every process is ready and no wanted quote is refused, else 503."""
    refused = [f"{slot.strategy} {slot.symbol} {slot.slot}" for slot in status.empty_slots if slot.refused]
    waiting = [name for name, process in status.processes.items() if process.state != ProcessState.READY]
    body = Health(
        healthy=not waiting and not refused,
        not_ready=waiting,
        refused=refused,
        halted=status.halted,
        processes={name: process.state for name, process in status.processes.items()},
        books={symbol: book.state for symbol, book in status.books.items()},
    )
    return (200 if body.healthy else 503), body
