"""Book frames of v2 in the very form in which Kraken sends them, read without a JSON reader.

What is not exactly of that form is left to :mod:`book.frames`, which would read the same from what this takes.
"""

from __future__ import annotations

import re

from book.levels import CHECKSUM_MAX, U64_MAX, Level, Message
from book.times import minute_s

# More digits than any sound number has are not plain.
_NUMBER = r"(?:0|[1-9][0-9]{0,18}+)(?:\.[0-9]{1,18}+)?"
_LEVEL = rf'\{{"price":{_NUMBER},"qty":{_NUMBER}\}}'
_SIDE = rf"((?:{_LEVEL}(?:,{_LEVEL})*+)?)"
_TIME = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-5][0-9])\.([0-9]{6})Z"
_FRAME = re.compile(
    r'\{"channel":"book","type":"(snapshot|update)","data":\[\{"symbol":"([^"\\\x00-\x1f]++)",'
    rf'"bids":\[{_SIDE}\],"asks":\[{_SIDE}\],'
    rf'"checksum":(0|[1-9][0-9]{{0,9}}+)(?:,"timestamp":"{_TIME}")?\}}\]\}}'
)
_PARTS = re.compile(r'([0-9]+)(?:\.([0-9]+))?,"qty":([0-9]+)(?:\.([0-9]+))?')


def read(frame: bytes, symbol: str) -> Message | None:
    """Return the message of a frame about ``symbol``; None if the frame is not of Kraken's own form."""
    try:
        match = _FRAME.fullmatch(frame.decode())
    except UnicodeDecodeError:
        return None
    if match is None:
        return None
    kind, name, bids, asks, checksum_text, minute, second, fraction = match.groups()
    checksum = int(checksum_text)
    if name != symbol or checksum > CHECKSUM_MAX:
        return None
    levels: list[Level] = []
    if (bids and not _take(bids, True, levels)) or (asks and not _take(asks, False, levels)):
        return None
    began = minute_s(minute) if minute else None
    exchange_ts = 0 if began is None else (began + int(second)) * 10**9 + int(fraction) * 1000
    return Message(True, kind == "snapshot", levels, checksum, exchange_ts)


def _take(side: str, is_bid: bool, levels: list[Level]) -> bool:
    """Add a side's levels; return False at one that no book takes."""
    for whole, fraction, qty_whole, qty_fraction in _PARTS.findall(side):
        price, qty = int(whole + fraction), int(qty_whole + qty_fraction)
        if not 0 < price <= U64_MAX or qty > U64_MAX:
            return False
        levels.append(Level(is_bid, price, len(fraction), qty, len(qty_fraction)))
    return True
