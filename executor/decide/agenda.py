"""The pairs that a pass looks at: something happened to them, they are not settled, or their time came.

Whatever a pass goes by for a pair must be in ``seen``, wake the pair (its order noted, a message of it heard), or have
its time in what it rests until: else the pair stays asleep.
"""

from __future__ import annotations

import heapq

from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.valuation import legs

OLD_KEPT = 16


class Agenda:
    """Pairs that rest are left out until something happens to them; times are ns of CLOCK_BOOTTIME."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._order = {symbol: place for place, symbol in enumerate(state.config.trading.pairs)}
        self._quotes = tuple(dict.fromkeys(legs(symbol)[1] for symbol in self._order))
        self._moved = state.registry.watch()
        self._awake: set[str] = set()
        self._rests_until: dict[str, int] = {}
        self._due: list[tuple[int, str]] = []
        self._seen: tuple[object, ...] = ()

    def symbols(self, seen: tuple[object, ...], now: int) -> list[str]:
        """Return the pairs to look at now, in the order of the configuration; ``seen`` is what all pairs go by."""
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
        if seen != self._seen or self._is_settling(now):
            self._seen = seen
            self._awake = {*self._order, *state.registry.symbols()}
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

    def rest(self, symbol: str, until: int) -> None:
        """Leave a pair out until then, or until something happens to it; 0 keeps it."""
        if until:
            self._awake.discard(symbol)
            self._rests_until[symbol] = until
            heapq.heappush(self._due, (until, symbol))

    def _is_old(self, until: int, symbol: str) -> bool:
        """True for an entry of a pair that was woken, or put off, since."""
        return self._rests_until.get(symbol) != until

    def _wake(self, symbols: set[str] | list[str]) -> None:
        for symbol in symbols:
            self._awake.add(symbol)
            self._rests_until.pop(symbol, None)

    def _is_settling(self, now: int) -> bool:
        """True just after the start, while the paths are still to be heard."""
        return now - self.state.life.started < limits.START_GRACE_S * SECOND
