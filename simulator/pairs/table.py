"""Read tables of pairs: the one that ships (``pairs.csv``, ``assets.csv``) and files in Kraken's AssetPairs form."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from importlib import resources
from typing import Any

from simulator.errors import TableError
from simulator.pairs.instrument import Asset, Pair, PairStatus
from simulator.wire import units

# What one unit of an unknown asset is worth: Kraken sets a pair's minimum to about so many USD.
MINIMUM_USD = Decimal(5)
# An asset that no table knows has the decimals that most have.
DECIMALS, SHOWN = 10, 5
_NEW_NAMES = {"XBT": "BTC", "XDG": "DOGE"}
_DECIMALS_MAX = 12


def shipped() -> list[Pair]:
    """Return the pairs of the table that ships, in its order."""
    folder = resources.files("simulator.pairs")
    assets = {
        row["name"]: Asset(
            row["name"],
            row["rest_id"],
            row["altname"],
            int(row["decimals"]),
            int(row["shown"]),
            Decimal(row["usd"]),
            row["class"],
        )
        for row in csv.DictReader(folder.joinpath("assets.csv").read_text(encoding="utf-8").splitlines())
    }
    rows = csv.DictReader(folder.joinpath("pairs.csv").read_text(encoding="utf-8").splitlines())
    return [_pair(row, assets) for row in rows]


def _pair(row: Mapping[str, str], assets: Mapping[str, Asset]) -> Pair:
    base, quote = (assets[name] for name in row["symbol"].split("/"))
    return _make_pair(
        row["symbol"],
        (row["wsname"], row["altname"], row["rest_id"]),
        (base, quote),
        (int(row["price_decimals"]), int(row["qty_decimals"]), int(row["cost_decimals"])),
        (Decimal(row["qty_min"]), Decimal(row["cost_min"]), Decimal(row["tick_size"])),
        row["status"],
    )


def _make_pair(
    symbol: str,
    names: tuple[str, str, str],
    assets: tuple[Asset, Asset],
    decimals: tuple[int, int, int],
    sizes: tuple[Decimal, Decimal, Decimal],
    status: str,
) -> Pair:
    base, quote = assets
    if any(not 0 <= number <= _DECIMALS_MAX for number in decimals):
        raise TableError(f"{symbol}: decimals are from 0 to {_DECIMALS_MAX}")
    qty_min, cost_min, tick_size = sizes
    tick = units(tick_size, decimals[0])
    minimums = units(qty_min, decimals[1]), units(cost_min, quote.decimals)
    if not tick or tick < 0:
        raise TableError(f"{symbol}: a tick of {tick_size} does not fit {decimals[0]} decimals")
    if minimums[0] is None or minimums[1] is None or min(minimums[0], minimums[1]) < 0:
        raise TableError(f"{symbol}: the minimums {qty_min} and {cost_min} do not fit its decimals")
    price = int((base.usd / quote.usd).scaleb(decimals[0]) / tick + Decimal("0.5")) * tick
    return Pair(
        symbol, *names, base, quote, *decimals, minimums[0] or 1, minimums[1] or 0, max(price, tick), tick, status
    )  # fmt: skip


def read_asset_pairs(text: str, known: Mapping[str, Asset]) -> list[Pair]:
    """Return the pairs of a file in the form of Kraken's AssetPairs answer, with or without its envelope.

    Dark pools (no ``wsname``) are left out; an asset that is not ``known`` (by name) gets usual decimals. Raises
    TableError that says which entry is wrong.
    """
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise TableError(str(error)) from error
    entries = answer.get("result", answer) if isinstance(answer, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise TableError("no pairs in it; it must have the form of Kraken's AssetPairs")
    assets = dict(known)
    pairs = []
    for rest_id, entry in entries.items():
        if isinstance(entry, dict) and entry.get("wsname") is None and rest_id.endswith(".d"):
            continue
        try:
            pairs.append(_read_entry(rest_id, entry, assets))
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            raise TableError(f"{rest_id}: {error!r}") from error
    return pairs


# Any: an entry of somebody's file; what does not fit raises, and read_asset_pairs names the entry.
def _read_entry(rest_id: str, entry: Any, assets: dict[str, Asset]) -> Pair:
    wsname = str(entry["wsname"])
    legs = [_NEW_NAMES.get(name, name) for name in wsname.split("/")]
    if len(legs) != 2 or not all(legs):
        raise TableError(f"{rest_id}: {wsname!r} is no wsname")
    price_decimals = int(entry["pair_decimals"])
    qty_min = Decimal(str(entry.get("ordermin", "0")))
    quote = assets.setdefault(legs[1], _unknown_asset(legs[1], entry["quote"], entry.get("aclass_quote"), Decimal(1)))
    worth = MINIMUM_USD / qty_min if qty_min > 0 else Decimal(1)
    base = assets.setdefault(legs[0], _unknown_asset(legs[0], entry["base"], entry.get("aclass_base"), worth))
    return _make_pair(
        "/".join(legs),
        (wsname, str(entry["altname"]), rest_id),
        (base, quote),
        (price_decimals, int(entry["lot_decimals"]), int(entry.get("cost_decimals", max(5, price_decimals)))),
        (
            qty_min,
            Decimal(str(entry.get("costmin", "0"))),
            Decimal(str(entry.get("tick_size", Decimal(1).scaleb(-price_decimals)))),
        ),
        str(entry.get("status", PairStatus.ONLINE)),
    )


def _unknown_asset(name: str, rest_id: object, asset_class: object, usd: Decimal) -> Asset:
    return Asset(name, str(rest_id), name, DECIMALS, SHOWN, usd, str(asset_class or "currency"))
