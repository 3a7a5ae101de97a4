"""Recorded targets in the place of a strategy, each at the time at which the executor acted on it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from backtest.reconciliation.bus import Bus, Said, last_before
from backtest.venue.loop import FAR
from shared.messages import Account, Message, Orders, Position, Target
from shared.process.effects import Effects

# When own fills of a symbol happened at the exchange, ns since the epoch, in order.
FillTimes = Callable[[str], Sequence[int]]
US = 1000


class Decisions:
    """Hands out targets when they are due, and keeps what the played executor says in ``heard``.

    A target's count of fills is the recorded executor's. The played one gets its own: those that it had reported when
    the target was decided, without those that the strategy did not know then, though they had happened; and at least
    those up to the last fill that the strategy did know, of which the report may come a little later than it did.
    """

    def __init__(self, due: Sequence[tuple[int, Target]], recorded: Bus, strategy: str, fill_times: FillTimes) -> None:
        self.heard = Bus()
        self._due = list(due)
        self._boot_to_wall, self._fill_times = recorded.boot_to_wall, fill_times
        self._counted = _counted(recorded, strategy)
        self._next = 0
        self._effects = Effects()

    def message(self, message: Message, now: int) -> None:
        """Take in one message of the bus; of the market nothing is needed."""
        if isinstance(message, Position | Orders | Account):
            self.heard.take(now, message)

    def turn(self, now: int) -> None:
        """Hand out the targets that are due."""
        while self._next < len(self._due) and self._due[self._next][0] <= now:
            _, target = self._due[self._next]
            self._next += 1
            # Of this clock: the engine's is the recording's.
            given = msgspec.structs.replace(target, fills=self._fills(target), clock="")
            self._effects.messages.append((f"target.{target.strategy}.{target.symbol}", given))

    def next_due(self, now: int) -> int:
        """Return when the next target is due."""
        return max(now, self._due[self._next][0]) if self._next < len(self._due) else FAR

    def take(self) -> Effects:
        """Return the effects since the last call."""
        taken, self._effects = self._effects, Effects()
        return taken

    def _fills(self, target: Target) -> int:
        """Return a target's count of fills as the played executor counts."""
        times = [ts // US for ts in self._fill_times(target.symbol)]
        reported = _count(self.heard.positions[target.strategy, target.symbol], target.decided)
        first, moments = self._counted.get(target.symbol, (0, []))
        known = moments[: max(0, target.fills - first)]
        decided = (target.decided + self._boot_to_wall) // US
        unknown = Counter(moment for moment in moments[len(known) :] if moment < decided)
        reported -= (Counter(times[:reported]) & unknown).total()
        if not known:
            return reported
        happened = bisect_left(times, known[-1]) + min(known.count(known[-1]), times.count(known[-1]))
        return max(reported, happened)


def _count(positions: list[Said[Position]], at: int) -> int:
    """Return the count of fills as last published at a time."""
    place = last_before(positions, at)
    return positions[place].message.fills if place >= 0 else 0


def _counted(recorded: Bus, strategy: str) -> dict[str, tuple[int, list[int]]]:
    """Return, by symbol, a strategy's count of fills at the start, and when each after it happened, in that order.

    A moment is in us since the epoch, since the exchange states no finer time.
    """
    counted: dict[str, tuple[int, list[int]]] = {}
    for (name, symbol), positions in recorded.positions.items():
        if name == strategy and positions:
            begin_ts = positions[0].at + recorded.boot_to_wall
            theirs = [fill for fill in recorded.fills if (fill.strategy, fill.symbol) == (strategy, symbol)]
            moments = sorted(fill.fill_ts // US for fill in theirs if fill.ts > begin_ts)
            counted[symbol] = positions[0].message.fills, moments
    return counted
