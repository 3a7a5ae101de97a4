"""The ``balances`` channel: snapshots and ledger entries to the account (T14)."""

from __future__ import annotations

from decimal import Decimal

from executor.account.ledger import Entry
from executor.record.rows import FillRow
from executor.state import State
from shared.kraken import v2

ZERO = Decimal(0)


def take(state: State, frame: v2.Frame, now: int) -> tuple[list[FillRow], bool]:
    """Take in one message of the channel, element by element.

    Return the fills that its entries prove newer than the journal's opening, and whether all elements of our assets
    could be read. If not, their balances are in doubt, and the caller must ask for a snapshot.
    """
    account = state.account
    state.session.hear_balances(state.exchange_ts(now))
    elements, unread = v2.elements(frame.data, _Balance)
    for row in unread:
        state.out.unread(f"a balances element ({row.why}): {row.raw!r}")
    if frame.type == "snapshot":
        balances = {element.asset: _spot(element) for element in elements}
        for row in unread:
            holding = account.ledger.holdings.get(row.texts.get("asset", ""))
            if holding is not None:  # an asset whose element cannot be read keeps its last balance
                balances[row.texts["asset"]] = holding.balance
        wallets = {element.asset: others for element in elements if (others := _others(element))}
        if account.snapshot(balances, state.exchange_ts(now), wallets):
            state.out.tell("info", "journal", "a new journal opens at these balances")
        state.session.trust_balances()
        return account.take_proven(), True
    fills = []
    for element in elements:
        if _is_spot(element.wallet_type, element.wallet_id):
            fills.append(account.entry(entry_of(element, state.stated_ts(element.timestamp, now)), live=True))
        else:
            wallet = f"{element.wallet_type}/{element.wallet_id}"
            account.wallet_entry(element.asset, wallet, element.amount - element.fee)
    all_read = not any(row.texts.get("asset", "") in account.ledger.holdings for row in unread)
    return [fill for fill in fills if fill is not None], all_read


def entry_of(element: v2.Balance, ts: int) -> Entry:
    """Return a ledger entry of the ``balances`` channel, of the exchange's time ``ts``."""
    return Entry(
        element.ledger_id, element.ref_id, element.asset, element.type, element.amount, element.fee, element.balance, ts
    )


class _Balance(v2.Balance, frozen=True, kw_only=True):
    """A balance with its wallets, which a snapshot lists."""

    wallets: list[v2.Wallet] = []


def _is_spot(kind: str, name: str) -> bool:
    return (kind, name) == ("spot", "main")


def _spot(element: _Balance) -> Decimal:
    """Return what can be traded: the spot wallet's balance, if wallets are listed."""
    if not element.wallets:
        return element.balance
    return sum((wallet.balance for wallet in element.wallets if _is_spot(wallet.type, wallet.id)), ZERO)


def _others(element: _Balance) -> dict[str, Decimal]:
    return {
        f"{wallet.type}/{wallet.id}": wallet.balance
        for wallet in element.wallets
        if wallet.balance and not _is_spot(wallet.type, wallet.id)
    }
