"""The ``balances`` channel: snapshots and ledger entries to the account (T14). A core."""

from __future__ import annotations

from decimal import Decimal

from executor.ledger import Entry
from executor.state import State
from shared.clock import parse_rfc3339
from shared.kraken import v2


def take(state: State, frame: v2.Frame, now: int) -> None:
    """One message of the channel."""
    account = state.account
    elements = v2.payload(frame.data, list[_Balance])
    if frame.type == "snapshot":
        balances = {element.asset: _spot(element) for element in elements}
        if account.snapshot(balances, state.clock.now_ts(now) or now + state.boot_to_wall):
            state.tell("info", "journal", "a new journal opens at these balances")
        state.balances_ready = True
    else:
        for element in elements:
            if element.wallet_type == "spot" and element.wallet_id == "main":
                account.entry(entry_of(element), live=True)


def entry_of(element: v2.Balance) -> Entry:
    """A ledger entry of the ``balances`` channel."""
    ts = parse_rfc3339(element.timestamp) if element.timestamp else 0
    return Entry(
        element.ledger_id, element.ref_id, element.asset, element.type, element.amount, element.fee, element.balance, ts
    )


class _Balance(v2.Balance, frozen=True, kw_only=True):
    """A balance with its wallets, which a snapshot tells apart."""

    wallets: list[v2.Wallet] = []


def _spot(element: _Balance) -> Decimal:
    """What can be traded: the spot wallet's balance where wallets are told apart."""
    for wallet in element.wallets:
        if wallet.type == "spot" and wallet.id == "main":
            return wallet.balance
    return element.balance
