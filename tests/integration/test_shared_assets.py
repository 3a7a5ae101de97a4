"""One base on several pairs, in several quotes: fills, limits, a deposit, flatten and the balances, by asset."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from shared.messages import Account, Orders, OrderState
from tests.system import System, eager, running, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
PAIRS = ["BTC/USD", "BTC/EUR", "ETH/BTC"]
LIMIT = Decimal(1000)
# The mid may move after the last decision.
DRIFT = Decimal("1.03")
# What the smallest order of a pair is worth, and a little more.
DUST_USD = Decimal(15)


def several_pairs(tree: dict[str, Any]) -> None:
    eager(tree)
    tree["trading"] |= {"pairs": PAIRS, "inventory_base": {"BTC": 1, "ETH": 20}}
    tree["simulator"]["accounts"][0]["balances"] = {"USD": 100000, "EUR": 100000, "BTC": 1, "ETH": 20}
    # What rests on a history that lags is proved in other tests; the comparison at the end would wait for it.
    tree["simulator"]["history_lag_s"] = [0, 0.5]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("assets"), several_pairs) as made:
        yield made


def account(system: System) -> Account:
    system.listen()
    newest = system.last["account"]
    assert isinstance(newest, Account)
    return newest


def assert_within_limits(system: System) -> None:
    for asset, row in account(system).assets.items():
        if row.worth and not row.held:
            assert abs(Decimal(row.worth)) <= LIMIT * DRIFT, f"{asset} is worth {row.worth}"


def open_orders(system: System, symbol: str) -> int:
    system.listen()
    newest = system.last[f"order.{symbol}"]
    assert isinstance(newest, Orders)
    return sum(order.state is OrderState.OPEN for order in newest.orders)


def deposit(system: System, asset: str, amount: str) -> None:
    fault = {"kind": "ledger", "account": "maker", "asset": asset, "value": "deposit", "amount": amount}
    port = system.config.simulator.port
    request = urllib.request.Request(f"http://127.0.0.1:{port}/simulator/faults", json.dumps(fault).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_every_pair_is_filled_and_no_asset_passes_its_limit(system: System) -> None:
    def all_filled() -> bool:
        assert_within_limits(system)
        return {fill["symbol"] for fill in system.lines("fills")} == set(PAIRS)

    until("a fill on every pair", all_filled, 120, every=0.5)
    assert_within_limits(system)
    assert set(account(system).assets) == {"BTC", "ETH"}
    assert account(system).rates["EUR"].valid


def test_a_deposit_beyond_the_limit_is_held_until_a_person_accepts_it(system: System) -> None:
    deposit(system, "BTC", "0.05")
    until("BTC is held", lambda: account(system).assets["BTC"].held, 15)
    until("nothing rests on it", lambda: not any(open_orders(system, symbol) for symbol in PAIRS), 15)
    assert "tradebyte accept BTC" in system.tradebyte("status").stdout

    accepted = system.json("accept", "BTC")
    assert accepted["accepted"]
    inventory = Decimal(accepted["inventory"]["BTC"])
    assert abs(inventory - Decimal("1.05")) * 100_000 < 2 * LIMIT
    assert not account(system).assets["BTC"].held
    until("every pair is quoted again", lambda: all(open_orders(system, symbol) for symbol in PAIRS), 30)
    assert_within_limits(system)


def test_flatten_is_flat_and_the_books_agree_to_the_last_digit(system: System) -> None:
    result = system.json("flatten")
    assert result["flat"], result
    assert result["open_orders"] == 0
    rates = account(system).rates
    for asset, position in result["assets"].items():
        assert abs(Decimal(position)) * Decimal(rates[asset].rate) < DUST_USD, (asset, position)
    assert system.differences() == []
