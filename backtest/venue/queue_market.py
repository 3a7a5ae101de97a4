"""A market whose book is recorded and in which only our own orders are live: the reference that Rust's has to equal.

The record cannot react to us, and never says where in a queue something was cancelled. So an own order has a place:
``ahead``, the recorded quantity before it at its price. The rules:

- **Messages.** Rows are played in whole messages: up to a row that is the last of its message, a mark, or the last of
  its symbol and time. After each, the sides are trimmed to the depth: the record has no changes beyond it.
- **Submit.** A post-only order that the recorded book or an own order crosses is cancelled. A taker takes recorded
  levels and own orders best first, each level in the order of its queue. What it took stays deducted from the level
  (``taken``) until the record removes the level or a snapshot comes. An order rests behind what is visible at its
  price; at a price that the record does not follow, worse than the worst of ``depth`` levels, its place is unknown.
- **Trade** of V at P. Own orders at better prices meet the taker first (``through_fills``). What is left eats the
  quantity ahead at P, then fills our orders in their order, partly too. The level is reduced by V at once: trades come
  before the book change that they cause. What we took of V does not come back to others. An order whose place is
  unknown is filled by trades at worse prices only; the ``front`` model has it first at its price.
- **Level** at P becomes Q. What is missing was cancelled, ahead of us or behind by the model (``queue_models``); what
  is added is behind us. ``ahead`` is never above Q.
- **Window.** When the record comes to show the price of an order whose place was unknown, all that stands there is
  ahead. A known place keeps its ``ahead`` when its level leaves the window; back in it, ``ahead`` is at most what
  stands there.
- **Gap.** From a mark to the next snapshot the symbol is not live: nothing is filled from the record, orders rest with
  their place unknown, and post-only is decided by the last book known. The snapshot then counts like a level that
  enters the window.
- **Crossed.** When the record's other side stands at our price or better at the end of a message, we are filled at our
  price up to what is visible there (``crossed_fills``), and that counts as taken.
- **Single orders.** From a snapshot of single orders on (level 3) the record names each order, and no model is asked.
  An own order stands behind the orders that stood at its price when it came, and in front of all that come later. One
  before it that leaves or gets smaller moves it up; one that grows or comes back from another price goes behind it. A
  trade eats the orders from the front; the change that it causes makes none larger. Orders that come back with their
  level, or with the snapshot after a gap, stand where they stood. At the first such snapshot, all that stands at an own
  order's price is ahead.
- **Own orders at one level** trade in their order; each counts only recorded quantity ahead, never less than the one
  before it.
"""

from __future__ import annotations

from dataclasses import asdict
from enum import IntFlag
from itertools import count

from backtest.data.columns import Flag, Kind
from backtest.venue.queue_book import QueueBook
from backtest.venue.queue_models import POWER_MAX, QueueModel
from backtest.venue.queue_orders import RECORDED_IDS_FROM, check_id, check_range, to_side
from backtest.venue.rows import ReadableBuffer, Row, to_rows
from simulator.errors import EngineError
from simulator.exchange.engine import ID_MAX, Event, Side

SYMBOLS_MAX = 1 << 16
TIME_MIN = -(1 << 63)


class Stop(IntFlag):
    """The effects of a message; :meth:`QueueMarket.advance` stops after one that did something wanted."""

    FILL = 1
    """An own order was filled; always wanted."""
    TOUCH = 2
    """The symbol's best bid or best ask price changed, own orders included."""
    BOOK = 4
    """The message changed the book."""
    TRADE = 8
    """The message had a trade."""
    MARK = 16
    """The book went from live to not live, or back."""


