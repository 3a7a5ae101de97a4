"""The levels of a book frame as it states them: numbers as integers with a count of decimals, never floats."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

DECIMALS_MAX = 18
U64_MAX = 2**64 - 1
CHECKSUM_MAX = 2**32 - 1


class Number(NamedTuple):
    """A number's text as an integer and its count of decimals: ``0.0500`` is 500 and 4."""

    mantissa: int
    decimals: int

    def __str__(self) -> str:
        digits = str(self.mantissa).rjust(self.decimals + 1, "0")
        whole = digits[: len(digits) - self.decimals]
        return f"{whole}.{digits[len(whole) :]}" if self.decimals else whole


class Level(msgspec.Struct, gc=False):
    """One level as the frame states it: integers with their counts of decimals."""

    is_bid: bool
    price: int
    price_decimals: int
    qty: int
    qty_decimals: int


class Message(msgspec.Struct):
    """One message about the pair; ``exchange_ts`` is in ns since the epoch, 0 if the frame has none."""

    is_v2: bool
    snapshot: bool
    levels: list[Level] = []
    checksum: int | None = None
    exchange_ts: int = 0
