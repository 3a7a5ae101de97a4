"""Orders of REST calls (KRAKEN.md 4.5): from the fields of a form or of a JSON body to order requests.

A field that this simulator does not act on is refused, in whatever form it comes: nothing is placed without it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from shared.config.unconfirmed import Unconfirmed
from simulator import arguments, errors
from simulator.arguments import decimal_text, rest_flag
from simulator.errors import KrakenError, invalid
from simulator.exchange.engine import Side
from simulator.exchange.orders import OrderRequest, Price
from simulator.exchange.terms import SETTLE, TRAILING_KINDS, TRIGGERED_KINDS, Close, Distance, Terms
from simulator.pairs.margin import leverages
from simulator.pairs.pairs import Pair
from simulator.wire import NS, Fields, Json, units
from simulator.ws_v2 import order_arguments as v2_arguments
from simulator.ws_v2.order_arguments import KINDS, LIMIT_KINDS, STP, TIF

DEADLINE_MIN_NS = 2 * NS
EXPIRE_MIN_S = 5
_FLAGS = frozenset({"post", "fcib", "fciq", "nompp", "viqc"})
# The names of an order's end and start.
TIMES = ("expiretm", "starttm")
_NOTHING = (None, "", "0", 0, "none")
_EMPTY: tuple[Json, ...] = (None, "", [], {})
_RELATIVE = re.compile(r"([+#-])([0-9]{1,12}(?:\.[0-9]{1,12})?)(%?)", re.ASCII)


def order(fields: Fields, pair: Pair, now: int, unconfirmed: Unconfirmed) -> OrderRequest:
    """Return an order of ``AddOrder`` or ``AddOrderBatch``."""
    kind = fields.get("ordertype")
    if not isinstance(kind, str) or kind not in KINDS:
        raise invalid("ordertype")
    if fields.get("type") not in ("buy", "sell"):
        raise invalid("type")
    side: Side = "buy" if fields["type"] == "buy" else "sell"
    qty, flags = decimal_text(fields, "volume"), order_flags(fields)
    if qty is None:
        raise invalid("volume")
    in_quote = "viqc" in flags
    if in_quote and (kind, side) != ("market", "buy"):
        raise invalid("oflags")
    terms = _terms(fields, pair, kind, qty)
    if in_quote:
        terms, qty = replace(terms, cash=v2_arguments.cash_of(pair, qty, "volume")), Decimal(0)
    prices = _prices(fields, kind, side)
    if isinstance(prices[0], Distance) and kind in TRIGGERED_KINDS:
        terms = replace(terms, distance=prices[0])
    if unconfirmed.rest_idle_fields == "refused":
        _used_only(fields, kind)
    _neutral_only(fields, kind)
    expire_ns, start_ns = (_moment(fields, name, now) for name in TIMES)
    tif = str(fields.get("timeinforce") or ("GTD" if expire_ns else "GTC")).lower()
    if tif not in TIF:
        raise invalid("timeinforce")
    stp = str(fields.get("stptype") or "cancel-newest").replace("-", "_")
    if stp not in STP:
        raise invalid("stptype")
    request = OrderRequest(
        pair=pair,
        side=side,
        kind=kind,
        qty=qty,
        price=prices[1] if kind in TRIGGERED_KINDS else prices[0],
        trigger=prices[0] if kind in TRIGGERED_KINDS else None,
        terms=terms,
        tif=tif,
        expire_ns=expire_ns,
        start_ns=start_ns,
        post_only="post" in flags,
        stp=stp,
        cl_ord_id=arguments.client_id(fields.get("cl_ord_id") or None),
        fee_pref=next((flag for flag in ("fcib", "fciq") if flag in flags), ""),
    )
    return v2_arguments.checked(request, userref(fields, "userref"), now, TIMES)


def _prices(fields: Fields, kind: str, side: Side) -> tuple[Price | None, Price | None]:
    """Return the first and the second price of an order; trailing stops have distances instead (:func:`_terms`)."""
    if kind in ("market", SETTLE) or kind in TRAILING_KINDS:
        return None, None
    limits = kind in TRIGGERED_KINDS and kind in LIMIT_KINDS
    # With # the exchange chooses the sign: buys go below the price, sells above, and stops the other way.
    away = -1 if (side == "buy") != kind.startswith("stop-loss") else 1
    first = price(fields, "price", away)
    second = price(fields, "price2", away) if limits else None
    if first is None or (limits and second is None):
        raise invalid("price")
    return first, second


def price(fields: Fields, name: str, away: int = 0) -> Price | None:
    """Return a price: absolute, or a distance from the last trade (``+5``, ``-0.5%``).

    ``#`` is a distance too, to the side that ``away`` says; where it is 0 there is none.
    """
    value = fields.get(name)
    if isinstance(value, str) and value[:1] in ("+", "-", "#"):
        match = _RELATIVE.fullmatch(value)
        if match is None or (value[0] == "#" and not away):
            raise invalid(name)
        sign, amount, percent = match.groups()
        direction = {"+": 1, "-": -1, "#": away}[sign]
        return Distance(direction * Decimal(amount), "pct" if percent else "quote")
    return decimal_text(fields, name)


def _terms(fields: Fields, pair: Pair, kind: str, qty: Decimal) -> Terms:
    """Read the terms that only some orders have: trailing distances, what an iceberg shows, a conditional close."""
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
    visible = 0 if display is None else v2_arguments.display_lots(pair, qty, display, "displayvol")
    reduces = rest_flag(fields, "reduce_only")
    return Terms(trail, offset, visible, _close(fields, pair), leverage=_leverage(fields, pair), reduce_only=reduces)


def _leverage(fields: Fields, pair: Pair) -> int:
    """Return the leverage of a margin order, 0 without: ``2``, or ``2:1`` as old clients write it."""
    if fields.get("leverage") in _NOTHING:
        return 0
    text = str(fields["leverage"]).removesuffix(":1")
    if text not in [str(leverage) for leverage in leverages(pair)]:
        raise invalid("leverage")
    return int(text)


def _distance(fields: Fields, name: str, pair: Pair) -> Distance:
    """Return a price that has to be relative to another one: ``+5``, ``-0.5%``."""
    distance = price(fields, name)
    if not isinstance(distance, Distance):
        raise invalid(name)
    if distance.kind == "quote" and units(distance.amount, pair.price_precision) is None:
        raise invalid(name)
    return distance


def _close(fields: Fields, pair: Pair) -> Close | None:
    """Return a conditional close: a form has ``close[ordertype]`` and so on, a JSON body an object; empty is none."""
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
    first, second = (decimal_text(parts, name) for name in ("price", "price2"))
    trigger = first if kind in TRIGGERED_KINDS else None
    return v2_arguments.close_of(pair, kind, trigger, second if trigger is not None else first, blamed)


def order_flags(fields: Fields) -> frozenset[str]:
    """Return the words of ``oflags``."""
    flags = frozenset(item for item in str(fields.get("oflags") or "").split(",") if item)
    if not flags <= _FLAGS:
        raise invalid("oflags")
    return flags


def userref(fields: Fields, name: str) -> int | None:
    """Return a user reference: a whole number of 32 bits."""
    number = decimal_text(fields, name)
    if number is not None and (number != number.to_integral_value() or abs(number) >= 2**31):
        raise invalid(name)
    return None if number is None else int(number)


def _used_only(fields: Fields, kind: str) -> None:
    """Refuse a second price and a trigger that an order of this type has no use for."""
    used = {"price2": kind in TRIGGERED_KINDS and kind in LIMIT_KINDS, "trigger": kind in TRIGGERED_KINDS}
    for name, is_used in used.items():
        if not is_used and fields.get(name) not in _NOTHING:
            raise invalid(name)


def _neutral_only(fields: Fields, kind: str) -> None:
    """Refuse what this simulator does not act on."""
    if kind in TRIGGERED_KINDS and str(fields.get("trigger") or "last") != "last":
        raise KrakenError(errors.INDEX_UNAVAILABLE)
    if fields.get("asset_class") not in (None, "", "currency"):
        raise KrakenError(errors.UNKNOWN_PAIR)


def _moment(fields: Fields, name: str, now: int) -> int:
    """Return a time in ns since the epoch: 0 is none, ``+n`` so many seconds from now, else Unix seconds."""
    value = str(fields.get(name) or "0")
    if not re.fullmatch(r"\+?[0-9]{1,12}", value, re.ASCII):
        raise invalid(name)
    seconds = int(value.lstrip("+"))
    if not value.startswith("+"):
        return seconds * NS
    if name == "expiretm" and seconds < EXPIRE_MIN_S:
        raise invalid(name)
    return now + seconds * NS if seconds else 0
