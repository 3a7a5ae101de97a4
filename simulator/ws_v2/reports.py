"""Reports of the private channels as text: ``executions`` and ``balances`` (KRAKEN.md 3.2 and 3.3).

A report is the inside of a JSON object without its braces, so that a subscription can add its own.
"""

from __future__ import annotations

from simulator.exchange.limits import Counter
from simulator.exchange.orders import NEW, PARTIALLY_FILLED, PENDING_NEW, SPOT, Account, Fill, LedgerEntry, Order
from simulator.pairs.pairs import ASSETS
from simulator.wire import fixed, iso, string


def _client(cl_ord_id: str | None, userref: int) -> str:
    return f'"cl_ord_id":{string(cl_ord_id)}' if cl_ord_id is not None else f'"order_userref":{userref}'


def _totals(order: Order) -> str:
    pair = order.pair
    return (
        f'"cum_qty":{pair.qty(order.filled)},"cum_cost":{pair.cost(order.cost)},'
        f'"avg_price":{pair.price(order.average)},"fee_usd_equiv":{pair.cost(order.usd_fee)}'
    )


def _terms(order: Order) -> str:
    pair = order.pair
    price = f"{_limit(order)}," if order.price is not None else ""
    post = '"post_only":true,' if order.post_only else ""
    if order.trigger is not None:
        price += f"{_triggers(order)},"
    price += _special(order)
    expire = f'"expire_time":"{iso(order.expire_ns)}",' if order.expire_ns else ""
    expire += f'"effective_time":"{iso(order.start_ns)}",' if order.start_ns else ""
    return (
        f'"order_id":"{order.order_id}",{_client(order.cl_ord_id, order.userref)},"symbol":"{pair.symbol}",'
        f'"order_qty":{pair.qty(order.qty)},"time_in_force":"{order.tif.upper()}",{expire}"side":"{order.side}",'
        f'"order_type":"{order.kind}",{price}{post}"fee_ccy_pref":"{order.fee_pref}"'
    )


def _limit(order: Order) -> str:
    offset = order.terms.offset
    if offset is not None and not order.triggered:
        return f'"limit_price_type":"{offset.kind}","limit_price":{offset.amount:f}'
    return f'"limit_price_type":"static","limit_price":{order.pair.price(order.price or 0)}'


def _special(order: Order) -> str:
    """Return the members of icebergs, of orders in the quote asset, on margin or with a conditional close."""
    pair, terms, text = order.pair, order.terms, ""
    if terms.display:
        text += f'"display_qty":{pair.qty(terms.display)},"display_qty_remain":{pair.qty(order.visible_lots)},'
    if terms.cash is not None:
        text += f'"cash_order_qty":{terms.cash:f},'
    if terms.leverage:
        text += f'"margin":true,"reduce_only":{"true" if terms.reduce_only else "false"},'
    if terms.close is not None:
        members = [f'"order_type":"{terms.close.kind}"']
        for name, ticks in (("trigger_price", terms.close.trigger), ("limit_price", terms.close.price)):
            if ticks is not None:
                members.append(f'"{name}":{pair.price(ticks)},"{name}_type":"static"')
        text += f'"contingent":{{{",".join(members)}}},'
    return text


def _triggers(order: Order) -> str:
    pair, trail = order.pair, order.terms.trail
    trigger = pair.price(order.trigger or 0)
    status = "triggered" if order.triggered else "untriggered"
    price, kind, more = trigger, "static", ""
    distance = trail or order.terms.distance
    if distance is not None:
        # The price is the requested distance; the trigger as it is now stands beside it.
        price, kind = f"{distance.amount:f}", distance.kind
        more = f'"actual_price":{trigger},'
    if trail is not None:
        more += f'"peak_price":{pair.price(order.peak)},'
    return (
        f'"stop_price":{trigger},"trigger":"last","triggers":{{"reference":"last","price":{price},'
        f'"price_type":"{kind}",{more}"status":"{status}"}}'
    )


