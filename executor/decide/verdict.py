"""The risk gate's verdict on a proposal, with the account, the books and the orders as they are."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from executor.account.dust import least_amount
from executor.decide import risk
from executor.decide.exposure import Exposure
from executor.orders.denial import Denial, Rule
from executor.orders.registry import FLATTEN, FOREIGN
from executor.state import State
from shared.valuation import legs


class Verdict:
    """Asks :mod:`executor.decide.risk` with what is known now."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._market_changes = self._account_changes = -1  # those that the portfolio was made after
        self._portfolio = risk.Portfolio({}, {}, {})
        self._markets: dict[str, risk.Market] = {}
        self._rates: dict[str, Decimal] = {}
        self._exposure = Exposure(state.registry, state.config.trading.max_position_size)
        # Traded bases that other pairs are quoted in are among these.
        self._quotes = {legs(symbol)[1] for symbol in state.config.trading.pairs}

    def on(self, strategy: str, proposal: risk.Proposal, *, any_size: bool) -> Denial | None:
        """Return why the proposal is denied, or None; ``any_size`` waives ``min_order_size``."""
        state = self.state
        portfolio = self.portfolio()
        if proposal.symbol not in portfolio.markets:
            return Denial(Rule.NO_MID, "no mid to judge by")
        funds = risk.Funds(state.account.ledger.spot, state.account.taker_fee(proposal.symbol))
        rules = state.config.trading
        if any_size:
            rules = msgspec.structs.replace(rules, min_order_size=Decimal(0))
        exposed = None
        if strategy == FLATTEN:
            # It only reduces. On a pair of two traded bases it moves worth from one to the other: their sum does not
            # grow, though each one's worst case counts. Held assets may have passed the limit already.
            rules = msgspec.structs.replace(rules, max_gross_position=Decimal("Infinity"))
            # The worst case of foreign resting orders is no reason to stay exposed.
            exposed = risk.Listed(portfolio, (o for o in state.registry.live() if o.strategy != FOREIGN))
        denial = risk.refusal(proposal, portfolio, self.exposure(), funds, rules, exposed)
        section = state.config.strategies.get(strategy)
        if denial is not None or section is None:
            return denial
        if section.max_open_orders is None and section.max_position_size is None:
            return None
        own = [order for order in state.registry.live() if order.strategy == strategy]
        positions = state.account.strategy_positions(strategy, portfolio.positions)
        return risk.strategy_refusal(
            proposal, risk.Portfolio(portfolio.markets, portfolio.rates, positions), own, section
        )

    def portfolio(self) -> risk.Portfolio:
        """Return markets, rates and positions as they are now."""
        self.exposure()
        return self._portfolio

    def exposure(self) -> Exposure:
        """Return the worst case of all live orders, as they and the mids are now."""
        state = self.state
        is_repriced = self._market_changes != state.market.changes
        is_repositioned = self._account_changes != state.account.changes
        if not (is_repriced or is_repositioned or state.market.has_moved_mids or self._exposure.is_behind):
            return self._exposure
        moved = state.market.take_moved_mids()
        self._market_changes, self._account_changes = state.market.changes, state.account.changes
        if is_repriced:
            self._portfolio = self._make_portfolio()
            self._exposure.rebuild(self._portfolio)
            return self._exposure
        if is_repositioned:
            before, self._portfolio = self._portfolio.positions, self._with_positions()
            now = self._portfolio.positions
            self._exposure.reposition(self._portfolio, [base for base in now if now[base] != before[base]])
        for symbol in moved:
            self._take_mid(symbol)
        revalued = set(moved)
        if moved and self._exposure.unpriced:
            bases = {legs(symbol)[0] for symbol in moved}
            revalued |= {symbol for symbol in self._exposure.unpriced if legs(symbol)[0] in bases}
        self._exposure.update(sorted(revalued))
        return self._exposure

    def _take_mid(self, symbol: str) -> None:
        market = self.market(symbol)
        if market is None:
            return
        self._markets[symbol] = market
        base = legs(symbol)[0]
        value = self._by_mids(base)
        if value is not None and self._goes_by_mids(base):
            self._rates[base] = value

    def _by_mids(self, base: str) -> Decimal | None:
        """Return the worth of one unit of a base by the dearest of its pairs; None while no pair values it."""
        values = [
            market.mid_price * rate
            for symbol in self.state.pairs_of.get(base, ())
            if (market := self._markets.get(symbol)) is not None
            and (rate := self.state.market.rates.last(legs(symbol)[1])) is not None
        ]
        return max(values, default=None)

    def _goes_by_mids(self, base: str) -> bool:
        """True if a base is valued by its current mid; one that others are quoted in has the published rate."""
        return base not in self._quotes or self.state.market.rates.rate(base) is None

    def _make_portfolio(self) -> risk.Portfolio:
        state = self.state
        self._markets = {symbol: market for symbol in state.market.pairs if (market := self.market(symbol)) is not None}
        self._rates = dict(state.market.rates.known)
        for base in state.pairs_of:
            value = self._by_mids(base)
            if value is not None and self._goes_by_mids(base):
                self._rates[base] = value
        return self._with_positions()

    def _with_positions(self) -> risk.Portfolio:
        """Return markets and rates as they were taken last, with the account's positions."""
        state = self.state
        positions = {base: state.account.position(base) for base in state.bases}
        unvalued = tuple(
            base
            for base, held in positions.items()
            if base not in self._rates and abs(held) > least_amount(state, base)
        )
        return risk.Portfolio(self._markets, self._rates, positions, unvalued)

    def market(self, symbol: str) -> risk.Market | None:
        """Return a symbol as the risk gate sees it, or None before its instrument data or its first mid."""
        pair, mid = self.state.market.pairs.get(symbol), self.state.market.mids.get(symbol)
        return None if pair is None or mid is None else risk.Market(pair, mid)
