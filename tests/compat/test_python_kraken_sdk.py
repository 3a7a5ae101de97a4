"""The unmodified python-kraken-sdk works with the simulator; only the addresses in its classes are redirected."""

from __future__ import annotations

import asyncio
import io
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.simulator.running import VISITOR, Running, looped

kraken_spot = pytest.importorskip("kraken.spot")
base_api = pytest.importorskip("kraken.base_api")
websocket = pytest.importorskip("kraken.spot.websocket")
exceptions = pytest.importorskip("kraken.exceptions")
pytestmark = pytest.mark.processes
UPDATES = 250
LOW = "60000.1"
# Between two calls: the dearest costs 4 points, of which a second gives back a third.
CALL_S = 13


def redirect(simulator: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setattr(base_api.SpotClient, "URL", simulator.url)
    monkeypatch.setattr(base_api.SpotAsyncClient, "URL", simulator.url, raising=False)
    monkeypatch.setattr(websocket.SpotWSClientBase, "WS_URL", f"ws://127.0.0.1:{simulator.port}")
    monkeypatch.setattr(websocket.SpotWSClientBase, "AUTH_WS_URL", f"ws://127.0.0.1:{simulator.port}/auth")
    return simulator


@pytest.fixture
def redirected(simulator: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    return redirect(simulator, monkeypatch)


@looped
async def test_its_order_book_finds_every_checksum_good(redirected: Running, book_s: float) -> None:
    assert redirected.process is not None
    until = time.monotonic() + book_s
    updates: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    enough = asyncio.Event()

    class Book(kraken_spot.SpotOrderBookClient):  # type: ignore[misc,name-defined]
        async def on_book_update(self, pair: str, message: dict[str, Any]) -> None:
            (errors if "error" in message else updates).append(message)
            assert self.get(pair=pair)["valid"] or errors
            if (len(updates) >= UPDATES and time.monotonic() >= until) or errors:
                enough.set()

    client = Book(depth=10)
    await client.start()
    await client.add_book(pairs=["BTC/USD", "ETH/USD", "SOL/USD"])
    await asyncio.wait_for(enough.wait(), 110 + book_s)
    await client.close()
    assert not errors
    assert {update["data"][0]["symbol"] for update in updates} == {"BTC/USD", "ETH/USD", "SOL/USD"}
    print(f"books: {len(updates)} updates of 3 pairs, depth 10, {len(errors)} bad by its own checksum")


def test_its_market_client_reads_everything_public(redirected: Running) -> None:
    assert redirected.process is not None
    market = kraken_spot.Market()
    assert market.get_system_status()["status"] == "online"
    assert set(market.get_assets()) == {"XXBT", "XETH", "SOL", "ZUSD"}
    assert market.get_asset_pairs(pair=["XBTUSD", "ETHUSD"]).keys() == {"XXBTZUSD", "XETHZUSD"}
    assert float(market.get_ticker(pair="XBTUSD")["XXBTZUSD"]["a"][0]) > 0
    book = market.get_order_book(pair="XBTUSD", count=7)["XXBTZUSD"]
    assert [len(book[side]) for side in ("bids", "asks")] == [7, 7]
    for listed in (
        market.get_ohlc(pair="XBTUSD", interval=5),
        market.get_recent_trades(pair="XBTUSD", count=5),
        market.get_recent_spreads(pair="XBTUSD"),
    ):
        assert listed.keys() == {"XXBTZUSD", "last"}
    print("markets: status, assets, pairs, ticker, depth, candles, trades, spreads")


class Session:
    """One account's clients in virtual time, which passes before each call: Kraken's limits of calls are kept."""

    def __init__(self, running: Running) -> None:
        key, secret = VISITOR
        self._running = running
        self._user = kraken_spot.User(key=key, secret=secret)
        self._trade = kraken_spot.Trade(key=key, secret=secret)
        bids = kraken_spot.Market().get_order_book(pair="XBTUSD", count=1)["XXBTZUSD"]["bids"]
        self.bid = Decimal(bids[0][0])

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self._running.control("clock", "POST", {"ms": seconds * 1000})

    @property
    def user(self) -> Any:
        """Return the client for what the account has and had, a while later."""
        self.after(CALL_S)
        return self._user

    @property
    def trade(self) -> Any:
        """Return the client for orders, a while later."""
        self.after(CALL_S)
        return self._trade

    def place(self, **terms: Any) -> str:
        """Place an order of 0.001 BTC; return its id."""
        wanted = {"side": "buy", "ordertype": "limit", "pair": "XBTUSD", "volume": "0.001", **terms}
        (txid,) = self.trade.create_order(**wanted)["txid"]
        return str(txid)

    def order(self, txid: str) -> Any:
        """Return an order as QueryOrders has it."""
        return self.user.get_orders_info(txid=txid, trades=True)[txid]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    running = Running(tmp_path, ("--clock", "virtual"))
    running.start()
    try:
        yield Session(redirect(running, monkeypatch))
    finally:
        running.kill()


def test_it_places_orders_of_each_kind(session: Session) -> None:
    marketable = str((session.bid * Decimal("1.01")).quantize(Decimal("0.1")))
    over, under = (str((session.bid * Decimal(by)).quantize(Decimal("0.1"))) for by in ("1.1", "0.9"))
    resting = {
        "limit": session.place(price=LOW, oflags=["post"], userref=7),
        "GTD": session.place(price=LOW, timeinforce="GTD", expiretm="+3600", cl_ord_id="gtd-1"),
        "stop-loss": session.place(side="sell", ordertype="stop-loss", price=under, trigger="last"),
        "stop-loss-limit": session.place(side="sell", ordertype="stop-loss-limit", price=under, price2=LOW),
        "take-profit": session.place(side="sell", ordertype="take-profit", price=over),
        "take-profit-limit": session.place(side="sell", ordertype="take-profit-limit", price=over, price2=under),
    }
    for kind, txid in resting.items():
        order = session.order(txid)
        assert order["status"] == "open", kind
        assert order["descr"]["ordertype"] == ("limit" if kind == "GTD" else kind)
    assert session.order(resting["limit"])["userref"] == 7
    assert session.order(resting["limit"])["oflags"] == "fciq,post"
    assert session.order(resting["GTD"])["cl_ord_id"] == "gtd-1"
    assert session.order(resting["GTD"])["expiretm"] > session.order(resting["GTD"])["opentm"] + 3500
    assert session.order(resting["stop-loss"])["stopprice"] == under
    assert session.user.get_open_orders()["open"].keys() == set(resting.values())
    assert session.user.get_open_orders(userref=7)["open"].keys() == {resting["limit"]}

    for txid in (
        session.place(ordertype="market"),
        session.place(price=marketable, timeinforce="IOC"),
        session.place(price=marketable, timeinforce="FOK"),
    ):
        filled = session.order(txid)
        assert (filled["status"], filled["vol_exec"]) == ("closed", "0.00100000")
        assert filled["trades"]
    unfilled = session.order(session.place(price=LOW, timeinforce="IOC"))
    assert (unfilled["status"], unfilled["reason"]) == ("canceled", "Immediate or cancel")
    crossing = session.order(session.place(price=marketable, oflags=["post"]))
    assert (crossing["status"], crossing["reason"]) == ("canceled", "Post only order")
    count = len(session.user.get_open_orders()["open"])
    checked = session.trade.create_order(
        ordertype="limit", side="buy", pair="XBTUSD", volume="0.001", price=LOW, validate=True
    )
    assert checked == {"descr": {"order": f"buy 0.00100000 XBTUSD @ limit {LOW}"}}
    assert len(session.user.get_open_orders()["open"]) == count


def test_it_amends_edits_batches_and_cancels(session: Session) -> None:
    trade, user = session.trade, session.user
    txid = session.place(price=LOW, oflags=["post"])
    assert "amend_id" in trade.amend_order(txid=txid, order_qty="0.002", limit_price="60001.0")
    amended = session.order(txid)
    assert (amended["vol"], amended["descr"]["price"], amended["misc"]) == ("0.00200000", "60001.0", "amended")
    assert [row["amend_type"] for row in user.get_order_amends(order_id=txid)["amends"]] == ["original", "user"]
    edited = trade.edit_order(txid=txid, pair="XBTUSD", volume="0.003", price="60002.0")
    assert (edited["status"], edited["originaltxid"], edited["volume"]) == ("ok", txid, "0.00300000")
    assert session.order(txid)["status"] == "canceled"
    assert trade.cancel_order(txid=edited["txid"])["count"] == 1

    named = session.place(price=LOW, cl_ord_id="mine")
    assert "amend_id" in trade.amend_order(cl_ord_id="mine", limit_price="60003.0")
    assert trade.cancel_order(cl_ord_id="mine")["count"] == 1
    assert session.order(named)["status"] == "canceled"
    for _ in range(2):
        session.place(price=LOW, userref=9)
    assert trade.cancel_order(txid=9)["count"] == 2

    order = {"ordertype": "limit", "type": "buy", "volume": "0.001"}
    batch = trade.create_order_batch(
        orders=[{**order, "price": "60000", "cl_ord_id": "b-1"}, {**order, "price": LOW, "timeinforce": "GTC"}],
        pair="XBTUSD",
    )["orders"]
    assert [row["descr"]["order"] for row in batch] == [
        "buy 0.00100000 XBTUSD @ limit 60000.0",
        f"buy 0.00100000 XBTUSD @ limit {LOW}",
    ]
    assert trade.cancel_order_batch(orders=[row["txid"] for row in batch])["count"] == 2
    for _ in range(3):
        session.place(price=LOW)
    assert trade.cancel_all_orders()["count"] == 3
    assert user.get_open_orders()["open"] == {}
    closed = user.get_closed_orders()
    assert closed["count"] == 10
    assert {row["status"] for row in closed["closed"].values()} == {"canceled"}
    print("order: ten kinds; amend, edit, cancel, batches, cancel all, dead man's switch")


def test_the_dead_man_s_switch_pulls_its_orders(session: Session) -> None:
    txid = session.place(price=LOW)
    armed = session.trade.cancel_all_orders_after_x(timeout=60)
    assert armed["triggerTime"] > armed["currentTime"]
    assert session.trade.cancel_all_orders_after_x(timeout=0)["triggerTime"] == "0"
    assert session.order(txid)["status"] == "open"
    session.trade.cancel_all_orders_after_x(timeout=60)
    session.after(61)
    pulled = session.order(txid)
    assert (pulled["status"], pulled["reason"]) == ("canceled", "CancelAllOrdersAfter Timeout")


def test_it_looks_back_at_trades_and_ledger(session: Session) -> None:
    user = session.user
    assert float(user.get_account_balance()["ZUSD"]) == 100_000
    bought, sold = session.place(ordertype="market"), session.place(ordertype="market", side="sell")
    trades = user.get_trades_history(ledgers=True)
    rows = trades["trades"]
    assert trades["count"] == len(rows) >= 2
    assert {row["ordertxid"] for row in rows.values()} == {bought, sold}
    assert sum(Decimal(row["vol"]) for row in rows.values()) == Decimal("0.002")
    assert user.get_trades_info(txid=list(rows)).keys() == rows.keys()
    ledger = user.get_ledgers_info()["ledger"]
    assert {entry["refid"] for entry in ledger.values() if entry["type"] == "trade"} == set(rows)
    listed = {name for row in rows.values() for name in row["ledgers"]}
    assert listed == {name for name, entry in ledger.items() if entry["type"] == "trade"}
    assert user.get_ledgers(id_=sorted(listed)[:2]).keys() == set(sorted(listed)[:2])
    (dollars,) = {e["balance"] for e in list(user.get_ledgers_info(asset="ZUSD")["ledger"].values())[:1]}
    assert dollars == user.get_account_balance()["ZUSD"]
    assert set(session.order(bought)["trades"]) <= set(rows)
    assert {bought, sold} <= user.get_closed_orders(trades=True)["closed"].keys()
    assert user.get_balance(currency="XBT")["available_balance"] > 0
    assert float(user.get_trade_balance()["eb"]) > 100_000
    assert user.get_trade_volume(pair="XBTUSD")["fees"]["XXBTZUSD"]["fee"] == "0.4000"
    print("history: trades, ledger, closed orders, balances, fees")


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"volume": "50"}, "KrakenInsufficientFundsError"),
        ({"volume": "0.00001"}, "KrakenOrderMinimumNotMetError"),
        ({"volume": "0.0001", "price": "1"}, "KrakenCostMinimumNotMetError"),
        ({"ordertype": "iceberg"}, "KrakenInvalidArgumentsError"),
        ({"pair": "NOUSD"}, "KrakenUnknownAssetError"),
    ],
)
def test_it_knows_the_errors(terms: dict[str, str], error: str, session: Session) -> None:
    with pytest.raises(Exception) as refused:
        session.place(**{"price": LOW, **terms})
    assert type(refused.value).__name__ == error


