"""Rows of private REST calls: orders with their descriptions, trades, ledger entries (KRAKEN.md 4.4)."""

from __future__ import annotations

from simulator import arguments
from simulator.exchange.engine import Side
from simulator.exchange.orders import WALLETS, Fill, LedgerEntry, Order
from simulator.exchange.terms import Close, Terms
from simulator.pairs.pairs import ASSETS, Pair
from simulator.wire import Fields, Written, fixed, seconds
from simulator.world import World


def order_row(world: World, order: Order, fields: Fields) -> dict[str, Written]:
    """Return an order as OpenOrders, ClosedOrders and QueryOrders show it."""
    pair, terms = order.pair, order.terms
    price = pair.price(order.price) if order.price is not None else "0"
    trigger = None if order.trigger is None else pair.price(order.trigger)
    first, second = asked_prices(terms, pair, trigger or price, "0" if trigger is None else price)
    flags = [order.fee_pref, *(["post"] if order.post_only else []), *([] if terms.cash is None else ["viqc"])]
    row: dict[str, Written] = {
        "refid": None,
        "userref": _userref(world, order),
        "status": _status(order),
        "opentm": time_of(order.opened_ns),
        "starttm": time_of(order.start_ns) if order.start_ns else 0,
        "expiretm": time_of(order.expire_ns) if order.expire_ns else 0,
        "descr": {
            "pair": pair.altname,
            "type": order.side,
            "ordertype": order.kind,
            "price": first,
            "price2": second,
            "leverage": f"{terms.leverage}:1" if terms.leverage else "none",
            "close": "",
            **describe_order(order),
        },
        "vol": pair.qty(order.qty) if terms.cash is None else f"{terms.cash:.{pair.qty_precision}f}",
        "vol_exec": pair.qty(order.filled),
        "cost": pair.cost(order.cost),
        "fee": pair.cost(order.fee),
        "price": pair.price(order.average),
        "stopprice": "0.00000" if trigger is None else trigger,
        "limitprice": price if terms.offset is not None else "0.00000",
        "misc": "amended" if order.amended else "",
        "oflags": ",".join(flags),
    }
    if trigger is not None:
        row["trigger"] = "last"
    if not order.closed_ns:
        row["margin"] = bool(terms.leverage)
    if order.cl_ord_id is not None:
        row["cl_ord_id"] = order.cl_ord_id
    if order.closed_ns:
        row["closetm"] = time_of(order.closed_ns)
        row["reason"] = order.reason or None
    if arguments.rest_flag(fields, "trades"):
        row["trades"] = world.store.history.exec_ids(order.order_id)
    return row


def _userref(world: World, order: Order) -> int | None:
    null = world.config.unconfirmed.rest_unset_userref == "null_beside_cl_ord_id"
    return None if null and not order.userref and order.cl_ord_id is not None else order.userref


def _status(order: Order) -> str:
    if order.scheduled:
        return "pending"
    return "open" if not order.closed_ns else "closed" if order.status == "filled" else order.status


def trade_row(world: World, fill: Fill, fields: Fields) -> dict[str, Written]:
    """Return a fill as TradesHistory and QueryTrades show it."""
    pair = fill.pair
    row: dict[str, Written] = {
        "ordertxid": fill.order_id,
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": pair.rest_id,
        "time": time_of(fill.ns),
        "type": fill.side,
        "ordertype": fill.kind,
        "price": pair.price(fill.price),
        "cost": pair.cost(fill.cost),
        "fee": pair.cost(fill.fee),
        "vol": pair.qty(fill.qty),
        "margin": pair.cost(fill.margin) if fill.leverage else "0.00000",
        "leverage": str(fill.leverage),
        "misc": "closing" if fill.closing else "",
        "trade_id": fill.trade_id,
        "maker": fill.maker,
    }
    if fill.leverage and fill.closing < fill.qty:
        row["posstatus"] = "open" if world.exchange.accounts[fill.account].positions.get(fill.exec_id) else "closed"
    if fill.cl_ord_id is not None:
        row["cl_ord_id"] = fill.cl_ord_id
    if arguments.rest_flag(fields, "ledgers"):
        row["ledgers"] = world.store.history.ledger_ids(fill.exec_id)
    return row


def ledger_row(entry: LedgerEntry) -> dict[str, Written]:
    """Return an entry as Ledgers and QueryLedgers show it."""
    asset = ASSETS[entry.asset]
    return {
        "aclass": asset.asset_class,
        "amount": fixed(entry.amount, asset.decimals),
        "asset": f"{asset.altname}{WALLETS[entry.wallet]}" if WALLETS[entry.wallet] else asset.rest_id,
        "balance": fixed(entry.balance, asset.decimals),
        "fee": fixed(entry.fee, asset.decimals),
        "refid": entry.ref_id,
        "time": time_of(entry.ns),
        "type": entry.kind,
        "subtype": entry.subtype,
    }


def describe_order(order: Order) -> dict[str, str]:
    """Return the texts that describe an order: ``order``, and ``close`` of one with a conditional close."""
    return description(order.side, order.kind, order.pair, order.qty, order.price, order.trigger, order.terms)


def description(
    side: Side, kind: str, pair: Pair, qty: int, price: int | None, trigger: int | None, terms: Terms
) -> dict[str, str]:
    """Return the texts of :func:`describe_order` for the parts of an order."""
    first, second = asked_prices(terms, pair, pair.price(trigger or price or 0), pair.price(price or 0))
    close = {} if terms.close is None else {"close": describe_close(terms.close, pair)}
    amount = pair.qty(qty) if terms.cash is None else f"{terms.cash:.{pair.qty_precision}f}"
    leverage = f" with {terms.leverage}:1 leverage" if terms.leverage else ""
    return {"order": f"{side} {amount} {pair.altname} @ {describe(kind, first, second)}{leverage}", **close}


def asked_prices(terms: Terms, pair: Pair, price: str, second: str) -> tuple[str, str]:
    """Return the two prices of an order as requested: distances with their sign (KRAKEN.md 4.5)."""
    if terms.trail is not None:
        price, second = terms.trail.describe(pair), "0"
    elif terms.distance is not None:
        price = terms.distance.describe(pair)
    return price, second if terms.offset is None else terms.offset.describe(pair)


def describe_close(close: Close, pair: Pair) -> str:
    """Return a conditional close in an order's description."""
    first = pair.price(close.trigger or close.price or 0)
    return f"close position @ {describe(close.kind, first, pair.price(close.price or 0))}"


def describe(kind: str, price: str, second: str) -> str:
    """Return what follows the ``@`` in an order's description (KRAKEN.md 4.4)."""
    if kind in ("market", "settle-position"):
        return kind.replace("-", " ")
    name = kind.removesuffix("-limit").replace("-", " ")
    return f"{name} {price} -> limit {second}" if kind.endswith("-limit") else f"{name} {price}"


def time_of(ns: int) -> float:
    """Return seconds since the epoch as REST shows them."""
    # Four decimals of the seconds of this century are exact enough to print as they are.
    return float(seconds(ns))
