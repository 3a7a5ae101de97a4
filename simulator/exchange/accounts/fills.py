"""Fills: what they cost, the fee, and the ledger entries of both legs (KRAKEN.md 6)."""

from __future__ import annotations

from simulator.exchange.accounts.margin import Margin
from simulator.exchange.orders import PARTIALLY_FILLED, Account, Fill, Order
from simulator.exchange.state import State
from simulator.pairs.pairs import USD, rounded
from simulator.ws_v2 import reports


class Fills:
    """Book fills on accounts: both legs of those in spot, positions of those with leverage."""

    def __init__(self, state: State, margin: Margin) -> None:
        self._state = state
        self._margin = margin

    def fill(self, order: Order, price: int, qty: int, maker: bool, trade_id: int, now: int) -> None:
        """Count a fill on its order, report it, and book what it moves; prices are ticks, quantities lots."""
        state, pair = self._state, order.pair
        account = state.accounts[order.account]
        rate = account.maker_rate if maker else account.taker_rate
        rounding = state.unconfirmed.fee_rounding
        cost, fee = pair.cost_units(price, qty), pair.cost_units(price, qty, rate, rounding)
        base_fee = self._base_fee(order, qty, rate)
        # The ledger rounds amount and fee on its own, and balances follow the ledger.
        amount, charged = pair.quote_units(price, qty), 0 if base_fee else pair.quote_units_of(fee, rounding)
        # A fee that is rounded up may exceed the reservation, or the proceeds, by a unit; a balance is never negative.
        held = account.balances.get(pair.quote.name, 0)
        if order.side == "buy" and not order.terms.leverage:
            amount = min(amount, held)
        most = held if order.terms.leverage else held - amount if order.side == "buy" else held + amount
        if charged > most:
            charged, fee = most, pair.cost_units_of(most)
        order.filled += qty
        order.cost += cost
        order.fee += fee
        order.value += price * qty
        rate_usd = state.rates.usd_or_start(pair.quote.name)
        # Where the quote is USD, amount and fee are their own equivalents.
        usd_fee = fee if rate_usd == 1 else int(fee * rate_usd)
        worth = int((amount * rate_usd).scaleb(USD.decimals - pair.quote.decimals))
        order.usd_fee += usd_fee
        order.status = PARTIALLY_FILLED
        visible = now + state.lag()
        order.visible_ns = max(order.visible_ns, visible)
        margin, closing = self._margin.taken(order, price, qty) if order.terms.leverage else (0, 0)
        fill = Fill(
            state.make_id("T"),
            trade_id,
            account.index,
            order.number,
            order.order_id,
            order.cl_ord_id,
            order.userref,
            pair,
            order.side,
            order.kind,
            price,
            qty,
            cost,
            fee,
            maker,
            now,
            visible,
            base_fee,
            usd_fee,
            worth,
            order.terms.leverage,
            margin,
            closing,
        )
        account.fills.append(fill)
        state.journal.fills.append(fill)
        state.journal.orders[order.number] = order
        ends = not order.remaining and state.unconfirmed.filled_report == "in_the_trade"
        state.report(order, "trade", reports.trade(fill, order, "filled" if ends else order.status))
        self._book_fill(account, fill, amount, charged)
        # The 30-day volume counts the worth; the fees of the next fill follow.
        account.volume.add(worth, now)
        order.visible_lots -= min(qty, order.visible_lots)

    def _book_fill(self, account: Account, fill: Fill, amount: int, charged: int) -> None:
        """Book a fill; ``amount`` and the fee ``charged`` are units of the quote asset."""
        if fill.leverage:
            self._margin.book_fill(account, fill, charged)
            return
        sign, pair = 1 if fill.side == "buy" else -1, fill.pair
        self._book_leg(account, pair.base.name, sign * pair.base_units(fill.qty), fill.base_fee, fill)
        self._book_leg(account, pair.quote.name, -sign * amount, charged, fill)

    def _base_fee(self, order: Order, qty: int, rate: int) -> int:
        """Return the fee in units of the base asset, 0 where it is paid in quote."""
        unconfirmed = self._state.unconfirmed
        if order.side == "sell" or order.fee_pref != "fcib" or unconfirmed.base_fee != "base":
            return 0
        return rounded(order.pair.base_units(qty) * rate, 6, unconfirmed.fee_rounding)

    def _book_leg(self, account: Account, asset: str, amount: int, fee: int, fill: Fill) -> None:
        self._state.fees[asset] = self._state.fees.get(asset, 0) + fee
        # A leg that rounds to nothing has no entry.
        if amount or fee:
            self._state.book(account, asset, "trade", amount, fee, fill.exec_id, fill.ns, fill.visible_ns)
