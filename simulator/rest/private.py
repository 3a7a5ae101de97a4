"""Private REST calls (KRAKEN.md 4.4): from the fields of a body to a result. The shell has checked key and nonce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator import arguments, errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.orders import WALLETS, Account, Order, OrderRequest, replaced
from simulator.keys import KeyState
from simulator.pairs.pairs import ASSETS, FEES, USD, percent
from simulator.rest import (
    books as rest_books,
    earn as rest_earn,
    exports as rest_exports,
    funding as rest_funding,
    history as rest_history,
    margin as rest_margin,
    order_arguments,
    subaccounts as rest_subaccounts,
)
from simulator.rest.public import named_venues
from simulator.rest.views import describe_order, description
from simulator.wire import Fields, Json, Written, fixed, iso_seconds
from simulator.world import World

HISTORY = 4
# Permissions here, and as GetApiKeyInfo calls them.
_PERMISSIONS = {
    "query-funds": "query-funds",
    "query-open-trades": "query-open-trades",
    "query-closed-trades": "query-closed-trades",
    "query-ledger": "query-ledger",
    "trade": "modify-trades",
    "cancel": "close-trades",
    "websocket": "access-websockets",
    "withdraw": "withdraw-funds",
    "deposit": "add-funds",
    "earn": "earn-funds",
    "export": "export-data",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A private method: what does it, which permissions allow it (any of them), and its price in REST points."""

    run: Callable[[World, KeyState, Fields, int, int], Written | bytes]
    permissions: tuple[str, ...]
    points: int = 1
    turnaround: str = ""

    def cost(self, world: World) -> int:
        """Return the call's price: of one into a history as this exchange has it."""
        return world.config.unconfirmed.history_call_points if self.points == HISTORY else self.points


def _token(world: World, key: KeyState, _fields: Fields, _arrived: int, now: int) -> Written:
    return {"token": world.make_token(key, now), "expires": 900}


def _held(account: Account) -> dict[str, tuple[str, int]]:
    """Return (asset, units) of every wallet, by what REST calls it: earning assets have a suffix."""
    rows: dict[str, tuple[str, int]] = {}
    for name, units in sorted(account.balances.items()):
        rows[ASSETS[name].rest_id] = name, units
    for name, wallets in sorted(account.wallets.items()):
        for wallet, units in wallets.items():
            label = f"{ASSETS[name].altname}{WALLETS[wallet]}" if WALLETS[wallet] else ASSETS[name].rest_id
            rows[label] = name, units + (rows[label][1] if label in rows else 0)
    return rows


def _balance(_world: World, key: KeyState, _fields: Fields, _arrived: int, _now: int) -> Written:
    return {label: fixed(units, ASSETS[name].decimals) for label, (name, units) in _held(key.account).items()}


def _balance_ex(_world: World, key: KeyState, _fields: Fields, _arrived: int, _now: int) -> Written:
    account = key.account
    return {
        label: {
            "balance": fixed(units, ASSETS[name].decimals),
            "hold_trade": fixed(account.held(name) if label == ASSETS[name].rest_id else 0, ASSETS[name].decimals),
        }
        for label, (name, units) in _held(account).items()
    }


