"""Margin as far as a maker meets it: fills with leverage open and close positions, which cost fees and can be settled.

A fill closes the account's opposite positions of the pair first, oldest first, and opens one with what is left of it.
What closing brings or costs is booked as ``margin`` in the quote asset, the fee of every four hours as ``rollover``, an
exchange of the position for its assets as ``settled``.
"""

from __future__ import annotations

from decimal import Decimal

from simulator import errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.engine import Side, opposite
from simulator.exchange.orders import Account, Fill, Order, Position
from simulator.exchange.state import State
from simulator.exchange.venue.venue import Venue
from simulator.pairs.margin import MARGIN_PAIRS, leverages
from simulator.pairs.pairs import ASSETS, Pair, rounded
from simulator.wire import NS

# Of the opened cost, in millionths; Kraken's vary with the market.
OPENING_RATE = ROLLOVER_RATE = 200
ROLLOVER_NS = 4 * 3600 * NS
# What ``margin`` of a version 2 order borrows at most.
MARGIN_MAX = 5
CLOSED = "Reduce only:Position is closed"


class Margin:
    """The positions of accounts whose orders have leverage."""

    def __init__(self, state: State) -> None:
        self._state = state
        # Accounts that have closed a position: their reduce-only orders are to be checked.
        self.reduced: set[int] = set()

    def lots(self, account: Account, pair: Pair, side: Side) -> int:
        """Count the open lots of the account's positions on a side of a pair."""
        return sum(p.open for p in account.positions.values() if p.pair.symbol == pair.symbol and p.side == side)

    def check(
        self,
        account: Account,
        venue: Venue,
        side: Side,
        qty: int,
        price: int | None,
        leverage: int,
        replacing: Order | None,
    ) -> None:
        """Refuse (KrakenError) an order with leverage that the account's margin does not carry."""
        pair = venue.pair
        if leverage not in leverages(pair):
            raise invalid("leverage")
        opening = qty - self.lots(account, pair, opposite(side))
        if opening <= 0:
            return
        limits = MARGIN_PAIRS[pair.symbol]
        most = (limits.long if side == "buy" else limits.short) * 10**pair.qty_precision
        if self.lots(account, pair, side) + opening > most:
            raise KrakenError(errors.POSITION_SIZE)
        cost = pair.cost_units(venue.last_price if price is None else price, opening)
        if self._worth(pair, cost) / leverage > self.free_margin(account, replacing):
            raise KrakenError(errors.INSUFFICIENT_MARGIN)

    def reducible(self, account: Account, pair: Pair, side: Side) -> int:
        """Return the lots that a reduce-only order of a side may trade; refuses (KrakenError) without a position."""
        lots = self.lots(account, pair, opposite(side))
        if not lots:
            raise KrakenError(errors.REDUCE_ONLY)
        return lots

    def collateral(self, account: Account) -> Decimal:
        """Return what the spot wallet is worth."""
        held = account.balances.items()
        return sum(
            (Decimal(n).scaleb(-ASSETS[name].decimals) * self._state.rates.usd_or_start(name) for name, n in held),
            Decimal(0),
        )

    def valuation(self, position: Position) -> tuple[Decimal, Decimal]:
        """Return what was paid for the open part of a position, and what that is worth now."""
        return self._worth(position.pair, position.cost_of(position.open)), self._worth(
            position.pair, self.value(position)
        )

    def value(self, position: Position) -> int:
        """Value the open part of a position at the last price, else at its cost, in units of the cost decimals."""
        venue = self._state.venues.get(position.pair.symbol)
        if venue is None:
            return position.cost_of(position.open)
        return position.pair.cost_units(venue.last_price, position.open)

    def unrealised(self, account: Account) -> Decimal:
        """Return profit of the open positions, a loss where negative."""
        total = Decimal(0)
        for position in account.positions.values():
            cost, value = self.valuation(position)
            total += value - cost if position.side == "buy" else cost - value
        return total

    def margin_used(self, account: Account) -> Decimal:
        """Return the margin of the open positions."""
        return sum(
            (self._worth(p.pair, p.margin * p.open // p.qty) for p in account.positions.values()),
            Decimal(0),
        )

    def free_margin(self, account: Account, replacing: Order | None = None) -> Decimal:
        """Return what new positions may take as margin, less what open orders but ``replacing`` have taken."""
        ordered = Decimal(0)
        for order in account.orders.values():
            if order.terms.leverage and order is not replacing:
                price = order.price or order.trigger or self._state.venues[order.pair.symbol].last_price
                cost = order.pair.cost_units(price, order.remaining)
                ordered += self._worth(order.pair, cost) / order.terms.leverage
        equity = self.collateral(account) + self.unrealised(account)
        return equity - self.margin_used(account) - ordered

    def _worth(self, pair: Pair, cost: int) -> Decimal:
        return Decimal(cost).scaleb(-pair.cost_precision) * self._state.rates.usd_or_start(pair.quote.name)

    def taken(self, order: Order, price: int, qty: int) -> tuple[int, int]:
        """Return the margin that a fill takes (units of the cost decimals) and the lots that it closes."""
        closing = min(qty, self.lots(self._state.accounts[order.account], order.pair, opposite(order.side)))
        return order.pair.cost_units(price, qty - closing) // order.terms.leverage, closing

    def book_fill(self, account: Account, fill: Fill, charged: int) -> None:
        """Close and open positions by a fill; the fee ``charged`` is in units of the quote asset."""
        pair, result = fill.pair, 0
        for position, lots in self._against(account, pair, fill.side, fill.closing):
            cost = pair.quote_units_of(position.cost_of(lots), "half_up")
            value = pair.quote_units(fill.price, lots)
            result += value - cost if position.side == "buy" else cost - value
            self._close(account, position, lots)
        opened = fill.qty - fill.closing
        if opened:
            charged += rounded(pair.quote_units(fill.price, opened) * OPENING_RATE, 6)
            position = Position(
                fill.exec_id, account.index, fill.order_id, pair, fill.side, fill.kind, opened,
                pair.cost_units(fill.price, opened), fill.fee, fill.margin, fill.leverage, fill.ns,
                fill.ns + ROLLOVER_NS,
            )  # fmt: skip
            account.positions[position.position_id] = self._state.journal.positions[position.position_id] = position
        self._book_margin(account, pair.quote.name, "margin", result, charged, fill.exec_id, fill.ns)

    def _against(self, account: Account, pair: Pair, side: Side, lots: int) -> list[tuple[Position, int]]:
        """Return positions of the other side with the lots of each that ``lots`` close, oldest first."""
        parts: list[tuple[Position, int]] = []
        for position in account.positions.values():
            if lots and position.pair.symbol == pair.symbol and position.side != side:
                parts.append((position, min(lots, position.open)))
                lots -= parts[-1][1]
        return parts

    def _close(self, account: Account, position: Position, lots: int) -> None:
        position.closed += lots
        self._state.journal.positions[position.position_id] = position
        if not position.open:
            del account.positions[position.position_id]
            self.reduced.add(account.index)

    def _book_margin(
        self, account: Account, asset: str, kind: str, amount: int, fee: int, ref_id: str, now: int
    ) -> None:
        # A loss or a fee takes what there is; a balance is never negative here.
        held = account.balances.get(asset, 0)
        amount = max(amount, -held)
        fee = min(fee, held + amount)
        self._state.fees[asset] = self._state.fees.get(asset, 0) + fee
        if amount or fee:
            self._state.book(account, asset, kind, amount, fee, ref_id, now, now + self._state.lag())

    def roll_over(self, account: Account, now: int) -> None:
        """Charge the fees of positions that are due, one for each four hours."""
        for position in [p for p in account.positions.values() if now >= p.rollover_ns]:
            pair = position.pair
            cost = pair.quote_units_of(position.cost_of(position.open), "half_up")
            while position.rollover_ns <= now:
                due, position.rollover_ns = position.rollover_ns, position.rollover_ns + ROLLOVER_NS
                fee = rounded(cost * ROLLOVER_RATE, 6)
                self._book_margin(account, pair.quote.name, "rollover", 0, fee, position.position_id, due)
            self._state.journal.positions[position.position_id] = position

    def without_position(self, account: Account) -> list[Order]:
        """Return the account's reduce-only orders whose position is gone."""
        return [
            order
            for order in account.orders.values()
            if order.terms.reduce_only and not self.lots(account, order.pair, opposite(order.side))
        ]

    def settle_position(self, account: Account, pair: Pair, side: Side, lots: int, now: int) -> int:
        """Exchange positions for their assets without a trade, all where ``lots`` is 0; return the lots settled.

        ``side`` is the one that would close them. Who is long pays the opening cost and gets the base, who is short
        pays the base.
        """
        open_lots = self.lots(account, pair, opposite(side))
        if not open_lots or lots > open_lots:
            raise KrakenError(errors.UNKNOWN_POSITION)
        parts = self._against(account, pair, side, lots or open_lots)
        total = sum(part for _, part in parts)
        cost = pair.quote_units_of(sum(position.cost_of(part) for position, part in parts), "up")
        base, sign = pair.base_units(total, "up"), 1 if side == "sell" else -1
        asset, needed = (pair.quote.name, cost) if sign > 0 else (pair.base.name, base)
        if needed > account.free(asset):
            raise KrakenError(errors.INSUFFICIENT_FUNDS)
        for position, part in parts:
            self._close(account, position, part)
        ref_id, visible = self._state.reference(), now + self._state.lag()
        self._state.book(account, pair.base.name, "settled", sign * base, 0, ref_id, now, visible)
        self._state.book(account, pair.quote.name, "settled", -sign * cost, 0, ref_id, now, visible)
        return total
