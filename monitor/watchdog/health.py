"""Health of each process: well, dead or hung, and what to do about it.

Heartbeats, deaths and the time come in; alerts and restarts come out. Progress, not a pid, is what proves
life: a process that has a pid and no heartbeat *hangs*, and a strategy whose heartbeat goes on but that processes no
message is *unresponsive*. supervisord restarts the dead; this restarts the hung, never more than once a minute each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from monitor.model.alerting.alerts import Begin, Condition, End, Say
from shared import limits
from shared.clock import SECOND
from shared.messages import Heartbeat, ProcessState

# A process's own watchdog ends it at limits.WATCHDOG_S; this is for one that even that does not reach (stopped,
# or stuck in the kernel).
HUNG_S: Final = 15.0
UNRESPONSIVE_S: Final = 30.0
# Enough to start everything at once on a busy machine; a process not heard by then did not start.
ABSENT_S: Final = 30.0
RESTART_EVERY_S: Final = 60.0
# While the path is dead there is nothing to process, and that is not the strategy's fault.
PATH_NEWS_S: Final = 5.0
CRASHES: Final = 5
CRASHES_WITHIN_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Restart:
    """A process to restart, by the pid that hangs."""

    process: str
    pid: int
    why: str


Action = Begin | End | Say | Restart


@dataclass(slots=True)
class _Watched:
    """One process: its newest heartbeat, and what has been said and done about it."""

    beat: Heartbeat
    heard_at: int
    progress_at: int
    # Its pid is known to have ended; a newer pid clears it.
    ended: bool = False
    reported_dead: bool = False
    restarted_at: int | None = None
    deaths: deque[int] = field(default_factory=lambda: deque(maxlen=CRASHES))


class Health:
    """Watches the processes of one configuration. Times are ns of CLOCK_BOOTTIME."""

    def __init__(self, names: Iterable[str], host: str) -> None:
        self._names = frozenset(names)
        self._host = host
        self._watched: dict[str, _Watched] = {}
        self._began: int | None = None
        # Not heard since the monitor started, and reported.
        self._absent: set[str] = set()
        self._path_news_at: int | None = None
        self._halted: str | None = None

    def heard(self, beat: Heartbeat, now: int) -> list[Action]:
        """Take in a heartbeat; return the alert that a dead process is back, if it is."""
        if beat.process not in self._names:
            return []
        watched = self._watched.get(beat.process)
        if watched is None:
            self._watched[beat.process] = _Watched(beat, now, now)
            if beat.process not in self._absent:
                return []
            self._absent.remove(beat.process)
            return [End(beat.process, f"{beat.process} is there as pid {beat.pid}")]
        actions: list[Action] = []
        fresh = beat.boot != watched.beat.boot
        if fresh or beat.messages_in != watched.beat.messages_in:
            watched.progress_at = now
        is_known = watched.ended or watched.reported_dead or watched.beat.state is ProcessState.STOPPING
        if fresh and not is_known:
            # Died and came back between two heartbeats, before its pidfd was read.
            actions += self._death(watched, now)
        if watched.reported_dead:
            actions.append(End(beat.process, f"{beat.process} is back as pid {beat.pid}"))
        watched.reported_dead = False
        watched.ended = watched.ended and not fresh
        watched.beat, watched.heard_at = beat, now
        return actions

    def path_news(self, now: int) -> None:
        """Note a new ``book.status``: there is something for strategies to process."""
        self._path_news_at = now

    def ended(self, process: str, pid: int, now: int) -> list[Action]:
        """Take in that the pid of a process has ended (its pidfd says so)."""
        watched = self._watched.get(process)
        if watched is None or watched.beat.pid != pid or watched.ended:
            return []
        watched.ended = True
        if watched.beat.state is ProcessState.STOPPING:
            return []
        return self._death(watched, now)

    def turn(self, now: int, halted: str | None) -> list[Action]:
        """Return what is due by now; ``halted`` is the text of data/HALT, None when it is not there."""
        actions = [*self._halt_changed(halted), *self._never_heard(now)]
        for process, watched in self._watched.items():
            silent_s = (now - watched.heard_at) / SECOND
            if silent_s > limits.HEARTBEAT_DEAD_S and not watched.reported_dead:
                watched.reported_dead = True
                if not (watched.ended or watched.beat.state is ProcessState.STOPPING):
                    text = f"{process} (pid {watched.beat.pid}) lives but has not been heard for {silent_s:.0f} s"
                    actions.append(_lost(process, "process-silent", text))
            # Only processes of this machine can be restarted, and a dead one is supervisord's.
            if watched.ended or watched.beat.host != self._host:
                continue
            if silent_s > HUNG_S:
                actions += self._restart(watched, now, "hung", f"no heartbeat for {silent_s:.0f} s")
            elif self._is_unresponsive(watched, now):
                idle_s = (now - watched.progress_at) / SECOND
                actions += self._restart(watched, now, "unresponsive", f"no message processed for {idle_s:.0f} s")
        return actions

    def _never_heard(self, now: int) -> list[Action]:
        """Return what did not start, or died before this process did, has no heartbeat that could end."""
        if self._began is None:
            self._began = now
        waited_s = (now - self._began) / SECOND
        if waited_s <= ABSENT_S:
            return []
        absent = sorted(self._names - self._watched.keys() - self._absent)
        self._absent.update(absent)
        text = "{0} has not been heard since the monitor started {1:.0f} s ago; see logs/{0}.log and {0}.out.log"
        return [_lost(name, "process-silent", text.format(name, waited_s)) for name in absent]

    def _is_unresponsive(self, watched: _Watched, now: int) -> bool:
        path_alive = self._path_news_at is not None and now - self._path_news_at < PATH_NEWS_S * SECOND
        return (
            watched.beat.process.startswith("strategy.")
            and path_alive
            and watched.beat.state not in (ProcessState.STARTING, ProcessState.STOPPING)
            and now - watched.progress_at > UNRESPONSIVE_S * SECOND
        )

    def _restart(self, watched: _Watched, now: int, kind: str, why: str) -> list[Action]:
        if watched.restarted_at is not None and now - watched.restarted_at < RESTART_EVERY_S * SECOND:
            return []
        watched.restarted_at = now
        process, pid = watched.beat.process, watched.beat.pid
        return [
            Say("critical", kind, f"{process} (pid {pid}) is {kind}: {why}; restarting it"),
            Restart(process, pid, why),
        ]

    def _death(self, watched: _Watched, now: int) -> list[Action]:
        """Return what follows when a process ended without a notice."""
        watched.reported_dead = True
        watched.deaths.append(now)
        process, pid = watched.beat.process, watched.beat.pid
        actions: list[Action] = [_lost(process, "process-dead", f"{process} (pid {pid}) died; see logs/{process}.log")]
        if len(watched.deaths) == CRASHES and now - watched.deaths[0] < CRASHES_WITHIN_S * SECOND:
            within_s = (now - watched.deaths[0]) / SECOND
            text = f"{process} died {CRASHES} times in {within_s:.0f} s; see logs/{process}.log and {process}.out.log"
            actions.append(Say("critical", "crash-loop", text))
            watched.deaths.clear()
        return actions

    def _halt_changed(self, halted: str | None) -> list[Action]:
        was, self._halted = self._halted, halted
        if halted is not None and was is None:
            text = f"trading is halted: {halted}; 'tradebyte resume' ends it"
            return [Begin("halt", Condition("halted", text, "trading is no longer halted"))]
        if halted is None and was is not None:
            return [End("halt")]
        return []


def _lost(process: str, kind: str, text: str) -> Begin:
    """Return the trouble of a process that nobody hears, until it is back."""
    return Begin(process, Condition("process", text, f"{process} is back", kind))
