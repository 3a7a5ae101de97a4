"""Private REST calls that look back: open and closed orders, trades, the ledger (KRAKEN.md 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from simulator import arguments, errors
from simulator.errors import KrakenError, invalid
from simulator.orders import WALLETS, Fill, LedgerEntry, Order
from simulator.pairs import ASSETS, Pair, find_asset
from simulator.terms import Close, Terms
from simulator.wire import NS, fixed, seconds
from simulator.world import KeyState, World

Fields = Mapping[str, Any]
_FOREVER = 2**62


def _order_row(world: World, order: Order, fields: Fields) -> dict[str, Any]:
    pair = order.pair
    price = pair.price(order.price) if order.price is not None else "0"
    trigger = None if order.trigger is None else pair.price(order.trigger)
    first, second = asked_prices(order.terms, pair, trigger or price, "0" if trigger is None else price)
    at = describe(order.kind, first, second)
    flags = [order.fee_pref, *(["post"] if order.post_only else [])]
    status = "open" if not order.closed_ns else "closed" if order.status == "filled" else order.status
    row: dict[str, Any] = {
        "refid": None,
        "userref": _userref(world, order),
        "status": status,
        "opentm": _time(order.opened_ns),
        "starttm": 0,
        "expiretm": _time(order.expire_ns) if order.expire_ns else 0,
        "descr": {
            "pair": pair.altname,
            "type": order.side,
            "ordertype": order.kind,
            "price": first,
            "price2": second,
            "leverage": "none",
            "order": f"{order.side} {pair.qty(order.qty)} {pair.altname} @ {at}",
            "close": "" if order.terms.close is None else describe_close(order.terms.close, pair),
        },
        "vol": pair.qty(order.qty),
        "vol_exec": pair.qty(order.filled),
        "cost": pair.cost(order.cost),
        "fee": pair.cost(order.fee),
        "price": pair.price(order.average),
        "stopprice": "0.00000" if trigger is None else trigger,
        "limitprice": price if order.terms.offset is not None else "0.00000",
        "misc": "amended" if order.amended else "",
        "oflags": ",".join(flags),
    }
    if trigger is not None:
        row["trigger"] = "last"
    if not order.closed_ns:
        row["margin"] = False
    if order.cl_ord_id is not None:
        row["cl_ord_id"] = order.cl_ord_id
    if order.closed_ns:
        row["closetm"] = _time(order.closed_ns)
        row["reason"] = order.reason or None
    if arguments.rest_flag(fields, "trades"):
        row["trades"] = world.store.exec_ids(order.order_id)
    return row


def _userref(world: World, order: Order) -> int | None:
    null = world.config.unconfirmed.rest_unset_userref == "null_beside_cl_ord_id"
    return None if null and not order.userref and order.cl_ord_id is not None else order.userref


def asked_prices(terms: Terms, pair: Pair, price: str, second: str) -> tuple[str, str]:
    """The two prices of an order as it was asked for: distances with their sign (KRAKEN.md 4.5)."""
    if terms.trail is not None:
        price, second = terms.trail.describe(pair), "0"
    return price, second if terms.offset is None else terms.offset.describe(pair)


def describe_close(close: Close, pair: Pair) -> str:
    """A conditional close in an order's description."""
    first = pair.price(close.trigger or close.price or 0)
    return f"close position @ {describe(close.kind, first, pair.price(close.price or 0))}"


def describe(kind: str, price: str, second: str) -> str:
    """What follows the ``@`` in an order's description (KRAKEN.md 4.4)."""
    if kind == "market":
        return "market"
    words = kind.removesuffix("-limit").replace("-", " ")
    return f"{words} {price} -> limit {second}" if kind.endswith("-limit") else f"{words} {price}"


def _matches(order: Order, fields: Fields) -> bool:
    userref, client = fields.get("userref"), fields.get("cl_ord_id")
    return (not userref or str(order.userref) == str(userref)) and (not client or order.cl_ord_id == client)