def _trade_volume(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    volume = key.account.volume
    row = volume.row
    result: dict[str, Written] = {"currency": "ZUSD", "volume": fixed(volume.units, USD.decimals)}
    if not fields.get("pair"):
        return result
    following = FEES[row + 1] if row + 1 < len(FEES) else None
    for name, column in (("fees", 2), ("fees_maker", 1)):
        rate = {
            "fee": percent(FEES[row][column]),
            "minfee": percent(FEES[-1][column]),
            "maxfee": percent(FEES[0][column]),
            "nextfee": None if following is None else percent(following[column]),
            "tiervolume": f"{FEES[row][0]}.0000",
            "nextvolume": None if following is None else f"{following[0]}.0000",
        }
        result[name] = {pair_key: rate for pair_key, _ in named_venues(world, fields)}
    return result


def _key_info(_world: World, key: KeyState, _fields: Fields, _arrived: int, _now: int) -> Written:
    granted = [text for name, text in _PERMISSIONS.items() if key.may(name)]
    account = key.account.name
    return {
        "api_key_name": account,
        "api_key": key.key.api_key,
        "permissions": granted,
        "iban": rest_subaccounts.public_id(account),
    }


def _in_time(fields: Fields, arrived: int, now: int) -> None:
    if now > arguments.deadline(fields.get("deadline"), arrived, order_arguments.DEADLINE_MIN_NS):
        raise KrakenError(errors.DEADLINE_ELAPSED)


def _add_order(world: World, key: KeyState, fields: Fields, arrived: int, now: int) -> Written:
    pair = arguments.rest_pair(fields, world.exchange.state)
    wanted = order_arguments.order(fields, pair, now, world.config.unconfirmed)
    _in_time(fields, arrived, now)
    if arguments.rest_flag(fields, "validate"):
        return {"descr": _described(wanted, *world.exchange.check(key.account, wanted, now))}
    order = world.exchange.add(key.account, wanted, now)
    result: dict[str, Written] = {"descr": describe_order(order), "txid": [order.order_id]}
    if order.cl_ord_id is not None and world.config.unconfirmed.rest_echo_cl_ord_id:
        result["cl_ord_id"] = order.cl_ord_id
    return result


def _add_order_batch(world: World, key: KeyState, fields: Fields, arrived: int, now: int) -> Written:
    pair = arguments.rest_pair(fields, world.exchange.state)
    listed = fields.get("orders")
    if not isinstance(listed, list) or not 2 <= len(listed) <= arguments.BATCH_ADD_MAX:
        raise invalid("orders")
    items = [item for item in listed if isinstance(item, dict)]
    if len(items) < len(listed):
        raise invalid("orders")
    wanted = [order_arguments.order(item, pair, now, world.config.unconfirmed) for item in items]
    _in_time(fields, arrived, now)
    checked = arguments.rest_flag(fields, "validate")
    rows: list[dict[str, Written]] = []
    for request, result in zip(
        wanted, world.exchange.batch_add(key.account, wanted, now, only_check=checked), strict=True
    ):
        if isinstance(result, KrakenError):
            rows.append({"error": str(result)})
        elif isinstance(result, Order):
            rows.append({"descr": describe_order(result), "txid": result.order_id})
        else:
            rows.append({"descr": _described(request, *result)})
    return {"orders": rows}


def _find(world: World, key: KeyState, fields: Fields) -> Order:
    txid, client = fields.get("txid"), fields.get("cl_ord_id")
    return world.exchange.find(
        key.account, txid if isinstance(txid, str) else None, client if isinstance(client, str) else None
    )


def _amend_order(world: World, key: KeyState, fields: Fields, arrived: int, now: int) -> Written:
    qty, price = arguments.decimal_text(fields, "order_qty"), order_arguments.price(fields, "limit_price")
    if fields.get("display_qty") not in (None, ""):
        raise invalid("display_qty")
    trigger = order_arguments.price(fields, "trigger_price")
    _in_time(fields, arrived, now)
    order = _find(world, key, fields)
    post_only = arguments.rest_flag(fields, "post_only")
    return {"amend_id": world.exchange.amend(key.account, order, qty, price, post_only, now, trigger)}


def _edit_order(world: World, key: KeyState, fields: Fields, arrived: int, now: int) -> Written:
    pair = arguments.rest_pair(fields, world.exchange.state)
    order = _find(world, key, {"txid": fields.get("txid")})
    if order.pair.symbol != pair.symbol:
        raise KrakenError(errors.UNKNOWN_PAIR)
    if fields.get("displayvol") not in (None, "", "0"):
        raise invalid("displayvol")
    price, second = order_arguments.price(fields, "price"), order_arguments.price(fields, "price2")
    limit, trigger = (second, price) if order.trigger is not None else (price, None)
    flags = order_arguments.order_flags(fields)
    wanted = replaced(
        order,
        arguments.decimal_text(fields, "volume"),
        limit,
        trigger,
        "post" in flags if flags else None,
        order_arguments.userref(fields, "userref"),
    )
    _in_time(fields, arrived, now)
    if arguments.rest_flag(fields, "validate"):
        qty, ticks, stop = world.exchange.check(key.account, wanted, now, replacing=order)
        return {"descr": _described(wanted, qty, ticks, stop), "originaltxid": order.order_id}
    new = world.exchange.edit(key.account, order, wanted, now)
    return {
        "status": "ok",
        "txid": new.order_id,
        "originaltxid": order.order_id,
        "volume": pair.qty(new.qty),
        "price": pair.price(new.trigger or new.price or 0),
        "orders_cancelled": 1,
        "descr": describe_order(new),
        **({"price2": pair.price(new.price)} if new.trigger is not None and new.price is not None else {}),
        **({"newuserref": new.userref, "olduserref": order.userref} if new.userref else {}),
    }


def _described(request: OrderRequest, qty: int, price: int | None, trigger: int | None) -> dict[str, str]:
    """Return the description of an order that has only been checked."""
    return description(request.side, request.kind, request.pair, qty, price, trigger, request.terms)


def _cancel_order(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    exchange, account = world.exchange, key.account
    matches = account.of_userref(str(fields.get("txid")))
    for order in matches:
        exchange.cancel(account, order, now)
    if not matches:
        exchange.cancel(account, _find(world, key, fields), now)
    return {"count": len(matches) or 1}


def _cancel_order_batch(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    listed = {name: fields.get(name) or [] for name in ("orders", "cl_ord_ids")}
    most = arguments.BATCH_CANCEL_MAX
    orders = [item.get("txid") if isinstance(item, dict) else item for item in _list(listed["orders"])]
    clients = [item.get("cl_ord_id") if isinstance(item, dict) else item for item in _list(listed["cl_ord_ids"])]
    if not 1 <= len(orders) + len(clients) <= most:
        raise invalid("orders")
    ids = [str(item) for item in orders]
    return {"count": world.exchange.batch_cancel(key.account, ids, [str(item) for item in clients], now)}


def _list(value: Json) -> list[Json]:
    """Return a JSON list, or the error for what is none."""
    if not isinstance(value, list):
        raise invalid("orders")
    return value


def _cancel_all(world: World, key: KeyState, _fields: Fields, _arrived: int, now: int) -> Written:
    return {"count": world.exchange.cancel_all(key.account, now)}


def _cancel_all_after(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    timeout = arguments.decimal_text(fields, "timeout")
    if timeout is None or timeout != timeout.to_integral_value():
        raise invalid("timeout")
    if not 0 <= timeout < 86_400:
        raise invalid("timeout")
    current, trigger = world.exchange.arm(key.account, int(timeout), now)
    return {"currentTime": iso_seconds(current), "triggerTime": iso_seconds(trigger) if trigger else "0"}


METHODS: dict[str, Call] = {
    "GetWebSocketsToken": Call(_token, ("websocket",)),
    "GetApiKeyInfo": Call(_key_info, tuple(_PERMISSIONS)),
    "Balance": Call(_balance, ("query-funds",)),
    "BalanceEx": Call(_balance_ex, ("query-funds",)),
    "TradeBalance": Call(rest_margin.trade_balance, ("query-funds",)),
    "TradeVolume": Call(_trade_volume, ("query-funds",)),
    "OpenPositions": Call(rest_margin.open_positions, ("query-open-trades",)),
    "OpenOrders": Call(rest_history.open_orders, ("query-open-trades",)),
    "ClosedOrders": Call(rest_history.closed_orders, ("query-closed-trades",)),
    "QueryOrders": Call(rest_history.query_orders, ("query-open-trades", "query-closed-trades")),
    "OrderAmends": Call(rest_history.order_amends, ("query-open-trades", "query-closed-trades")),
    "TradesHistory": Call(rest_history.trades_history, ("query-closed-trades",), HISTORY),
    "QueryTrades": Call(rest_history.query_trades, ("query-closed-trades",)),
    "Ledgers": Call(rest_history.ledgers, ("query-ledger",), HISTORY),
    "QueryLedgers": Call(rest_history.query_ledgers, ("query-ledger",), HISTORY),
    "Level3": Call(rest_books.level3, ("query-open-trades",)),
    "DepositMethods": Call(rest_funding.deposit_methods, ("deposit",)),
    "DepositAddresses": Call(rest_funding.deposit_addresses, ("deposit",)),
    "DepositStatus": Call(rest_funding.deposit_status, ("deposit", "query-ledger")),
    "WithdrawMethods": Call(rest_funding.withdraw_methods, ("withdraw",)),
    "WithdrawAddresses": Call(rest_funding.withdraw_addresses, ("withdraw",)),
    "WithdrawInfo": Call(rest_funding.withdraw_info, ("withdraw",)),
    "WithdrawStatus": Call(rest_funding.withdraw_status, ("withdraw", "query-ledger")),
    "AddExport": Call(rest_exports.add, ("export",)),
    "ExportStatus": Call(rest_exports.status, ("export",)),
    "RetrieveExport": Call(rest_exports.retrieve, ("export",)),
    "RemoveExport": Call(rest_exports.remove, ("export",)),
    "Earn/Strategies": Call(rest_earn.strategies, tuple(_PERMISSIONS)),
    "Earn/Allocations": Call(rest_earn.allocations, ("query-funds",)),
    "Earn/Allocate": Call(rest_earn.allocate, ("earn",)),
    "Earn/Deallocate": Call(rest_earn.deallocate, ("earn",)),
    "Earn/AllocateStatus": Call(rest_earn.status, ("earn", "query-funds")),
    "Earn/DeallocateStatus": Call(rest_earn.status, ("earn", "query-funds")),
    "CreateSubaccount": Call(rest_subaccounts.create, ("withdraw",)),
    "AccountTransfer": Call(rest_subaccounts.transfer, ("withdraw",)),
    "AddOrder": Call(_add_order, ("trade",), 0, "add_order"),
    "AddOrderBatch": Call(_add_order_batch, ("trade",), 0, "batch_add"),
    "AmendOrder": Call(_amend_order, ("trade",), 0, "amend_order"),
    "EditOrder": Call(_edit_order, ("trade",), 0, "edit_order"),
    "CancelOrder": Call(_cancel_order, ("cancel",), 0, "cancel_order"),
    "CancelOrderBatch": Call(_cancel_order_batch, ("cancel",), 0, "batch_cancel"),
    "CancelAll": Call(_cancel_all, ("cancel",), 0, "cancel_all"),
    "CancelAllOrdersAfter": Call(_cancel_all_after, ("cancel", "trade"), 0),
}
