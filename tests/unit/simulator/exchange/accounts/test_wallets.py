"""Wallets of an account: any asset, other wallets, ledger entries of every type, volume in USD."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.config import Key, SimAccount
from simulator.errors import FaultError, KrakenError
from simulator.faults import instant
from tests.unit.simulator.worlds import TestWorld, call, limit

TYPES = [
    "deposit",
    "withdrawal",
    "transfer",
    "staking",
    "reward",
    "conversion",
    "margin",
    "rollover",
    "settled",
    "adjustment",
    "dividend",
    "airdrop",
    "credit",
    "sale",
    "reserve",
    "creator_fee",
]


def saver(path: Path | None = None) -> TestWorld:
    """Return a world in which the visitor has half of its BTC in auto-earn."""
    account = SimAccount(
        name="visitor",
        keys=[Key(api_key="V1", api_secret="djE=")],
        balances={"USD": Decimal(1000), "BTC": Decimal(1), "EUR": Decimal("0.0001")},
        wallets={"BTC": {"earn/flex": Decimal("0.5")}, "ETH": {"earn/bonded": Decimal(3)}},
    )
    return TestWorld(path, accounts=[account], history_lag_s=(0.0, 0.0))


def happens(world: TestWorld, **members: Any) -> None:
    fault = world.world.faults.read({"kind": "ledger", "account": "visitor", **members}, world.now)
    instant.carry_out(world.world, fault, world.now)


def balances(world: TestWorld) -> dict[str, Any]:
    (_, snapshot) = world.private("V1").call("subscribe", channel="balances")
    return {row["asset"]: row for row in snapshot["data"]}


def test_a_snapshot_shows_every_wallet_and_the_total(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    for world in (saver(path), saver(path)):
        rows = balances(world)
        assert rows["BTC"] == {
            "asset": "BTC", "asset_class": "currency", "balance": Decimal("1.5"),
            "wallets": [
                {"type": "spot", "id": "main", "balance": Decimal(1)},
                {"type": "earn", "id": "flex", "balance": Decimal("0.5")},
            ],
        }  # fmt: skip
        assert [wallet["balance"] for wallet in rows["ETH"]["wallets"]] == [0, 3]
        assert rows["EUR"]["balance"] == Decimal("0.0001")
        held = call(world, "Balance")
        assert held == {
            "XXBT": "1.0000000000", "XBT.F": "0.5000000000", "ZUSD": "1000.0000", "ZEUR": "0.0001",
            "ETH.B": "3.0000000000",
        }  # fmt: skip
        assert call(world, "BalanceEx")["XBT.F"] == {"balance": "0.5000000000", "hold_trade": "0.0000000000"}
        world.world.flush(world.now)


def test_the_ledger_names_the_wallet_of_an_entry_as_balances_do() -> None:
    world = saver()
    happens(world, value="earn", asset="BTC", amount="0.25", wallet="earn/flex")
    rows = call(world, "Ledgers", type="earn")["ledger"].values()
    assert {row["asset"]: row["amount"] for row in rows} == {"XXBT": "-0.2500000000", "XBT.F": "0.2500000000"}


def test_what_earns_cannot_be_sold() -> None:
    world = saver()
    with pytest.raises(KrakenError, match="Insufficient funds"):
        world.exchange.add(world.account("visitor"), limit("sell", "1.2", "90000"), world.now)
    with pytest.raises(KrakenError, match="Insufficient funds"):
        world.exchange.add(world.account("visitor"), limit("sell", "0.1", "9000", "ETH/USD"), world.now)


def test_auto_earn_moves_a_balance_by_two_entries_of_one_reference() -> None:
    world = saver()
    client = world.private("V1")
    client.call("subscribe", channel="balances")
    seen = len(client.frames)
    happens(world, value="transfer", subtype="spotfromearn", asset="BTC", amount="0.4", wallet="earn/flex")
    rows = [frame["data"][0] for frame in client.since(seen)]
    assert [(r["wallet_type"], r["wallet_id"], r["amount"], r["balance"]) for r in rows] == [
        ("spot", "main", Decimal("-0.4"), Decimal("0.6")),
        ("earn", "flex", Decimal("0.4"), Decimal("0.9")),
    ]
    assert len({row["ref_id"] for row in rows}) == 1
    assert {row["subtype"] for row in rows} == {"spotfromearn"}
    assert balances(world)["BTC"]["balance"] == Decimal("1.5")


@pytest.mark.parametrize("kind", TYPES)
def test_an_entry_of_every_type_can_be_played(kind: str) -> None:
    world = saver()
    client = world.private("V1")
    client.call("subscribe", channel="balances")
    seen = len(client.frames)
    happens(world, value=kind, asset="EUR", amount="12.5", fee="0.25")
    (update,) = client.since(seen)
    (row,) = update["data"]
    assert (row["type"], row["asset"], row["amount"], row["fee"], row["balance"]) == (
        kind, "EUR", Decimal("12.5"), Decimal("0.25"), Decimal("12.2501"),
    )  # fmt: skip
    entry = next(iter(call(world, "Ledgers", asset="ZEUR", type=kind)["ledger"].values()))
    assert (entry["type"], entry["amount"], entry["refid"]) == (kind, "12.5000", row["ref_id"])


@pytest.mark.parametrize(
    "members",
    [
        {"account": "nobody"}, {"asset": "XBT"}, {"value": "No Type"}, {"amount": "much"}, {"amount": "0.00001"},
        {"amount": "1e40"}, {"wallet": "pocket/left"}, {"fee": "x"},
    ],
)  # fmt: skip
def test_what_cannot_be_booked_is_refused_and_changes_nothing(members: dict[str, str]) -> None:
    world = saver()
    before = dict(world.account("visitor").balances)
    with pytest.raises(FaultError, match=r"account|asset|value|amount|decimals|wallet"):
        happens(world, **{"value": "deposit", "asset": "USD", "amount": "1", **members})
    assert world.account("visitor").balances == before


def test_volume_counts_in_dollars_whatever_the_quote(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path, pairs=["BTC/EUR", "EUR/USD"])
    world.empty("BTC/EUR")
    maker, visitor = world.account(), world.account("visitor")
    maker.balances["EUR"] = 10**12
    world.exchange.add(maker, limit("buy", "0.01", "70000", "BTC/EUR"), world.now)
    order = world.exchange.add(visitor, limit("sell", "0.01", "70000", "BTC/EUR"), world.now)
    world.world.flush(world.now)
    bid, ask = world.touch("EUR/USD")
    rate = Decimal(bid + ask) / 2 / 10**5
    assert visitor.volume.units == int(700 * rate * 10_000)
    # The fee of 0.4 % is taken in euros; what it is in dollars is said beside it.
    assert visitor.balances["EUR"] == 700_0000 - 2_8000
    assert (order.fee, order.usd_fee) == (280_000, int(280_000 * rate))
    again = TestWorld(path, world.now + 10**9, pairs=["BTC/EUR", "EUR/USD"])
    assert again.account("visitor").volume.units == visitor.volume.units


def test_a_quote_that_no_listed_pair_values_counts_as_at_the_start() -> None:
    world = TestWorld(pairs=["BTC/EUR"])
    world.empty("BTC/EUR")
    world.account().balances["EUR"] = 10**12
    world.exchange.add(world.account(), limit("buy", "0.01", "70000", "BTC/EUR"), world.now)
    world.exchange.add(world.account("visitor"), limit("sell", "0.01", "70000", "BTC/EUR"), world.now)
    assert world.account("visitor").volume.units == 812_0000


def test_an_average_price_is_of_prices_and_quantities_and_not_of_the_rounded_cost() -> None:
    world = TestWorld()
    world.empty()
    order = world.exchange.add(world.account("visitor"), limit("buy", "0.00005", "84000.1"), world.now)
    world.exchange.add(world.account(), limit("sell", "0.00005", "84000.1"), world.now)
    # It cost 4.200005 USD, which is shown with five decimals: divided by the quantity that would be 84000.2.
    assert (order.cost, order.average) == (420_001, 840_001)
