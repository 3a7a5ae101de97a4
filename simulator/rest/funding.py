"""Private REST calls about deposits and withdrawals that only read. Methods, addresses and fees are made up."""

from __future__ import annotations

import hashlib

from simulator import arguments, errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.orders import LedgerEntry
from simulator.keys import KeyState
from simulator.pairs.pairs import ASSETS, Asset, find_asset
from simulator.wire import NS, Fields, Written, fixed, units
from simulator.world import World

# The one withdrawal key that every account has set up.
KEY = "simulator"
# Kraken's own names, which clients (ccxt, pykrakenapi) use without looking them up. Others are made up.
_METHODS = {"BTC": "Bitcoin", "ETH": "Ether (Hex)", "SOL": "Solana", "DOGE": "Dogecoin"}
# Least deposits and withdrawals, and the fee of the latter, in USD.
_MINIMUM_USD, _FEE_USD = 5, 1
_FOREVER = 2**62


def _asset(fields: Fields, *, needed: bool = True) -> Asset | None:
    name = fields.get("asset")
    if not name and not needed:
        return None
    if not name:
        raise invalid("asset")
    asset = find_asset(str(name))
    if asset is None:
        raise KrakenError(errors.FUNDING_ASSET)
    return asset


def _known(fields: Fields) -> Asset:
    asset = _asset(fields)
    assert asset is not None
    return asset


def _method(asset: Asset) -> str:
    if asset.is_fiat:
        return f"Bank transfer ({asset.name})"
    return _METHODS.get(asset.name, f"{asset.name} (simulated network)")


def _worth(asset: Asset, usd: int) -> str:
    """Return what an amount of USD is in an asset, as text."""
    return fixed(int(usd / asset.usd * 10**asset.decimals) if asset.usd else 0, asset.decimals)


def _address(key: KeyState, asset: Asset, purpose: str) -> str:
    digest = hashlib.sha256(f"{key.account.name} {asset.name} {purpose}".encode()).hexdigest()
    return f"simulated{digest[:32]}"


def _held(key: KeyState) -> list[Asset]:
    """Return the assets that an account has."""
    return [ASSETS[name] for name in key.account.balances]


def deposit_methods(_world: World, _key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``DepositMethods`` of an asset."""
    asset = _known(fields)
    row: dict[str, Written] = {"method": _method(asset), "limit": False, "fee": fixed(0, asset.decimals)}
    row |= {"gen-address": not asset.is_fiat, "minimum": _worth(asset, _MINIMUM_USD)}
    return [row]


def deposit_addresses(_world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``DepositAddresses`` of an asset and method; one each, which no coin will ever come to."""
    asset = _known(fields)
    if fields.get("method") != _method(asset):
        raise KrakenError(errors.FUNDING_METHOD)
    if asset.is_fiat:
        return []
    return [{"address": _address(key, asset, "deposit"), "expiretm": "0", "new": False}]


def deposit_status(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``DepositStatus``: the deposits that the ledger shows."""
    return [_transfer(key, entry) for entry in _entries(world, key, fields, "deposit", now)]


def withdraw_status(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``WithdrawStatus``: the withdrawals that the ledger shows."""
    rows = _entries(world, key, fields, "withdrawal", now)
    return [{**_transfer(key, entry), "network": "simulated", "key": KEY} for entry in rows]


def _entries(world: World, key: KeyState, fields: Fields, kind: str, now: int) -> list[LedgerEntry]:
    asset = _asset(fields, needed=False)
    # Pages by cursor are not simulated: the answer has the newest page.
    if str(fields.get("cursor") or "false").lower() != "false":
        raise invalid("cursor")
    bounds = []
    for name, default in (("start", 0), ("end", _FOREVER)):
        given = arguments.decimal_text(fields, name)
        bounds.append(default if given is None else int(given * NS))
    names = [] if asset is None else [asset.name]
    rows, _ = world.store.history.ledger(
        key.account.index, bounds[0], bounds[1], world.shown_until(now), 0, kind, names
    )
    return rows


def _transfer(key: KeyState, entry: LedgerEntry) -> dict[str, Written]:
    asset = find_asset(entry.asset)
    assert asset is not None
    return {
        "method": _method(asset),
        "aclass": asset.asset_class,
        "asset": asset.rest_id,
        "refid": entry.ref_id,
        "txid": hashlib.sha256(entry.ledger_id.encode()).hexdigest(),
        "info": _address(key, asset, entry.kind),
        "amount": fixed(abs(entry.amount), asset.decimals),
        "fee": fixed(entry.fee, asset.decimals),
        "time": entry.ns // NS,
        "status": "Success",
    }


def withdraw_methods(_world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``WithdrawMethods``, of one asset or of what the account holds."""
    asset = _asset(fields, needed=False)
    chosen = [asset] if asset is not None else _held(key)
    return [
        {
            "asset": a.altname,
            "method": _method(a),
            "network": "simulated",
            "minimum": _worth(a, _MINIMUM_USD),
        }
        for a in chosen
    ]


def withdraw_addresses(_world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``WithdrawAddresses``, of one asset or of what the account holds."""
    asset = _asset(fields, needed=False)
    if fields.get("key") not in (None, "", KEY):
        return []
    chosen = [asset] if asset is not None else _held(key)
    return [
        {
            "address": _address(key, a, "withdrawal"),
            "asset": a.altname,
            "method": _method(a),
            "key": KEY,
            "verified": True,
        }
        for a in chosen
    ]


def withdraw_info(_world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``WithdrawInfo``: what would be sent of an amount. Nothing here sends it."""
    asset = _known(fields)
    if fields.get("key") != KEY:
        raise KrakenError(errors.FUNDING_KEY)
    given = arguments.decimal_text(fields, "amount")
    amount = None if given is None else units(given, asset.decimals)
    fee = units(arguments.decimal_text({"fee": _worth(asset, _FEE_USD)}, "fee") or 0, asset.decimals) or 0
    if amount is None or amount <= fee:
        raise KrakenError(errors.FUNDING_AMOUNT)
    free = max(0, key.account.free(asset.name) - fee)
    return {
        "method": _method(asset),
        "limit": fixed(free, asset.decimals),
        "amount": fixed(amount - fee, asset.decimals),
        "fee": fixed(fee, asset.decimals),
    }
