"""Orders of REST calls (KRAKEN.md 4.5): from the fields of a form or of a JSON body to order requests.

A field that this simulator does not act on is refused, in whatever form it comes: nothing is placed without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.unconfirmed import Unconfirmed
from simulator import arguments, errors
from simulator.arguments import KINDS, LIMIT_KINDS, STP, TIF, decimal_text, rest_flag
from simulator.errors import KrakenError, invalid
from simulator.orders import OrderRequest
from simulator.pairs import Pair
from simulator.triggers import TRIGGERED_KINDS
from simulator.wire import NS

DEADLINE_MIN_NS = 2 * NS
EXPIRE_MIN_S = 5
_FLAGS = frozenset({"post", "fcib", "fciq", "nompp"})
_NOTHING = (None, "", "0", 0, "none")


def order(fields: Mapping[str, Any], pair: Pair, now: int, unconfirmed: Unconfirmed) -> OrderRequest:
    """An order of ``AddOrder`` or ``AddOrderBatch``."""
    kind = fields.get("ordertype")
    if kind not in KINDS:
        raise invalid("ordertype")
    side = fields.get("type")
    if side not in ("buy", "sell"):
        raise invalid("type")
    qty = decimal_text(fields, "volume")
    if qty is None:
        raise invalid("volume")
    first = price(fields, "price") if kind != "market" else None
    second = price(fields, "price2") if kind in LIMIT_KINDS and kind != "limit" else None
    if (kind != "market" and first is None) or (kind in LIMIT_KINDS and kind != "limit" and second is None):
        raise invalid("price")
    if unconfirmed.rest_idle_fields == "refused":
        _used_only(fields, kind)
    _neutral_only(fields, kind)
    tif = str(fields.get("timeinforce") or "GTC").lower()
    if tif not in TIF:
        raise invalid("timeinforce")
    stp = str(fields.get("stptype") or "cancel-newest").replace("-", "_")
    if stp not in STP:
        raise invalid("stptype")
    flags = order_flags(fields)
    return arguments.checked(
        now,
        pair=pair,
        side=side,
        kind=kind,
        qty=qty,
        price=second if kind in TRIGGERED_KINDS else first,
        trigger=first if kind in TRIGGERED_KINDS else None,
        tif=tif,
        expire_ns=_expiry(fields, tif, now),
        post_only="post" in flags,
        stp=stp,
        cl_ord_id=arguments.client_id(fields.get("cl_ord_id") or None),
        userref=userref(fields, "userref"),
        fee_pref=next((flag for flag in ("fcib", "fciq") if flag in flags), ""),
    )


def price(fields: Mapping[str, Any], name: str) -> Decimal | None:
    """An absolute price; those relative to the last trade (``+``, ``-``, ``#``, ``%``) are refused."""
    value = fields.get(name)
    if isinstance(value, str) and value.startswith("-"):
        raise invalid(name)
    return decimal_text(fields, name)


def order_flags(fields: Mapping[str, Any]) -> frozenset[str]:
    """The words of ``oflags``."""
    flags = frozenset(item for item in str(fields.get("oflags") or "").split(",") if item)
    if not flags <= _FLAGS:
        raise invalid("oflags")
    return flags


def userref(fields: Mapping[str, Any], name: str) -> int | None:
    """A user reference: a whole number of 32 bits."""
    found = decimal_text(fields, name)
    if found is not None and (found != found.to_integral_value() or abs(found) >= 2**31):
        raise invalid(name)
    return None if found is None else int(found)


def _used_only(fields: Mapping[str, Any], kind: str) -> None:
    """Refuses a second price and a trigger that an order of this type has no use for."""
    used = {"price2": kind in TRIGGERED_KINDS and kind in LIMIT_KINDS, "trigger": kind in TRIGGERED_KINDS}
    for name, is_used in used.items():
        if not is_used and fields.get(name) not in _NOTHING:
            raise invalid(name)


def _neutral_only(fields: Mapping[str, Any], kind: str) -> None:
    """Refuses what this simulator does not act on."""
    if kind in TRIGGERED_KINDS and str(fields.get("trigger") or "last") != "last":
        raise KrakenError(errors.INDEX_UNAVAILABLE)
    if rest_flag(fields, "reduce_only"):
        raise KrakenError(errors.REDUCE_ONLY_SPOT)
    for name in ("displayvol", "leverage", "starttm"):
        if fields.get(name) not in _NOTHING:
            raise invalid(name)
    # A form has close[ordertype] and so on, a JSON body an object.
    for name, value in fields.items():
        if (name == "close" and value not in (None, "", {})) or (name.startswith("close[") and value not in (None, "")):
            raise invalid(name[:32])
    if fields.get("asset_class") not in (None, "", "currency"):
        raise KrakenError(errors.UNKNOWN_PAIR)


def _expiry(fields: Mapping[str, Any], tif: str, now: int) -> int:
    """When a GTD order ends, ns since the epoch; 0 for others, which may not carry an end."""
    value = str(fields.get("expiretm") or "0")
    relative = value.startswith("+")
    if not re.fullmatch(r"\+?[0-9]{1,12}", value):
        raise invalid("expiretm")
    seconds = int(value.lstrip("+"))
    if (tif == "gtd") != bool(seconds) or (relative and seconds < EXPIRE_MIN_S):
        raise invalid("expiretm")
    if not seconds:
        return 0
    return now + seconds * NS if relative else seconds * NS
