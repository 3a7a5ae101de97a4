"""The fast engine for a strategy's own class: the same View as live, and a simple keeper instead of the executor.

Times are the exchange's. A decision at ``t`` sees the market and the own orders as they were at ``t``. What it asks for
is carried out two delays (there and back) and a turnaround later, one request after the other; its outcome is known to
decisions from then on. The keeper holds one order a slot. It is amended when its target's price changed or it needs
another quantity, cancelled when it is no longer wanted or its amend was refused, and added anew once it is gone. Every
add and amend is post-only. ``rust_client`` says the same in Rust (``venue/screen.rs``) for the rules that it has, where
moves are free; else :mod:`backtest.screen.moves` chooses which requests leave, and when to look again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from backtest.data.columns import Kind
from backtest.errors import DataError
from backtest.screen.moves import Mover, Moves, Resting, Settled, Step, StepKind, step_to
from backtest.screen.played import Pace, Played, ScreenFill, operation
from backtest.venue.implementation import Market
from backtest.venue.queue_market import Stop
from backtest.venue.recorded import Cancelled, Operation, repeat
from executor.decide.planner import NEVER
from shared.config import Trading
from shared.kraken.counters import TIERS
from shared.messages import Book, BookState, FeedTrades, Fees, Pair, Position, Quote, Side, Trade
from strategy.interface import Strategy, Trigger, View
from strategy.signals.tracker import Tracker
from strategy.signals.values import NO_SIGNALS


@dataclass(slots=True)
class Slot:
    """A slot's last order; ``busy_until`` is when the outcome of its last request is known.

    ``touched`` is when its add or last amend is carried out.
    """

    order_id: int = 0
    busy_until: int = -NEVER
    touched: int = 0
    is_refused: bool = False


class CallbackScreen:
    """Plays a market of one pair by a strategy; ``name`` is the strategy's."""

    def __init__(
        self, market: Market, strategy: Strategy, name: str, pair: Pair, fees: Fees, trading: Trading, pace: Pace
    ) -> None:
        needs = strategy.needs
        if needs.price_source is not None or needs.markout_half_life_s is not None:
            raise DataError(f"{name} looks at another pair or its own markouts: only 'tradebyte backtest' has those")
        self._market, self._strategy, self._name, self._pace = market, strategy, name, pace
        self._pair, self._fees, self._trading = pair, fees, trading
        self._tracker = Tracker(needs, name) if needs.is_any else None
        self._hears_trades = type(strategy).on_trade is not Strategy.on_trade or needs.public_trades
        self._quotes: list[Quote] = []
        self._slots: dict[str, Slot] = {}
        self._requests: deque[tuple[str, Operation]] = deque()
        # An order's slot, side, when it came to rest and what was before it then.
        self._opened: dict[int, tuple[Side, int, int | None]] = {}
        self._touch: tuple[int | None, int | None] = (None, None)
        self._stop = int(Stop.TOUCH | Stop.MARK)
        if strategy.heeds is Trigger.BOOK:
            self._stop |= Stop.BOOK
        if self._hears_trades:
            self._stop |= Stop.TRADE
        self._played = Played()
        # When the last request sent is carried out.
        self._worked = -NEVER
        self._fills = 0
        is_free = pace.moves is Moves.FREE
        self._mover = None if is_free else Mover(pace.moves, pair.symbol, TIERS[trading.tier])
        # When to look at the orders again if nothing happens before.
        self._look_ts = NEVER

    def run(self, end_ts: int) -> Played:
        """Play the market until then; orders that rest then stay."""
        begin = self._market.next_ts()
        every = self._pace.every_ns
        next_decision = NEVER if every is None or begin is None else begin + every
        while True:
            arrival = self._requests[0][1].ts if self._requests else NEVER
            due = min(arrival, next_decision, self._look_ts)
            why, _, first, end = self._market.advance(min(due, end_ts), self._stop)
            if why:
                self._heed(why, first, end)
            elif due > end_ts:
                return self._played
            elif arrival == due:
                self._arrive()
            elif next_decision == due:
                self._decide()
                next_decision += every or 0
            else:
                self._keep()

    # --- the market ----------------------------------------------------------------------------------------------

    def _heed(self, why: int, first: int, end: int) -> None:
        if why & Stop.FILL:
            self._book_fills()
        has_moved = self._note_touch()
        if self._tracker is not None and why & (Stop.BOOK | Stop.TOUCH | Stop.MARK):
            self._tracker.on_book(self._book(), self._market.now())
        if self._hears_trades and why & Stop.TRADE:
            self._hear_trades(first, end)
        by_touch = self._strategy.trigger is Trigger.TOUCH
        if self._pace.every_ns is None and (why & (Stop.FILL | Stop.MARK) or has_moved or not by_touch):
            self._decide()

    def _book_fills(self) -> None:
        aheads = self._market.fills_ahead(0)
        for event, left_ahead in zip(self._market.take_events(0), aheads, strict=True):
            _, _, order_id, price, qty, *_ = event
            side, opened_ts, ahead = self._opened[order_id]
            self._played.position += qty if side == "buy" else -qty
            self._fills += 1
            self._played.fills.append(
                ScreenFill(self._market.now(), order_id, side, price, qty, ahead, opened_ts, left_ahead)
            )

    def _note_touch(self) -> bool:
        """Note the touch if it is another; return True if it is."""
        bid = ask = None
        if self._market.is_live(0):
            bid, ask = self._market.best(0, "buy"), self._market.best(0, "sell")
        touch = (bid[0] if bid else None), (ask[0] if ask else None)
        if touch == self._touch:
            return False
        self._touch = touch
        if touch[0] is not None and touch[1] is not None:
            self._played.mids.add(self._market.now(), touch[0], touch[1])
            if self._mover is not None:
                self._mover.take_mid((touch[0] + touch[1]) / 2, self._market.now())
        return True

    def _hear_trades(self, first: int, end: int) -> None:
        rows = [self._market.row(index) for index in range(first, end)]
        trades = [
            Trade(side="sell" if side else "buy", price=ticks, qty=lots, trade_ts=ts)
            for ts, _, _, kind, side, ticks, lots, _, _ in rows
            if kind == Kind.TRADE
        ]
        pair = self._pair
        message = FeedTrades(
            symbol=pair.symbol,
            price_precision=pair.price_precision,
            qty_precision=pair.qty_precision,
            trades=trades,
            received=self._market.now(),
        )
        if self._tracker is not None:
            self._tracker.on_trades(message, self._market.now())
        if self._market.is_live(0) and (target := self._strategy.on_trade(self._view(), message)) is not None:
            self._quotes = target.quotes
            self._keep()

    # --- decisions -----------------------------------------------------------------------------------------------

    def _decide(self) -> None:
        self._played.counts.decisions += 1
        if not self._market.is_live(0):
            self._quotes = []
        elif (target := self._strategy.on_book(self._view())) is not None:
            self._quotes = target.quotes
        self._keep()

    def _view(self) -> View:
        pair, now = self._pair, self._market.now()
        tracker = self._tracker
        if tracker is not None:
            tracker.on_time(now)
        position = Position(
            strategy=self._name,
            symbol=pair.symbol,
            valid=True,
            qty_precision=pair.qty_precision,
            position=self._played.position,
            account_position=self._played.position,
            fills=self._fills,
        )
        return View(
            now=now,
            pair=pair,
            book=self._book(),
            position=position,
            fees=self._fees,
            max_position=self._trading.max_position_size,
            min_order=self._trading.min_order_size,
            max_order=self._trading.max_order_size,
            signals=tracker.signals(now) if tracker is not None else NO_SIGNALS,
            trades=tracker.trades(now) if tracker is not None else (),
        )

    def _book(self) -> Book:
        pair, market = self._pair, self._market
        is_live = market.is_live(0)
        # Who heeds the touch reads nothing else of the book.
        n = (self._trading.book_depth if self._stop & Stop.BOOK else 1) if is_live else 0
        return Book(
            symbol=pair.symbol,
            state=BookState.LIVE if is_live else BookState.RESYNCING,
            price_precision=pair.price_precision,
            qty_precision=pair.qty_precision,
            bids=market.levels(0, "buy", n),
            asks=market.levels(0, "sell", n),
            exchange_ts=market.now(),
        )

    # --- requests ------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Ask for what makes the orders match the quotes."""
        now, look_ts = self._market.now(), NEVER
        wanted = {quote.slot: quote for quote in self._quotes}
        settled, open_orders = [], 0
        for name in sorted({*self._slots, *wanted}, key=_slot_order):
            slot = self._slots.setdefault(name, Slot())
            if now < slot.busy_until:
                open_orders += 1
                look_ts = min(look_ts, slot.busy_until)
                continue
            order = self._resting(name, slot)
            open_orders += order is not None
            settled.append(Settled(name, order, wanted.get(name)))
        if self._mover is None:
            for step in map(step_to, settled):
                if step is not None:
                    self._send(step)
            return
        for step in self._mover.plan(settled, open_orders, now):
            self._send(step)
            look_ts = min(look_ts, self._slots[step.slot].busy_until)
        self._look_ts = min(look_ts, self._mover.look_ts)

    def _resting(self, name: str, slot: Slot) -> Resting | None:
        order = self._market.order(0, slot.order_id)
        if order is None:
            return None
        _, side, price, remaining, filled = order
        return Resting(name, side, price, remaining, filled, slot.touched, slot.is_refused)

    def _send(self, step: Step) -> None:
        pace, counts, slot = self._pace, self._played.counts, self._slots[step.slot]
        at = max(self._worked, self._market.now() + 2 * pace.one_way_ns + self._turnaround_ns(step.kind))
        slot.busy_until = self._worked = at
        if step.order is None:
            counts.submits += 1
            slot.order_id = len(self._opened) + 1
            self._opened[slot.order_id] = (step.side, 0, None)
            request = operation(at, slot.order_id, step.side, step.price, step.qty)
        elif step.kind is StepKind.CANCEL:
            counts.cancels += 1
            request = operation(at, slot.order_id, None, None, None)
        else:
            counts.amends += 1
            request = operation(at, slot.order_id, None, step.price, step.order.filled + step.qty)
        if step.kind is not StepKind.CANCEL:
            slot.touched = at
        self._requests.append((step.slot, request))

    def _turnaround_ns(self, kind: StepKind) -> int:
        pace = self._pace
        if kind is StepKind.ADD:
            return pace.submit_ns
        return pace.cancel_ns if kind is StepKind.CANCEL else pace.amend_ns

    def _arrive(self) -> None:
        """Carry out the request that arrives next."""
        name, request = self._requests.popleft()
        self._played.operations.append(request)
        events = repeat(self._market, request)
        slot = self._slots[name]
        slot.is_refused = any(event[-1] == "post_only" for event in events)
        self._played.counts.refused += slot.is_refused
        place = self._market.place(0, request.order_id)
        if place is not None and not isinstance(request, Cancelled) and not slot.is_refused:
            side = self._opened[request.order_id][0]
            self._opened[request.order_id] = (side, request.ts, place[0] if place[1] else None)
        if self._note_touch() and self._pace.every_ns is None:
            self._decide()


def _slot_order(name: str) -> tuple[bool, str]:
    """Return the key by which bids come first, nearest first: the order in which requests are sent."""
    return name.startswith("a"), name
