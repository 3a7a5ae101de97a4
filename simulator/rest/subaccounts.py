"""Private REST calls of a master account about its subaccounts; the first account declared is the master."""

from __future__ import annotations

import hashlib

from simulator import arguments, errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.orders import Account
from simulator.keys import KeyState
from simulator.pairs.pairs import find_asset
from simulator.wire import Fields, Written, units
from simulator.world import World

NAME_MAX = 64


def public_id(name: str) -> str:
    """Return the public id of an account, four groups of four, made of its name so that anybody can work it out."""
    digest = hashlib.sha256(f"account {name}".encode()).hexdigest().upper()
    return " ".join(digest[at : at + 4] for at in range(0, 16, 4))


def _master_only(world: World, key: KeyState) -> None:
    if key.account is not next(iter(world.exchange.accounts.values())):
        raise KrakenError(errors.PERMISSION_DENIED)


def create(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``CreateSubaccount``: an account without keys or balances."""
    _master_only(world, key)
    name, mail = fields.get("username"), fields.get("email")
    if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX or name in _by_name(world):
        raise invalid("username")
    if not isinstance(mail, str) or "@" not in mail:
        raise invalid("email")
    world.add_subaccount(name, now)
    return True


def _by_name(world: World) -> dict[str, Account]:
    return {account.name: account for account in world.exchange.accounts.values()}


def transfer(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``AccountTransfer`` between any two accounts, by their public ids."""
    _master_only(world, key)
    asset = find_asset(str(fields.get("asset")))
    if asset is None:
        raise KrakenError(errors.UNKNOWN_ASSET)
    known = {public_id(name): account for name, account in _by_name(world).items()}
    ends = [known.get(str(fields.get(name))) for name in ("from", "to")]
    for name, account in zip(("from", "to"), ends, strict=True):
        if account is None or ends[0] is ends[1]:
            raise invalid(name)
    given = arguments.decimal_text(fields, "amount")
    amount = None if given is None else units(given, asset.decimals)
    if amount is None or amount <= 0:
        raise invalid("amount")
    source, target = ends
    assert source is not None
    assert target is not None
    if amount > source.free(asset.name):
        raise KrakenError(errors.FUNDING_FUNDS)
    ref_id, visible = world.exchange.state.reference(), now + world.exchange.state.lag()
    world.exchange.state.book(source, asset.name, "transfer", -amount, 0, ref_id, now, visible)
    world.exchange.state.book(target, asset.name, "transfer", amount, 0, ref_id, now, visible)
    return {"transfer_id": ref_id, "status": "complete"}
