"""Checks of pairs' and assets' names: written as WebSocket v2 does, and consistent with each other.

A name that the exchange does not use would count as an asset of which nothing is held, and be traded as such.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

import msgspec

from shared.config.sandbox import SANDBOX_INVENTORY
from shared.config.schema import Config
from shared.kraken.pairs import asset_name, new_name

# Tokenised shares end in a small x (AAPLx); nothing else is in lower case.
ASSET: Final = re.compile(r"[A-Z0-9.]{1,16}x?")
Wrong = Callable[[str, str], Exception]


def check_names(config: Config, wrong: Wrong) -> None:
    """Raise ``wrong(key, text)`` for a name that cannot be; fill in the default pair."""
    trading = config.trading
    if not trading.pairs:
        raise wrong("trading.pairs", "name at least one pair, such as BTC/USD")
    _check_currency(trading.currency, wrong)
    _check_pairs("trading.pairs", trading.pairs, wrong)
    _check_pairs("trading.reference_pairs", trading.reference_pairs or [], wrong)
    if not trading.default_pair:
        trading = config.trading = msgspec.structs.replace(trading, default_pair=trading.pairs[0])
    if trading.default_pair not in trading.pairs:
        hint = meant(trading.default_pair, trading.pairs)
        raise wrong("trading.default_pair", f"{trading.default_pair} is not one of trading.pairs{hint}")
    for name, strategy in config.strategies.items():
        for index, pair in enumerate(strategy.pairs):
            if pair not in trading.pairs:
                text = f"{pair} is not one of trading.pairs{meant(pair, trading.pairs)}"
                raise wrong(f"strategies.{name}.pairs[{index}]", text)
    if trading.inventory_base is None and not config.kraken.sandbox:
        text = "must be set with sandbox: false (what you hold and want kept, per asset); flatten would sell it"
        raise wrong("trading.inventory_base", text)


def check_inventory(config: Config, wrong: Wrong) -> None:
    """Raise ``wrong(key, text)`` unless the inventory names every traded base; fill in the sandbox's."""
    trading, key = config.trading, "trading.inventory_base"
    traded = bases(trading.pairs)
    if trading.inventory_base is None:
        trading = config.trading = msgspec.structs.replace(trading, inventory_base=dict(SANDBOX_INVENTORY))
    kept = trading.inventory_base or {}
    for asset, amount in kept.items():
        if not ASSET.fullmatch(asset) or _modern(asset) != asset:
            hint = meant(asset, traded) or meant(asset)
            raise wrong(f"{key}.{asset}", f"{asset!r} is no asset as Kraken names it{hint}")
        if not amount.is_finite() or amount < Decimal(0):
            raise wrong(f"{key}.{asset}", f"must be 0 or more, found {amount}")
    missing = [asset for asset in traded if asset not in kept]
    if missing:
        are = "are" if len(missing) > 1 else "is"
        text = (
            f"{', '.join(missing)} {are} traded and not in it: say what you hold and want kept (0: nothing), since all "
            "above it counts as a position, and is sold"
        )
        raise wrong(key, text)


def bases(pairs: Iterable[str]) -> list[str]:
    """Return the assets that are bought and sold, each once, in the order of the pairs."""
    return list(dict.fromkeys(pair.partition("/")[0] for pair in pairs))


def meant(name: str, known: Iterable[str] = ()) -> str:
    """Return ``; did you mean BTC/USD?``, or an empty text if no known name is similar."""
    known = list(known)
    modern = _modern(name)
    if modern != name and (not known or modern in known):
        return f"; did you mean {modern}?"
    near = difflib.get_close_matches(modern, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _modern(name: str) -> str:
    """Return a pair or an asset in capitals and by the new names of its parts: ``xbt/usd`` as ``BTC/USD``."""
    parts = [part if ASSET.fullmatch(part) else part.upper() for part in re.split("[/_-]", name)]
    return "/".join(asset_name(new_name(part)) for part in parts)


def _check_currency(currency: str, wrong: Wrong) -> None:
    if not ASSET.fullmatch(currency) or _modern(currency) != currency:
        raise wrong("trading.currency", f"{currency!r} is no asset as Kraken names it, such as USD{meant(currency)}")


def _check_pairs(key: str, pairs: list[str], wrong: Wrong) -> None:
    for index, pair in enumerate(pairs):
        base, slash, quote = pair.partition("/")
        if not (slash and ASSET.fullmatch(base) and ASSET.fullmatch(quote)) or _modern(pair) != pair or base == quote:
            hint = meant(pair) if "/" in _modern(pair) and base != quote else ""
            text = f"{pair!r} is not a pair as Kraken's WebSocket v2 writes it, such as BTC/USD{hint}"
            raise wrong(f"{key}[{index}]", text)
        if pair in pairs[:index]:
            raise wrong(f"{key}[{index}]", f"{pair} is there twice; keep one of them")
