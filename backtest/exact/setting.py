"""The configuration of a backtest: the person's own, on the pairs that the data have, with a simulated account."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

import msgspec

from backtest.errors import DataError
from shared.config import Config, SimAccount
from shared.valuation import legs
from simulator.pairs.pairs import PAIRS

# What the account holds of a quote asset of which the configuration says nothing.
PURSE = Decimal(100_000)


def choose_strategy(config: Config, name: str | None) -> str:
    """Return the strategy to run: the named one, else the configuration's first. Raises DataError."""
    if name is None:
        return next(iter(config.strategies))
    if name not in config.strategies:
        raise DataError(f"no strategy {name!r} in the configuration; there is: {', '.join(config.strategies)}")
    return name


def traded_pairs(config: Config, strategy: str, symbols: Collection[str]) -> list[str]:
    """Return the strategy's pairs that the data have. Raises DataError if there is none."""
    wanted = config.strategy_pairs(strategy)
    traded = [symbol for symbol in wanted if symbol in symbols]
    if not traded:
        raise DataError(
            f"the data are of {', '.join(sorted(symbols))}, and {strategy} trades {', '.join(wanted)}: "
            "name a pair of the data in trading.pairs"
        )
    if unknown := [symbol for symbol in traded if symbol not in PAIRS]:
        raise DataError(f"{', '.join(unknown)} is not in the table of pairs: name a file in simulator.asset_pairs")
    return traded


def references(config: Config, traded: Collection[str], symbols: Collection[str]) -> list[str]:
    """Return the pairs of the data that only value the quote assets of the traded ones; none if nothing needs it."""
    if all(legs(symbol)[1] == config.trading.currency for symbol in traded):
        return []
    return [symbol for symbol in symbols if symbol not in traded and symbol in PAIRS]


def prepare(
    config: Config, strategy: str, traded: list[str], listed: list[str], seed: int, regime: str | None = None
) -> Config:
    """Return the configuration of a run: one strategy, its pairs, an account that holds its inventory."""
    section = msgspec.structs.replace(config.strategies[strategy], pairs=traded)
    declared = config.simulator.accounts[0]
    # What the account begins with is its inventory: the position begins flat.
    bases = dict.fromkeys(legs(symbol)[0] for symbol in traded)
    inventory = {base: declared.balances.get(base, Decimal(0)) for base in bases} | (
        config.trading.inventory_base or {}
    )
    trading = msgspec.structs.replace(
        config.trading, pairs=traded, reference_pairs=None, default_pair="", inventory_base=inventory
    )
    balances = {**declared.balances, **inventory}
    for symbol in listed:
        for asset in legs(symbol):
            balances.setdefault(asset, Decimal(0) if asset in inventory else PURSE)
    tier = trading.tier if not config.kraken.sandbox else declared.tier
    account = SimAccount(
        name=declared.name, keys=declared.keys, balances=balances, volume_30d_usd=declared.volume_30d_usd, tier=tier
    )
    simulator = msgspec.structs.replace(
        config.simulator,
        accounts=[account],
        pairs=listed,
        seed=seed,
        history_lag_s=(0.0, 0.0),
        faults=[],
        regime=regime or config.simulator.regime,
    )
    return msgspec.structs.replace(config, trading=trading, strategies={strategy: section}, simulator=simulator)
