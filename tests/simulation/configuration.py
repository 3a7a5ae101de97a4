"""One seed's configuration: pairs, purse, limits and fees are drawn."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec

from shared.config import Config, SimAccount, check
from shared.config.unconfirmed import Unconfirmed
from simulator.pairs.pairs import ASSETS
from tests.simulation.markets import Market


def configuration(rng: Random, market: Market, folder: Path, unconfirmed: Unconfirmed) -> Config:
    """A sandbox with two strategies; one seed in three has a small purse, one in two pays fees."""
    config = Config()
    dollars = 1_300 if rng.random() < 0.33 else 60_000
    balances = {asset: _amount(asset, dollars) for asset in ["USD", *market.assets]}
    config.trading = msgspec.structs.replace(
        config.trading,
        pairs=list(market.traded),
        reference_pairs=list(market.references),
        max_position_size=Decimal(rng.choice([350, 1000])),
        max_daily_loss=Decimal(rng.choice([20, 2000])),
        max_gross_position=Decimal(rng.choice([1200, 3000])),
        max_open_orders=rng.choice([6, 20]),
        inventory_base={asset: balances[asset] for asset in market.bases},
    )
    maker = msgspec.structs.replace(config.strategies["market_maker"], pairs=list(market.traded))
    config.strategies = {"market_maker": maker, "other": msgspec.structs.replace(maker, pairs=[market.traded[0]])}
    keys = config.simulator.accounts[0].keys
    volume = Decimal(rng.choice([0, 10_000_000]))
    account = SimAccount(name="maker", keys=keys, balances=balances, volume_30d_usd=volume)
    config.simulator = msgspec.structs.replace(
        config.simulator, accounts=[account], unconfirmed=unconfirmed, pairs=list(market.listed)
    )
    config.source = folder / "config.yaml"
    check(config, str)
    return config


def _amount(asset: str, dollars: int) -> Decimal:
    """So many dollars of an asset, in the decimals that are shown of it."""
    amount = Decimal(dollars) / (ASSETS[asset].usd or Decimal(1))
    return amount.quantize(Decimal(1).scaleb(-min(4, ASSETS[asset].display_decimals)))