def open_orders(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Any:
    """``OpenOrders``, newest first."""
    rows = sorted(key.account.orders.values(), key=lambda order: -order.number)
    return {"open": {o.order_id: _order_row(world, o, fields) for o in rows if _matches(o, fields)}}


def closed_orders(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Any:
    """``ClosedOrders``, a page, newest first; behind the engine after a fill."""
    start, end, offset = _window(fields, lambda text: _order_time(world, key, text))
    userref, client = fields.get("userref"), fields.get("cl_ord_id")
    by_open = str(fields.get("closetime") or "both") == "open"
    rows, count = world.store.closed(
        key.account.index,
        start,
        end,
        world.seen(now),
        offset,
        userref=None if userref in (None, "") else str(userref),
        cl_ord_id=None if client in (None, "") else str(client),
        by_open=by_open,
    )
    result: dict[str, Any] = {"closed": {o.order_id: _order_row(world, o, fields) for o in rows}}
    return result if arguments.rest_flag(fields, "without_count") else {**result, "count": count}


def order_amends(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Any:
    """``OrderAmends``: what an order was put into, its original state first; empty without an amendment."""
    order_id = fields.get("order_id")
    found = world.store.orders_by_id(key.account.index, [str(order_id)]) if order_id else []
    if not found:
        raise KrakenError(errors.UNKNOWN_ORDER)
    pair = found[0].pair
    rows = []
    for amend in world.store.amends(str(order_id)):
        row: dict[str, Any] = {
            "amend_id": amend.amend_id,
            "amend_type": amend.kind,
            "order_qty": pair.qty(amend.qty),
            "remaining_qty": pair.qty(amend.remaining),
            "post_only": amend.post_only,
            "timestamp": amend.ns // 1_000_000,
        }
        if amend.price is not None:
            row["limit_price"] = pair.price(amend.price)
        if amend.trigger is not None:
            row["trigger_price"] = pair.price(amend.trigger)
        if amend.kind == "user":
            row["reason"] = "User requested"
        rows.append(row)
    return {"count": len(rows), "amends": rows}


def query_orders(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Any:
    """``QueryOrders``."""
    ids = _ids(fields, "txid", 50)
    if not ids and fields.get("cl_ord_id"):
        client = arguments.client_id(fields["cl_ord_id"])
        found = [o for o in key.account.orders.values() if o.cl_ord_id == client]
    else:
        found = world.store.orders_by_id(key.account.index, ids)
    if len(found) < len(ids):
        raise KrakenError(errors.UNKNOWN_ORDER)
    return {o.order_id: _order_row(world, o, fields) for o in found}


def _trade_row(world: World, fill: Fill, fields: Fields) -> dict[str, Any]:
    pair = fill.pair
    row: dict[str, Any] = {
        "ordertxid": fill.order_id,
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": pair.rest_id,
        "time": _time(fill.ns),
        "type": fill.side,
        "ordertype": fill.kind,
        "price": pair.price(fill.price),
        "cost": pair.cost(fill.cost),
        "fee": pair.cost(fill.fee),
        "vol": pair.qty(fill.qty),
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": fill.trade_id,
        "maker": fill.maker,
    }
    if fill.cl_ord_id is not None:
        row["cl_ord_id"] = fill.cl_ord_id
    if arguments.rest_flag(fields, "ledgers"):
        row["ledgers"] = world.store.ledger_ids(fill.exec_id)
    return row


def consolidated(fills: list[Fill]) -> list[Fill]:
    """One row for consecutive fills of an order, as trades by a taker are shown: at their average price."""
    rows: list[Fill] = []
    for fill in fills:
        last = rows[-1] if rows else None
        if last is None or last.number != fill.number or last.maker != fill.maker:
            rows.append(fill)
            continue
        qty = last.qty + fill.qty
        rows[-1] = replace(
            last,
            qty=qty,
            price=(last.price * last.qty + fill.price * fill.qty) // qty,
            cost=last.cost + fill.cost,
            fee=last.fee + fill.fee,
        )
    return rows


def trades_history(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Any:
    """``TradesHistory``, a page, newest first; behind the engine."""
    start, end, offset = _window(fields, lambda text: _fill_time(world, key, text))
    rows, count = world.store.fills(key.account.index, start, end, world.seen(now), offset)
    faults = world.faults
    about = {"path": "rest", "method": "TradesHistory", "account": key.account.name}
    if faults.rules and faults.strike("consolidate", now, "TradesHistory", **about):
        merged = consolidated(rows)
        rows, count = merged, count - len(rows) + len(merged)
    result: dict[str, Any] = {"trades": {f.exec_id: _trade_row(world, f, fields) for f in rows}}
    return result if arguments.rest_flag(fields, "without_count") else {**result, "count": count}


def query_trades(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Any:
    """``QueryTrades``."""
    ids = _ids(fields, "txid", 20)
    return {f.exec_id: _trade_row(world, f, fields) for f in world.store.fills_by_id(key.account.index, ids)}


def _ledger_row(entry: LedgerEntry) -> dict[str, Any]:
    asset = ASSETS[entry.asset]
    return {
        "aclass": asset.asset_class,
        "amount": fixed(entry.amount, asset.decimals),
        "asset": f"{asset.altname}{WALLETS[entry.wallet]}" if WALLETS[entry.wallet] else asset.rest_id,
        "balance": fixed(entry.balance, asset.decimals),
        "fee": fixed(entry.fee, asset.decimals),
        "refid": entry.ref_id,
        "time": _time(entry.ns),
        "type": entry.kind,
        "subtype": entry.subtype,
    }


def ledgers(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Any:
    """``Ledgers``, a page, newest first; behind the engine."""
    start, end, offset = _window(fields, lambda text: _ledger_time(world, key, text))
    kind = fields.get("type")
    if kind is not None and not isinstance(kind, str):
        raise invalid("type")
    assets = []
    for name in str(fields.get("asset") or "all").split(",")[:20]:
        asset = find_asset(name.strip())
        if asset is not None:
            assets.append(asset.name)
        elif name.strip() != "all":
            raise KrakenError(errors.UNKNOWN_ASSET)
    wanted = None if kind in (None, "", "all") else kind
    rows, count = world.store.ledger(key.account.index, start, end, world.seen(now), offset, wanted, assets)
    result: dict[str, Any] = {"ledger": {e.ledger_id: _ledger_row(e) for e in rows}}
    return result if arguments.rest_flag(fields, "without_count") else {**result, "count": count}


def query_ledgers(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Any:
    """``QueryLedgers``."""
    rows = world.store.ledger_by_id(key.account.index, _ids(fields, "id", 20))
    return {e.ledger_id: _ledger_row(e) for e in rows}


def _order_time(world: World, key: KeyState, text: str) -> int | None:
    found = world.store.orders_by_id(key.account.index, [text])
    return found[0].closed_ns if found else None


def _fill_time(world: World, key: KeyState, text: str) -> int | None:
    found = world.store.fills_by_id(key.account.index, [text])
    return found[0].ns if found else None


def _ledger_time(world: World, key: KeyState, text: str) -> int | None:
    found = world.store.ledger_by_id(key.account.index, [text])
    return found[0].ns if found else None


def _window(fields: Fields, of_id: Callable[[str], int | None]) -> tuple[int, int, int]:
    """(start, end] in ns and the offset; a bound is a time in seconds or an id."""
    bounds = []
    for name, default in (("start", 0), ("end", _FOREVER)):
        value = fields.get(name)
        found: int | None = default
        if value not in (None, ""):
            if isinstance(value, str) and "-" in value[1:]:
                found = of_id(value)
                if found is None:
                    raise invalid(name)
            else:
                number = arguments.decimal_text(fields, name)
                found = 0 if number is None else int(min(max(number, Decimal(0)), Decimal(4 * 10**9)) * NS)
                # Times are shown cut to 100 us: a bound means what was shown.
                found += 99_999
        bounds.append(found or 0)
    offset = arguments.decimal_text(fields, "ofs")
    if offset is not None and not 0 <= offset <= 10**9:
        raise invalid("ofs")
    return bounds[0], bounds[1], int(offset or 0)


def _ids(fields: Fields, name: str, most: int) -> list[str]:
    value = fields.get(name)
    listed = value if isinstance(value, list) else str(value or "").split(",")
    ids = list(dict.fromkeys(str(item).strip() for item in listed if str(item).strip()))
    if len(ids) > most or (not ids and not fields.get("cl_ord_id")):
        raise invalid(name)
    return ids


def _time(ns: int) -> float:
    # Four decimals of the seconds of this century are exact enough to print as they are.
    return float(seconds(ns))
