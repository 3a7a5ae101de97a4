"""Flatten (T11): pull, confirm, close the position with IOC orders within the price band, then halt.

It is asked for by a file, like a halt, and so outlives restarts: the command writes the file, the executor removes it
at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum, auto
from functools import partial

from executor.account.dust import least_amount
from executor.decide import risk
from executor.decide.budget import add_points
from executor.decide.gates import Gates
from executor.decide.placing import Placing
from executor.effects import DRY_RUN, Request
from executor.exchange.requests import deadline_text, flatten_params
from executor.orders.registry import FLATTEN, FOREIGN
from executor.record import events
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.halt import Cause, Halt
from shared.messages import BookState, Pair, Quote, Side
from shared.numbers import floor_to, notional, plain, text, unscale
from shared.valuation import legs

SLOT = "f0"
ZERO = Decimal(0)
BP = Decimal("0.0001")


class Step(Enum):
    """The outcome of a pass for one asset."""

    FLAT = auto()  # nothing left that can be closed
    WAITS = auto()  # for an order, another asset, its turn
    DENIED = auto()  # by a limit or the funds; tried again


class Flatten:
    """Closes each traded base through one pair, one order at a time, until the rest is too small to trade.

    A base that can only be closed into another traded base goes first: closing it moves the other.
    """

    def __init__(self, state: State, gates: Gates, placing: Placing) -> None:
        self.state, self.gates, self.placing = state, gates, placing
        self._next_try: dict[str, int] = {}

    def turn(self, now: int) -> None:
        """Make a step towards flat, while a flatten is on."""
        state = self.state
        if not state.controls.flattening or state.controls.halted or self.gates.advancing(now):
            return
        # Assets with a live order of ours wait: a cancel, or the last closing order, is not confirmed yet.
        busy = {
            asset for order in state.registry.live() if order.strategy != FOREIGN for asset in legs(order.symbol)
        }.intersection(state.bases)
        pairs = closing_pairs(state.config.trading.pairs, self._tradable())
        steps = dict.fromkeys(busy, Step.WAITS)
        for asset in sorted(state.bases, key=lambda asset: legs(pairs.get(asset, ""))[1] not in state.bases):
            # A base that another's closing order is about to move waits for that order. Where that was denied for want
            # of room, this one goes first.
            moving = {legs(pairs[other])[1] for other, step in steps.items() if step is Step.WAITS and other in pairs}
            if asset in busy or asset in state.account.holds.held or self._shut_in_by(asset):
                continue
            steps[asset] = Step.WAITS if asset in moving else self._close(asset, pairs.get(asset), now)
        known = all(
            symbol in state.market.pairs or symbol in state.market.unlisted for symbol in state.config.trading.pairs
        )
        if known and all(step is Step.FLAT for step in steps.values()):
            state.controls.halt()  # at once: nothing may slip in before the file is there
            state.out.halt(Halt(Cause.FLATTENED, self._outcome()))
            state.out.end_flatten()

    def _outcome(self) -> str:
        account = self.state.account
        why = ["flattened: every position is at inventory_base, but for amounts too small to trade"]
        why += [f"{asset} is left as it is: {hold.text(asset)}" for asset, hold in sorted(account.holds.held.items())]
        for asset in sorted(set(self.state.bases) - account.holds.held.keys()):
            if (quotes := self._shut_in_by(asset)) and account.position(asset):
                left = plain(account.position(asset))
                why.append(f"{left} {asset} are left as they are: {asset} is quoted in {quotes} only, which is held")
                continue
            other_wallets = {
                name: amount for name, amount in account.ledger.wallets.get(asset, {}).items() if amount > 0
            }
            if account.position(asset) > 0 and other_wallets:
                lies = ", ".join(f"{plain(amount)} in {name}" for name, amount in other_wallets.items())
                why.append(f"{asset}: {lies} cannot be sold from there")
            elif -account.position(asset) >= least_amount(self.state, asset):
                why.append(f"{plain(-account.position(asset))} {asset} short: there is nothing left to buy it with")
        return "; ".join(why)

    def _tradable(self) -> set[str]:
        """Return the pairs that an order may go to now: online, with a live book, and neither asset held."""
        state = self.state
        return {
            symbol
            for symbol, pair in state.market.pairs.items()
            if pair.status == "online"
            and symbol in state.market.books
            and state.market.books[symbol].state is BookState.LIVE
            if not state.account.holds.held.keys() & set(legs(symbol))
        }

    def _shut_in_by(self, asset: str) -> str:
        """Return the held assets that all pairs of a base are quoted in; closing the base would trade them."""
        quotes = {legs(symbol)[1] for symbol in self.state.config.trading.pairs if legs(symbol)[0] == asset}
        return ", ".join(sorted(quotes)) if quotes <= self.state.account.holds.held.keys() else ""

    def _close(self, asset: str, symbol: str | None, now: int) -> Step:
        """Send a closing order, if there is something to close."""
        state = self.state
        position = state.account.position(asset)
        side: Side = "sell" if position > 0 else "buy"
        amount = abs(position)
        if side == "sell":  # a balance in another wallet cannot be sold
            amount = min(amount, max(ZERO, state.account.ledger.spendable().get(asset, ZERO)))
        market = self.placing.verdict.market(symbol) if symbol is not None else None
        if market is None:
            return Step.WAITS if self._is_more_than_dust(asset, amount) else Step.FLAT
        pair = market.pair
        price = self._beside_others(pair, side, self._limit(pair, market.mid, side))
        wanted = floor_to(amount, pair.qty_precision)
        if side == "buy":
            price, wanted = self._payable(pair, price, wanted)
        lots = self._lots(market, wanted, price)
        if lots == 0:
            return Step.WAITS if self._is_money_on_its_way(pair.quote, side) else Step.FLAT
        deadline_ts = state.deadline_ts(now)
        if now < self._next_try.get(asset, 0) or deadline_ts is None:
            return Step.WAITS
        self._next_try[asset] = now + int(limits.FLATTEN_EVERY_S * SECOND)
        why = self.placing.check(FLATTEN, risk.Proposal(pair.symbol, side, price, lots), now, any_size=True)
        if why is None and state.config.trading.dry_run:
            what = f"{side} {text(lots, pair.qty_precision)}"
            advice = "'tradebyte halt' and 'resume' end the flatten"
            state.out.tell("warning", "flatten", f"{pair.symbol}: {DRY_RUN}: {what}; {advice}")
            return Step.DENIED
        if why is not None:
            state.out.tell("warning", "flatten", f"{pair.symbol}: {why.text}; trying again")
            return Step.DENIED
        self._send(market, Quote(slot=SLOT, side=side, price=price, qty=lots), deadline_ts, now)
        return Step.WAITS

    def _payable(self, pair: Pair, price: int, lots: int) -> tuple[int, int]:
        """Return price and lots of a purchase that the balance can pay, nearer the touch if the band's limit is not."""
        most = self._most_lots(pair, price)
        asks = self.state.market.books[pair.symbol].asks
        if most >= lots or not asks:
            return price, min(lots, most)
        near = asks[0][0] * (1 + limits.FLATTEN_NEAR_BPS * BP)
        step = pair.price_increment
        price = min(price, int((near / step).to_integral_value(ROUND_CEILING)) * step)
        return price, min(lots, self._most_lots(pair, price))

    def _most_lots(self, pair: Pair, price: int) -> int:
        """Count the lots that the quote's balance pays at a price, less the taker fee and what other orders reserve."""
        account = self.state.account
        reserved = sum(
            (amount for asset, amount in map(risk.spends, self.state.registry.live()) if asset == pair.quote), ZERO
        )
        free = account.ledger.spendable().get(pair.quote, ZERO) - reserved
        unit = unscale(price, pair.price_precision) * (1 + account.taker_fee(pair.symbol))
        return max(0, floor_to(free / unit, pair.qty_precision))

    def _is_money_on_its_way(self, quote: str, side: Side) -> bool:
        """True while ledger entries of fills are awaited whose money may pay a purchase."""
        holding = self.state.account.ledger.holdings.get(quote)
        return side == "buy" and holding is not None and bool(holding.open_legs)

    def _is_more_than_dust(self, asset: str, amount: Decimal) -> bool:
        """True while no pair that could close an asset takes orders, and there is something to close."""
        own = [symbol for symbol in self.state.config.trading.pairs if legs(symbol)[0] == asset]
        pairs = [self.state.market.pairs[symbol] for symbol in own if symbol in self.state.market.pairs]
        return bool(amount) and (not pairs or any(amount >= unscale(p.qty_min, p.qty_precision) for p in pairs))

    def _limit(self, pair: Pair, mid: Decimal, side: Side) -> int:
        """Return the worst price that the band allows, inside it and on a tick."""
        band = mid * self.state.config.trading.price_band_percent / 100
        step = Decimal(pair.price_increment)
        if side == "sell":
            return int(((mid - band) / step).to_integral_value(ROUND_CEILING) * step)
        return int(((mid + band) / step).to_integral_value(ROUND_FLOOR) * step)

    def _beside_others(self, pair: Pair, side: Side, price: int) -> int:
        """Stop short of foreign resting orders (T16): the exchange would cancel ours there."""
        theirs = [order for order in self.state.registry.live_on(pair.symbol) if order.side != side]
        for order in theirs:
            ends = order.price + (pair.price_increment if side == "sell" else -pair.price_increment)
            if ends > price if side == "sell" else ends < price:
                price = ends
                at = text(order.price, pair.price_precision)
                what = f"an order that is not ours rests at {at}: no {side} goes as far while it is there"
                self.state.out.tell("warning", "flatten", f"{pair.symbol}: {what}")
        return price

    def _lots(self, market: risk.Market, lots: int, price: int) -> int:
        """Return the lots to close now: all, or as many as one order may hold; 0 for dust."""
        pair = market.pair
        unit = unscale(1, pair.qty_precision)
        worth = self.placing.verdict.portfolio().worth(pair.symbol, unscale(price, pair.price_precision), unit)
        if worth:
            lots = min(lots, int(self.state.config.trading.max_order_size / worth))
        lots -= lots % pair.qty_increment
        # At the limit price of a sale the cost may fall below the exchange's minimum.
        cost = notional(min(price, int(market.mid)), lots, pair.price_precision, pair.qty_precision)
        return 0 if lots < pair.qty_min or cost < Decimal(pair.cost_min) else lots

    def _send(self, market: risk.Market, quote: Quote, deadline_ts: int, now: int) -> None:
        state, symbol = self.state, market.pair.symbol
        order = self.placing.order(market, FLATTEN, quote, now, deadline_ts)
        state.registry.add(order)
        params = {**flatten_params(order), "deadline": deadline_text(deadline_ts), "symbol": symbol}
        request = Request(state.out.new_id(), "add_order", params, symbol, [order.cl_ord_id])
        points = add_points(1)
        chosen = {
            "plan": {"step": "add", "why": "flatten was asked for: this closes the position"},
            "budget": events.budget(state.budget, symbol, points, self.placing.open_on(symbol), now),
        }
        state.record(order, "decided", now, chosen, partial(events.sent, request, order.cl_ord_id))
        self.placing.send(request, points, now)


def closing_pairs(traded: Iterable[str], tradable: Collection[str]) -> dict[str, str]:
    """Choose the pair that closes each traded base, preferring one that is not quoted in another traded base.

    ``tradable`` are the pairs that take an order now; of several the first configured one is chosen.
    """
    pairs = list(traded)
    bases = {legs(symbol)[0] for symbol in pairs}
    chosen: dict[str, str] = {}
    for symbol in sorted(pairs, key=lambda symbol: legs(symbol)[1] in bases):
        if symbol in tradable:
            chosen.setdefault(legs(symbol)[0], symbol)
    return chosen
