"""The pairs that a pass looks at, so that its cost grows with what happened and not with all pairs.

A pair rests once a pass has looked at it. It wakes when one of its orders changes, a message about it comes, the time
that it rests until has come, or ``seen``, what all pairs depend on, changes. Everything that a pass reads for a pair
with nothing left to do must be among these four: else the pair would sleep through it. A pair that waits for anything
else is looked at again every ``LOOK_AGAIN_S``, however many passes the others' events cause.
"""

from __future__ import annotations

import heapq

from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.valuation import legs

OLD_KEPT = 16  # replaced entries that the heap may hold beyond as many as it has valid ones
LOOK_AGAIN_NS = int(limits.LOOK_AGAIN_S * SECOND)


class Agenda:
    """Leaves out the pairs that rest; times are ns of CLOCK_BOOTTIME."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._order = {symbol: place for place, symbol in enumerate(state.config.trading.pairs)}
        self._quotes = tuple(dict.fromkeys(legs(symbol)[1] for symbol in self._order))
        self._moved = state.registry.watch()
        self._awake: set[str] = set()
        self._unfinished: set[str] = set()  # those at rest that are looked at again before long
        self._rests_until: dict[str, int] = {}
        self._due: list[tuple[int, str]] = []
        self._seen: tuple[object, ...] = ()

    def symbols(self, seen: tuple[object, ...], now: int) -> list[str]:
        """Return the pairs to look at now, in the order of the configuration.

        ``seen`` is what all pairs depend on; this adds what it can see itself.
        """
        state = self.state
        rates = tuple(state.market.rates.is_valid(asset, now) for asset in self._quotes)
        seen = (
            *seen,
            state.market.pairs,
            state.controls.paused,
            tuple(state.account.holds.held),
            rates,
            self._is_settling(now),
        )
        if seen != self._seen:
            self._seen = seen
            self._awake = {*self._order, *state.registry.symbols()}
            self._unfinished.clear()
            self._rests_until.clear()
            self._due.clear()
        self._wake(self._moved)
        self._wake(state.market.take_moved_symbols())
        self._moved.clear()
        while self._due and (self._due[0][0] <= now or self._is_old(*self._due[0])):
            until, symbol = heapq.heappop(self._due)
            if not self._is_old(until, symbol):
                self._wake([symbol])
        if len(self._due) > 2 * len(self._rests_until) + OLD_KEPT:
            self._due = [(until, symbol) for symbol, until in self._rests_until.items()]
            heapq.heapify(self._due)
        last = len(self._order)
        return sorted(self._awake, key=lambda symbol: (self._order.get(symbol, last), symbol))

    def rest(self, symbol: str, until: int, now: int) -> None:
        """Leave a pair out until then, or until something wakes it; 0 if it waits for something that does not."""
        if not until:
            until = now + LOOK_AGAIN_NS
            self._unfinished.add(symbol)
        self._awake.discard(symbol)
        self._rests_until[symbol] = until
        heapq.heappush(self._due, (until, symbol))

    def next_due(self, now: int) -> int:
        """Return when a pass is next due for a pair if none is made before."""
        if self._unfinished:
            return now + LOOK_AGAIN_NS
        return self._due[0][0] if self._due else now + SECOND

    def _is_old(self, until: int, symbol: str) -> bool:
        """True for an entry that a later wake or rest of its pair has replaced."""
        return self._rests_until.get(symbol) != until

    def _wake(self, symbols: set[str] | list[str]) -> None:
        for symbol in symbols:
            self._awake.add(symbol)
            self._unfinished.discard(symbol)
            self._rests_until.pop(symbol, None)

    def _is_settling(self, now: int) -> bool:
        """True just after the start, when collector and books may not have been heard yet."""
        return now - self.state.life.started < limits.START_GRACE_S * SECOND
