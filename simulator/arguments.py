"""Readers of single arguments, for WebSocket and REST.

Each returns a value, or raises :class:`KrakenError` with the refusal that Kraken has for what a client sent.
"""

from __future__ import annotations

import re
from decimal import Decimal

from simulator import errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.state import State
from simulator.pairs.pairs import Pair, find_pair
from simulator.wire import NS, Fields, Json, parse_time

DEADLINE_MIN_NS, DEADLINE_MAX_NS, DEADLINE_DEFAULT_NS = NS // 2, 60 * NS, 5 * NS
BATCH_ADD_MAX, BATCH_CANCEL_MAX = 15, 50
_CLIENT_ID = re.compile(
    r"[\x20-\x7e]{1,18}|[0-9a-fA-F]{32}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
_PLAIN = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
CALL_MEMBERS = frozenset({"symbol", "token", "deadline", "validate"})


def only(params: Fields, allowed: frozenset[str], method: str) -> None:
    """Refuse (KrakenError) members that the message type does not have."""
    for name in params:
        if name not in allowed:
            raise KrakenError(errors.unsupported_field(name[:64], method))


def number(params: Fields, name: str) -> Decimal | None:
    """Return a JSON number as an exact Decimal, None when absent; a text is refused as Kraken does."""
    value = params.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise KrakenError(f"{name.capitalize()} field must be a number_float")
    return Decimal(value)


def flag(params: Fields, name: str) -> bool:
    """Return a JSON boolean, false when absent."""
    value = params.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(name)
    return bool(value)


def choice(params: Fields, name: str, allowed: tuple[str, ...], default: str | None) -> str:
    """Return one of ``allowed``, lower case; without a default it has to be there."""
    value = params.get(name, default)
    if value is None and default is not None:
        value = default
    if not isinstance(value, str) or value.lower() not in allowed:
        raise invalid(name)
    return value.lower()


def whole(params: Fields, name: str, low: int, high: int, called: str = "") -> int | None:
    """Return an integer within bounds, None when absent; ``called`` is its name in the refusal."""
    value = params.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(called or name)
    return value


def client_id(value: Json) -> str | None:
    """Return a ``cl_ord_id``: a UUID, or up to 18 characters of ASCII."""
    if value is None:
        return None
    if not isinstance(value, str) or _CLIENT_ID.fullmatch(value) is None:
        raise invalid("cl_ord_id")
    return value


def texts(params: Fields, name: str, most: int) -> list[str]:
    """Return a list of ids; one id alone counts as a list, numbers become text."""
    value = params.get(name)
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    if len(items) > most or any(isinstance(item, bool) or not isinstance(item, str | int) for item in items):
        raise invalid(name)
    return [str(item) for item in items]


def moment(value: Json, name: str) -> int:
    """Return an RFC 3339 time in ns since the epoch."""
    if not isinstance(value, str):
        raise invalid(name)
    try:
        return parse_time(value)
    except (ValueError, OverflowError) as error:
        raise invalid(name) from error


def deadline(value: Json, now: int, least_ns: int = DEADLINE_MIN_NS) -> int:
    """Return the time (ns since the epoch) until which the engine may take a request that arrives ``now``."""
    if value is None or value == "":
        return now + DEADLINE_DEFAULT_NS
    until = moment(value, "deadline")
    if until < now:
        raise KrakenError(errors.DEADLINE_ELAPSED)
    if not now + least_ns <= until <= now + DEADLINE_MAX_NS:
        raise invalid("deadline")
    return until


def slash_pair(params: Fields, state: State) -> Pair:
    """Return the pair of a v2 ``symbol`` as it is now."""
    symbol = params.get("symbol")
    venue = state.venues.get(symbol) if isinstance(symbol, str) else None
    if venue is None:
        raise KrakenError(errors.UNKNOWN_PAIR)
    return venue.pair


def decimal_text(fields: Fields, name: str) -> Decimal | None:
    """Return a REST number: plain decimal text or a JSON number; None when absent or empty."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > 60:
        raise invalid(name)
    # Decimal reads more than that: signs, exponents, underscores, the digits of other scripts.
    if isinstance(value, str) and _PLAIN.fullmatch(value) is None:
        raise invalid(name)
    return Decimal(value)


def rest_flag(fields: Fields, name: str) -> bool:
    """Return a REST boolean: a JSON one, 0 or 1, or their texts; false when absent or empty."""
    value = fields.get(name)
    text = str(value).lower() if isinstance(value, bool | int | str) else ""
    if text in ("true", "1"):
        return True
    if value in (None, "") or text in ("false", "0"):
        return False
    raise invalid(name)


def rest_pair(fields: Fields, state: State) -> Pair:
    """Return the pair of a REST call as it is now, by any of its names."""
    name = fields.get("pair")
    venue = state.listed(find_pair(name)) if isinstance(name, str) else None
    if venue is None:
        raise KrakenError(errors.UNKNOWN_PAIR)
    return venue.pair
