"""Kraken's book frames, v1 and v2, read for one pair: the Python twin of the Rust scanner.

The text of a number never becomes a float: it becomes an integer and a count of decimals. Sources: KRAKEN.md sections
1.5 and 2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import NoReturn, TypeGuard

from book import plain
from book.levels import CHECKSUM_MAX, DECIMALS_MAX, U64_MAX, Level, Message, Number
from book.times import rfc3339_ns, unix_ns

NESTING_MAX = 64


class FrameError(ValueError):
    """Bytes that are no sound book frame of this pair; the book is not in sync afterwards."""


class WrongSymbolError(ValueError):
    """A sound book frame that holds only other symbols; the book is untouched."""


def new_name(symbol: str) -> str:
    """Return a pair by the new names of both legs: ``XBT/USD`` is ``BTC/USD``, ``XDG/EUR`` is ``DOGE/EUR``."""
    return "/".join({"XBT": "BTC", "XDG": "DOGE"}.get(leg, leg) for leg in symbol.split("/"))


def scan(frame: bytes, symbol: str) -> list[Message]:
    """Return the messages of a frame about ``symbol`` (a name made by :func:`new_name`), at least one.

    Raises FrameError or WrongSymbolError. Errors in another symbol's levels are ignored.
    """
    message = plain.read(frame, symbol)
    return any_form(frame, symbol) if message is None else [message]


def any_form(frame: bytes, symbol: str) -> list[Message]:
    """Return the messages of a frame in whatever form JSON allows, as :func:`scan`."""
    top = _parse(frame)
    if isinstance(top, _Object):
        return _v2_frame(top, symbol)
    if isinstance(top, list):
        return [_v1_frame(top, symbol)]
    raise FrameError("neither an object nor an array")


# --- v2 --------------------------------------------------------------------------------------------------------------


def _v2_frame(top: _Object, symbol: str) -> list[Message]:
    if top.one("channel") != "book":
        raise FrameError("not the book channel")
    kind = top.one("type")
    if kind not in ("snapshot", "update"):
        raise FrameError("type is neither snapshot nor update")
    data = top.one("data")
    if not _is_array(data):
        raise FrameError("data is no array")
    messages, other = [], ""
    wrong: FrameError | None = None
    for element in data:
        name = element.first("symbol") if isinstance(element, _Object) else None
        if not isinstance(element, _Object) or not _is_text(name):
            raise FrameError("an element of data without a symbol")
        if new_name(name) != symbol:
            other = name
            continue
        try:
            messages.append(_v2_message(element, kind == "snapshot"))
        except FrameError as error:
            wrong = wrong or error
    if wrong:
        raise wrong
    if messages:
        return messages
    if other:
        raise WrongSymbolError(f"a frame of {other}")
    raise FrameError("it holds no book")


def _v2_message(element: _Object, snapshot: bool) -> Message:
    message = Message(is_v2=True, snapshot=snapshot)
    element.one("symbol")
    sides = [(is_bid, element.one(key)) for is_bid, key in ((True, "bids"), (False, "asks"))]
    if all(side is _ABSENT for _, side in sides):
        raise FrameError("neither bids nor asks")
    for is_bid, side in sides:
        if side is not _ABSENT:
            message.levels += [_v2_level(level, is_bid) for level in _array(side)]
    message.checksum = _checksum(element.one("checksum"))
    message.exchange_ts = _time(element.one("timestamp"), rfc3339_ns)
    return message


def _v2_level(level: object, is_bid: bool) -> Level:
    if not isinstance(level, _Object):
        raise FrameError("a level that is no object")
    return _level(is_bid, level.one("price"), level.one("qty"))


# --- v1 --------------------------------------------------------------------------------------------------------------


def _v1_frame(top: list[object], symbol: str) -> Message:
    pair = top[-1] if len(top) >= 3 else None
    if not _is_text(pair):
        raise FrameError("a v1 frame is [id, levels, channel, pair]")
    _, *parts, channel, _ = top
    name = channel.first("name") if isinstance(channel, _Object) else channel
    if not _is_text(name) or not (name == "book" or name.startswith("book-")):
        raise FrameError("not the book channel")
    bodies = [part for part in parts if isinstance(part, _Object)]
    if len(bodies) < len(parts):
        raise FrameError("levels that are no object")
    if new_name(pair) != symbol:
        raise WrongSymbolError(f"a frame of {pair}")
    message = Message(is_v2=False, snapshot=False)
    keys = [key for body in bodies for key in _v1_body(body, message)]
    if not keys:
        raise FrameError("no levels")
    message.snapshot = "as" in keys or "bs" in keys
    return message


def _v1_body(body: _Object, message: Message) -> Iterator[str]:
    """Add the levels of one object to the message; yield the keys that they came under."""
    checksum = _checksum(body.one("c"))
    message.checksum = message.checksum if checksum is None else checksum
    for key, value in body:
        if key not in ("as", "bs", "a", "b"):
            continue
        body.one(key)
        for level in _array(value):
            parts = _v1_parts(level)
            message.levels.append(_level(key in ("bs", "b"), parts[0], parts[1]))
            message.exchange_ts = max(message.exchange_ts, _v1_time(parts))
        yield key


def _v1_parts(level: object) -> list[object]:
    if not _is_array(level) or len(level) < 2:
        raise FrameError("a level without price or volume")
    return level


def _v1_time(level: list[object]) -> int:
    """Return a level's time; 0 for none, and for a republished level, whose time is old."""
    if len(level) < 3 or (len(level) > 3 and level[3] == "r"):
        return 0
    return _time(level[2], unix_ns)


