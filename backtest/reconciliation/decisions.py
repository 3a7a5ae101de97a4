"""Recorded targets in the place of a strategy, each at the time at which the executor acted on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from backtest.reconciliation.bus import Bus, Said, last_before
from backtest.venue.loop import FAR
from shared.messages import Account, Message, Orders, Position, Target
from shared.process.effects import Effects


class Decisions:
    """Hands out targets when they are due, and keeps what the played executor says in ``heard``.

    A target's count of fills is the recorded executor's. The played one gets its own count of that time, less the fills
    that the recorded strategy did not know yet; and at least what had been filled there (``filled``: a symbol's number
    of fills until a time at the exchange) when the last fill that the strategy did know happened.
    """

    def __init__(
        self, due: Sequence[tuple[int, Target]], recorded: Bus, strategy: str, filled: Callable[[str, int], int]
    ) -> None:
        self.heard = Bus()
        self._due = list(due)
        self._recorded, self._filled = recorded, filled
        self._fill_times = _fill_times(recorded, strategy)
        self._next = 0
        self._fills: dict[str, int] = defaultdict(int)
        self._effects = Effects()

    def message(self, message: Message, now: int) -> None:
        """Take in one message of the bus; of the market nothing is needed."""
        if isinstance(message, Position):
            self._fills[message.symbol] = message.fills
        if isinstance(message, Position | Orders | Account):
            self.heard.take(now, message)

    def turn(self, now: int) -> None:
        """Hand out the targets that are due."""
        while self._next < len(self._due) and self._due[self._next][0] <= now:
            _, target = self._due[self._next]
            self._next += 1
            known = self._filled(target.symbol, self._fill_times.get((target.symbol, target.fills), 0))
            fills = max(self._fills[target.symbol] - self._unknown(target), known)
            # Of this clock: the engine's is the recording's.
            given = msgspec.structs.replace(target, fills=fills, clock="")
            self._effects.messages.append((f"target.{target.strategy}.{target.symbol}", given))

    def next_due(self, now: int) -> int:
        """Return when the next target is due."""
        return max(now, self._due[self._next][0]) if self._next < len(self._due) else FAR

    def take(self) -> Effects:
        """Return the effects since the last call."""
        taken, self._effects = self._effects, Effects()
        return taken

    def _unknown(self, target: Target) -> int:
        """Return how many fills the recorded executor had published that a target was not decided on."""
        positions: list[Said[Position]] = self._recorded.positions[target.strategy, target.symbol]
        place = last_before(positions, target.decided)
        return max(0, positions[place].message.fills - target.fills) if place >= 0 else 0


def _fill_times(recorded: Bus, strategy: str) -> dict[tuple[str, int], int]:
    """Return when a strategy's last fill happened (ns since the epoch), by symbol and count of fills."""
    times: dict[tuple[str, int], int] = {}
    for (name, symbol), positions in recorded.positions.items():
        if name == strategy and positions:
            first = positions[0]
            begin_ts = first.at + recorded.boot_to_wall
            later = sorted(
                (fill.ts, fill.fill_ts)
                for fill in recorded.fills
                if fill.strategy == strategy and fill.symbol == symbol and fill.ts > begin_ts
            )
            times |= {(symbol, first.message.fills + n): fill_ts for n, (_, fill_ts) in enumerate(later, 1)}
    return times
