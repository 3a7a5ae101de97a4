"""The contents of the screen at one moment, made from the picture of the bus.

The reader makes one a few times a second in its own thread; it is never changed, so that the screen needs no lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monitor.model import troubles
from monitor.model.picture import Picture
from monitor.model.sections import (
    AlertsShown,
    BookShown,
    ControlShown,
    FillsShown,
    LatencyShown,
    LogsShown,
    OrdersShown,
    PositionsShown,
    Process,
    ProfitShown,
)
from monitor.model.troubles import Trouble
from monitor.model.view import DEAD, FOREIGN
from shared import limits
from shared.bus import Received
from shared.clock import SECOND
from shared.config import Config

Heard = Literal["listening", "up", "down"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that can be seen; ``wall`` is ns since the epoch, ``silent_s`` how long no process was heard.

    ``missed`` counts messages that did not reach this screen; ``note`` says what of it could not be had.
    """

    wall: int
    heard: Heard
    silent_s: float
    processes: dict[str, Process]
    books: dict[str, BookShown]
    orders: OrdersShown
    fills: FillsShown
    profit: ProfitShown
    positions: PositionsShown
    latency: LatencyShown
    alerts: AlertsShown
    logs: LogsShown
    control: ControlShown
    troubles: Sequence[Trouble] = ()
    missed: int = 0
    note: str = ""

    @property
    def open_orders(self) -> int:
        """Return how many own orders may still trade, as last heard."""
        return sum(order.is_live and order.strategy != FOREIGN for order in self.orders.orders)

    def is_heard(self, process: str) -> bool:
        """True if a process has been heard lately."""
        return process in self.processes and self.processes[process].state != DEAD


class Watch:
    """Takes messages in and makes snapshots. ``now`` is ns of CLOCK_BOOTTIME."""

    def __init__(self, config: Config, now: int) -> None:
        self.picture = Picture(config)
        self._began = now
        self._turn_due = now
        self._latency = self.picture.hops()
        self._was_up = False

    def take(self, received: Received, now: int) -> None:
        """Take in one message."""
        self.picture.take(received, now)

    def look(self, now: int, wall: int, halted: str | None, *, flattening: bool) -> Snapshot:
        """Return a snapshot of now; ``halted`` is the text of data/HALT."""
        picture = self.picture
        if now >= self._turn_due:
            self._turn_due = now + SECOND
            picture.turn(now, wall)
            self._latency = picture.hops()
        newest = max((heard.at for heard in picture.view.heartbeats.values()), default=self._began)
        silent_s = max(0, now - newest) / SECOND
        return Snapshot(
            wall=wall,
            heard=self._heard(now, silent_s),
            silent_s=silent_s,
            processes=picture.processes(now),
            books=picture.books(wall),
            orders=picture.orders(now),
            fills=picture.own_fills(most=limits.VIEW_ROWS),
            profit=picture.profit(now),
            positions=picture.positions(now),
            latency=self._latency,
            alerts=picture.alerts_shown(now, wall),
            logs=picture.lines(most=limits.VIEW_ROWS),
            control=picture.control(halted, flattening=flattening),
            troubles=troubles.troubles(picture.status(now, wall, halted), wall),
        )

    def _heard(self, now: int, silent_s: float) -> Heard:
        """Return whether the system is up; "listening" until a first heartbeat could have come (up to two beats)."""
        if not self.picture.view.heartbeats or not self._was_up:
            waited = now - self._began >= limits.VIEW_LISTEN_S * SECOND
            if not waited and not self.picture.view.is_complete:
                return "listening"
        if not self.picture.view.heartbeats or silent_s > limits.HEARTBEAT_DEAD_S:
            return "down"
        self._was_up = True
        return "up"


def counted(snapshot: Snapshot, missed: int, note: str) -> Snapshot:
    """Return the same snapshot with what the reader itself knows."""
    return replace(snapshot, missed=missed, note=note)
