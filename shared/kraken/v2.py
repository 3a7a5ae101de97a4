"""WebSocket v2: frames to typed values and requests to text (KRAKEN.md 1 and 3).

Unknown members are ignored and absent ones allowed: Kraken's builds differ. Numbers are Decimals of the text on the
wire.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeVar

import msgspec

from shared import limits
from shared.errors import FrameError
from shared.numbers import is_usable

T = TypeVar("T")
E = TypeVar("E", bound=msgspec.Struct)


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A frame: a push (``channel``) or a response (``method``); payloads stay raw until they are needed."""

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
    """A pair of the ``instrument`` channel, by the fields that show that it is listed."""

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
    upcoming_maintenance: list[object] = []


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
    price_precision: int
    qty_increment: Decimal | None = None
    price_increment: Decimal | None = None
    tick_size: Decimal | None = None
    qty_min: Decimal | None = None
    cost_min: Decimal | None = None
    cost_precision: int | None = None


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """``data`` of the ``instrument`` channel; elements stay raw: of over a thousand few matter, and any may be odd."""

    assets: list[msgspec.Raw] = []
    pairs: list[msgspec.Raw] = []


class FeePaid(msgspec.Struct, frozen=True, kw_only=True):
    """One fee of a trade report."""

    asset: str
    qty: Decimal


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """The trigger of a stop, take-profit or trailing order; ``status`` is ``untriggered`` or ``triggered``."""

    status: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An element of the ``executions`` channel; sparse: an update has only what changed of its ``order_id``."""

    order_id: str
    exec_type: str = ""
    order_status: str = ""
    cl_ord_id: str = ""
    symbol: str = ""
    side: str = ""
    order_type: str = ""
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    limit_price_type: str = ""
    triggers: Trigger | None = None
    effective_time: str = ""
    margin: bool = False
    position_status: str = ""
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
        """Return the pair's rate counter, under v1's name or that of the subscription: v2's is not documented."""
        return self.ratecount if self.ratecount is not None else self.ratecounter

    @property
    def is_margin(self) -> bool:
        """True for an order or trade on margin, which moves no spot balance."""
        return self.margin or bool(self.position_status)


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


class Unread(msgspec.Struct, frozen=True):
    """An element that could not be read: why not, its first bytes, and its text members (such as ids)."""

    why: str
    raw: bytes
    texts: dict[str, str] = {}


_frame = msgspec.json.Decoder(Frame)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder()


def parse(raw: bytes | str) -> Frame:
    """Return a frame of any channel, or a response. Raises :class:`FrameError` for anything else."""
    try:
        return _frame.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _parse_without_nulls(raw, error)


def _parse_without_nulls(raw: bytes | str, first: Exception) -> Frame:
    """Read a frame with null members, which mean the same as absent ones."""
    try:
        members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        present = {name: value for name, value in members.items() if bytes(value) != b"null"}
        return _frame.decode(_encoder.encode(present))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FrameError(str(first)) from first


def payload(raw: msgspec.Raw, kind: type[T]) -> T:
    """Return a frame's ``data`` or ``result`` as a type. Raises :class:`FrameError` when it is not one."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FrameError(str(error)) from error


def elements(raw: msgspec.Raw, kind: type[E]) -> tuple[list[E], list[Unread]]:
    """Return the elements of a frame's ``data``: those that could be read, and the others.

    A null member counts as absent. A number that no market has (not finite, or of too many digits) makes its element
    unreadable. Raises :class:`FrameError` if ``raw`` is no list.
    """
    rows = each(raw, kind)
    unread = [row for row in rows if isinstance(row, Unread)]
    return [row for row in rows if not isinstance(row, Unread)], unread


def each(raw: msgspec.Raw, kind: type[E]) -> list[E | Unread]:
    """Return as :func:`elements` does, but in one list in the order of arrival, for lists whose order has a meaning."""
    try:
        rows = _list.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FrameError(str(error)) from error
    read: list[E | Unread] = []
    for row in rows:
        try:
            read.append(_element(row, kind))
        except (msgspec.DecodeError, RecursionError, ValueError, ArithmeticError) as error:
            read.append(Unread(str(error), bytes(row)[: limits.BAD_MESSAGE_SHOWN_BYTES], _texts(row)))
    return read


def _element(row: msgspec.Raw, kind: type[E]) -> E:
    try:
        element = msgspec.json.decode(row, type=kind)
    except msgspec.ValidationError:
        element = msgspec.convert(_without_nulls(_any.decode(row)), kind, strict=False)
    _check_numbers(element)
    return element


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(member) for member in value] if isinstance(value, list) else value


def _check_numbers(element: object) -> None:
    for name in getattr(element, "__struct_fields__", ()):
        value = getattr(element, name)
        if isinstance(value, Decimal) and not is_usable(value):
            raise FrameError(f"{name} is {str(value)[: limits.BAD_NUMBER_SHOWN]}, no number of a market")
        for member in value if isinstance(value, list) else (value,):
            if isinstance(member, msgspec.Struct):
                _check_numbers(member)


def _texts(row: msgspec.Raw) -> dict[str, str]:
    try:
        members = _any.decode(row)
    except (msgspec.DecodeError, RecursionError, ValueError, ArithmeticError):
        return {}
    if not isinstance(members, dict):
        return {}
    return {name: value for name, value in members.items() if isinstance(value, str) and len(value) < 100}


def request(method: str, params: dict[str, object] | None = None, req_id: int | None = None) -> str:
    """Return a request's text; Decimals become JSON numbers with exactly their decimals, without exponents.

    A whole number ends in ``.0``: Kraken rejects a price that is an integer (KRAKEN.md 3.4).
    """
    body: dict[str, object] = {"method": method}
    if params is not None:
        body["params"] = _plain_numbers(params)
    if req_id is not None:
        body["req_id"] = req_id
    return _encoder.encode(body).decode()


def _plain_numbers(value: object) -> object:
    if isinstance(value, Decimal):
        written = format(value, "f")
        return msgspec.Raw((written if "." in written else f"{written}.0").encode())
    if isinstance(value, dict):
        return {name: _plain_numbers(member) for name, member in value.items()}
    return [_plain_numbers(member) for member in value] if isinstance(value, list) else value
