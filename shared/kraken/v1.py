"""WebSocket v1: its frames as typed values, as far as the feed needs them (KRAKEN.md 2).

Data frames are lists ``[channelID, payload…, channelName, pair]``; the channel's name is text (``book-10``) or, from
some older servers, an object with a ``name``. Events are objects with ``event``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any  # Any: Kraken's payloads, read by channel

import msgspec

from shared import limits
from shared.errors import FrameError
from shared.kraken.pairs import new_name
from shared.numbers import finite


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One public trade; ``time_s`` is seconds since the epoch."""

    side: str
    price: Decimal
    qty: Decimal
    time_s: Decimal


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """A data frame: its channel without the depth or interval (``book``), the pair's new name, and the payloads."""

    channel: str
    symbol: str
    payloads: list[Any]


def parse_data(raw: bytes | str) -> Data:
    """Return a list frame. Raises :class:`FrameError` for anything else."""
    try:
        frame = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(str(error)) from error
    if not isinstance(frame, list) or len(frame) < 4:
        raise FrameError("not a list of id, payload, channel and pair")
    name, pair = frame[-2], frame[-1]
    if isinstance(name, dict):
        name = name.get("name")
    if not isinstance(name, str) or not isinstance(pair, str):
        raise FrameError("the channel or the pair is not a name")
    return Data(channel=name.partition("-")[0], symbol=new_name(pair), payloads=frame[1:-2])


def trades(data: Data) -> tuple[list[Trade], list[str]]:
    """Return the trades of a ``trade`` frame that could be read, and why the others could not.

    Raises :class:`FrameError` when the payload is no list.
    """
    rows = data.payloads[0] if data.payloads else None
    if not isinstance(rows, list):
        raise FrameError(f"not a list of trades: {rows!r}"[: limits.TEXT_SHOWN])
    read, unread = [], []
    for row in rows:
        try:
            price, volume, time_s, side, *_ = row
            taker = {"b": "buy", "s": "sell"}[side]
            read.append(Trade(side=taker, price=finite(price), qty=finite(volume), time_s=finite(time_s)))
        except (TypeError, ValueError, KeyError) as error:
            unread.append(f"{error!r}: {row!r}"[: limits.BAD_MESSAGE_SHOWN_BYTES])
    return read, unread
