"""Earn: strategies that balances can be allocated to, the moves between wallets, and the rewards of every week.

An allocation is an entry of type ``earn`` on each of both wallets. Rewards of bonded strategies are booked as
``staking``, those of the others as ``earn`` with the subtype ``reward``. Bonding takes no time here.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from simulator.errors import KrakenError
from simulator.exchange.orders import SPOT, Account
from simulator.exchange.state import State
from simulator.pairs.pairs import ASSETS
from simulator.wire import NS, make_id, units

PAYOUT_NS = 7 * 86_400 * NS
YEAR_NS = 365 * 86_400 * NS
UNBONDING_S = 2_419_200
# Weeks that are paid at once after a long outage.
WEEKS_MAX = 60
BELOW_MINIMUM = "EEarnings:Below min:(De)allocation operation amount less than minimum"
INSUFFICIENT = "EEarnings:Insufficient funds:Insufficient funds to complete the (de)allocation request"
_ID_SALT = 20_260_925


class Strategy(NamedTuple):
    """An earn strategy: what it takes, the wallet that it is in, its lock type, its yearly rate in percent."""

    strategy_id: str
    asset: str
    wallet: str
    lock: str
    low: Decimal
    high: Decimal
    minimum: Decimal


def _strategies() -> Iterable[Strategy]:
    table = (
        ("flex", "earn/flex", "1.0", "3.0", ("USD", "EUR", "BTC", "ETH", "SOL", "USDT", "USDC")),
        ("instant", "earn/liquid", "2.0", "4.0", ("SOL", "DOT", "ADA")),
        ("bonded", "earn/bonded", "3.0", "7.0", ("ETH", "SOL", "DOT", "ADA")),
    )
    number = 0
    for lock, wallet, low, high, assets in table:
        for asset in assets:
            number += 1
            if asset in ASSETS:
                minimum = Decimal("0.01") if ASSETS[asset].usd < 1000 else Decimal("0.0001")
                strategy_id = make_id("ES", number, _ID_SALT)
                yield Strategy(strategy_id, asset, wallet, lock, Decimal(low), Decimal(high), minimum)


STRATEGIES = {strategy.strategy_id: strategy for strategy in _strategies()}


def held(account: Account, strategy: Strategy) -> int:
    """Return units that are allocated to a strategy."""
    return account.wallets.get(strategy.asset, {}).get(strategy.wallet, 0)


def allocate(state: State, account: Account, strategy: Strategy, amount: Decimal, now: int, *, back: bool) -> None:
    """Move an amount from the spot wallet into a strategy, or ``back``; raises KrakenError."""
    moved = units(amount, ASSETS[strategy.asset].decimals)
    if moved is None or amount < strategy.minimum:
        raise KrakenError(BELOW_MINIMUM)
    if moved > (held(account, strategy) if back else account.free(strategy.asset)):
        raise KrakenError(INSUFFICIENT)
    move(state, account, strategy, moved, now, "deallocation" if back else "allocation")


def move(state: State, account: Account, strategy: Strategy, moved: int, now: int, subtype: str) -> None:
    """Book the two entries of a move into a strategy, out of it for a ``deallocation``."""
    ref_id, visible = state.reference(), now + state.lag()
    ends = [(SPOT, -moved), (strategy.wallet, moved)]
    if subtype == "deallocation":
        ends = [(strategy.wallet, -moved), (SPOT, moved)]
    for wallet, amount in ends:
        state.book(account, strategy.asset, "earn", amount, 0, ref_id, now, visible, subtype, wallet)


def sweep(state: State, account: Account, now: int, asset: str = "") -> int:
    """Move what is free of every asset (or of one) into its flexible strategy (auto-earn); return how many moved."""
    count = 0
    for strategy in STRATEGIES.values():
        free = account.free(strategy.asset)
        if strategy.lock == "flex" and free > 0 and asset in ("", strategy.asset):
            move(state, account, strategy, free, now, "autoallocation")
            count += 1
    return count


def pay(state: State, account: Account, now: int, weeks: int) -> None:
    """Book the rewards of so many weeks on whatever is allocated."""
    for strategy in STRATEGIES.values():
        rate = (strategy.low + strategy.high) / 200 * PAYOUT_NS * weeks / YEAR_NS
        reward = int(held(account, strategy) * rate)
        if reward:
            kind, subtype = ("staking", "") if strategy.lock == "bonded" else ("earn", "reward")
            state.book(
                account, strategy.asset, kind, reward, 0, state.reference(), now, now + state.lag(), subtype,
                strategy.wallet,
            )  # fmt: skip
