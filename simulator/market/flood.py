"""A market of very many pairs: changes of books that are rendered once and sent again and again, at a steady rate.

One order of each book changes its size in a cycle. Each message is true of the book and of the engine; only its text
and checksum are rendered ahead, and no crowd decides anything. Whatever else happens to a book (an account's order, a
fault) goes its usual way, and the cycle is rendered anew after it.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.exchange.engine import Side, resting_order
from simulator.exchange.venue.book import STAMP_NS, LevelChange, Run
from simulator.exchange.venue.venue import CROWD_FROM, Venue
from simulator.pairs.instrument import PairStatus
from simulator.wire import NS, iso

MESSAGES_A_SECOND = 15_000
STEP_NS = 2_000_000
# A stall is skipped, not caught up with.
LATE_MAX_NS = NS // 4
LEVELS = 12
SIZES = 8
_END = '"}]}'


class Cycle:
    """The changes of one pair's book, and where it stands in them."""

    def __init__(self, venue: Venue, now: int) -> None:
        self.venue = venue
        self._at = 0
        self._ns = -1
        self._number = CROWD_FROM
        self._price = self._filled = 0
        self._messages: list[tuple[int, int, str]] = []
        self._open(now)

    def _open(self, now: int) -> None:
        """Fill the book with levels of its pair's minimum and more."""
        venue = self.venue
        pair, self._engine = venue.pair, venue.engine
        middle = max(venue.last_price // pair.tick, LEVELS + 1)
        for level in range(1, LEVELS + 1):
            prices: dict[Side, int] = {"buy": middle - level, "sell": middle + level}
            for side, price in prices.items():
                self._number += 1
                venue.submit(self._number, 0, side, price * pair.tick, pair.qty_min * (3 + level), now, "gtc", True)
        self._rest(now)

    def _rest(self, now: int) -> None:
        """Put down the order that changes, on the bid of the last level of ten."""
        pair = self.venue.pair
        self._number += 1
        bids = self.venue.book.bids.keys
        self._price = -bids[min(len(bids), 10) - 1] if bids else pair.tick
        self.venue.submit(self._number, 0, "buy", self._price, pair.qty_min * 2, now, "gtc", True)

    def _render(self, now: int) -> bool:
        """Work out the messages of a whole cycle; False when there is no order to change."""
        venue = self.venue
        if venue.engine is not self._engine:
            self._open(now)
        resting = resting_order(venue.engine, self._number)
        if resting is None:
            self._rest(now)
            resting = resting_order(venue.engine, self._number)
            if resting is None:
                return False
        book, self._filled = venue.book, resting.filled
        others = book.bids.qty[self._price] - resting.remaining
        self._messages = []
        for size in range(SIZES):
            qty = venue.pair.qty_min * 2 + size
            book.set_level("buy", self._price, others + qty, book.changed_ns, None)
            run = Run("buy", book.checksum, {}, 0)
            text = book.update_text(run, [LevelChange(self._price, others + qty, 0, False)])
            self._messages.append((qty, run.checksum, text[: -len(iso(0)) - len(_END)]))
        book.set_level("buy", self._price, others + resting.remaining, book.changed_ns, None)
        self._others = others
        return True

    def play(self, now: int) -> None:
        """Send the next change."""
        venue, book = self.venue, self.venue.book
        if book.changed_ns != self._ns and not self._render(now):
            return
        self._at = (self._at + 1) % SIZES
        qty, checksum, text = self._messages[self._at]
        if venue.subscribed:
            # Other channels have subscribers: the change goes through the venue as usual.
            venue.amend(self._number, "buy", None, self._filled + qty, now)
            self._ns = book.changed_ns
            return
        venue.engine.amend(self._number, None, self._filled + qty)
        venue.engine.changes()
        ns = self._ns = max(now, book.changed_ns + STAMP_NS)
        book.set_level("buy", self._price, self._others + qty, ns, checksum)
        if venue.depths:
            message = f"{text}{iso(ns)}{_END}"
            venue.public += [("book", depth, message) for depth in venue.depths]


class Flood:
    """The cycles of all pairs, one after the other."""

    def __init__(self, venues: Iterable[Venue], now: int) -> None:
        self._cycles = [Cycle(venue, now) for venue in venues]
        self._next = 0
        self._done_ns = now

    def step(self, now: int) -> int:
        """Send what is due; return when to come back."""
        self._done_ns = max(self._done_ns, now - LATE_MAX_NS)
        due = (now - self._done_ns) * MESSAGES_A_SECOND // NS
        self._done_ns += due * NS // MESSAGES_A_SECOND
        cycles = [cycle for cycle in self._cycles if cycle.venue.status == PairStatus.ONLINE]
        for at in range(self._next, self._next + (due if cycles else 0)):
            cycles[at % len(cycles)].play(now)
        self._next = (self._next + due) % max(1, len(cycles))
        return now + STEP_NS

    def shift(self, by: int) -> None:
        """Move what is timed here when the clock is moved by so many ns."""
        self._done_ns += by