class Heard:
    """The messages that a WebSocket client was sent, and a way to wait for one of a kind."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._new = asyncio.Event()

    def take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self._new.set()

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first message that is wanted, waited for."""
        while True:
            for message in self.messages:
                if wanted(message):
                    return message
            self._new.clear()
            await asyncio.wait_for(self._new.wait(), 60)

    async def answer(self, req_id: int) -> Any:
        """Return the result of a request that succeeded."""
        response = await self.until(lambda m: m.get("req_id") == req_id)
        assert response["success"], response
        return response.get("result")

    def kinds(self, order_id: str) -> list[str]:
        """Return the exec_types of an order's reports, snapshots left out."""
        rows = [
            row
            for m in self.messages
            if m.get("channel") == "executions" and m["type"] == "update"
            for row in m["data"]
            if row["order_id"] == order_id
        ]
        return [row["exec_type"] for row in rows]


@looped
async def test_its_websocket_client_trades_and_hears_of_it(redirected: Running) -> None:
    key, secret = VISITOR
    assert redirected.process is not None
    heard = Heard()
    numbers = iter(range(1, 1000))

    class Client(kraken_spot.SpotWSClient):  # type: ignore[misc,name-defined]
        async def on_message(self, message: dict[str, Any]) -> None:
            heard.take(message)

    client = Client(key=key, secret=secret, no_public=True)
    await client.start()
    await client.subscribe(params={"channel": "executions"})
    await client.subscribe(params={"channel": "balances"})
    await heard.until(lambda m: m.get("channel") == "balances" and m["type"] == "snapshot")

    async def ask(method: str, **params: Any) -> Any:
        req_id = next(numbers)
        await client.send_message(message={"method": method, "params": params, "req_id": req_id})
        return await heard.answer(req_id)

    order = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 60000.1}
    resting = (await ask("add_order", **order, post_only=True))["order_id"]
    assert (await ask("amend_order", order_id=resting, order_qty=0.002, limit_price=60001.0))["amend_id"]
    edited = (await ask("edit_order", order_id=resting, symbol="BTC/USD", limit_price=60002.0))["order_id"]
    await ask("cancel_order", order_id=[edited])
    stop = {"symbol": "BTC/USD", "side": "sell", "order_type": "stop-loss", "order_qty": 0.001}
    waiting = (await ask("add_order", **stop, triggers={"price": 50000.0}))["order_id"]
    unfilled = (await ask("add_order", **order, time_in_force="ioc"))["order_id"]
    bought = (await ask("add_order", symbol="BTC/USD", side="buy", order_type="market", order_qty=0.001))["order_id"]
    terms = {name: value for name, value in order.items() if name != "symbol"}
    batch = await ask(
        "batch_add", symbol="BTC/USD", orders=[{**terms, "cl_ord_id": "b-1"}, {**terms, "order_userref": 8}]
    )
    assert (await ask("batch_cancel", orders=[row["order_id"] for row in batch]))["count"] == 2
    assert (await ask("cancel_all_orders_after", timeout=60))["triggerTime"]
    assert (await ask("cancel_all_orders_after", timeout=0))["triggerTime"] == "0"
    assert (await ask("cancel_all"))["count"] == 1
    await heard.until(lambda _message: "canceled" in heard.kinds(waiting))
    await client.close()

    assert heard.kinds(resting) == ["pending_new", "new", "amended", "canceled"]
    assert heard.kinds(edited) == ["pending_new", "new", "canceled"]
    assert heard.kinds(waiting) == ["pending_new", "new", "canceled"]
    assert heard.kinds(unfilled) == ["pending_new", "new", "canceled"]
    assert list(dict.fromkeys(heard.kinds(bought))) == ["pending_new", "new", "trade", "filled"]
    assert all(heard.kinds(row["order_id"]) == ["pending_new", "new", "canceled"] for row in batch)
    updates = [m["data"] for m in heard.messages if m.get("channel") == "balances" and m["type"] == "update"]
    assert {row["asset"] for rows in updates for row in rows} == {"BTC", "USD"}
    print("private feed: executions and balances of add, amend, edit, cancel, stop, batch, a market buy over WebSocket")


