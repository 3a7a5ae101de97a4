"""Kraken's downloadable time and sales as CSV: ``unixtime,price,volume`` without a header, the pair in the file's name.

A file with a header may have more columns (``price,volume,time,side``). Without a side, the taker's is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from backtest.data.columns import BUY, SELL, UNKNOWN
from backtest.data.formats.lines import Lines, price_of, qty_of
from backtest.data.market import Market
from backtest.data.pairs import by_any_name
from backtest.errors import DataError
from shared.numbers import scale

_BARE: Final = ["time", "price", "volume"]
_NAMES: Final = {"timestamp": "time", "unixtime": "time", "qty": "volume", "amount": "volume", "type": "side"}
_SIDES: Final = {"buy": BUY, "b": BUY, "sell": SELL, "s": SELL}
_NS_DECIMALS: Final = 9
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")


def is_one(header: list[str]) -> bool:
    """True if a file that begins so is time and sales."""
    return (len(header) == len(_BARE) and _is_bare(header)) or set(_BARE) <= set(_columns(header))


def read(lines: Lines, market: Market) -> Iterator[None]:
    """Read trades. Raises DataError when the file's name is no pair's."""
    stem = re.split(r"[^A-Za-z0-9]", lines.place.name)[0]
    pair = by_any_name(stem.upper())
    if pair is None:
        raise DataError(
            f"{lines.place.text}: a file of Kraken's time and sales has its pair's name, such as XBTUSD.csv"
        )
    rows = market.rows(pair.symbol)
    if rows is None:
        return
    bare = _is_bare(lines.header)
    places = {name: place for place, name in enumerate(_BARE if bare else _columns(lines.header))}
    side_at = places.get("side")
    for row in lines.rows(with_first=bare):
        try:
            at = scale(row[places["time"]], _NS_DECIMALS)
            ticks = price_of(row[places["price"]], pair.price_precision)
            lots = qty_of(row[places["volume"]], pair.qty_precision)
            side = UNKNOWN if side_at is None else _SIDES[row[side_at].lower()]
            rows.trade(at, 0, side, ticks, lots)
        except (ValueError, KeyError, IndexError) as error:
            lines.note(error)
        if lines.is_part_full():
            yield


def _is_bare(header: list[str]) -> bool:
    return bool(header) and all(_NUMBER.fullmatch(cell) for cell in header)


def _columns(header: list[str]) -> list[str]:
    return [_NAMES.get(name.strip().lower(), name.strip().lower()) for name in header]
