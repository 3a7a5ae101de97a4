"""Export files, funding that only reads, Earn and subaccounts, in the shapes that Kraken documents."""

from __future__ import annotations

import csv
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import KrakenError
from simulator.exchange.accounts import earn
from simulator.exchange.accounts.earn import STRATEGIES
from simulator.faults import instant
from simulator.rest.subaccounts import public_id
from simulator.wire import NS
from tests.unit.simulator.worlds import START, TestWorld, call, market

MARKET = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}
BITCOIN = next(s for s in STRATEGIES.values() if (s.asset, s.lock) == ("BTC", "flex"))
ETHER = next(s for s in STRATEGIES.values() if (s.asset, s.lock) == ("ETH", "bonded"))


def traded(path: Path | None = None) -> TestWorld:
    world = TestWorld(path, history_lag_s=(0.0, 0.0))
    call(world, "AddOrder", **MARKET)
    world.world.flush(world.now)
    return world


def exported(world: TestWorld, report: str, **more: Any) -> tuple[str, list[list[str]], str]:
    """Return the file's name, its rows with the header, and its text."""
    name = call(world, "AddExport", report=report, description="mine", **more)["id"]
    world.after(5)
    packed = zipfile.ZipFile(io.BytesIO(call(world, "RetrieveExport", id=name)))
    (member,) = packed.namelist()
    text = packed.read(member).decode()
    return member, list(csv.reader(io.StringIO(text), delimiter="\t" if member.endswith("tsv") else ",")), text


def test_trades_are_exported_in_krakens_columns() -> None:
    # Header and quoting of users' files: "txid","ordertxid","pair",...; numbers without quotes.
    member, rows, text = exported(traded(), "trades")
    assert member == "trades.csv"
    assert rows[0] == [
        "txid", "ordertxid", "pair", "time", "type", "ordertype", "price", "cost", "fee", "vol", "margin", "misc",
        "ledgers",
    ]  # fmt: skip
    row = dict(zip(rows[0], rows[1], strict=True))
    assert (row["pair"], row["type"], row["ordertype"], row["vol"]) == ("XXBTZUSD", "buy", "market", "0.00100000")
    assert Decimal(row["cost"]) == (Decimal(row["price"]) * Decimal("0.001")).quantize(Decimal("0.00001"))
    assert len(row["ledgers"].split(",")) == 2
    assert text.startswith('"txid","ordertxid","pair"')
    assert f',{row["price"]},{row["cost"]},{row["fee"]},0.00100000,0.00000,"",' in text


def test_the_ledger_is_exported_in_krakens_columns_and_adds_up() -> None:
    world = traded()
    _, rows, _ = exported(world, "ledgers")
    assert rows[0] == [
        "txid", "refid", "time", "type", "subtype", "aclass", "subclass", "asset", "wallet", "amount", "fee", "balance",
    ]  # fmt: skip
    entries = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert {(e["asset"], e["subclass"], e["wallet"]) for e in entries if e["type"] == "trade"} == {
        ("BTC", "crypto", "spot / main"), ("USD", "fiat", "spot / main"),
    }  # fmt: skip
    total = sum((Decimal(e["amount"]) - Decimal(e["fee"]) for e in entries if e["asset"] == "USD"), Decimal(0))
    assert total == Decimal(call(world, "Balance")["ZUSD"])
    member, rows, _ = exported(world, "ledgers", format="TSV", fields="time,amount")
    assert (member, rows[0]) == ("ledgers.tsv", ["txid", "time", "amount"])