def test_it_exports_reads_funding_and_earns(session: Session) -> None:
    session.place(ordertype="market")
    name = session.user.request_export_report(report="trades", description="mine")["id"]
    assert [row["status"] for row in session.user.get_export_report_status(report="trades")] == ["Processed"]
    packed = zipfile.ZipFile(io.BytesIO(session.user.retrieve_export(id_=name).content))
    assert packed.read("trades.csv").startswith(b'"txid","ordertxid","pair"')
    assert session.user.delete_export_report(id_=name) == {"delete": True}
    # It asks for them consolidated: a list.
    assert session.user.get_open_positions() == []
    key, secret = VISITOR
    funding, earn = kraken_spot.Funding(key=key, secret=secret), kraken_spot.Earn(key=key, secret=secret)
    with warnings.catch_warnings():
        # It calls these deprecated: Kraken announces others.
        warnings.simplefilter("ignore", DeprecationWarning)
        assert funding.get_deposit_methods(asset="XBT")[0]["gen-address"]
        assert funding.get_recent_deposits_status(asset="XBT")[0]["status"] == "Success"
        assert funding.withdraw_addresses(asset="XBT")[0]["verified"]
    session.after(CALL_S)
    (strategy,) = earn.list_earn_strategies(asset="XBT")["items"]
    assert earn.allocate_earn_funds(amount="0.1", strategy_id=strategy["id"]) is True
    assert earn.get_allocation_status(strategy_id=strategy["id"]) == {"pending": False}
    (allocated,) = earn.list_earn_allocations()["items"]
    assert allocated["amount_allocated"]["total"]["native"] == "0.1000000000"
    assert earn.deallocate_earn_funds(amount="0.1", strategy_id=strategy["id"]) is True
    print("account: an export, positions, deposits, withdrawal addresses, Earn")