# --- values of a book ------------------------------------------------------------------------------------------------


def _level(is_bid: bool, price: object, qty: object) -> Level:
    level = Level(is_bid, *_number(price), *_number(qty))
    if not level.price:
        raise FrameError("a price of zero")
    return level


_NUMBER = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")


def _number(text: object) -> Number:
    """Return a price or a quantity, bare (v2) or in quotes (v1)."""
    match = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if match is None or not isinstance(text, str):
        raise FrameError(f"{text!r} is no price or quantity")
    whole, fraction, sign, exponent = match.groups("")
    digits = (whole + fraction).lstrip("0") or "0"
    if len(digits) > 20 or len(exponent) > 3:
        raise FrameError(f"{text[:80]} is too large or too fine")
    mantissa = int(digits)
    decimals = len(fraction) - int(f"{sign}{exponent or 0}")
    if decimals < 0:
        mantissa, decimals = mantissa * 10**-decimals, 0
    if mantissa > U64_MAX or decimals > DECIMALS_MAX:
        raise FrameError(f"{text[:80]} is too large or too fine")
    return Number(mantissa, decimals)


def _checksum(value: object) -> int | None:
    if value is _ABSENT:
        return None
    if isinstance(value, str) and re.fullmatch("[0-9]{1,10}", value) and int(value) <= CHECKSUM_MAX:
        return int(value)
    raise FrameError("no checksum")


def _time(value: object, read: Callable[[str], int]) -> int:
    """Return a time by ``read``; 0 for anything that is not one, since only lateness is measured with it."""
    return read(value) if isinstance(value, str) else 0


# --- JSON ------------------------------------------------------------------------------------------------------------

_ABSENT = object()


class _NumberText(str):
    """A JSON number as it was written, told apart from a string."""

    __slots__ = ()


class _Object(list[tuple[str, object]]):
    """A JSON object as its members in order; :meth:`one` raises for a key that comes twice."""

    def first(self, key: str) -> object:
        return next((value for name, value in self if name == key), _ABSENT)

    def one(self, key: str) -> object:
        values = [value for name, value in self if name == key]
        if len(values) > 1:
            raise FrameError(f"{key} twice")
        return values[0] if values else _ABSENT


def _no_constant(word: str) -> NoReturn:
    raise FrameError(f"{word} is not JSON")


def _parse(frame: bytes) -> object:
    try:
        top = json.loads(
            frame.decode(),
            parse_float=_NumberText,
            parse_int=_NumberText,
            parse_constant=_no_constant,
            object_pairs_hook=_Object,
        )
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from error
    if frame.count(b"[") + frame.count(b"{") > NESTING_MAX and _nesting(top) > NESTING_MAX:
        raise FrameError("nested too deep")
    return top


def _nesting(top: object) -> int:
    layer, depth = [top], 0
    while layer := [value for value in layer if isinstance(value, list)]:
        depth += 1
        layer = [item for value in layer for item in ([v for _, v in value] if isinstance(value, _Object) else value)]
    return depth


def _is_text(value: object) -> TypeGuard[str]:
    return type(value) is str


def _is_array(value: object) -> TypeGuard[list[object]]:
    return type(value) is list


def _array(value: object) -> list[object]:
    if not _is_array(value):
        raise FrameError("levels that are no array")
    return list(value)
