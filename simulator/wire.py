"""Text as Kraken writes it: numbers with a fixed number of decimals, times, ids; and requests read exactly.

Numbers are integers of ``10 ** -precision`` everywhere else; here they become text without ever being a float.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NoReturn, TypeAlias

NS = 1_000_000_000
# A JSON value from a client as read_json gives it: every fraction is an exact Decimal.
Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"
# The arguments of a request by their names: from a JSON object, a form or a query.
Fields: TypeAlias = Mapping[str, Json]
# A JSON value that is written to a client.
Written: TypeAlias = "bool | int | float | str | Sequence[Written] | Mapping[str, Written] | None"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID_SPACE = 36**15
# Odd and no multiple of 3, so that it has no factor in common with 36 and the mapping below repeats nothing.
_ID_STEP = 68_718_952_447_483_273_127


def fixed(units: int, precision: int) -> str:
    """Return ``units`` of ``10 ** -precision`` with exactly ``precision`` decimals, never an exponent."""
    if units < 0:
        return "-" + fixed(-units, precision)
    if not precision:
        return str(units)
    digits = str(units).zfill(precision + 1)
    return f"{digits[:-precision]}.{digits[-precision:]}"


def string(text: str) -> str:
    """Return a JSON string."""
    return json.dumps(text)


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def iso(ns: int) -> str:
    """Return RFC 3339 with microseconds, from ns since the epoch."""
    seconds, rest = divmod(ns, NS)
    return f"{_second(seconds)}.{rest // 1000:06d}Z"


def iso_ns(ns: int) -> str:
    """Return RFC 3339 with nanoseconds, from ns since the epoch."""
    seconds, rest = divmod(ns, NS)
    return f"{_second(seconds)}.{rest:09d}Z"


def iso_seconds(seconds: int) -> str:
    """Return RFC 3339 with whole seconds, from seconds since the epoch."""
    return f"{_second(seconds)}Z"


def seconds(ns: int) -> str:
    """Return Unix seconds with four decimals as a JSON number, as REST prints times."""
    return fixed(ns // 100_000, 4)


def micros(ns: int) -> str:
    """Return Unix seconds with six decimals, as version 1 of the WebSocket writes times."""
    return fixed(ns // 1000, 6)


def parse_time(text: str) -> int:
    """Return ns since the epoch of an RFC 3339 text; raises ValueError. A text without a zone counts as UTC."""
    if len(text) > 40:
        raise ValueError("no time")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86400 + elapsed.seconds) * NS + elapsed.microseconds * 1000


def make_id(prefix: str, number: int, salt: int) -> str:
    """Return a Kraken-looking id (6-5-6) of ``prefix``: one to one in ``number``, scattered by ``salt``."""
    value = (number * _ID_STEP + salt) % _ID_SPACE
    digits = []
    for _ in range(15):
        value, digit = divmod(value, 36)
        digits.append(_DIGITS[digit])
    body = "".join(digits)
    return f"{prefix}{body[:5]}-{body[5:10]}-{body[10:15]}{_DIGITS[number % 36]}"


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def read_json(text: str | bytes) -> Json:
    """Return a JSON value with every fraction as an exact Decimal; raises ValueError on anything that is not JSON."""
    try:
        value: Json = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
        if "\\u" in text if isinstance(text, str) else b"\\u" in text:
            # Half of a surrogate pair is no text: this raises a ValueError of its own.
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return value


def units(value: Decimal | int, precision: int) -> int | None:
    """Return the units of ``10 ** -precision`` in ``value``; None when it is not finite or has more decimals."""
    number = Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > 20:
        return 0 if number.is_finite() and not number else None
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or len(digits) > 60:
        return None
    whole = int("".join(map(str, digits)))
    shift = exponent + precision
    if shift < 0:
        whole, rest = divmod(whole, int(10 ** min(-shift, 80)))
        if rest:
            return None
    else:
        whole *= int(10**shift)
    return -whole if number < 0 else whole