def trailed(order: Order, now: int) -> str:
    """Return the report that a trailing stop's trigger has moved."""
    return (
        f'"timestamp":"{iso(now)}","exec_type":"status","order_status":"new",'
        f'{_client(order.cl_ord_id, order.userref)},{_triggers(order)},"order_id":"{order.order_id}"'
    )


def refilled(order: Order, now: int) -> str:
    """Return the report that an iceberg shows its next part."""
    return (
        f'"timestamp":"{iso(now)}","exec_type":"iceberg_refill","order_status":"partially_filled",{_totals(order)},'
        f'{_special(order)}{_client(order.cl_ord_id, order.userref)},"order_id":"{order.order_id}"'
    )


def triggered(order: Order, last: int, now: int, status: str) -> str:
    """Return the report that an order's trigger was reached; ``status`` is its ``order_status``."""
    pair = order.pair
    trigger = pair.price(order.trigger or 0)
    return (
        f'"timestamp":"{iso(now)}","exec_type":"status","order_status":"{status}",'
        f'{_client(order.cl_ord_id, order.userref)},"triggers":{{"reference":"last","price":{trigger},'
        f'"price_type":"static","actual_price":{trigger},"last_price":{pair.price(last)},"status":"triggered",'
        f'"timestamp":"{iso(now)}"}},"order_id":"{order.order_id}"'
    )


def pending(order: Order, now: int) -> str:
    """Return the report of an order that is validated and not yet live."""
    # Deprecated, and still sent with every new order.
    stop = "" if order.trigger is not None else f',"stop_price":{order.pair.price(0)}'
    return (
        f'{_terms(order)}{stop},"exec_type":"pending_new","order_status":"pending_new","cum_cost":{order.pair.cost(0)},'
        f'"fee_usd_equiv":{order.pair.cost(0)},"timestamp":"{iso(now)}"'
    )


def live(order: Order, now: int) -> str:
    """Return the report of an order that is in the book, or about to trade."""
    post = '"post_only":true,' if order.post_only else ""
    return (
        f'"timestamp":"{iso(now)}","exec_type":"new","order_status":"new",{_client(order.cl_ord_id, order.userref)},'
        f'{post}"order_id":"{order.order_id}"'
    )


def standing(order: Order) -> str:
    """Return the report of an open order in a snapshot."""
    status, kind = _open_status(order), PENDING_NEW if order.scheduled else NEW
    return (
        f'{_terms(order)},"exec_type":"{kind}","order_status":"{status}",{_totals(order)},'
        f'"timestamp":"{iso(order.touched_ns)}"'
    )


def _open_status(order: Order) -> str:
    if order.scheduled:
        return PENDING_NEW
    return PARTIALLY_FILLED if order.filled else NEW


def _fill_terms(fill: Fill) -> str:
    pair = fill.pair
    asset, paid = pair.quote.name, pair.cost(fill.fee)
    if fill.base_fee:
        asset, paid = pair.base.name, fixed(fill.base_fee, pair.base.decimals)
    return (
        f'"order_id":"{fill.order_id}",{_client(fill.cl_ord_id, fill.userref)},"exec_id":"{fill.exec_id}",'
        f'"exec_type":"trade","trade_id":{fill.trade_id},"symbol":"{pair.symbol}","side":"{fill.side}",'
        f'"last_qty":{pair.qty(fill.qty)},"last_price":{pair.price(fill.price)},'
        f'"liquidity_ind":"{"m" if fill.maker else "t"}","cost":{pair.cost(fill.cost)},"order_type":"{fill.kind}",'
        f'"timestamp":"{iso(fill.ns)}","fee_usd_equiv":{pair.cost(fill.usd_fee)},'
        f'"fees":[{{"asset":"{asset}","qty":{paid}}}]{_margin(fill)}'
    )


def _margin(fill: Fill) -> str:
    """Return the members that only fills on margin have: whether it borrowed, and what became of the position."""
    if not fill.leverage:
        return ""
    borrows = fill.qty > fill.closing
    return f',"margin_borrow":{"true" if borrows else "false"},"position_status":"{"opened" if borrows else "closing"}"'


