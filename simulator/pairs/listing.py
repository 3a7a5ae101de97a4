"""Choose the pairs that the exchange lists: those configured, or those traded and what valuing them needs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NoReturn

import msgspec

from shared.config import Config, Simulator
from shared.errors import ConfigError
from shared.valuation import reference_pairs
from simulator.errors import TableError
from simulator.exchange.orders import SPOT, WALLETS
from simulator.pairs.pairs import ASSETS, PAIRS, add_file, find_asset, find_pair, pair_names
from simulator.wire import units
from simulator.world import declared_wallets

# Stands for every pair of ``simulator.asset_pairs``.
EVERY = "*"


def listed_settings(config: Config) -> Simulator:
    """Return the simulator's settings with the pairs that it lists, as WebSocket v2 names them.

    Reads ``simulator.asset_pairs`` where one is named. Raises :class:`ConfigError` that names file, key and mend.
    """
    settings, filed = config.simulator, []
    if settings.asset_pairs:
        path = config.root / settings.asset_pairs
        try:
            filed = add_file(path)
        except (OSError, TableError) as error:
            _refuse(config, "simulator.asset_pairs", f"{path}: {error}")
    if settings.pairs is not None:
        pairs = _symbols(config, "simulator.pairs", [name for name in settings.pairs if name != EVERY])
        pairs += [pair.symbol for pair in filed] if EVERY in settings.pairs else []
        if not pairs:
            _refuse(config, "simulator.pairs", "name at least one pair, or leave it out")
    else:
        trading = config.trading
        pairs = _symbols(config, "trading.pairs", trading.pairs)
        pairs += _symbols(config, "trading.reference_pairs", trading.reference_pairs or [])
        pairs += reference_pairs(trading.currency, pairs, PAIRS)
    for at, account in enumerate(settings.accounts):
        for wallet, name, amount in declared_wallets(account):
            key = f"simulator.accounts[{at}].{'balances' if wallet == SPOT else 'wallets'}"
            if wallet not in WALLETS:
                _refuse(config, key, f"{wallet} is no wallet{_suggestion(wallet, list(WALLETS))}")
            _check_balance(config, key, name, units(amount, _decimals(name)))
    return msgspec.structs.replace(settings, pairs=list(dict.fromkeys(pairs)))


def _symbols(config: Config, key: str, names: Iterable[str]) -> list[str]:
    pairs = [(name, find_pair(name)) for name in names]
    for name, pair in pairs:
        if pair is None:
            _refuse(config, key, f"{name} is in no table of pairs{_suggestion(name, pair_names())}")
    return [pair.symbol for _, pair in pairs if pair is not None]


def _decimals(name: str) -> int:
    return ASSETS[name].decimals if name in ASSETS else 0


def _check_balance(config: Config, key: str, name: str, held: int | None) -> None:
    if name not in ASSETS:
        known = find_asset(name)
        mend = f"; did you mean {known.name}?" if known is not None else _suggestion(name, list(ASSETS))
        _refuse(config, key, f"{name} is no asset here{mend}")
    if held is None or held < 0:
        _refuse(config, key, f"{name}: must be 0 or more, with {ASSETS[name].decimals} decimals at most")


def _suggestion(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1) or difflib.get_close_matches(name.upper(), known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _refuse(config: Config, key: str, text: str) -> NoReturn:
    raise ConfigError(f"{config.source or 'built-in defaults'}: {key}: {text}")
