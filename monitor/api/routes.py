"""Where everything is: one table, that the application and its description are both made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from monitor.api import controls
from monitor.api.controls import Controls
from monitor.api.queries import (
    AcceptBody,
    AlertTestBody,
    EmptyBody,
    FillsQuery,
    HaltBody,
    HistoryQuery,
    LogsQuery,
    NoQuery,
    PauseBody,
    RestartBody,
    ResumeBody,
)
from monitor.api.site import Site
from monitor.model import sections
from monitor.model.status_object import Status


@dataclass(frozen=True, slots=True)
class Read:
    """A path that only reads; without ``make`` it is the section named like the path, and takes no query."""

    path: str
    about: str
    answer: object
    query: type[msgspec.Struct] = NoQuery
    # Any: of the type in ``query``.
    make: Callable[[Site, Any], object] | None = None

    @property
    def section(self) -> str:
        """Return the name of the section that it answers."""
        return self.path.rpartition("/")[2]


READS: Final = (
    Read("/api/status", "the status object, as 'tradebyte status --json' prints it", Status),
    Read("/api/processes", "every process: state, figures, restarts", dict[str, sections.Process]),
    Read("/api/books", "every book: state, mid, spread, levels", dict[str, sections.BookShown]),
    Read("/api/orders", "own live orders and those ended in the last minute", sections.OrdersShown),
    Read("/api/fills", "own fills, oldest first", sections.FillsShown, FillsQuery, Site.fills),
    Read("/api/trades", "the market's last trades by pair, oldest first", dict[str, list[sections.TradeShown]]),
    Read("/api/positions", "positions, balances, each strategy's share", sections.PositionsShown),
    Read("/api/pnl", "profit by pair and in total", sections.ProfitShown),
    Read("/api/latency", "how long each hop takes, as histograms", sections.LatencyShown),
    Read("/api/alerts", "what holds now, and the recent alerts", sections.AlertsShown),
    Read("/api/logs", "warnings and worse of all processes, newest last", sections.LogsShown, LogsQuery, Site.logs),
    Read("/api/history", "figures since the start, downsampled", sections.HistoryShown, HistoryQuery, Site.history),
    Read("/api/control", "halted or not, flattening, sandbox, dry run", sections.ControlShown),
)


@dataclass(frozen=True, slots=True)
class Action:
    """A path that changes state, by POST with the token."""

    path: str
    about: str
    body: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    # Any: of the type in ``body``.
    run: Callable[[Controls, Any], Awaitable[object]]
    refusals: tuple[int, ...] = ()


ACTIONS: Final = (
    Action("/api/halt", "pull every order and place nothing more", HaltBody, controls.Halted, Controls.halt),
    Action("/api/resume", "end a halt, or one pause", ResumeBody, controls.Resumed, Controls.resume, (404,)),
    Action("/api/pause", "pull one pair or strategy, until resume", PauseBody, controls.Paused, Controls.pause, (404,)),
    Action("/api/accept", "take what is held of an asset as wanted", AcceptBody, controls.Accepted, Controls.accept),
    Action("/api/flatten", "close every position, then halt", EmptyBody, controls.Flattening, Controls.flatten),
    Action(
        "/api/restart",
        "stop and start a process, or all",
        RestartBody,
        controls.Restarted,
        Controls.restart,
        (404, 503, 504),
    ),
    Action(
        "/api/alert-test", "publish an alert that is only a test", AlertTestBody, controls.Tested, Controls.alert_test
    ),
)
