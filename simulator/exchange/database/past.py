"""An account as it was a moment ago, for snapshots from a copy that lags."""

from __future__ import annotations

from dataclasses import replace

from simulator.exchange.database.store import Store
from simulator.exchange.orders import NEW, PARTIALLY_FILLED, PENDING_NEW, SPOT, Account, Fill, Order

_FOREVER = 2**62


def orders_at(store: Store, account: Account, ns: int) -> list[Order]:
    """Return the orders that were open then, oldest first, with what was filled of them and how they stood."""
    closed, _ = store.history.closed(account.index, ns, _FOREVER, _FOREVER, 0)
    orders = [order for order in (*account.orders.values(), *closed) if order.opened_ns <= ns]
    return sorted((_order_at(store, account, order, ns) for order in orders), key=lambda order: order.number)


def _order_at(store: Store, account: Account, order: Order, ns: int) -> Order:
    later = [fill for fill in account.fills if fill.number == order.number and fill.ns > ns]
    filled = order.filled - sum(fill.qty for fill in later)
    known = [amend for amend in store.history.amends(order.order_id) if amend.ns <= ns]
    qty, price, trigger = order.qty, order.price, order.trigger
    if known:
        qty, price, trigger = known[-1].qty, known[-1].price, known[-1].trigger
    return replace(
        order,
        filled=filled,
        cost=order.cost - sum(fill.cost for fill in later),
        fee=order.fee - sum(fill.fee for fill in later),
        usd_fee=order.usd_fee - sum(fill.usd_fee for fill in later),
        value=order.value - sum(fill.price * fill.qty for fill in later),
        status=PARTIALLY_FILLED if filled else PENDING_NEW if order.start_ns > ns else NEW,
        qty=qty,
        price=price,
        trigger=trigger,
    )


def fills_at(account: Account, ns: int) -> list[Fill]:
    """Return the last fills as known then, oldest first."""
    return [fill for fill in account.fills if fill.ns <= ns]


def account_at(store: Store, account: Account, ns: int) -> Account:
    """Return the account with the balances that it had then."""
    past = replace(
        account,
        balances=dict(account.balances),
        wallets={asset: dict(wallets) for asset, wallets in account.wallets.items()},
    )
    for asset, wallet, change in store.changes(account.index, ns):
        held = past.balances if wallet == SPOT else past.wallets.setdefault(asset, {})
        name = asset if wallet == SPOT else wallet
        held[name] = held.get(name, 0) - change
    return past
