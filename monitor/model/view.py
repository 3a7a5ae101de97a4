"""The state of the bus now: the newest heartbeat of each process and the newest of everything else.

Messages and the time come in, and parts of the status object come out. Both the monitor and the commands keep one.
Bounded by the configuration: processes, pairs and strategies that are not in it are counted and left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import msgspec

from monitor.model.status_object import AssetShown, RateShown, StatusBook, StatusProcess
from shared import limits, numbers
from shared.bus import Received
from shared.clock import MS, SECOND
from shared.config import Config
from shared.messages import (
    Account,
    Book,
    BookState,
    BookStatus,
    Control,
    FeedStatus,
    Heartbeat,
    Instruments,
    Order,
    Orders,
    OrderState,
    Position,
)

LIVE_ORDER_STATES = frozenset({OrderState.SENT, OrderState.OPEN, OrderState.UNKNOWN, OrderState.CANCELLING})
DEAD = "dead"
# The strategy of orders on the account that are not ours.
FOREIGN = "account"


@dataclass(slots=True)
class Heard:
    """A process's newest heartbeat and when it was heard (ns of CLOCK_BOOTTIME)."""

    beat: Heartbeat
    at: int


def live_orders(orders: Orders) -> list[Order]:
    """Return the orders of a message that may still trade."""
    return [order for order in orders.orders if order.state in LIVE_ORDER_STATES]


