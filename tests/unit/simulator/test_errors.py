"""Each error text of KRAKEN.md 3.5 that this exchange can meet has a request that provokes it, the rest a reason."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from simulator import arguments, errors
from simulator.errors import KrakenError
from simulator.faults import instant
from simulator.rest import private as rest_private, public as rest_public
from simulator.wire import iso
from tests.unit.simulator.worlds import TestWorld, limit, market

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
Act = Callable[[TestWorld], Any]


def rest(method: str, key: str = "V1", late_ns: int = 0, **fields: Any) -> Act:
    def run(world: TestWorld) -> Any:
        now = world.now
        if method in rest_public.METHODS:
            return rest_public.METHODS[method](world.world, fields, now)
        call = rest_private.METHODS[method]
        world.world.keys[key].require(*call.permissions)
        return call.run(world.world, world.world.keys[key], fields, now, now + late_ns)

    return run


def order(key: str = "V1", **changes: Any) -> Act:
    return rest("AddOrder", key, **{**ORDER, **changes})


def in_state(act: Act, **members: Any) -> Act:
    def run(world: TestWorld) -> Any:
        instant.carry_out(world.world, world.world.faults.read(members, world.now), world.now)
        return act(world)

    return run


def spent(world: TestWorld) -> Any:
    account = world.account("visitor")
    made = world.exchange.add(account, limit("buy", "0.0001", "60000"), world.now)
    for number in range(200):
        world.exchange.amend(account, made, None, Decimal(60_001 + number), False, world.now)


def many(world: TestWorld) -> Any:
    for _ in range(100):
        world.after(1)
        world.exchange.add(world.account("visitor"), limit("buy", "0.0001", "60000"), world.now)


def post_only_amend(world: TestWorld) -> Any:
    account = world.account("visitor")
    made = world.exchange.add(account, limit("buy", "0.001", "60000"), world.now)
    return rest("AmendOrder", txid=made.order_id, limit_price="90000", post_only="true")(world)


def edited_by_name(world: TestWorld) -> Any:
    made = world.exchange.add(world.account("visitor"), limit("buy", "0.001", "60000", cl_ord_id="a"), world.now)
    return rest("EditOrder", txid=made.order_id, pair="XBTUSD", volume="0.002")(world)


def no_session(world: TestWorld) -> Any:
    return world.world.token("nothing", 1, world.now)


PROVOKED: dict[str, Act] = {
    "ESession:Invalid session": no_session,
    "EGeneral:Invalid arguments:ordertype": order(ordertype="hidden"),
    "EGeneral:Invalid arguments:Index unavailable": order(ordertype="stop-loss", trigger="index"),
    "EGeneral:Invalid arguments": rest("AmendOrder", txid="x", cl_ord_id="y" * 40, order_qty="x"),
    "EGeneral:Permission denied": order("M2"),
    "EOrder:Insufficient funds": order(volume="50"),
    "EOrder:Order minimum not met": order(volume="0.00001"),
    "EOrder:Cost minimum not met": order(price="1", volume="0.0001"),
    "EOrder:Invalid price": order(price="0"),
    "EOrder:Invalid price:XBT/USD price can only be specified up to 1 decimals.": order(price="60000.01"),
    "EOrder:Invalid order": edited_by_name,
    "EOrder:Unknown order": rest("CancelOrder", txid="OAAAAA-AAAAA-AAAAAA"),
    "EOrder:Rate limit exceeded": spent,
    "EOrder:Orders limit exceeded": many,
    "EOrder:Reduce only:Non-PC": order(reduce_only="true"),
    "EOrder:Reduce only:No position exists": in_state(order(), kind="pair", symbol="BTC/USD", value="reduce_only"),
    "EOrder:Margin position size exceeded": order(leverage="10", volume="351"),
    "EOrder:Insufficient margin": order(leverage="2", volume="50"),
    "EOrder:Unknown position": order(leverage="2", ordertype="settle-position"),
    "EOrder:Post only order": post_only_amend,
    "EQuery:Unknown asset pair": rest("Ticker", pair="NOUSD"),
    "EQuery:Unknown asset": rest("Assets", asset="NO"),
    "EService:Unavailable": in_state(order(), kind="status", value="maintenance"),
    "EService:Market in cancel_only mode": in_state(order(), kind="status", value="cancel_only"),
    "EService:Market in post_only mode": in_state(order(), kind="status", value="post_only"),
    "EService:Market in limit_only mode": in_state(
        order(ordertype="market"), kind="pair", symbol="BTC/USD", value="limit_only"
    ),
    "EService:Deadline elapsed": rest("AddOrder", late_ns=10**10, **ORDER),
}
# Provoked over sockets elsewhere in these tests.
ELSEWHERE = {
    "EAPI:Invalid key", "EAPI:Invalid signature", "EAPI:Invalid nonce", "EAPI:Rate limit exceeded",
    "EGeneral:Unknown method", "EGeneral:Internal error", "Token(s) not found", "EOrder:Tick size check failed",
}  # fmt: skip
# What cannot be met here, and why; a fault of kind ``refuse`` says any of them.
NOT_MET = {
    "EAPI:Bad request": "the shell answers 400 before there is a call",
    "EAuth:Account temporary disabled": "accounts here are in order",
    "EAuth:Account unconfirmed": "accounts here are in order",
    "EAuth:Rate limit exceeded": "the REST counter comes first",
    "EAuth:Too many requests": "the REST counter comes first",
    "EAccount:Invalid permissions": "permissions are refused with EGeneral:Permission denied",
    "EGeneral:Temporary lockout": "no key is locked out, lest a test lock out the next",
    "EGeneral:Too many requests": "the REST counter comes first",
    "EOrder:Domain rate limit exceeded": "there are no sub-accounts",
    "EOrder:Scheduled orders limit exceeded": "Kraken names no figure",
    "EOrder:Positions limit exceeded": "Kraken names no figure",
    "EOrder:Cannot open position": "every account here may trade on margin",
    "EOrder:Cannot open opposing position": "a fill closes first and opens with the rest",
    "EOrder:Margin allowance exceeded": "no account here has an allowance",
    "EOrder:Margin level too low": "free margin runs out first",
    "EOrder:Trading agreement required": "there is none",
    "EQuery:Invalid asset pair": "an older text of EQuery:Unknown asset pair",
    "ETrade:Invalid request": "not documented what for",
    "ETrade:User Locked": "accounts here are in order",
    "EService:Busy": "a fault's business",
    "EService: Throttled": "requests are not throttled by concurrency",
    "EDatabase:Internal error": "a database that fails ends the process",
    "EBM:limit exceeded:CAL": "an account's limit that none here has",
    "EFunding": "asked for with the calls of funding (test_account_services.py)",
}


@pytest.mark.parametrize("text", PROVOKED)
def test_the_text_is_provoked(text: str) -> None:
    world = TestWorld()
    with pytest.raises(KrakenError) as refused:
        PROVOKED[text](world)
    said = str(refused.value)
    assert said == text or (text == errors.INVALID_ARGUMENTS and said.startswith(text))


def test_every_text_of_the_simulator_is_provoked_somewhere() -> None:
    own = {value for name, value in vars(errors).items() if name.isupper() and str(value).startswith("E")}
    own = {value for value in own if value[:2] in ("EA", "EG", "EO", "EQ", "ES", "ED") and ":" in value}
    assert own <= set(PROVOKED) | ELSEWHERE
    assert not (set(PROVOKED) | ELSEWHERE) & set(NOT_MET)
    assert all(NOT_MET.values())


def test_an_internal_error_is_what_a_fault_says_by_default() -> None:
    world = TestWorld()
    world.world.faults.set(world.world.faults.read({"kind": "refuse", "method": "ping"}, world.now))
    assert world.public().raw({"method": "ping"})[0]["error"] == "EGeneral:Internal error"


def test_a_deadline_has_bounds() -> None:
    for ms in (100, 61_000):
        with pytest.raises(KrakenError, match="deadline"):
            arguments.deadline(iso(10**18 + ms * 10**6), 10**18)


def test_market_orders_need_the_other_side() -> None:
    world = TestWorld()
    world.empty()
    made = world.exchange.add(world.account(), market("sell", "0.001"), world.now)
    assert (made.status, made.reason) == ("canceled", "Market price protection")
