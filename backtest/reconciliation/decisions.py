"""Recorded targets in the place of a strategy, each at the time at which the executor acted on it."""

from __future__ import annotations

from collections import defaultdict
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

    A target's count of fills is the recorded executor's. The played one gets its own count when the target was decided,
    less the fills that the strategy did not know yet; and at least those that happened there up to the last fill that
    the strategy did know, of which the report may come a little later than it did.
    """

    def __init__(self, due: Sequence[tuple[int, Target]], recorded: Bus, strategy: str, fill_times: FillTimes) -> None:
        self.heard = Bus()
        self._due = list(due)
        self._recorded, self._fill_times = recorded, fill_times
        self._known = _known_fills(recorded, strategy)
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
        key = target.strategy, target.symbol
        unknown = max(0, _count(self._recorded.positions[key], target.decided) - target.fills)
        reported = max(0, _count(self.heard.positions[key], target.decided) - unknown)
        last = self._known.get((target.symbol, target.fills))
        if last is None:
            return reported
        moment, at_once = last
        times = [ts // US for ts in self._fill_times(target.symbol)]
        happened = sum(ts < moment for ts in times) + min(at_once, times.count(moment))
        return max(reported, happened)


def _count(positions: list[Said[Position]], at: int) -> int:
    """Return the count of fills as last published at a time."""
    place = last_before(positions, at)
    return positions[place].message.fills if place >= 0 else 0


def _known_fills(recorded: Bus, strategy: str) -> dict[tuple[str, int], tuple[int, int]]:
    """Return, by symbol and count, when a strategy's last fill happened, and how many so far happened at that moment.

    The moment is in us since the epoch, since the exchange states no finer time.
    """
    known: dict[tuple[str, int], tuple[int, int]] = {}
    for (name, symbol), positions in recorded.positions.items():
        if name != strategy or not positions:
            continue
        count, at_once = positions[0].message.fills, defaultdict[int, int](int)
        begin_ts = positions[0].at + recorded.boot_to_wall
        theirs = [fill for fill in recorded.fills if (fill.strategy, fill.symbol) == (strategy, symbol)]
        for fill in sorted(theirs, key=lambda fill: fill.ts):
            if fill.ts > begin_ts:
                count += 1
                at_once[fill.fill_ts // US] += 1
                known[symbol, count] = fill.fill_ts // US, at_once[fill.fill_ts // US]
    return known
