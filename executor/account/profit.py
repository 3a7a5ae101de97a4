"""Profit by pair, by quote asset and in total, as the ``account`` message has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from executor.account.conversion import DECIMALS, Conversion
from executor.account.ledger import Holding
from executor.account.pnl import Pnl
from executor.record.rows import MetaRow
from shared.messages import Profit, QuoteProfit
from shared.numbers import plain, round_money
from shared.valuation import legs

ZERO = Decimal(0)
_BOOKED = ("realised", "fees", "transfers", "rounding")


@dataclass(frozen=True, slots=True)
class Profits:
    """Profit in total (in the trading currency), by quote asset and by pair (in the quote asset), as decimal text.

    ``equity`` includes transfers and ``fx``, which is what moves of the rates did to profit made in other quotes.
    """

    realised: str
    unrealised: str
    fees_paid: str
    rounding: str
    transfers: str
    fx: str
    equity: str
    pairs: dict[str, Profit]
    quotes: dict[str, QuoteProfit]


class Statement:
    """Adds profit up; ``currency`` is what totals are in, ``bases`` the traded ones."""

    def __init__(self) -> None:
        self.currency = "USD"
        self.bases: frozenset[str] = frozenset()
        self.conversion = Conversion()
        self._is_changed = False

    def profits(
        self,
        pnl: Mapping[str, Pnl],
        holdings: Mapping[str, Holding],
        symbols: Iterable[str],
        mids: Mapping[str, Decimal],
        live: set[str],
        rates: Mapping[str, Decimal],
    ) -> Profits:
        """Add up ``symbols`` and all other pairs that were traded; only the mids of ``live`` pairs are fresh.

        ``rates`` value the quote assets; an asset without a rate is in no total.
        """
        untraded = Pnl()
        pairs = {
            symbol: pnl.get(symbol, untraded).row(mids.get(symbol), is_stale=symbol not in live)
            for symbol in sorted({*pnl, *symbols})
        }
        quotes = {
            quote: self._of_quote(quote, pairs, holdings.get(quote, Holding()))
            for quote in sorted({legs(symbol)[1] for symbol in pairs})
        }
        unrealised = equity = ZERO
        for quote, made in quotes.items():
            if quote not in rates:
                continue
            amounts = {term: Decimal(getattr(made, term)) for term in _BOOKED}
            self._is_changed |= self.conversion.book(quote, amounts, rates[quote])
            unrealised += round_money(Decimal(made.unrealised) * rates[quote], DECIMALS)
            equity += round_money(Decimal(made.equity) * rates[quote], DECIMALS)
        realised, fees, transfers, rounding = (self.conversion.total(term) for term in _BOOKED)
        if set(quotes) <= {self.currency}:
            equity = realised + unrealised - fees + transfers + rounding  # the rate is 1: exact to the last digit
        return Profits(
            realised=plain(realised),
            unrealised=plain(unrealised),
            fees_paid=plain(fees),
            rounding=plain(rounding),
            transfers=plain(transfers),
            fx=plain(equity - (realised + unrealised - fees + transfers + rounding)),
            equity=plain(equity),
            pairs=pairs,
            quotes=quotes,
        )

    def changed_row(self) -> MetaRow | None:
        """Return the journal row of what was converted; None if nothing was since the last call."""
        if not self._is_changed:
            return None
        self._is_changed = False
        return self.conversion.row()

    def _of_quote(self, quote: str, pairs: Mapping[str, Profit], holding: Holding) -> QuoteProfit:
        """Add up all pairs of a quote asset, to the last digit."""
        own = [profit for symbol, profit in pairs.items() if legs(symbol)[1] == quote]
        realised, unrealised, fees = (
            sum((Decimal(getattr(profit, term)) for profit in own), ZERO) for term in ("realised", "unrealised", "fees")
        )
        # A transfer of a base that other pairs are quoted in changes its position, not the cash.
        transfers = ZERO if quote in self.bases else holding.transfers
        return QuoteProfit(
            realised=plain(realised),
            unrealised=plain(unrealised),
            fees=plain(fees),
            transfers=plain(transfers),
            rounding=plain(holding.rounding),
            equity=plain(realised + unrealised - fees + transfers + holding.rounding),
        )
