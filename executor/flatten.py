"""Flatten (T11): pull, confirm, close the position with IOC orders within the price band, then halt. A core.

The wish is a file, like halt, so that it outlives restarts: the command writes it, the executor removes it at the end.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from executor import events, risk
from executor.budget import add_points
from executor.gates import Gates
from executor.outbox import DRY_RUN, Request
from executor.placing import Placing
from executor.registry import FLATTEN, FOREIGN
from executor.requests import deadline_text, flatten_params
from executor.state import State
from executor.stream import Stream
from shared import limits
from shared.clock import SECOND
from shared.messages import Pair, Quote, Side
from shared.numbers import notional, text

SLOT = "f0"


class Flatten:
    """One order a symbol at a time, each symbol at its own pace, until what is left cannot be traded."""

    def __init__(self, state: State, stream: Stream, gates: Gates, placing: Placing) -> None:
        self.state, self.stream, self.gates, self.placing = state, stream, gates, placing
        self._next_try: dict[str, int] = {}

    def turn(self, now: int) -> None:
        """A step towards flat, while that is asked for."""
        state = self.state
        if not state.flattening or state.halted or self.gates.why_not_advance(now):
            return
        # What was pulled, or the order before, has not been confirmed there yet: that symbol waits, and no other.
        busy = {order.symbol for order in state.registry.live() if order.strategy != FOREIGN}
        symbols = [symbol for symbol in state.config.trading.pairs if symbol in state.pairs]
        left = [symbol for symbol in symbols if symbol not in busy and self._close(symbol, now)]
        if not (busy or left) and len(symbols) == len(state.config.trading.pairs):
            state.halted = state.out.flattened = True  # at once: nothing may slip in before the file is there
            state.out.halt = "flattened: every position is inventory_base, but for what is too small to trade"

    def _close(self, symbol: str, now: int) -> bool:
        """Sends an order where there is something to close; False when the symbol is flat."""
        state = self.state
        pair, market = state.pairs[symbol], self.placing.verdict.market(symbol)
        if market is None:
            return bool(state.account.position_lots(symbol, pair.qty_precision))
        side: Side = "sell" if market.position > 0 else "buy"
        price = self._beside_others(pair, side, self._limit(pair, market.mid, side))
        lots = self._lots(pair, abs(market.position), max(Decimal(price), market.mid))
        if lots == 0:
            return False
        deadline_ts = state.deadline_ts(now)
        if now < self._next_try.get(symbol, 0) or deadline_ts is None:
            return True
        self._next_try[symbol] = now + int(limits.FLATTEN_EVERY_S * SECOND)
        why = self.placing.check(FLATTEN, risk.Wish(symbol, side, price, lots), now, any_size=True)
        if not why and state.config.trading.dry_run:
            what = f"{side} {text(lots, pair.qty_precision)}"
            state.tell("warning", "flatten", f"{symbol}: {DRY_RUN}: {what}; 'tradebyte halt' and 'resume' end the wish")
            return True
        if why:
            state.tell("warning", "flatten", f"{symbol}: {why}; trying again")
            return True
        self._send(market, Quote(slot=SLOT, side=side, price=price, qty=lots), deadline_ts, now)
        return True

    def _limit(self, pair: Pair, mid: Decimal, side: Side) -> int:
        """The worst price that the band allows, inside it and on a tick."""
        band = mid * self.state.config.trading.price_band_percent / 100
        step = Decimal(pair.price_increment)
        if side == "sell":
            return int(((mid - band) / step).to_integral_value(ROUND_CEILING) * step)
        return int(((mid + band) / step).to_integral_value(ROUND_FLOOR) * step)

    def _beside_others(self, pair: Pair, side: Side, price: int) -> int:
        """Not as far as an order of the account that is not ours (T16): the exchange would cancel ours there."""
        theirs = [order for order in self.state.registry.live_on(pair.symbol) if order.side != side]
        for order in theirs:
            ends = order.price + (pair.price_increment if side == "sell" else -pair.price_increment)
            if ends > price if side == "sell" else ends < price:
                price = ends
                at = text(order.price, pair.price_precision)
                what = f"an order that is not ours rests at {at}: no {side} goes as far while it is there"
                self.state.tell("warning", "flatten", f"{pair.symbol}: {what}")
        return price

    def _lots(self, pair: Pair, position: int, worst: Decimal) -> int:
        """What to close now: all of it, or what an order may hold; 0 for dust."""
        unit = Decimal(1).scaleb(-pair.price_precision - pair.qty_precision)
        most = int(self.state.config.trading.max_order_size / (worst * unit))
        lots = min(position, most)
        lots -= lots % pair.qty_increment
        cost = notional(int(worst), lots, pair.price_precision, pair.qty_precision)
        return 0 if lots < pair.qty_min or cost < Decimal(pair.cost_min) else lots

    def _send(self, market: risk.Market, quote: Quote, deadline_ts: int, now: int) -> None:
        state, symbol = self.state, market.pair.symbol
        order = self.placing.order(market, FLATTEN, quote, now)
        order.deadline_ts = deadline_ts
        state.registry.add(order)
        common = {"deadline": deadline_text(deadline_ts), "symbol": symbol, "token": self.stream.token}
        params = {**flatten_params(order), **common}
        request = Request(self.stream.in_flight.new_id(), "add_order", params, symbol, [order.cl_ord_id])
        points = add_points(1)
        chosen = {
            "plan": {"step": "add", "why": "flatten was asked for: this closes the position"},
            "budget": events.budget(state.budget, symbol, points, self.placing.open_on(symbol), now),
        }
        state.record(order, "decided", now, {**chosen, **events.sent(request, order.cl_ord_id)})
        self.placing.send(request, points, now)
