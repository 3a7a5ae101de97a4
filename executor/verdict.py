"""The risk gate's verdict on a wish, with the account, the books and the orders as they are. A core."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from executor import risk
from executor.state import State


class Verdict:
    """Asks :mod:`executor.risk` with what is known now."""

    def __init__(self, state: State) -> None:
        self.state = state

    def on(self, strategy: str, wish: risk.Wish, *, any_size: bool) -> str:
        """Why it is denied, or an empty text; ``any_size`` leaves ``min_order_size`` out."""
        state = self.state
        markets = {symbol: market for symbol in state.pairs if (market := self.market(symbol)) is not None}
        if wish.symbol not in markets:
            return "no mid to judge by"
        funds = risk.Funds(state.account.ledger.balances(), state.account.taker_fee(wish.symbol))
        rules = state.config.trading
        if any_size:
            rules = msgspec.structs.replace(rules, min_order_size=Decimal(0))
        why = risk.refusal(wish, markets, state.registry.live(), funds, rules)
        section = state.config.strategies.get(strategy)
        if why or section is None:
            return why
        market = markets[wish.symbol]
        held = state.account.tally(strategy, wish.symbol).position.scaleb(market.pair.qty_precision)
        own = [order for order in state.registry.live_on(wish.symbol) if order.strategy == strategy]
        return risk.strategy_refusal(wish, risk.Market(market.pair, market.mid, int(held)), own, section)

    def market(self, symbol: str) -> risk.Market | None:
        """A symbol as the risk gate sees it, or None before its instrument data or its first mid."""
        pair, mid = self.state.pairs.get(symbol), self.state.mids.get(symbol)
        if pair is None or mid is None:
            return None
        return risk.Market(pair, mid, self.state.account.position_lots(symbol, pair.qty_precision))
