"""Classification of Kraken's public frames, of either version of the WebSocket.

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
    LEVEL3 = "level3"
    TICKER = "ticker"
    INSTRUMENT = "instrument"
    STATUS = "status"
    HEARTBEAT = "heartbeat"
    RESPONSE = "response"
    ERROR = "error"
    PONG = "pong"
    OTHER = "other"  # known to Kraken, of no use here: ohlc, spread
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Ack:
    """A response to a request, of either version; ``symbol`` and ``channel`` are empty if it names none."""

    method: str
    success: bool
    channel: str = ""
    symbol: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """When the exchange took a request in and sent its response out, ns since the epoch."""

    req_id: int
    time_in_ts: int
    time_out_ts: int


@dataclass(slots=True)
class Classified:
    """A frame's kind and the parts that the feed needs; ``trades`` are (symbol, taker's side, price, qty, id, ts)."""

    kind: Kind
    version: int
    symbols: list[str] = field(default_factory=list)
    trades: list[TradeRow] = field(default_factory=list)
    frame: v2.Frame = field(default_factory=v2.Frame)
    system: str = ""
    error: str = ""
    ack: Ack | None = None
    timing: Timing | None = None
    unread: list[str] = field(default_factory=list)  # the elements that could not be read


class _Subscription(msgspec.Struct, frozen=True):
    name: str = ""


class _Event(msgspec.Struct):
    event: str = ""
    status: str = ""
    errorMessage: str = ""
    pair: str = ""
    subscription: _Subscription = _Subscription()


_V2 = {
    "book": Kind.BOOK,
    "trade": Kind.TRADE,
    "ticker": Kind.TICKER,
    "instrument": Kind.INSTRUMENT,
    "status": Kind.STATUS,
    "heartbeat": Kind.HEARTBEAT,
    "ohlc": Kind.OTHER,
    "level3": Kind.LEVEL3,
}
_V1 = {"book": Kind.BOOK, "trade": Kind.TRADE, "ticker": Kind.TICKER, "ohlc": Kind.OTHER, "spread": Kind.OTHER}


def classify(raw: bytes) -> Classified:
    """Return a frame with its kind. Raises ValueError for text that is no frame of either version."""
    first = raw.lstrip()[:1]
    if first == b"[":
        return _version_1_data(raw)
    frame = v2.parse(raw)
    if frame.channel:
        return _version_2_push(frame)
    if frame.method:
        if frame.method == "pong":
            return Classified(Kind.PONG, 2, timing=_timing(frame))
        return Classified(Kind.RESPONSE, 2, ack=_version_2_ack(frame), timing=_timing(frame))
    if frame.error:
        return Classified(Kind.ERROR, 2, error=frame.error)
    return _version_1_event(raw)


def _timing(frame: v2.Frame) -> Timing | None:
    if frame.req_id is None or not frame.time_in or not frame.time_out:
        return None
    return Timing(frame.req_id, parse_rfc3339(frame.time_in), parse_rfc3339(frame.time_out))


def _version_2_ack(frame: v2.Frame) -> Ack:
    if not frame.success:
        return Ack(frame.method, False, "", frame.symbol, frame.error)
    named = v2.payload(frame.result, v2.Ack)
    return Ack(frame.method, True, named.channel, named.symbol)


def _version_2_push(frame: v2.Frame) -> Classified:
    kind = _V2.get(frame.channel, Kind.UNKNOWN)
    push = Classified(kind, 2, frame=frame)
    if kind in (Kind.BOOK, Kind.LEVEL3, Kind.TICKER):
        elements = v2.payload(frame.data, list[v2.Symbol])
        push.symbols = list(dict.fromkeys(element.symbol for element in elements if element.symbol))
        if not push.symbols:
            raise ValueError("no symbol in it")
    elif kind is Kind.TRADE:
        trades, unread = v2.elements(frame.data, v2.Trade)
        push.unread = [f"{row.why}: {row.raw!r}" for row in unread]
        for trade in trades:
            try:
                at = parse_rfc3339(trade.timestamp) if trade.timestamp else 0
            except ValueError as error:
                push.unread.append(f"{error}: {trade}")
                continue
            push.trades.append((trade.symbol, trade.side, trade.price, trade.qty, trade.trade_id, at))
    elif kind is Kind.STATUS:
        elements_of_status = v2.payload(frame.data, list[v2.Status])
        push.system = elements_of_status[-1].system if elements_of_status else ""
    return push


def _version_1_data(raw: bytes) -> Classified:
    data = v1.parse_data(raw)
    kind = _V1.get(data.channel, Kind.UNKNOWN)
    push = Classified(kind, 1, symbols=[data.symbol])
    if kind is Kind.TRADE:
        trades, push.unread = v1.trades(data)
        for trade in trades:
            side: Literal["buy", "sell"] = "buy" if trade.side == "buy" else "sell"
            push.trades.append((data.symbol, side, trade.price, trade.qty, 0, int(trade.time_s * SECOND)))
    return push


def _version_1_event(raw: bytes) -> Classified:
    try:
        event = msgspec.json.decode(raw, type=_Event)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if event.event == "heartbeat":
        return Classified(Kind.HEARTBEAT, 1)
    if event.event == "systemStatus":
        return Classified(Kind.STATUS, 1, system=event.status)
    if event.event == "subscriptionStatus":
        symbol = new_name(event.pair) if event.pair else ""
        method = "unsubscribe" if event.status == "unsubscribed" else "subscribe"
        ack = Ack(method, event.status != "error", event.subscription.name, symbol, event.errorMessage)
        return Classified(Kind.RESPONSE, 1, symbols=[symbol] if symbol else [], ack=ack)
    if event.event == "error":
        return Classified(Kind.ERROR, 1, error=f"{event.errorMessage} {event.pair}".strip())
    if event.event == "pong":
        return Classified(Kind.PONG, 1)
    return Classified(Kind.UNKNOWN, 1)
