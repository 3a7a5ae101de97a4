"""Orders of WebSocket version 2: from the members of ``add_order`` and ``batch_add`` to order requests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from simulator import errors
from simulator.arguments import choice, client_id, flag, moment, number, only, whole
from simulator.errors import KrakenError, invalid
from simulator.exchange.accounts.margin import MARGIN_MAX
from simulator.exchange.engine import Side
from simulator.exchange.orders import OrderRequest, Price
from simulator.exchange.terms import (
    CLOSE_KINDS,
    DISPLAY_SHARE,
    SETTLE,
    TRAILING_KINDS,
    TRIGGERED_KINDS,
    Close,
    Distance,
    Terms,
)
from simulator.exchange.validation import to_lots, to_ticks
from simulator.pairs.margin import leverages
from simulator.pairs.pairs import Pair
from simulator.wire import NS, Fields, Json, units

# A month at most.
EXPIRE_MAX_NS = 31 * 86_400 * NS
KINDS = ("limit", "market", "iceberg", SETTLE, *TRIGGERED_KINDS)
LIMIT_KINDS = ("limit", "iceberg", "stop-loss-limit", "take-profit-limit", "trailing-stop-limit")
_DISTANCES = ("pct", "quote")
STP = ("cancel_newest", "cancel_oldest", "cancel_both")
TIF = ("gtc", "ioc", "gtd", "fok")
_FEES = {"base": "fcib", "quote": "fciq"}

# Members that Kraken has and this simulator does not act on: a neutral value passes, another is refused.
_NEUTRAL: dict[str, tuple[bool | None, ...]] = {
    "no_mpp": (False, True, None),
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
        "reduce_only",
        "margin",
        "effective_time",
        "cash_order_qty",
        *_NEUTRAL,
    }
)


def order(params: Fields, pair: Pair, now: int) -> OrderRequest:
    """Return an order of ``add_order`` or ``batch_add``; the members are those of ``ORDER_MEMBERS``."""
    neutral_only(params)
    kind = params.get("order_type")
    if not isinstance(kind, str) or kind not in KINDS:
        raise invalid("ordertype")
    side: Side = "buy" if choice(params, "side", ("buy", "sell"), None) == "buy" else "sell"
    qty, cash = number(params, "order_qty"), number(params, "cash_order_qty")
    if (qty is None) == (cash is None):
        raise invalid("volume")
    price = number(params, "limit_price")
    if (kind in LIMIT_KINDS) != (price is not None):
        raise invalid("price")
    terms = _terms(params, pair, kind, qty or Decimal(0), price)
    trigger = None if terms.trail is not None else trigger_of(params)
    if terms.trail is None and (
        (kind in TRIGGERED_KINDS) != (trigger is not None) or (trigger is None and params.get("triggers") is not None)
    ):
        raise invalid("triggers")
    if isinstance(trigger, Distance):
        terms = replace(terms, distance=trigger)
    expire, start, fee = (params.get(name) for name in ("expire_time", "effective_time", "fee_preference"))
    request = OrderRequest(
        pair=pair,
        side=side,
        kind=kind,
        qty=Decimal(0) if qty is None else qty,
        price=None if terms.offset is not None else price,
        trigger=trigger,
        terms=terms,
        tif=choice(params, "time_in_force", TIF, "gtc"),
        expire_ns=0 if expire is None else moment(expire, "expire_time"),
        start_ns=0 if start is None else moment(start, "effective_time"),
        post_only=flag(params, "post_only"),
        stp=choice(params, "stp_type", STP, "cancel_newest"),
        cl_ord_id=client_id(params.get("cl_ord_id")),
        fee_pref="" if fee is None else _FEES[choice(params, "fee_preference", tuple(_FEES), None)],
    )
    userref = whole(params, "order_userref", -(2**31), 2**31 - 1, "userref")
    return checked(request, userref, now, ("expire_time", "effective_time"))


def _terms(params: Fields, pair: Pair, kind: str, qty: Decimal, price: Decimal | None) -> Terms:
    """Read what the order has beside the terms of all; raises KrakenError."""
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
    leverage = min(MARGIN_MAX, max(leverages(pair), default=0)) if flag(params, "margin") else 0
    if flag(params, "margin") and not leverage:
        raise invalid("margin")
    return Terms(
        trail,
        offset,
        0 if display is None else display_lots(pair, qty, display, "display_qty"),
        _conditional(params, pair),
        cash=cash_of(pair, number(params, "cash_order_qty"), "cash_order_qty"),
        leverage=leverage,
        reduce_only=flag(params, "reduce_only"),
    )


def cash_of(pair: Pair, cash: Decimal | None, name: str) -> Decimal | None:
    """Return what a market buy may cost, in the quote asset; raises KrakenError that names ``name``."""
    if cash is not None and (not cash > 0 or cash.adjusted() > 15 or units(cash, pair.cost_precision) is None):
        raise invalid(name)
    return cash


def display_lots(pair: Pair, qty: Decimal, display: Decimal, name: str) -> int:
    """Return the lots that an iceberg shows: a fifteenth of it at least."""
    visible, whole_lots = to_lots(pair, display), to_lots(pair, qty)
    if not whole_lots <= visible * DISPLAY_SHARE or visible > whole_lots:
        raise invalid(name)
    return visible


def _trail(params: Fields) -> Distance:
    triggers = params.get("triggers")
    if not isinstance(triggers, dict):
        raise invalid("triggers")
    only(triggers, frozenset({"reference", "price", "price_type"}), "triggers")
    if triggers.get("reference", "last") != "last":
        raise KrakenError(errors.INDEX_UNAVAILABLE)
    kind = triggers.get("price_type")
    if not isinstance(kind, str) or kind not in _DISTANCES:
        raise invalid("triggers.price_type")
    amount = number(triggers, "price")
    if amount is None or not amount > 0:
        raise invalid("triggers.price")
    return Distance(amount, kind)


def _conditional(params: Fields, pair: Pair) -> Close | None:
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
    """Return a conditional close of static prices; ``name`` is what a refusal names."""
    if kind not in CLOSE_KINDS or (price is not None) != (kind in LIMIT_KINDS):
        raise invalid(name)
    if (trigger is not None) != (kind in TRIGGERED_KINDS):
        raise invalid(name)
    ticks = (None if value is None else to_ticks(pair, value) for value in (trigger, price))
    return Close(str(kind), *ticks)


def neutral_only(params: Fields) -> None:
    """Refuse what this simulator does not act on."""
    for name, neutral in _NEUTRAL.items():
        if name in params and not any(params[name] is value or params[name] == value for value in neutral):
            raise invalid(name)


def trigger_of(params: Fields) -> Price | None:
    """Return the price in ``triggers``, None without: static, or in percent or quote from the last trade."""
    triggers = params.get("triggers")
    if triggers is None:
        return None
    if not isinstance(triggers, dict):
        raise invalid("triggers")
    only(triggers, frozenset({"reference", "price", "price_type"}), "triggers")
    if triggers.get("reference", "last") != "last":
        raise KrakenError(errors.INDEX_UNAVAILABLE)
    kind, amount = triggers.get("price_type", "static"), number(triggers, "price")
    if not isinstance(kind, str) or kind not in ("static", *_DISTANCES):
        raise invalid("triggers.price_type")
    return amount if kind == "static" or amount is None else Distance(amount, kind)


def checked(request: OrderRequest, userref: int | None, now: int, times: tuple[str, str]) -> OrderRequest:
    """Return an order with its userref, or refuse members that do not go together; ``times`` names end and start."""
    if request.cl_ord_id is not None and userref is not None:
        raise invalid("cl_ord_id and userref are mutually exclusive")
    _check_times(request, now, *times)
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
    terms = request.terms
    if terms.cash is not None and (request.kind, request.side, terms.leverage) != ("market", "buy", 0):
        raise invalid("cash_order_qty")
    if terms.reduce_only and not terms.leverage:
        raise KrakenError(errors.REDUCE_ONLY_SPOT)
    if request.kind == SETTLE and not terms.leverage:
        raise invalid("leverage")
    return replace(request, userref=userref or 0)


def _check_times(request: OrderRequest, now: int, end: str, start: str) -> None:
    """Refuse an end that goes with no GTD, or that comes before the start, and either beyond a month."""
    if (request.tif == "gtd") != bool(request.expire_ns):
        raise invalid(end)
    if request.expire_ns and not now < request.expire_ns <= now + EXPIRE_MAX_NS:
        raise invalid(end)
    if request.start_ns and not now < request.start_ns <= now + EXPIRE_MAX_NS:
        raise invalid(start)
    if request.expire_ns and request.start_ns >= request.expire_ns:
        raise invalid(end)


def safe_order(params: Json, pair: Pair, now: int) -> OrderRequest:
    """Return an order of a batch, as :func:`order`; refuse unknown members and what is no object."""
    if not isinstance(params, dict):
        raise invalid("orders")
    only(params, ORDER_MEMBERS, "batch_add")
    return order(params, pair, now)
