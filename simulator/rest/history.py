"""Private REST calls that look back: open and closed orders, trades, the ledger (KRAKEN.md 4.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from simulator import arguments, errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.orders import Fill, Order
from simulator.keys import KeyState
from simulator.pairs.pairs import find_asset
from simulator.rest.views import ledger_row, order_row, trade_row
from simulator.wire import NS, Fields, Written
from simulator.world import World

_FOREVER = 2**62


def _matches(order: Order, fields: Fields) -> bool:
    userref, client = fields.get("userref"), fields.get("cl_ord_id")
    return (not userref or str(order.userref) == str(userref)) and (not client or order.cl_ord_id == client)


def open_orders(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``OpenOrders``, newest first."""
    rows = sorted(key.account.orders.values(), key=lambda order: -order.number)
    return {"open": {o.order_id: order_row(world, o, fields) for o in rows if _matches(o, fields)}}


def closed_orders(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``ClosedOrders``, a page, newest first; behind the engine after a fill."""
    start, end, offset = _window(fields, lambda text: _order_time(world, key, text))
    userref, client = fields.get("userref"), fields.get("cl_ord_id")
    by_open = str(fields.get("closetime") or "both") == "open"
    rows, count = world.store.history.closed(
        key.account.index,
        start,
        end,
        world.shown_until(now),
        offset,
        userref=None if userref in (None, "") else str(userref),
        cl_ord_id=None if client in (None, "") else str(client),
        by_open=by_open,
    )
    result: dict[str, Written] = {"closed": {o.order_id: order_row(world, o, fields) for o in rows}}
    return result if arguments.rest_flag(fields, "without_count") else {**result, "count": count}


def order_amends(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``OrderAmends``: the states of an order, its original one first; empty without an amendment."""
    order_id = fields.get("order_id")
    orders = world.store.history.orders_by_id(key.account.index, [str(order_id)]) if order_id else []
    if not orders:
        raise KrakenError(errors.UNKNOWN_ORDER)
    pair = orders[0].pair
    rows = []
    for amend in world.store.history.amends(str(order_id)):
        row: dict[str, Written] = {
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


def query_orders(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``QueryOrders``."""
    ids = _ids(fields, "txid", 50)
    if not ids and fields.get("cl_ord_id"):
        client = arguments.client_id(fields["cl_ord_id"])
        orders = [o for o in key.account.orders.values() if o.cl_ord_id == client]
    else:
        orders = world.store.history.orders_by_id(key.account.index, ids)
    if len(orders) < len(ids):
        raise KrakenError(errors.UNKNOWN_ORDER)
    return {o.order_id: order_row(world, o, fields) for o in orders}


def consolidated(fills: list[Fill]) -> list[Fill]:
    """Return one row for consecutive fills of an order, as trades by a taker are shown: at their average price."""
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


def trades_history(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``TradesHistory``, a page, newest first; behind the engine."""
    start, end, offset = _window(fields, lambda text: _fill_time(world, key, text))
    rows, count = world.store.history.fills(key.account.index, start, end, world.shown_until(now), offset)
    faults = world.faults
    about = {"path": "rest", "method": "TradesHistory", "account": key.account.name}
    if faults.rules and faults.strike("consolidate", now, "TradesHistory", **about):
        merged = consolidated(rows)
        rows, count = merged, count - len(rows) + len(merged)
    result: dict[str, Written] = {"trades": {f.exec_id: trade_row(world, f, fields) for f in rows}}
    return result if arguments.rest_flag(fields, "without_count") else {**result, "count": count}


def query_trades(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``QueryTrades``."""
    ids = _ids(fields, "txid", 20)
    return {f.exec_id: trade_row(world, f, fields) for f in world.store.history.fills_by_id(key.account.index, ids)}


def ledgers(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``Ledgers``, a page, newest first; behind the engine."""
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
    rows, count = world.store.history.ledger(
        key.account.index, start, end, world.shown_until(now), offset, wanted, assets
    )
    result: dict[str, Written] = {"ledger": {e.ledger_id: ledger_row(e) for e in rows}}
    return result if arguments.rest_flag(fields, "without_count") else {**result, "count": count}


def query_ledgers(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``QueryLedgers``."""
    rows = world.store.history.ledger_by_id(key.account.index, _ids(fields, "id", 20))
    return {e.ledger_id: ledger_row(e) for e in rows}


def _order_time(world: World, key: KeyState, text: str) -> int | None:
    orders = world.store.history.orders_by_id(key.account.index, [text])
    return orders[0].closed_ns if orders else None


def _fill_time(world: World, key: KeyState, text: str) -> int | None:
    fills = world.store.history.fills_by_id(key.account.index, [text])
    return fills[0].ns if fills else None


def _ledger_time(world: World, key: KeyState, text: str) -> int | None:
    entries = world.store.history.ledger_by_id(key.account.index, [text])
    return entries[0].ns if entries else None


def _window(fields: Fields, of_id: Callable[[str], int | None]) -> tuple[int, int, int]:
    """Return (start, end] in ns and the offset; a bound is a time in seconds or an id."""
    bounds = []
    for name, default in (("start", 0), ("end", _FOREVER)):
        value = fields.get(name)
        bound: int | None = default
        if value not in (None, ""):
            if isinstance(value, str) and "-" in value[1:]:
                bound = of_id(value)
                if bound is None:
                    raise invalid(name)
            else:
                number = arguments.decimal_text(fields, name)
                bound = 0 if number is None else int(min(max(number, Decimal(0)), Decimal(4 * 10**9)) * NS)
                # Answers cut times to 100 us: a bound stands for all of the 100 us that it was cut to.
                bound += 99_999
        bounds.append(bound or 0)
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