def test_an_export_is_queued_processed_kept_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = traded(path)
    name = call(world, "AddExport", report="trades", description="mine", starttm=START // NS - 60)["id"]
    with pytest.raises(KrakenError, match="EGeneral:Invalid arguments:id"):
        call(world, "RetrieveExport", id=name)
    with pytest.raises(KrakenError, match="type"):
        call(world, "RemoveExport", id=name, type="delete")
    seen = []
    for _ in range(3):
        seen.append(call(world, "ExportStatus", report="trades")[0]["status"])
        world.after(1.5)
    assert seen == ["Queued", "Processing", "Processed"]
    again = TestWorld(path, world.now)
    (row,) = call(again, "ExportStatus", report="trades")
    assert (row["id"], row["descr"], row["fields"], row["starttm"]) == (name, "mine", "all", str(START // NS - 60))
    assert call(again, "ExportStatus", report="ledgers") == []
    assert call(again, "RemoveExport", id=name, type="delete") == {"delete": True}
    assert call(again, "ExportStatus", report="trades") == []


@pytest.mark.parametrize(
    "fields", [{"report": "all"}, {"format": "XLS"}, {"description": ""}, {"fields": "secret"}, {"starttm": "x"}]
)
def test_a_wrong_export_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(KrakenError, match="EGeneral:Invalid arguments"):
        call(TestWorld(), "AddExport", **{"report": "trades", "description": "mine", **fields})


def test_funding_is_read_and_never_done() -> None:
    world = TestWorld()
    (method,) = call(world, "DepositMethods", asset="XBT")
    assert set(method) == {"method", "limit", "fee", "gen-address", "minimum"}
    (address,) = call(world, "DepositAddresses", asset="XBT", method=method["method"])
    assert set(address) == {"address", "expiretm", "new"}
    deposits = call(world, "DepositStatus", asset="XBT")
    assert [(row["asset"], row["amount"], row["status"]) for row in deposits] == [("XXBT", "1.0000000000", "Success")]
    assert call(world, "WithdrawStatus") == []
    instant.carry_out(world.world, world.world.faults.read(
        {"kind": "ledger", "account": "visitor", "value": "withdrawal", "asset": "BTC", "amount": "-0.5"}, world.now,
    ), world.now)  # fmt: skip
    world.after(10)
    (sent,) = call(world, "WithdrawStatus", asset="XBT")
    assert (sent["amount"], sent["key"]) == ("0.5000000000", "simulator")
    (way,) = call(world, "WithdrawMethods", asset="XBT")
    (to,) = call(world, "WithdrawAddresses", asset="XBT")
    assert way["method"] == to["method"] == method["method"]
    info = call(world, "WithdrawInfo", asset="XBT", key=to["key"], amount="0.1")
    assert Decimal(info["amount"]) + Decimal(info["fee"]) == Decimal("0.1")
    assert Decimal(info["limit"]) + Decimal(info["fee"]) == Decimal("0.5")


@pytest.mark.parametrize(("asset", "name"), [("XBT", "Bitcoin"), ("ETH", "Ether (Hex)"), ("SOL", "Solana")])
def test_a_deposit_method_has_the_name_that_clients_ask_for(asset: str, name: str) -> None:
    world = TestWorld()
    assert [row["method"] for row in call(world, "DepositMethods", asset=asset)] == [name]
    assert call(world, "DepositAddresses", asset=asset, method=name)


@pytest.mark.parametrize(
    ("method", "fields", "error"),
    [
        ("DepositMethods", {"asset": "NO"}, "EFunding:Unknown asset"),
        ("DepositMethods", {}, "EGeneral:Invalid arguments:asset"),
        ("DepositAddresses", {"asset": "XBT", "method": "None"}, "EFunding:No funding method"),
        ("WithdrawInfo", {"asset": "XBT", "key": "mine", "amount": "1"}, "EFunding:Unknown withdraw key"),
        ("WithdrawInfo", {"asset": "XBT", "key": "simulator", "amount": "0"}, "EFunding:Invalid amount"),
        ("Earn/Allocate", {"strategy_id": "ESX", "amount": "1"}, "EGeneral:Invalid arguments:strategy_id"),
        ("Earn/Allocate", {"strategy_id": BITCOIN.strategy_id, "amount": "0.00001"}, earn.BELOW_MINIMUM),
        ("Earn/Allocate", {"strategy_id": BITCOIN.strategy_id, "amount": "2"}, earn.INSUFFICIENT),
        ("Earn/Deallocate", {"strategy_id": BITCOIN.strategy_id, "amount": "1"}, earn.INSUFFICIENT),
        ("CreateSubaccount", {"username": "a", "email": "a@b"}, "EGeneral:Permission denied"),
    ],
)
def test_what_cannot_be_is_refused_in_krakens_words(method: str, fields: dict[str, Any], error: str) -> None:
    with pytest.raises(KrakenError) as refused:
        call(TestWorld(), method, **fields)
    assert str(refused.value) == error


def test_an_allocation_moves_a_balance_and_comes_back() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    client = world.private("V1")
    client.call("subscribe", channel="balances")
    assert call(world, "Earn/Allocate", strategy_id=BITCOIN.strategy_id, amount="0.4") is True
    world.world.flush(world.now)
    moves = [frame["data"][0] for frame in client.since(0) if frame.get("type") == "update" and "data" in frame]
    moves = [row for row in moves if row.get("type") == "earn"]
    assert [(row["subtype"], row["wallet_type"], row["wallet_id"], row["amount"]) for row in moves] == [
        ("allocation", "spot", "main", Decimal("-0.4")), ("allocation", "earn", "flex", Decimal("0.4")),
    ]  # fmt: skip
    assert len({row["ref_id"] for row in moves}) == 1
    balance = call(world, "Balance")
    assert (balance["XXBT"], balance["XBT.F"]) == ("0.6000000000", "0.4000000000")
    assert call(world, "Earn/AllocateStatus", strategy_id=BITCOIN.strategy_id) == {"pending": False}
    (row,) = call(world, "Earn/Allocations")["items"]
    assert (row["strategy_id"], row["amount_allocated"]["total"]["native"]) == (BITCOIN.strategy_id, "0.4000000000")
    with pytest.raises(KrakenError, match="Insufficient funds"):
        world.exchange.add(world.account("visitor"), market("sell", "0.7"), world.now)
    assert call(world, "Earn/Deallocate", strategy_id=BITCOIN.strategy_id, amount="0.4") is True
    assert call(world, "Balance")["XXBT"] == "1.0000000000"


def test_strategies_are_listed_by_asset_and_lock() -> None:
    world = TestWorld()
    (row,) = call(world, "Earn/Strategies", asset="ETH", lock_type=["bonded"])["items"]
    assert (row["id"], row["asset"], row["lock_type"]["type"]) == (ETHER.strategy_id, "ETH", "bonded")
    assert set(row) == {
        "id", "asset", "lock_type", "apr_estimate", "user_min_allocation", "allocation_fee", "deallocation_fee",
        "auto_compound", "yield_source", "can_allocate", "can_deallocate", "allocation_restriction_info",
    }  # fmt: skip


def test_rewards_come_every_week_with_their_own_types(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path, history_lag_s=(0.0, 0.0))
    for strategy, amount in ((BITCOIN, "0.5"), (ETHER, "10")):
        call(world, "Earn/Allocate", strategy_id=strategy.strategy_id, amount=amount)
    world.world.flush(world.now)
    # Down for a fortnight: both weeks are paid when it is back.
    again = TestWorld(path, world.now + 2 * earn.PAYOUT_NS)
    again.after(10)
    rows = [row for row in call(again, "Ledgers")["ledger"].values() if row["type"] != "deposit"]
    rewards = {(row["type"], row["subtype"], row["asset"]): Decimal(row["amount"]) for row in rows[:2]}
    assert set(rewards) == {("earn", "reward", "XBT.F"), ("staking", "", "ETH.B")}
    expected = Decimal(10) * Decimal("0.05") * 14 / 365
    assert abs(rewards["staking", "", "ETH.B"] - expected) < Decimal("0.000001")
    assert Decimal(call(again, "Earn/Allocations")["total_rewarded"]) > 0


def test_auto_earn_takes_what_is_free_and_nothing_that_is_ordered() -> None:
    world = TestWorld(history_lag_s=(0.0, 0.0))
    call(world, "AddOrder", pair="XBTUSD", type="sell", ordertype="limit", volume="0.25", price="99000")
    instant.carry_out(
        world.world, world.world.faults.read({"kind": "auto_earn", "account": "visitor"}, world.now), world.now
    )
    balance = call(world, "Balance")
    assert (balance["XXBT"], balance["XBT.F"]) == ("0.2500000000", "0.7500000000")
    subtypes = {row["subtype"] for row in call(world, "Ledgers", type="earn")["ledger"].values()}
    assert subtypes == {"autoallocation"}
    assert "XBT.F" not in world.account().wallets


def test_a_master_makes_a_subaccount_and_moves_funds_to_it(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    world = TestWorld(path, history_lag_s=(0.0, 0.0))

    def as_master(method: str, **fields: Any) -> Any:
        return call(world, method, "M1", **fields)

    assert as_master("CreateSubaccount", username="desk", email="desk@example.org") is True
    with pytest.raises(KrakenError, match="username"):
        as_master("CreateSubaccount", username="desk", email="desk@example.org")
    ends = {"from": as_master("GetApiKeyInfo")["iban"], "to": public_id("desk")}
    done = as_master("AccountTransfer", asset="XBT", amount="0.25", **ends)
    assert done["status"] == "complete"
    world.world.flush(world.now)
    for there in (world, TestWorld(path, world.now)):
        assert there.account("desk").balances == {"BTC": 25 * 10**8}
        assert there.account("maker").balances["BTC"] == 75 * 10**8
    rows = [e for e in as_master("Ledgers")["ledger"].values() if e["type"] == "transfer"]
    assert [(row["amount"], row["refid"]) for row in rows] == [("-0.2500000000", done["transfer_id"])]
    with pytest.raises(KrakenError, match="EFunding:Insufficient funds"):
        as_master("AccountTransfer", asset="XBT", amount="2", **ends)
    with pytest.raises(KrakenError, match="to"):
        as_master("AccountTransfer", asset="XBT", amount="0.1", **{**ends, "to": "AAAA BBBB CCCC DDDD"})
