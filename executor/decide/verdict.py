"""The risk gate's verdict on a wish, with the account, the books and the orders as they are. A core."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from executor.decide import risk
from executor.decide.dust import least_amount
from executor.orders.denial import Denial, Rule
from executor.orders.registry import FLATTEN, FOREIGN
from executor.state import State
from shared.valuation import legs


class Verdict:
    """Asks :mod:`executor.decide.risk` with what is known now."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._portfolio: tuple[tuple[int, int], risk.Portfolio] | None = None

    def on(self, strategy: str, wish: risk.Wish, *, any_size: bool) -> Denial | None:
        """Return why it is denied, None when it is not; ``any_size`` leaves ``min_order_size`` out."""
        state = self.state
        portfolio = self.portfolio()
        if wish.symbol not in portfolio.markets:
            return Denial(Rule.NO_MID, "no mid to judge by")
        funds = risk.Funds(state.account.ledger.spendable(), state.account.taker_fee(wish.symbol))
        rules = state.config.trading
        if any_size:
            rules = msgspec.structs.replace(rules, min_order_size=Decimal(0))
        orders = state.registry.live()
        # A flatten only reduces: what other people's resting orders may come to is no reason to stay exposed.
        exposed = [order for order in orders if order.strategy != FOREIGN] if strategy == FLATTEN else None
        why = risk.refusal(wish, portfolio, orders, funds, rules, exposed)
        section = state.config.strategies.get(strategy)
        if why or section is None:
            return why
        own = [order for order in orders if order.strategy == strategy]
        positions = state.account.strategy_positions(strategy, portfolio.positions)
        return risk.strategy_refusal(wish, risk.Portfolio(portfolio.markets, portfolio.rates, positions), own, section)

    def portfolio(self) -> risk.Portfolio:
        """Markets, rates and positions as they are now; made anew when one of them changed."""
        state = self.state
        key = (state.account.changes, state.market_changes)
        if self._portfolio is None or self._portfolio[0] != key:
            self._portfolio = (key, self._make_portfolio())
        return self._portfolio[1]

    def _make_portfolio(self) -> risk.Portfolio:
        state = self.state
        markets = {symbol: market for symbol in state.pairs if (market := self.market(symbol)) is not None}
        rates = state.rates.known
        by_mids: dict[str, Decimal] = {}
        for symbol in state.config.trading.pairs:
            base, quote = legs(symbol)
            market, rate = markets.get(symbol), rates.get(quote)
            if market is not None and rate is not None:
                by_mids[base] = max(by_mids.get(base, risk.ZERO), market.mid_price * rate)
        quotes = {legs(symbol)[1] for symbol in state.config.trading.pairs}
        # A base goes by its mid now; one that others are quoted in by the rate that strategies hear, once there is one.
        rates |= {
            base: value for base, value in by_mids.items() if base not in quotes or base not in state.rates.values
        }
        positions = {base: state.account.position(base) for base in state.bases}
        unvalued = tuple(
            base for base, held in positions.items() if base not in rates and abs(held) > least_amount(state, base)
        )
        return risk.Portfolio(markets, rates, positions, unvalued)

    def market(self, symbol: str) -> risk.Market | None:
        """A symbol as the risk gate sees it, or None before its instrument data or its first mid."""
        pair, mid = self.state.pairs.get(symbol), self.state.mids.get(symbol)
        return None if pair is None or mid is None else risk.Market(pair, mid)
