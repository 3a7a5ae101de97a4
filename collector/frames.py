"""What a frame is, whichever version of Kraken's WebSocket sent it. A core.

Version 2 sends objects with ``channel`` or ``method``; version 1 sends lists for data and objects with ``event``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Literal

import msgspec

from shared.clock import SECOND, parse_rfc3339
from shared.kraken import v1, v2
from shared.kraken.pairs import new_name

TradeRow = tuple[str, Literal["buy", "sell"], Decimal, Decimal, int, int]


class Kind(Enum):
    """The kinds of frames that the feed tells apart."""

    BOOK = "book"
    TRADE = "trade"
    TICKER = "ticker"
    INSTRUMENT = "instrument"
    STATUS = "status"
    HEARTBEAT = "heartbeat"
    RESPONSE = "response"
    ERROR = "error"
    OTHER = "other"  # known to Kraken, of no use here: ohlc, spread, pong
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Classified:
    """A frame's kind and what the feed needs of it; ``trades`` are (symbol, taker's side, price, qty, id, ts)."""

    kind: Kind
    version: int
    symbols: list[str] = field(default_factory=list)
    trades: list[TradeRow] = field(default_factory=list)
    frame: v2.Frame = field(default_factory=v2.Frame)
    system: str = ""
    error: str = ""


class _Event(msgspec.Struct):
    event: str = ""
    status: str = ""
    errorMessage: str = ""
    pair: str = ""


_V2 = {
    "book": Kind.BOOK,
    "trade": Kind.TRADE,
    "ticker": Kind.TICKER,
    "instrument": Kind.INSTRUMENT,
    "status": Kind.STATUS,
    "heartbeat": Kind.HEARTBEAT,
    "ohlc": Kind.OTHER,
    "level3": Kind.OTHER,
}
_V1 = {"book": Kind.BOOK, "trade": Kind.TRADE, "ticker": Kind.TICKER, "ohlc": Kind.OTHER, "spread": Kind.OTHER}


def classify(raw: bytes) -> Classified:
    """What ``raw`` is. Raises ValueError for text that is no frame of either version."""
    first = raw.lstrip()[:1]
    if first == b"[":
        return _version_1_data(raw)
    frame = v2.parse(raw)
    if frame.channel:
        return _version_2_push(frame)
    if frame.method:
        kind = Kind.OTHER if frame.method == "pong" else Kind.RESPONSE
        return Classified(kind, 2, frame=frame)
    if frame.error:
        return Classified(Kind.ERROR, 2, error=frame.error)
    return _version_1_event(raw)


def _version_2_push(frame: v2.Frame) -> Classified:
    kind = _V2.get(frame.channel, Kind.UNKNOWN)
    found = Classified(kind, 2, frame=frame)
    if kind in (Kind.BOOK, Kind.TICKER):
        elements = v2.payload(frame.data, list[v2.Symbol])
        found.symbols = list(dict.fromkeys(element.symbol for element in elements if element.symbol))
        if not found.symbols:
            raise ValueError("no symbol in it")
    elif kind is Kind.TRADE:
        for trade in v2.payload(frame.data, list[v2.Trade]):
            at = parse_rfc3339(trade.timestamp) if trade.timestamp else 0
            found.trades.append((trade.symbol, trade.side, trade.price, trade.qty, trade.trade_id, at))
    elif kind is Kind.STATUS:
        elements_of_status = v2.payload(frame.data, list[v2.Status])
        found.system = elements_of_status[-1].system if elements_of_status else ""
    return found


def _version_1_data(raw: bytes) -> Classified:
    data = v1.parse_data(raw)
    kind = _V1.get(data.channel, Kind.UNKNOWN)
    found = Classified(kind, 1, symbols=[data.symbol])
    if kind is Kind.TRADE:
        for trade in v1.trades(data):
            side: Literal["buy", "sell"] = "buy" if trade.side == "buy" else "sell"
            at = int(Decimal(trade.time_s) * SECOND)
            found.trades.append((data.symbol, side, trade.price, trade.qty, 0, at))
    return found


def _version_1_event(raw: bytes) -> Classified:
    try:
        event = msgspec.json.decode(raw, type=_Event)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    if event.event == "heartbeat":
        return Classified(Kind.HEARTBEAT, 1)
    if event.event == "systemStatus":
        return Classified(Kind.STATUS, 1, system=event.status)
    if event.event == "error" or event.status == "error":
        return Classified(Kind.ERROR, 1, error=f"{event.errorMessage} {event.pair}".strip())
    if event.event in ("subscriptionStatus", "pong"):
        return Classified(Kind.OTHER, 1, symbols=[new_name(event.pair)] if event.pair else [])
    return Classified(Kind.UNKNOWN, 1)
