"""Arguments of requests, read one by one: WebSocket v2 members become order requests, REST fields values.

Whatever a client sends ends as a value or as a :class:`KrakenError` with Kraken's text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from simulator import errors
from simulator.accounts import Accounts
from simulator.errors import KrakenError, invalid
from simulator.orders import OrderRequest
from simulator.pairs import Pair, find_pair
from simulator.terms import CLOSE_KINDS, DISPLAY_SHARE, TRAILING_KINDS, TRIGGERED_KINDS, Close, Distance, Terms
from simulator.validation import to_lots, to_ticks
from simulator.wire import NS, parse_time

DEADLINE_MIN_NS, DEADLINE_MAX_NS, DEADLINE_DEFAULT_NS = NS // 2, 60 * NS, 5 * NS
EXPIRE_MAX_NS = 31 * 86_400 * NS
BATCH_ADD_MAX, BATCH_CANCEL_MAX = 15, 50
_CLIENT_ID = re.compile(
    r"[\x20-\x7e]{1,18}|[0-9a-fA-F]{32}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
_PLAIN = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
KINDS = ("limit", "market", "iceberg", *TRIGGERED_KINDS)
LIMIT_KINDS = ("limit", "iceberg", "stop-loss-limit", "take-profit-limit", "trailing-stop-limit")
_DISTANCES = ("pct", "quote")
STP = ("cancel_newest", "cancel_oldest", "cancel_both")
TIF = ("gtc", "ioc", "gtd", "fok")
_FEES = {"base": "fcib", "quote": "fciq"}

# Members that Kraken has and this simulator does not act on: a neutral value passes, another is refused.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "reduce_only": (False, None),
    "margin": (False, None),
    "no_mpp": (False, True, None),
    "effective_time": (None,),
    "cash_order_qty": (None,),
    "stop_price": (None,),
    "trigger": (None,),
    "sender_sub_id": (None,),
}
ORDER_MEMBERS = frozenset(
    {
        "order_type",
        "side",
        "order_qty",
        "limit_price",
        "time_in_force",
        "expire_time",
        "post_only",
        "cl_ord_id",
        "order_userref",
        "fee_preference",
        "stp_type",
        "triggers",
        "limit_price_type",
        "display_qty",
        "conditional",
        *_NEUTRAL,
    }
)
CALL_MEMBERS = frozenset({"symbol", "token", "deadline", "validate"})


def only(params: Mapping[str, Any], allowed: frozenset[str], method: str) -> None:
    """Refuses members that the message type does not have."""
    for name in params:
        if name not in allowed:
            raise KrakenError(errors.unsupported_field(name[:64], method))


def number(params: Mapping[str, Any], name: str) -> Decimal | None:
    """A JSON number as an exact Decimal, None when absent; a text is refused as Kraken does."""
    value = params.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise KrakenError(f"{name.capitalize()} field must be a number_float")
    return Decimal(value)


def flag(params: Mapping[str, Any], name: str) -> bool:
    """A boolean, false when absent."""
    value = params.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(name)
    return bool(value)


def choice(params: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str | None) -> str:
    """One of some words, lower case; without a default it has to be there."""
    value = params.get(name, default)
    if value is None and default is not None:
        value = default
    if not isinstance(value, str) or value.lower() not in allowed:
        raise invalid(name)
    return value.lower()


def whole(params: Mapping[str, Any], name: str, low: int, high: int, called: str = "") -> int | None:
    """An integer within bounds, None when absent; ``called`` is its name in the refusal."""
    value = params.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(called or name)
    return value


def client_id(value: Any) -> str | None:
    """A ``cl_ord_id``: a UUID, or up to 18 characters of ASCII."""
    if value is None:
        return None
    if not isinstance(value, str) or _CLIENT_ID.fullmatch(value) is None:
        raise invalid("cl_ord_id")
    return value


def texts(params: Mapping[str, Any], name: str, most: int) -> list[str]:
    """A list of ids; one id alone counts as a list, numbers become text."""
    value = params.get(name)
    if value is None:
        return []
    found = value if isinstance(value, list) else [value]
    if len(found) > most or any(isinstance(item, bool) or not isinstance(item, str | int) for item in found):
        raise invalid(name)
    return [str(item) for item in found]


def moment(value: Any, name: str) -> int:
    """An RFC 3339 time in ns since the epoch."""
    if not isinstance(value, str):
        raise invalid(name)
    try:
        return parse_time(value)
    except (ValueError, OverflowError) as error:
        raise invalid(name) from error


def deadline(value: Any, now: int, least_ns: int = DEADLINE_MIN_NS) -> int:
    """Until when (ns since the epoch) the engine may take a request that arrives ``now``."""
    if value is None or value == "":
        return now + DEADLINE_DEFAULT_NS
    until = moment(value, "deadline")
    if until < now:
        raise KrakenError(errors.DEADLINE_ELAPSED)
    if not now + least_ns <= until <= now + DEADLINE_MAX_NS:
        raise invalid("deadline")
    return until


def slash_pair(params: Mapping[str, Any], exchange: Accounts) -> Pair:
    """The pair of a v2 ``symbol`` as it is now."""
    symbol = params.get("symbol")
    venue = exchange.venues.get(symbol) if isinstance(symbol, str) else None
    if venue is None:
        raise KrakenError(errors.UNKNOWN_PAIR)
    return venue.pair


def order(params: Mapping[str, Any], pair: Pair, now: int) -> OrderRequest:
    """An order of ``add_order`` or ``batch_add``; the members are those of ``ORDER_MEMBERS``."""
    neutral_only(params)
    kind = params.get("order_type")
    if kind not in KINDS:
        raise invalid("ordertype")
    side = choice(params, "side", ("buy", "sell"), None)
    qty = number(params, "order_qty")
    if qty is None:
        raise invalid("volume")
    price = number(params, "limit_price")
    if (kind in LIMIT_KINDS) != (price is not None):
        raise invalid("price")
    terms = _terms(params, pair, kind, qty, price)
    trigger = None if terms.trail is not None else trigger_of(params)
    if terms.trail is None and (
        (kind in TRIGGERED_KINDS) != (trigger is not None) or (trigger is None and params.get("triggers") is not None)
    ):
        raise invalid("triggers")
    expire, fee = params.get("expire_time"), params.get("fee_preference")
    return checked(
        now,
        pair=pair,
        side=side,
        kind=kind,
        qty=qty,
        price=None if terms.offset is not None else price,
        trigger=trigger,
        terms=terms,
        tif=choice(params, "time_in_force", TIF, "gtc"),
        expire_ns=0 if expire is None else moment(expire, "expire_time"),
        post_only=flag(params, "post_only"),
        stp=choice(params, "stp_type", STP, "cancel_newest"),
        cl_ord_id=client_id(params.get("cl_ord_id")),
        userref=whole(params, "order_userref", -(2**31), 2**31 - 1, "userref"),
        fee_pref="" if fee is None else _FEES[choice(params, "fee_preference", tuple(_FEES), None)],
    )


def _terms(params: Mapping[str, Any], pair: Pair, kind: str, qty: Decimal, price: Decimal | None) -> Terms:
    """What the order has beside the terms of all."""
    limit_type = choice(
        params, "limit_price_type", ("static", *_DISTANCES), "quote" if kind in TRAILING_KINDS else "static"
    )
    display, trail, offset = number(params, "display_qty"), None, None
    if (kind == "iceberg") != (display is not None):
        raise invalid("display_qty")
    if kind in TRAILING_KINDS:
        trail = _trail(params)
        if price is not None:
            offset = Distance(price, limit_type)
    elif limit_type != "static":
        raise invalid("limit_price_type")
    shown = 0 if display is None else display_lots(pair, qty, display, "display_qty")
    return Terms(trail, offset, shown, _conditional(params, pair))


def display_lots(pair: Pair, qty: Decimal, display: Decimal, name: str) -> int:
    """The lots that an iceberg shows: a fifteenth of it at least."""
    shown, whole_lots = to_lots(pair, display), to_lots(pair, qty)
    if not whole_lots <= shown * DISPLAY_SHARE or shown > whole_lots:
        raise invalid(name)
    return shown


def _trail(params: Mapping[str, Any]) -> Distance:
    triggers = params.get("triggers")
    if not isinstance(triggers, dict):
        raise invalid("triggers")
    only(triggers, frozenset({"reference", "price", "price_type"}), "triggers")
    if triggers.get("reference", "last") != "last":
        raise KrakenError(errors.INDEX_UNAVAILABLE)
    if triggers.get("price_type") not in _DISTANCES:
        raise invalid("triggers.price_type")
    amount = number(triggers, "price")
    if amount is None or not amount > 0:
        raise invalid("triggers.price")
    return Distance(amount, triggers["price_type"])


def _conditional(params: Mapping[str, Any], pair: Pair) -> Close | None:
    template = params.get("conditional")
    if template is None:
        return None
    if not isinstance(template, dict):
        raise invalid("conditional")
    for name in ("limit_price_type", "trigger_price_type"):
        if template.get(name, "static") != "static":
            raise invalid(name)
    return close_of(
        pair,
        template.get("order_type"),
        number(template, "trigger_price"),
        number(template, "limit_price"),
        "conditional",
    )


def close_of(pair: Pair, kind: object, trigger: Decimal | None, price: Decimal | None, name: str) -> Close:
    """A conditional close of static prices; ``name`` is what is refused."""
    if kind not in CLOSE_KINDS or (price is not None) != (kind in LIMIT_KINDS):
        raise invalid(name)
    if (trigger is not None) != (kind in TRIGGERED_KINDS):
        raise invalid(name)
    ticks = (None if value is None else to_ticks(pair, value) for value in (trigger, price))
    return Close(str(kind), *ticks)


def neutral_only(params: Mapping[str, Any]) -> None:
    """Refuses what this simulator does not act on."""
    if params.get("reduce_only") is True:
        raise KrakenError(errors.REDUCE_ONLY_SPOT)
    for name, neutral in _NEUTRAL.items():
        if name in params and not any(params[name] is value or params[name] == value for value in neutral):
            raise invalid(name)


def trigger_of(params: Mapping[str, Any]) -> Decimal | None:
    """The price in ``triggers``, None without; only static prices of the last trade are simulated."""
    triggers = params.get("triggers")
    if triggers is None:
        return None
    if not isinstance(triggers, dict):
        raise invalid("triggers")
    only(triggers, frozenset({"reference", "price", "price_type"}), "triggers")
    if triggers.get("reference", "last") != "last":
        raise KrakenError(errors.INDEX_UNAVAILABLE)
    if triggers.get("price_type", "static") != "static":
        raise invalid("triggers.price_type")
    return number(triggers, "price")


def checked(now: int, *, userref: int | None, **members: Any) -> OrderRequest:
    """An order of these members, or the refusal of those that do not go together."""
    request = OrderRequest(userref=userref or 0, **members)
    if request.cl_ord_id is not None and userref is not None:
        raise invalid("cl_ord_id and userref are mutually exclusive")
    if (request.tif == "gtd") != bool(request.expire_ns) or request.expire_ns > now + EXPIRE_MAX_NS:
        raise invalid("expire_time")
    if request.tif == "fok" and request.kind != "limit":
        raise invalid("timeinforce")
    if request.price is None and request.terms.offset is None and request.post_only:
        raise invalid("post_only")
    if request.kind == "market" and request.tif not in ("gtc", "ioc"):
        raise invalid("timeinforce")
    if request.kind in TRIGGERED_KINDS and request.tif == "ioc":
        raise invalid("timeinforce")
    if request.post_only and request.tif in ("ioc", "fok"):
        raise invalid("post_only")
    return request


def safe_order(params: Any, pair: Pair, now: int) -> OrderRequest:
    """As :func:`order`, for one of a batch: unknown members are refused, and so is what is no object."""
    if not isinstance(params, dict):
        raise invalid("orders")
    only(params, ORDER_MEMBERS, "batch_add")
    return order(params, pair, now)


def decimal_text(fields: Mapping[str, Any], name: str) -> Decimal | None:
    """A REST number: plain decimal text or a JSON number; None when absent or empty."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > 60:
        raise invalid(name)
    # Decimal reads more than that: signs, exponents, underscores, the digits of other scripts.
    if isinstance(value, str) and _PLAIN.fullmatch(value) is None:
        raise invalid(name)
    return Decimal(value)


def rest_flag(fields: Mapping[str, Any], name: str) -> bool:
    """A REST boolean: a JSON one, 0 or 1, or their texts; false when absent or empty."""
    value = fields.get(name)
    text = str(value).lower() if isinstance(value, bool | int | str) else ""
    if text in ("true", "1"):
        return True
    if value in (None, "") or text in ("false", "0"):
        return False
    raise invalid(name)


def rest_pair(fields: Mapping[str, Any], exchange: Accounts) -> Pair:
    """The pair of a REST call as it is now, by any of its names."""
    name = fields.get("pair")
    venue = exchange.listed(find_pair(name)) if isinstance(name, str) else None
    if venue is None:
        raise KrakenError(errors.UNKNOWN_PAIR)
    return venue.pair
