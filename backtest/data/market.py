"""The pairs of one source, each made when it is first met."""

from __future__ import annotations

from collections.abc import Collection

from backtest.data import pairs as known
from backtest.data.columns import Mark
from backtest.data.rows import PairRows
from backtest.data.tally import Tally
from backtest.errors import DataError
from shared.kraken.pairs import new_name
from shared.messages import Pair


class Market:
    """Rows by symbol; ``symbols`` are those wanted, None for all."""

    def __init__(self, tally: Tally, symbols: Collection[str] | None) -> None:
        self.tally = tally
        self.pairs: dict[str, PairRows] = {}
        self._symbols = symbols
        self._listed: dict[str, Pair] = {}

    def list_pair(self, pair: Pair) -> None:
        """Take a pair as the source itself states it. Raises DataError when its precisions change on the way."""
        self._listed[pair.symbol] = pair
        rows = self.pairs.get(pair.symbol)
        if rows is None:
            return
        before = rows.pair.price_precision, rows.pair.qty_precision
        if before != (pair.price_precision, pair.qty_precision):
            raise DataError(
                f"{pair.symbol}: its precisions change from {before[0]} and {before[1]} decimals to "
                f"{pair.price_precision} and {pair.qty_precision}; read what is before and after apart"
            )

    def rows(self, symbol: str) -> PairRows | None:
        """Return the rows of a symbol, old name or new; None where it is not wanted. Raises DataError."""
        rows = self.pairs.get(symbol)
        if rows is not None:
            return rows
        symbol = new_name(symbol)
        if self._symbols is not None and symbol not in self._symbols:
            return None
        if symbol not in self.pairs:
            self.pairs[symbol] = PairRows(self._listed.get(symbol) or known.by_symbol(symbol), self.tally)
        return self.pairs[symbol]

    def mark_all(self, why: Mark, heard_ts: int) -> None:
        """Take a gap that may be in any of the books."""
        for rows in self.pairs.values():
            rows.mark(why, heard_ts)
            rows.orders.mark(why, heard_ts)