def trade(fill: Fill, order: Order, status: str) -> str:
    """Return the report of a fill as it happens; ``status`` is its ``order_status``, which may lag the order's own."""
    return (
        f'{_fill_terms(fill)},"order_status":"{status}",'
        f'"cum_qty":{order.pair.qty(order.filled)},"cum_cost":{order.pair.cost(order.cost)},'
        f'"avg_price":{order.pair.price(order.average)}'
    )


def past_trade(fill: Fill) -> str:
    """Return the report of a fill in a snapshot."""
    return f'{_fill_terms(fill)},"order_status":"filled"'


def finished(order: Order, now: int) -> str:
    """Return the report of an order's end: ``filled``, ``canceled`` or ``expired``."""
    post = '"post_only":true,' if order.post_only else ""
    reason = ""
    if order.status != "filled":
        reason = f'"cancel_reason":{string(order.reason)},"reason":{string(order.reason)},'
    return (
        f'"timestamp":"{iso(now)}","exec_type":"{order.status}","order_status":"{order.status}",{_totals(order)},'
        f'{_client(order.cl_ord_id, order.userref)},{post}{reason}"order_id":"{order.order_id}"'
    )


def amended(order: Order, now: int, kind: str = "amended", reason: str = "User requested") -> str:
    """Return the report that an amendment took effect: the user's, or the engine's (``restated``)."""
    pair = order.pair
    status = _open_status(order)
    price = f"{_limit(order)}," if order.price is not None else ""
    if order.trigger is not None:
        price += f"{_triggers(order)},"
    return (
        f'"timestamp":"{iso(now)}","exec_type":"{kind}","order_status":"{status}",'
        f'"cum_qty":{pair.qty(order.filled)},"reason":{string(reason)},"amended":true,'
        f'"order_qty":{pair.qty(order.qty)},{price}{_client(order.cl_ord_id, order.userref)},'
        f'"order_id":"{order.order_id}"'
    )


def with_counter(report: str, name: str, counter: Counter, now: int) -> str:
    """Return the report with the pair's matching engine counter as ``name``, for ``ratecounter`` subscriptions."""
    return f'{report},"{name}":{counter.now(now):.2f}'


def balance_snapshot(account: Account) -> str:
    """Return the ``data`` of the balances snapshot."""
    rows = []
    for name in sorted({*account.balances, *account.wallets}):
        asset = ASSETS[name]
        wallets = {SPOT: account.balances.get(name, 0), **account.wallets.get(name, {})}
        listed = ",".join(
            f'{{{_wallet(wallet, "type", "id")},"balance":{fixed(units, asset.decimals)}}}'
            for wallet, units in wallets.items()
        )
        rows.append(
            f'{{"asset":"{name}","asset_class":"{asset.asset_class}",'
            f'"balance":{fixed(account.total(name), asset.decimals)},"wallets":[{listed}]}}'
        )
    return f"[{','.join(rows)}]"


def balance_update(entry: LedgerEntry) -> str:
    """Return the ``data`` of one ledger entry's update."""
    asset = ASSETS[entry.asset]
    decimals = asset.decimals
    subtype = f'"subtype":{string(entry.subtype)},' if entry.subtype else ""
    return (
        f'[{{"ledger_id":"{entry.ledger_id}","ref_id":"{entry.ref_id}","timestamp":"{iso(entry.ns)}",'
        f'"type":"{entry.kind}",{subtype}"asset":"{entry.asset}","asset_class":"{asset.asset_class}",'
        f'"category":"{entry.kind}",{_wallet(entry.wallet, "wallet_type", "wallet_id")},'
        f'"amount":{fixed(entry.amount, decimals)},"fee":{fixed(entry.fee, decimals)},'
        f'"balance":{fixed(entry.balance, decimals)}}}]'
    )


def _wallet(wallet: str, type_name: str, id_name: str) -> str:
    kind, _, name = wallet.partition("/")
    return f'"{type_name}":"{kind}","{id_name}":"{name}"'
