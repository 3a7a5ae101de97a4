"""Read CSV files of several forms, which their first line tells apart."""

from __future__ import annotations

from collections.abc import Iterator

from backtest.data.formats import level_events, tardis, time_and_sales
from backtest.data.formats.lines import Lines
from backtest.data.market import Market
from backtest.data.places import Place
from backtest.errors import DataError


def read(place: Place, market: Market) -> Iterator[None]:
    """Read a file of any of the forms; yield now and then, and at its end, so that the rows may be taken.

    Raises DataError.
    """
    lines = Lines(place, market.tally)
    if lines.header == level_events.HEADER:
        yield from level_events.read(lines, market)
    elif lines.header == tardis.BOOK_HEADER:
        yield from tardis.read_book(lines, market)
    elif lines.header == tardis.TRADES_HEADER:
        yield from tardis.read_trades(lines, market)
    elif time_and_sales.is_one(lines.header):
        yield from time_and_sales.read(lines, market)
    else:
        raise DataError(
            f"{place.text}: this CSV has none of the known forms: Kraken's time and sales, tardis.dev's "
            "incremental_book_L2 or trades, or level events (docs/data.md)"
        )
    yield