class QueueMarket:
    """The naive market; every operation may look at every order and level."""

    def __init__(self, symbols: int, model: str = "pro_rata", power: float = 2.0) -> None:
        check_range(symbols, 1, SYMBOLS_MAX)
        if model not in list(QueueModel):
            raise EngineError(f"{model!r} is no queue model")
        if not 0 < power <= POWER_MAX:
            raise EngineError(f"a power is above 0 and at most {POWER_MAX}")
        ids = count(RECORDED_IDS_FROM)
        self._books = [QueueBook(QueueModel(model), power, lambda: next(ids)) for _ in range(symbols)]
        # Rows from the last played message on; the index of the first of them, and of the next to play.
        self._rows: list[Row] = []
        self._first = self._next = self._last_start = 0
        self._now = TIME_MIN

    def load(
        self,
        exchange_ts: ReadableBuffer,
        heard_ts: ReadableBuffer,
        symbol: ReadableBuffer,
        kind: ReadableBuffer,
        side: ReadableBuffer,
        ticks: ReadableBuffer,
        lots: ReadableBuffer,
        flags: ReadableBuffer,
        orders: ReadableBuffer | None = None,
    ) -> None:
        """Append whole messages; ``orders`` has the numbers of single orders, where there are any.

        Rows before the last played message may be dropped. Raises EngineError.
        """
        columns = (exchange_ts, heard_ts, symbol, kind, side, ticks, lots, flags)
        newest = max(self._rows[-1].exchange_ts if self._rows else TIME_MIN, self._now)
        rows = to_rows(columns, orders, len(self._books), newest)
        del self._rows[: self._last_start - self._first]
        self._first = self._last_start
        self._rows += rows

    def again(self, model: str = "pro_rata", power: float = 2.0) -> QueueMarket:
        """Return a new market of the same rows, from the first, and the same depths; the rows are shared.

        Raises EngineError if the first rows are dropped already.
        """
        if self._first:
            raise EngineError("the first rows are dropped already")
        market = QueueMarket(len(self._books), model, power)
        market._rows = list(self._rows)
        for book, old in zip(market._books, self._books, strict=True):
            book.depths = old.depths
        return market

    def set_depth(self, symbol: int, depth: int, order_depth: int = 0) -> None:
        """Set the number of levels a side that the record follows; 0, as at the start, is all of them.

        ``order_depth`` is that of single orders.
        """
        check_range(depth, 0, ID_MAX)
        check_range(order_depth, 0, ID_MAX)
        self._book(symbol).depths = depth, order_depth

    def advance(self, until_ns: int, stop: int) -> tuple[int, int, int, int]:
        """Play messages up to a time, or to the first that did something of ``stop`` (:class:`Stop`) or filled us.

        Return (what it did of that, symbol, first row, end row); the first is 0 when there is nothing more until then.
        """
        wanted = stop | Stop.FILL
        while self._next < self._first + len(self._rows):
            start = self._next
            first = self.row(start)
            if first.exchange_ts > until_ns:
                break
            done = self._play(self._books[first.symbol], start) & wanted
            if done:
                return done, first.symbol, start, self._next
        self._now = max(self._now, until_ns)
        return 0, 0, self._next, self._next

    def next_ts(self) -> int | None:
        """Return the time of the next message, None if there is none."""
        at = self._next - self._first
        return self._rows[at].exchange_ts if at < len(self._rows) else None

    def now(self) -> int:
        """Return the time up to which the record was played."""
        return self._now

    def row(self, index: int) -> Row:
        """Return a row that is still held; rows count from the first ever loaded. Raises EngineError."""
        check_range(index, self._first, self._first + len(self._rows) - 1)
        return self._rows[index - self._first]

    def take_events(self, symbol: int) -> list[Event]:
        """Return the trades of resting own orders with the record since the last call."""
        book = self._book(symbol)
        events, book.events, book.aheads = book.events, [], []
        return events

    def fills_ahead(self, symbol: int) -> list[int | None]:
        """Return, for each event that :meth:`take_events` has next, the quantity that was still ahead of the order.

        It is 0 where the queue before it was eaten, None where its place was not known.
        """
        return list(self._book(symbol).aheads)

    def submit(
        self,
        symbol: int,
        order_id: int,
        owner: int,
        side: str,
        price: int | None,
        qty: int,
        tif: str = "gtc",
        post_only: bool = False,
        stp: str = "cancel_newest",
    ) -> list[Event]:
        """Submit a new order, as :meth:`simulator.exchange.engine.Engine.submit` does."""
        return self._book(symbol).submit(order_id, owner, to_side(side), price, qty, tif, post_only, stp)

    def amend(
        self, symbol: int, order_id: int, price: int | None, qty: int | None, post_only: bool = False
    ) -> list[Event]:
        """Amend a resting order, as :meth:`simulator.exchange.engine.Engine.amend` does."""
        return self._book(symbol).amend(order_id, price, qty, post_only)

    def cancel(self, symbol: int, order_id: int) -> list[Event]:
        """Take an order out; no event if it does not rest here."""
        return self._book(symbol).cancel(order_id)

    def order(self, symbol: int, order_id: int) -> tuple[int, Side, int, int, int] | None:
        """Return (owner, side, price, remaining, filled) of a resting order."""
        check_id(order_id)
        order = self._book(symbol).own.find(order_id)
        return None if order is None else (order.owner, order.side, order.price, order.remaining, order.filled)

    def place(self, symbol: int, order_id: int) -> tuple[int, bool] | None:
        """Return (recorded quantity ahead, whether that is known) of a resting order."""
        check_id(order_id)
        order = self._book(symbol).own.find(order_id)
        return None if order is None else (order.ahead, order.is_known)

    def count(self, symbol: int) -> int:
        """Return the number of resting own orders."""
        return len(list(self._book(symbol).own))

    def levels(self, symbol: int, side: str, n: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (price, total quantity), best first, own orders included."""
        return self._book(symbol).levels(to_side(side), n)

    def best(self, symbol: int, side: str) -> tuple[int, int] | None:
        """Return the best level, None where the side is empty."""
        levels = self.levels(symbol, side, 1)
        return levels[0] if levels else None

    def queue(self, symbol: int, side: str, price: int) -> list[int]:
        """Return the own orders at a price, next to trade first."""
        check_range(price, 0, ID_MAX)
        return [order.order_id for order in self._book(symbol).own.at(to_side(side), price)]

    def is_live(self, symbol: int) -> bool:
        """True if a snapshot came, and no mark since."""
        return self._book(symbol).is_live

    def stats(self, symbol: int) -> dict[str, int]:
        """Return the members of :class:`backtest.venue.queue_book.QueueStats`."""
        return asdict(self._book(symbol).stats)

    def _book(self, symbol: int) -> QueueBook:
        check_range(symbol, 0, len(self._books) - 1)
        return self._books[symbol]

    def _play(self, book: QueueBook, start: int) -> int:
        """Play the message that begins at ``start``; return what it did."""
        fills, touch, was_live = book.stats.fills, book.touch(), book.is_live
        done = 0
        self._last_start = start
        while True:
            row = self.row(self._next)
            self._next += 1
            book.play(row)
            if row.kind == Kind.TRADE:
                done |= Stop.TRADE
            elif row.kind != Kind.MARK:
                done |= Stop.BOOK
            if self._ends(row):
                break
        self._now = max(self._now, row.exchange_ts)
        if done & Stop.BOOK:
            book.end_book_message()
        done |= Stop.FILL if book.stats.fills != fills else 0
        done |= Stop.TOUCH if book.touch() != touch else 0
        done |= Stop.MARK if book.is_live != was_live else 0
        return done

    def _ends(self, row: Row) -> bool:
        """True if the row, the last played, ends its message."""
        at = self._next - self._first
        if row.flags & Flag.LAST or row.kind == Kind.MARK or at == len(self._rows):
            return True
        return (self._rows[at].symbol, self._rows[at].exchange_ts) != (row.symbol, row.exchange_ts)