class View:
    """The newest of everything. ``now`` is ns of CLOCK_BOOTTIME, ``wall`` ns since the epoch."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._names = config.process_names
        self._pairs = config.trading.pairs
        self.heartbeats: dict[str, Heard] = {}
        self.books: dict[str, Book] = {}
        self.book_status: BookStatus | None = None
        self.feed_status: FeedStatus | None = None
        self.instruments: Instruments | None = None
        self.orders: dict[str, Orders] = {}
        self.positions: dict[tuple[str, str], Position] = {}
        self.account: Account | None = None
        self.control: Control | None = None
        # How many restarts of each process were seen.
        self.restarts: Counter[str] = Counter()
        # Messages about names outside the configuration, such as another configuration's strategy.
        self.strangers = 0

    def take(self, received: Received, now: int) -> None:
        """Take in one message; kinds that the view does not show are passed over."""
        match received.message:
            case Heartbeat() as beat:
                if self._known(received.rest in self._names and beat.process == received.rest):
                    known = self.heartbeats.get(beat.process)
                    self.restarts[beat.process] += known is not None and known.beat.boot != beat.boot
                    self.heartbeats[beat.process] = Heard(beat, now)
            case BookStatus() as status:
                self.book_status = status
            case FeedStatus() as status:
                self.feed_status = status
            case Instruments() as instruments:
                self.instruments = instruments
            case Book() as book:
                if self._known(book.symbol in self._pairs):
                    self.books[book.symbol] = book
            case Orders() as orders:
                if self._known(orders.symbol in self._pairs):
                    self.orders[orders.symbol] = orders
            case Position() as position:
                if self._known(position.symbol in self._pairs and position.strategy in self.config.strategies):
                    self.positions[position.strategy, position.symbol] = position
            case Account() as account:
                self.account = account
            case Control() as control:
                self.control = control
            case _:
                pass

    def _known(self, known: bool) -> bool:
        self.strangers += not known
        return known

    @property
    def is_complete(self) -> bool:
        """True if everything that the status object shows has been heard."""
        return (
            all(name in self.heartbeats for name in self._names)
            and self.book_status is not None
            and self.feed_status is not None
            and self.instruments is not None
            and all(pair in self.books and pair in self.orders for pair in self._pairs)
            and self.account is not None
        )

    def state_of(self, name: str, now: int) -> str:
        """Return a process's own state, or ``dead`` when unheard for 3 s."""
        return DEAD if self.silence(name, now) else str(self.heartbeats[name].beat.state)

    def silence(self, name: str, now: int) -> str:
        """Return why a process's last message may be outdated; empty while it is heard."""
        heard = self.heartbeats.get(name)
        if heard is None:
            return f"{name} has not been heard"
        unheard_s = (now - heard.at) / SECOND
        return f"{name} was last heard {unheard_s:.0f} s ago" if unheard_s > limits.HEARTBEAT_DEAD_S else ""

    def own_orders(self) -> list[Order]:
        """Return our orders that may still trade, unknown ones included; those of others on the account are not."""
        return [order for orders in self.orders.values() for order in live_orders(orders) if order.strategy != FOREIGN]

    @property
    def open_orders(self) -> int:
        """Return how many orders of ours may still trade."""
        return len(self.own_orders())

    def orders_known(self, now: int) -> bool:
        """True if the executor is heard and has published every pair, reconciled."""
        return self.orders_published and not self.silence("executor", now)

    @property
    def orders_published(self) -> bool:
        """True if the executor has published every pair, reconciled, however long ago."""
        return all(pair in self.orders and self.orders[pair].valid for pair in self._pairs)

    def book_state(self, symbol: str, wall: int) -> tuple[BookState, str]:
        """Return a book's state and why; silent if its publisher is not heard for 1 s, whatever it said last."""
        status = self.book_status
        if status is None:
            return BookState.SILENT, "the book process has not been heard"
        unheard_s = (wall - status.ts) / SECOND
        if unheard_s > limits.PATH_DEAD_S:
            return BookState.SILENT, f"the book process was last heard {unheard_s:.0f} s ago"
        info = status.books.get(symbol)
        if info is None:
            return BookState.SYNCING, "the book process does not know it yet"
        return info.state, info.why or ("no update for 60 s" if info.stale else "")

    def position_texts(self) -> dict[str, str]:
        """Return what the fills on each pair add up to, as decimal text; empty while the account is not heard of."""
        known = self.account.positions if self.account is not None else {}
        return {pair: known[pair] for pair in self._pairs if pair in known}

    def asset_rows(self) -> dict[str, AssetShown]:
        """Return each traded base: its position over all pairs, its worth, its inventory, and why it is held."""
        rows = self.account.assets if self.account is not None else {}
        return {name: AssetShown(**msgspec.structs.asdict(row)) for name, row in rows.items()}

    def rate_rows(self) -> dict[str, RateShown]:
        """Return what each asset of the pairs is worth in the currency, and whether that is valid."""
        rates = self.account.rates if self.account is not None else {}
        return {name: RateShown(**msgspec.structs.asdict(rate)) for name, rate in rates.items()}

    def process(self, name: str, now: int) -> StatusProcess:
        """Return a process as the status object shows it."""
        heard = self.heartbeats.get(name)
        state = self.state_of(name, now)
        if heard is None:
            return StatusProcess(state=state, why="never heard", restarts=0)
        beat, age_s = heard.beat, round((now - heard.at) / SECOND, 3)
        memory = beat.details.get("memory_percent")
        return StatusProcess(
            state=state,
            why=f"last heard {age_s:.0f} s ago" if state == DEAD else beat.why,
            pid=beat.pid,
            boot=beat.boot,
            uptime_s=beat.uptime_s,
            heartbeat_age_s=age_s,
            rss_mb=beat.rss_mb,
            gaps=beat.gaps,
            drops=beat.drops,
            loop_lag_ms=beat.loop_lag_ms,
            restarts=self.restarts[name],
            memory_percent=memory if isinstance(memory, int | float) else None,
        )

    def book(self, symbol: str, wall: int) -> StatusBook:
        """Return a book as the status object shows it."""
        state, why = self.book_state(symbol, wall)
        status = self.book_status
        info = status.books.get(symbol) if status else None
        book = self.books.get(symbol)
        touch = book if book is not None and state is BookState.LIVE and book.state is BookState.LIVE else None
        return StatusBook(
            state=str(state),
            age_ms=info.age_ms + max(0, wall - status.ts) // MS if info and status else None,
            bid=numbers.text(touch.bids[0][0], touch.price_precision) if touch and touch.bids else None,
            ask=numbers.text(touch.asks[0][0], touch.price_precision) if touch and touch.asks else None,
            checksums_ok=info.checksums_ok if info else 0,
            checksums_failed=info.checksums_failed if info else 0,
            coverage_bps=(info.coverage_bps or None) if info else None,
            stale=info.stale if info else False,
            why=why,
        )
