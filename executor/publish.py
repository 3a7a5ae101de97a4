"""The executor's state as messages, published when it changed."""

from __future__ import annotations

import math
from dataclasses import fields
from decimal import Decimal, localcontext

import msgspec

from executor.account.dust import least_amount
from executor.account.profit import Profits
from executor.decide.unmet import Unmet
from executor.orders.codec import show
from executor.state import State
from shared.attribution import Attribution
from shared.clock import SECOND
from shared.messages import Account, AssetPosition, MarkoutMean, Message, Orders, Parts, Position
from shared.numbers import EXACT, ROUNDING, plain, round_money, scale
from shared.valuation import legs

CENT = Decimal("0.01")
# Of a difference of sums: beyond it is what dividing a cost by a quantity leaves.
UNEXPLAINED_DECIMALS = 12
PROFIT_EVERY_NS = SECOND // 4


class Publisher:
    """Publishes only what changed, so that the cost of a pass grows with its changes and not with all orders."""

    def __init__(self, state: State, unmet: Unmet) -> None:
        self.state, self.unmet = state, unmet
        self._published: dict[str, Message] = {}
        self._quotes = tuple(dict.fromkeys(legs(symbol)[1] for symbol in state.config.trading.pairs))
        self._seen: tuple[object, ...] = ()  # what every order and position message depends on
        self._changes = -1  # ``account.changes`` when positions were last published
        self._urgent: tuple[object, ...] = ()
        self._account_due = 0
        # The time slice and ``account.changes`` that the profit below was computed for.
        self._profits_key = (-1, -1)
        self._profits: Profits | None = None

    def turn(self, now: int) -> None:
        """Put the messages that changed into the outbox."""
        state, valid = self.state, self.state.session.is_view_valid(now)
        seen = (valid, state.market.pairs)
        symbols = state.registry.take_touched()
        if is_new := self._seen != seen:
            self._seen = seen
            symbols |= {*state.config.trading.pairs, *(order.symbol for order in state.registry.live())}
        for symbol in sorted(symbols):
            self._tell(f"order.{symbol}", _orders(state, symbol, valid))
        if is_new or self._changes != state.account.changes:
            self._changes = state.account.changes
            for strategy in state.config.strategies:
                for symbol in state.config.strategy_pairs(strategy):
                    self._tell(f"position.{strategy}.{symbol}", _position(state, strategy, symbol, valid))
        urgent = self._what_is_urgent(valid, now)
        if urgent != self._urgent or now >= self._account_due:
            self._urgent, self._account_due = urgent, now + SECOND
            self._tell("account", account_message(state, now, self.unmet, self._recent_profits(now)))

    def _what_is_urgent(self, valid: bool, now: int) -> tuple[object, ...]:
        """Return what of the account is published at once; profit and counters, which always change, wait a second."""
        account, unmet = self.state.account, self.unmet
        rates = tuple(self.state.market.rates.is_valid(asset, now) for asset in self._quotes)
        held = tuple(account.holds.held.values())
        return (valid, account.changes, dict(account.fees), rates, held, len(unmet.empty), len(unmet.unwanted))

    def _tell(self, topic: str, message: Message) -> None:
        if self._published.get(topic) != message:
            self._published[topic] = message
            self.state.out.publish(topic, message)

    def _recent_profits(self, now: int) -> Profits:
        """Return the profit, computed again after each fill or ledger entry, else at most four times a second."""
        key = (now // PROFIT_EVERY_NS, self.state.account.changes)
        if self._profits is None or self._profits_key != key:
            self._profits_key, self._profits = key, profits(self.state, now)
        return self._profits


def account_message(state: State, now: int, unmet: Unmet | None = None, profit: Profits | None = None) -> Account:
    """Return the account as it stands now."""
    valid = state.session.is_view_valid(now)
    account = _account(state, now, valid, profit or profits(state, now))
    if unmet is not None:
        account = msgspec.structs.replace(account, empty_slots=unmet.empty, unwanted=unmet.unwanted)
    return account


def _orders(state: State, symbol: str, valid: bool) -> Orders:
    pair = state.market.pairs.get(symbol)
    return Orders(
        symbol=symbol,
        valid=valid,
        price_precision=pair.price_precision if pair else 0,
        qty_precision=pair.qty_precision if pair else 0,
        orders=[show(order) for order in state.registry.visible(symbol)],
    )


def _position(state: State, strategy: str, symbol: str, valid: bool) -> Position:
    pair = state.market.pairs.get(symbol)
    tally = state.account.tally(strategy, symbol)
    precision = pair.qty_precision if pair else 0
    return Position(
        strategy=strategy,
        symbol=symbol,
        valid=valid and pair is not None,
        qty_precision=precision,
        position=scale(tally.position, precision) if pair else 0,
        account_position=state.account.position_lots(legs(symbol)[0], precision) if pair else 0,
        fills=tally.count,
    )


def _account(state: State, now: int, valid: bool, profit: Profits) -> Account:
    account, trading = state.account, state.config.trading
    known = bool(account.fees)  # of any pair: each strategy checks for those of its own pairs
    return Account(
        valid=valid and known,
        balances={asset: format(balance, "f") for asset, balance in sorted(account.ledger.spendable().items())},
        fees=dict(account.fees),
        positions={symbol: plain(account.traded(symbol)) for symbol in trading.pairs},
        # To the half point: a counter that decays all the time would make every turn's message new.
        counters={s: round(2 * state.budget.value(s, now)) / 2 for s in trading.pairs},
        threshold=state.budget.threshold,
        why=account.ledger.difference if not valid else "" if known else "fees not known yet",
        equity=profit.equity,
        realised=profit.realised,
        unrealised=profit.unrealised,
        fees_paid=profit.fees_paid,
        rounding=profit.rounding,
        transfers=profit.transfers,
        fx=profit.fx,
        day_loss=format(account.lost.quantize(CENT), "f"),
        profits=profit.pairs,
        quotes=profit.quotes,
        currency=trading.currency,
        rates=state.market.rates.published(now),
        assets={asset: _asset(state, asset) for asset in sorted(state.bases)},
        attribution=attributed(state, Decimal(profit.rounding)),
        unmarked_fills=state.fill_marks.unmarked,
        markouts={
            f"{each.horizon_s:g}": MarkoutMean(
                fills=each.fills, mean_bps=_or_none(each.mean_bps), error_bps=_or_none(each.error_bps)
            )
            for each in state.fill_marks.markouts()
        },
    )


def attributed(state: State, rounding: Decimal) -> Parts | None:
    """Return the parts of the profit of all pairs that were traded; None while one of them cannot be valued."""
    mids, rates = state.market.mid_prices(), state.market.rates.values
    by_symbol = state.fill_marks.parts(mids, rates)
    made = Decimal(0)
    with localcontext(EXACT):
        total = Attribution(rounding=rounding)
        for symbol, pnl in state.account.pnl.items():
            if symbol not in by_symbol:
                return None
            total += by_symbol[symbol]
            made += ROUNDING.multiply(pnl.profit(mids[symbol]), rates[legs(symbol)[1]])
    left = round_money(ROUNDING.subtract(made + rounding, total.total), UNEXPLAINED_DECIMALS)
    parts = {part.name: plain(getattr(total, part.name)) for part in fields(total)}
    return Parts(**parts, unexplained=plain(left))


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _asset(state: State, asset: str) -> AssetPosition:
    account = state.account
    position, rate, hold = account.position(asset), state.market.rates.rate(asset), account.holds.held.get(asset)
    return AssetPosition(
        position=plain(position),
        worth=plain(round_money(position * rate, 2)) if rate is not None else "",
        inventory=plain(account.inventory.of_asset(asset)),
        least=plain(round_money(least_amount(state, asset), 10)),
        wallets={name: plain(amount) for name, amount in sorted(account.ledger.wallets.get(asset, {}).items())},
        held=hold.text(asset) if hold is not None else "",
    )


def profits(state: State, now: int) -> Profits:
    """Return the account's profit, in total and by pair."""
    market = state.market
    return state.account.profit(market.mid_prices(), market.fresh(now), state.config.trading.pairs, market.rates.values)
