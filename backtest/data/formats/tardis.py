"""tardis.dev's CSV files ``incremental_book_L2`` and ``trades`` of Kraken; times in microseconds since the epoch.

Rows heard at one time are a message. Rows with ``is_snapshot`` after others without begin a book anew, as their
documentation has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

from backtest.data.columns import BUY, SELL, UNKNOWN, Mark
from backtest.data.formats.lines import Lines, price_of, qty_of, time_of
from backtest.data.market import Market
from backtest.data.rows import PairRows

_COMMON: Final = ["exchange", "symbol", "timestamp", "local_timestamp"]
BOOK_HEADER: Final = [*_COMMON, "is_snapshot", "side", "price", "amount"]
TRADES_HEADER: Final = [*_COMMON, "id", "side", "price", "amount"]
_BOOK_SIDES: Final = {"bid": BUY, "ask": SELL}
_TAKERS: Final = {"buy": BUY, "sell": SELL, "unknown": UNKNOWN}
_TRUTH: Final = {"true": True, "false": False}
_US: Final = 1000


class _Change(NamedTuple):
    symbol: str
    heard: int
    snapshot: bool
    at: int
    level: tuple[int, int, int]


def read_book(lines: Lines, market: Market) -> Iterator[None]:
    """Read level changes. Raises DataError."""
    for (symbol, heard, snapshot), group in groupby(_changes(lines, market), key=_message):
        changes = [change for change in group if change is not None]
        if not changes:
            market.mark_all(Mark.UNREADABLE, 0)
            continue
        rows = market.rows(symbol)
        if rows is not None:
            levels = [change.level for change in changes]
            rows.change(max(change.at for change in changes), heard, snapshot, levels)
        if lines.is_part_full():
            yield


def _changes(lines: Lines, market: Market) -> Iterator[_Change | None]:
    """Yield the rows, None for a bad one."""
    for row in lines.rows():
        try:
            _, symbol, at, heard, snapshot, side, price, amount = row
            rows = market.rows(symbol)
            if rows is None:
                continue
            level = _BOOK_SIDES[side], _ticks(rows, price), _lots(rows, amount)
            change = _Change(symbol, time_of(heard, _US), _TRUTH[snapshot], time_of(at, _US), level)
        except (ValueError, KeyError) as error:
            lines.note(error)
            yield None
            continue
        yield change


def _message(change: _Change | None) -> tuple[str, int, bool]:
    """Return what the rows of one message have in common."""
    return ("", 0, False) if change is None else change[:3]


def read_trades(lines: Lines, market: Market) -> Iterator[None]:
    """Read trades. Raises DataError."""
    for row in lines.rows():
        try:
            _, symbol, at, heard, _, side, price, amount = row
            rows = market.rows(symbol)
            if rows is not None:
                ticks, lots = _ticks(rows, price), _lots(rows, amount)
                rows.trade(time_of(at, _US), time_of(heard, _US), _TAKERS[side], ticks, lots)
        except (ValueError, KeyError) as error:
            lines.note(error)
        if lines.is_part_full():
            yield


def _ticks(rows: PairRows, price: str) -> int:
    return price_of(price, rows.pair.price_precision)


def _lots(rows: PairRows, amount: str) -> int:
    return qty_of(amount, rows.pair.qty_precision)
