"""WebSocket v2: frames to typed values and requests to text (KRAKEN.md 1 and 3). No I/O.

Unknown members are ignored and absent ones allowed: Kraken's builds differ. Numbers are Decimals of the wire's text.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, TypeVar

import msgspec

T = TypeVar("T")


class FrameError(ValueError):
    """A frame that is not what WebSocket v2 sends."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Any frame: a push (``channel``) or a response (``method``); payloads stay raw until wanted."""

    channel: str = ""
    type: str = ""
    data: msgspec.Raw = msgspec.Raw()
    sequence: int = 0
    method: str = ""
    result: msgspec.Raw = msgspec.Raw()
    success: bool | None = None
    error: str = ""
    symbol: str = ""
    req_id: int | None = None
    time_in: str = ""
    time_out: str = ""
    orders_cancelled: int | None = None


class Symbol(msgspec.Struct, frozen=True):
    """An element of which only the symbol matters."""

    symbol: str = ""


class Listed(msgspec.Struct, frozen=True):
    """What of any pair of the ``instrument`` channel says that it is there."""

    symbol: str = ""
    status: str = ""


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """The ``result`` of a subscribe or unsubscribe response."""

    channel: str = ""
    symbol: str = ""
    depth: int = 0
    maxratecount: int = 0


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """An element of the ``status`` channel."""

    system: str = ""
    version: str = ""
    upcoming_maintenance: list[Any] = []


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """An element of the ``trade`` channel; ``side`` is the taker's."""

    symbol: str
    side: Literal["buy", "sell"]
    price: Decimal
    qty: Decimal
    trade_id: int = 0
    timestamp: str = ""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset of the ``instrument`` channel."""

    id: str
    precision: int


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of the ``instrument`` channel; ``cost_min`` comes as number or as text."""

    symbol: str
    base: str
    quote: str
    status: str
    qty_precision: int
    qty_increment: Decimal
    price_precision: int
    price_increment: Decimal
    qty_min: Decimal
    cost_min: Decimal = Decimal(0)
    cost_precision: int = 5


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """``data`` of the ``instrument`` channel; elements stay raw: of over a thousand a few matter, one may be odd."""

    assets: list[msgspec.Raw] = []
    pairs: list[msgspec.Raw] = []


class FeePaid(msgspec.Struct, frozen=True, kw_only=True):
    """One fee of a trade report."""

    asset: str
    qty: Decimal


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An element of the ``executions`` channel; sparse: merge by ``order_id``."""

    order_id: str
    exec_type: str = ""
    order_status: str = ""
    cl_ord_id: str = ""
    symbol: str = ""
    side: str = ""
    order_type: str = ""
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    cum_qty: Decimal | None = None
    exec_id: str = ""
    trade_id: int = 0
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    cost: Decimal | None = None
    liquidity_ind: str = ""
    fees: list[FeePaid] = []
    timestamp: str = ""
    reason: str = ""
    post_only: bool = False
    ratecount: Decimal | None = None
    ratecounter: Decimal | None = None

    @property
    def points(self) -> Decimal | None:
        """The pair's rate counter: by v1's name or by the one that it is asked for with, v2's is not documented."""
        return self.ratecount if self.ratecount is not None else self.ratecounter


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """One wallet of a balance."""

    type: str = ""
    id: str = ""
    balance: Decimal = Decimal(0)


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """An element of the ``balances`` channel: of a snapshot (no ``ledger_id``) or a ledger entry."""

    asset: str
    balance: Decimal
    ledger_id: str = ""
    ref_id: str = ""
    timestamp: str = ""
    type: str = ""
    wallet_type: str = "spot"
    wallet_id: str = "main"
    amount: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """The ``result`` of add, amend and cancel, and an element of a batch's."""

    order_id: str = ""
    cl_ord_id: str = ""
    amend_id: str = ""
    success: bool | None = None
    error: str = ""


class SwitchSet(msgspec.Struct, frozen=True, kw_only=True):
    """The ``result`` of cancel_all_orders_after; times to the second, ``triggerTime`` ``"0"`` when disarmed."""

    currentTime: str = ""
    triggerTime: str = ""


_frame = msgspec.json.Decoder(Frame)
_encoder = msgspec.json.Encoder(decimal_format="number")


def parse(raw: bytes | str) -> Frame:
    """A frame of any channel or response. Raises :class:`FrameError` for what is not a JSON object of that shape."""
    try:
        return _frame.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(str(error)) from error


def payload(raw: msgspec.Raw, kind: type[T]) -> T:
    """A frame's ``data`` or ``result`` as a type. Raises :class:`FrameError` when it is not one."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FrameError(str(error)) from error


def request(method: str, params: dict[str, Any] | None = None, req_id: int | None = None) -> str:
    """A request's text; Decimals become JSON numbers with exactly their decimals."""
    body: dict[str, Any] = {"method": method}
    if params is not None:
        body["params"] = params
    if req_id is not None:
        body["req_id"] = req_id
    return _encoder.encode(body).decode()
