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
from simulator.terms import TRAILING_KINDS, TRIGGERED_KINDS, Close, Distance, Terms
from simulator.wire import NS, units

DEADLINE_MIN_NS = 2 * NS
EXPIRE_MIN_S = 5
_FLAGS = frozenset({"post", "fcib", "fciq", "nompp"})
_NOTHING = (None, "", "0", 0, "none")
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_RELATIVE = re.compile(r"([+-])([0-9]{1,12}(?:\.[0-9]{1,12})?)(%?)", re.ASCII)


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
    terms = _terms(fields, pair, kind, qty)
    trails, limits = kind in TRAILING_KINDS, kind in TRIGGERED_KINDS and kind in LIMIT_KINDS
    first = price(fields, "price") if kind != "market" and not trails else None
    second = price(fields, "price2") if limits and not trails else None
    if not trails and ((kind != "market" and first is None) or (limits and second is None)):
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
        terms=terms,
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


def _terms(fields: Mapping[str, Any], pair: Pair, kind: str, qty: Decimal) -> Terms:
    """What the order has beside the terms of all: trailing distances, what an iceberg shows, a conditional close."""
    trail = offset = None
    if kind in TRAILING_KINDS:
        trail = _distance(fields, "price", pair)
        if trail.amount <= 0:
            raise invalid("price")
        if kind in LIMIT_KINDS:
            offset = _distance(fields, "price2", pair)
    display = decimal_text(fields, "displayvol") if fields.get("displayvol") not in _NOTHING else None
    if (kind == "iceberg") != (display is not None):
        raise invalid("displayvol")
    shown = 0 if display is None else arguments.display_lots(pair, qty, display, "displayvol")
    return Terms(trail, offset, shown, _close(fields, pair))


def _distance(fields: Mapping[str, Any], name: str, pair: Pair) -> Distance:
    """A price relative to another one: ``+5``, ``-0.5%``."""
    match = _RELATIVE.fullmatch(str(fields.get(name) or ""))
    if match is None:
        raise invalid(name)
    sign, amount, percent = match.groups()
    distance = Decimal(amount) * (-1 if sign == "-" else 1)
    if not percent and units(distance, pair.price_precision) is None:
        raise invalid(name)
    return Distance(distance, "pct" if percent else "quote")


def _close(fields: Mapping[str, Any], pair: Pair) -> Close | None:
    """A conditional close: a form has ``close[ordertype]`` and so on, a JSON body an object; empty is none."""
    given = fields.get("close")
    parts = {name[6:-1]: value for name, value in fields.items() if name.startswith("close[") and value not in _EMPTY}
    blamed = f"close[{next(iter(parts))[:24]}]" if parts else "close"
    if isinstance(given, dict):
        parts |= {name: value for name, value in given.items() if value not in _EMPTY}
    elif given not in (*_EMPTY, "{}", "[]"):
        raise invalid("close")
    if not parts:
        return None
    kind = parts.get("ordertype")
    first, second = (price(parts, name) for name in ("price", "price2"))
    trigger = first if kind in TRIGGERED_KINDS else None
    return arguments.close_of(pair, kind, trigger, second if trigger is not None else first, blamed)


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
    for name in ("leverage", "starttm"):
        if fields.get(name) not in _NOTHING:
            raise invalid(name)
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
