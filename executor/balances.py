"""The ``balances`` channel: snapshots and ledger entries to the account (T14). A core."""

from __future__ import annotations

from decimal import Decimal

from executor.ledger import Entry
from executor.state import State
from shared.kraken import v2


def take(state: State, frame: v2.Frame, now: int) -> bool:
    """One message of the channel, element by element; False when an entry was lost, so that balances are to be asked.

    An asset that cannot be read keeps what was known of it: a foreign element never stops ours.
    """
    account = state.account
    elements, unread = v2.elements(frame.data, _Balance)
    for row in unread:
        state.unread(f"a balances element ({row.why}): {row.raw!r}")
    if frame.type == "snapshot":
        balances = {element.asset: _spot(element) for element in elements}
        for row in unread:
            holding = account.ledger.holdings.get(row.texts.get("asset", ""))
            if holding is not None:
                balances[row.texts["asset"]] = holding.balance
        if account.snapshot(balances, state.clock.now_ts(now) or now + state.boot_to_wall):
            state.tell("info", "journal", "a new journal opens at these balances")
        state.balances_ready = True
        return True
    for element in elements:
        if element.wallet_type == "spot" and element.wallet_id == "main":
            account.entry(entry_of(element, state.time_told(element.timestamp, now)), live=True)
    return not any(row.texts.get("asset", "") in account.ledger.holdings for row in unread)


def entry_of(element: v2.Balance, ts: int) -> Entry:
    """A ledger entry of the ``balances`` channel, of the exchange's time ``ts``."""
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
