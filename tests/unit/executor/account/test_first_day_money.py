"""Money on an account that is not always consistent: order of first snapshots, entries without a fill, odd names."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from executor.account.ledger import Entry
from executor.effects import RestCall
from executor.record.rows import FillRow
from shared import limits
from shared.clock import SECOND
from tests.kit.executor.first_day import old_fill, open_connection
from tests.kit.executor_world import World, buy, configuration
from tests.kit.pairs import BTC


def snapshots(world: World, first: str, fills: list[dict[str, Any]], late_s: float = 0.0) -> None:
    """Both snapshots in either order, the second one late."""
    rows = {"executions": fills, "balances": world.balances()}
    second = "balances" if first == "executions" else "executions"
    world.push(first, rows[first], "snapshot")
    world.now += int(late_s * SECOND)
    world.raw({"channel": "heartbeat"})
    world.hear_bus()
    world.turn()
    world.push(second, rows[second], "snapshot")
    world.turn()


@pytest.mark.parametrize("late_s", [0.0, 0.5, 5.0])
@pytest.mark.parametrize("first", ["executions", "balances"])
def test_fills_from_before_a_new_journal_are_not_counted_in_either_order_of_snapshots(
    first: str, late_s: float
) -> None:
    world = World()
    world.hear_bus()
    open_connection(world)
    fills = [old_fill(n, world.exchange_ts - (n + 1) * 30 * SECOND) for n in range(5)]
    snapshots(world, first, fills, late_s)
    assert world.state.is_reconciled
    assert world.state.account.pnl == {}


@pytest.mark.parametrize("first", ["executions", "balances"])
def test_a_reconnect_counts_each_fill_once_in_either_order_of_snapshots(first: str) -> None:
    world = World().ready()
    missed = old_fill(9, world.exchange_ts + SECOND)
    world.executor.closed(world.now)
    world.now += 3 * SECOND
    open_connection(world)
    world.balances = lambda **_: [  # type: ignore[method-assign]
        {"asset": "USD", "balance": Decimal(99_200)},
        {"asset": "BTC", "balance": Decimal("1.01")},
    ]
    snapshots(world, first, [missed])
    assert world.state.is_reconciled
    assert world.state.account.pnl["BTC/USD"].qty == Decimal("0.01")
    world.executor.closed(world.now)
    open_connection(world)
    snapshots(world, first, [missed])
    assert world.state.account.pnl["BTC/USD"].qty == Decimal("0.01")


def entries(world: World, ref_id: str, usd: str = "-800", btc: str = "0.01") -> None:
    for asset, change in (("BTC", Decimal(btc)), ("USD", Decimal(usd))):
        balance = world.state.account.ledger.holdings[asset].balance + change
        row = {"ledger_id": f"L{ref_id}{asset}", "ref_id": ref_id, "type": "trade", "asset": asset}
        world.push("balances", [{**row, "amount": change, "fee": Decimal(0), "balance": balance}])


def test_a_fill_between_the_two_first_snapshots_is_counted_once_its_entries_show_it_to_be_new() -> None:
    world = World()
    world.hear_bus()
    open_connection(world)
    # It happened after the balances were taken, and was reported before they arrived.
    world.push("executions", [], "snapshot")
    world.push("executions", [old_fill(1, world.exchange_ts)])
    world.now += SECOND // 10
    world.push("balances", world.balances(), "snapshot")
    world.turn()
    entries(world, "TOLD1")
    world.turn()
    assert world.state.is_reconciled
    assert world.state.account.pnl["BTC/USD"].qty == Decimal("0.01")


@pytest.mark.parametrize("is_held", [True, False])
def test_a_foreign_fill_from_about_the_opening_counts_if_the_balances_lack_it_and_only_then(is_held: bool) -> None:
    world = World().ready()
    world.state.account.ledger.opened_ts = world.exchange_ts - 3 * SECOND  # our clock, behind the exchange's
    world.push("executions", [old_fill(1, world.exchange_ts - SECOND)])
    world.turn()
    assert world.state.account.pnl == {}
    if not is_held:
        entries(world, "TOLD1")
        world.turn()
    assert world.state.is_reconciled
    assert (world.state.account.pnl == {}) is is_held


def test_a_foreign_fill_from_about_the_opening_counts_once_one_of_its_entries_did() -> None:
    # An earlier life heard the entry of one leg and was killed; the journal knows it.
    world = World().ready()
    world.state.account.ledger.opened_ts = world.exchange_ts - 3 * SECOND
    world.state.account.ledger._assets_settled = lambda name: {"BTC"} if name == "TOLD1" else set()
    world.push("executions", [old_fill(1, world.exchange_ts - SECOND)])
    assert world.state.account.pnl["BTC/USD"].qty == Decimal("0.01")


def test_a_fill_and_a_withdrawal_from_about_the_opening_count_if_only_both_explain_the_balances() -> None:
    world = World().ready()
    world.state.account.ledger.opened_ts = world.exchange_ts - 3 * SECOND
    bought = old_fill(1, world.exchange_ts - SECOND)  # 0.01 BTC for 800 dollars
    world.push("balances", world.balances(BTC="1.0100000000", USD="98200.0000"), "snapshot")
    world.push("executions", [bought])
    world.turn()
    assert not world.state.is_reconciled
    withdrawn = Entry(
        "L9", "R9", "USD", "withdrawal", Decimal(-1000), Decimal(0), Decimal(0), world.exchange_ts - SECOND
    )
    world.state.account.entry(withdrawn, live=False)
    world.turn()
    assert world.state.is_reconciled
    assert world.state.account.pnl["BTC/USD"].qty == Decimal("0.01")
    assert world.state.account.ledger.holdings["USD"].transfers == Decimal(-1000)


def test_a_foreign_fill_from_about_the_opening_fills_its_order_wherever_its_money_counts() -> None:
    world = World().ready()
    world.state.account.ledger.opened_ts = world.exchange_ts - 3 * SECOND
    resting = {"order_id": "OOLD1", "symbol": "BTC/USD", "side": "buy", "order_status": "new", "exec_type": "new"}
    world.push("executions", [{**resting, "order_qty": Decimal("0.02"), "limit_price": Decimal(80_000)}])
    (order,) = world.live()
    world.push("executions", [old_fill(1, world.exchange_ts - SECOND, order_status="partially_filled")])
    world.push("executions", [old_fill(1, world.exchange_ts - SECOND, order_status="partially_filled")])
    assert (order.filled, world.state.account.pnl) == (1_000_000, {})


def test_a_fill_of_a_placed_order_counts_although_the_opening_was_timed_by_a_clock_that_is_ahead() -> None:
    world = World().ready()
    world.state.account.ledger.opened_ts = world.exchange_ts + 5 * SECOND
    (order,) = world.place(buy())
    fill = old_fill(1, world.exchange_ts, order_id=order.order_id, cl_ord_id=order.cl_ord_id)
    world.push("executions", [{**fill, "last_qty": Decimal("0.00119047")}])
    world.turn()
    assert world.state.account.pnl["BTC/USD"].qty == Decimal("0.00119047")
    assert (world.state.account.position("BTC"), order.filled) == (Decimal(0), 119_047)  # its entry has not come


def test_a_fill_whose_report_never_comes_is_missed_and_fetched() -> None:
    world = World().ready()
    (order,) = world.place(buy())
    entries(world, "TLOST", "-99.9876", "0.00119047")
    calls: list[RestCall] = []
    for _ in range(20):
        world.wait(0.5)
        calls += world.out.calls
        world.out.calls.clear()
    assert [call.method for call in calls] == ["TradesHistory"]
    assert calls[0].params["consolidate_taker"] == "false"
    assert "TLOST" in world.state.account.ledger.difference
    trade = {"ordertxid": order.order_id, "pair": "XXBTZUSD", "time": world.exchange_ts / SECOND, "type": "buy"}
    row = {**trade, "price": "83990.0", "vol": "0.00119047", "fee": "0.0"}
    world.executor.rest_answer(calls[0], {"count": 1, "trades": {"TLOST": row}}, world.now)
    world.turn()
    assert world.state.is_reconciled
    assert world.state.account.tally("market_maker", "BTC/USD").count == 1


def test_a_trade_that_no_history_shows_is_given_up_as_a_change_from_outside() -> None:
    world = World().ready()
    entries(world, "TGHOST")
    for _ in range(int(limits.ENTRY_GIVEN_UP_S) + 20):
        world.wait(1)
        for call in list(world.out.calls):
            world.executor.rest_answer(call, {"count": 0, "trades": {}}, world.now)
        world.out.calls.clear()
    assert world.state.is_reconciled
    assert any("TGHOST" in said.text and said.alert for said in world.out.log)
    assert world.state.account.ledger.holdings["BTC"].transfers == Decimal("0.01")


def test_more_fills_than_the_snapshot_holds_on_pairs_that_are_not_configured_are_fetched_and_explain() -> None:
    world = World().ready()
    world.executor.closed(world.now)
    world.now += 60 * SECOND
    open_connection(world)
    at = world.exchange_ts - 30 * SECOND
    more = {"symbol": "ETH/USD", "last_qty": Decimal("0.01"), "last_price": Decimal(2_500)}
    fills = [old_fill(n, at + n, **more) for n in range(50)]
    world.balances = lambda **_: [  # type: ignore[method-assign]
        {"asset": "USD", "balance": Decimal(100_000) - 60 * 25},
        {"asset": "BTC", "balance": Decimal(1)},
        {"asset": "ETH", "balance": Decimal("0.6")},
    ]
    snapshots(world, "balances", fills)
    assert not world.state.is_reconciled
    rows = {
        f"TOLD{n}": {
            "ordertxid": f"OOLD{n}",
            "pair": "XETHZUSD",
            "time": at / SECOND,
            "type": "buy",
            "price": "2500.0",
            "vol": "0.01",
            "fee": "0.0",
        }
        for n in range(60)
    }
    for _ in range(40):
        world.wait(0.5)
        for call in list(world.out.calls):
            if call.method == "TradesHistory":
                world.executor.rest_answer(call, {"count": 60, "trades": rows}, world.now)
        world.out.calls.clear()
    assert world.state.is_reconciled


@pytest.mark.parametrize(
    "kind",
    ["staking", "reward", "transfer", "conversion", "settled", "rollover", "airdrop", "dustsweeping", "never heard of"],
)
def test_ledger_entries_of_any_kind_explain_the_balance_they_change(kind: str) -> None:
    world = World().ready()
    balance = world.state.account.ledger.holdings["USD"].balance + 3
    row = {"ledger_id": "LX", "ref_id": "RX", "type": kind, "asset": "USD", "amount": Decimal(3), "fee": Decimal(0)}
    world.push("balances", [{**row, "balance": balance}])
    world.wait(1)
    assert world.state.is_reconciled
    assert world.state.account.ledger.holdings["USD"].transfers == 3


def test_rows_of_the_history_that_cannot_be_read_spoil_no_other() -> None:
    world = World().ready()
    at = world.exchange_ts / SECOND + 60
    good = {
        "ordertxid": "O1",
        "pair": "XXBTZUSD",
        "time": at,
        "type": "buy",
        "price": "80000",
        "vol": "0.01",
        "fee": "0",
    }
    rows = {
        "TGOOD": good,
        "TNAN": {**good, "price": "NaN"},
        "TLONG": {**good, "vol": "1" * 70},
        "TNONE": {**good, "fee": None},
        "TPAIR": {**good, "pair": "NOSUCHPAIR"},
        "TMARGIN": {**good, "margin": "100.0"},
        "TTEXT": "no row",
    }
    world.executor.backfill.pages = [("TradesHistory", "0", "1", 0)]
    world.executor.rest_answer(RestCall("page", "TradesHistory", {}), {"count": 7, "trades": rows}, world.now)
    fills = [row.exec_id for row in world.state.account.rows if isinstance(row, FillRow)]
    assert fills == ["TGOOD"]
    assert world.state.out.counts["unreadable row of TradesHistory"] == 5


def test_fills_that_the_history_puts_together_are_not_counted_twice() -> None:
    world = World().ready()
    (order,) = world.place(buy())
    half = {"exec_type": "trade", "symbol": "BTC/USD", "side": "buy", "last_price": Decimal("83990.0")}
    world.report("trade", order, exec_id="T2", last_qty=Decimal("0.00059523"), order_status="partially_filled", **half)
    at = world.exchange_ts / SECOND
    whole = {"ordertxid": order.order_id, "pair": "XXBTZUSD", "time": at, "type": "buy", "price": "83990.0", "fee": "0"}
    world.executor.backfill.pages = [("TradesHistory", "0", "1", 0)]
    answer = {"count": 1, "trades": {"T1": {**whole, "vol": "0.00119047"}}}
    world.executor.rest_answer(RestCall("page", "TradesHistory", {}), answer, world.now)
    assert world.state.account.tally("market_maker", "BTC/USD").count == 1
    assert any("T1" in said.text and said.alert for said in world.out.log)
    world.executor.backfill.pages = [("TradesHistory", "0", "1", 0)]
    answer = {"count": 1, "trades": {"T1": {**whole, "vol": "0.00059524"}}}
    world.executor.rest_answer(RestCall("page", "TradesHistory", {}), answer, world.now)
    assert world.state.account.tally("market_maker", "BTC/USD").count == 2


# --- names and fees --------------------------------------------------------------------------------------------------


def asking_fees(*pairs: str) -> World:
    inventory = {symbol.partition("/")[0]: Decimal(1) for symbol in pairs}
    world = World(configuration(pairs=list(pairs), inventory_base=inventory))
    world.pairs = {
        symbol: msgspec.structs.replace(BTC, symbol=symbol, base=symbol.split("/")[0], quote=symbol.split("/")[1])
        for symbol in pairs
    }
    world.state.account.fees.clear()
    world.executor.backfill.fees_at = 0
    world.hear_bus()
    world.connect()
    world.turn(10)
    return world


def fee(value: str) -> dict[str, str]:
    return {"fee": value, "minfee": "0", "maxfee": value}


def test_fees_come_under_whatever_id_the_exchange_lists_the_pair() -> None:
    world = asking_fees("USDT/USD", "EUR/USD", "USD/CHF")
    (call,) = world.out.calls
    assert call.params == {"pair": "USDTUSD,EURUSD,USDCHF"}
    ids = ("USDTZUSD", "ZEURZUSD", "USDCHF")
    result = {"fees": {name: fee("0.2") for name in ids}, "fees_maker": {name: fee("0.1") for name in ids}}
    world.executor.rest_answer(call, result, world.now)
    assert set(world.state.account.fees) == {"USDT/USD", "EUR/USD", "USD/CHF"}


def test_one_pair_that_refuses_the_joint_fee_call_stops_no_other() -> None:
    world = asking_fees("BTC/USD", "ETH/USD")
    (call,) = world.out.calls
    world.out.calls.clear()
    world.executor.rest_failed(call, "EQuery:Unknown asset pair", world.now)
    answered = []
    for _ in range(6):
        world.turn(1)
        for each in list(world.out.calls):
            answered.append(each.params["pair"])
            if each.params["pair"] == "ETHUSD":
                world.executor.rest_failed(each, "EQuery:Unknown asset pair", world.now)
            else:
                world.executor.rest_answer(each, {"fees": {"XXBTZUSD": fee("0.2")}}, world.now)
        world.out.calls.clear()
    assert answered == ["XBTUSD", "ETHUSD"]
    assert set(world.state.account.fees) == {"BTC/USD"}


def test_a_pair_that_is_not_listed_is_not_asked_for() -> None:
    world = asking_fees("BTC/USD", "NOPE/USD")
    (call,) = world.out.calls
    assert call.params == {"pair": "XBTUSD"}


@pytest.mark.parametrize("bad", [{"fees": None}, {"fees": []}, {"fees": {"XXBTZUSD": {"fee": None}}}, {}, None, "x"])
def test_an_odd_answer_to_the_fee_call_is_survived(bad: Any) -> None:
    world = asking_fees("BTC/USD")
    (call,) = world.out.calls
    world.executor.rest_answer(call, bad, world.now)
    assert world.state.account.fees == {}


def test_names_are_asked_for_once_and_again_where_they_did_not_come() -> None:
    world = World()
    world.executor.backfill.names = type(world.executor.backfill.names)({}, {})
    world.ready()
    world.turn(1)
    (call,) = world.out.calls
    assert (call.method, call.is_public) == ("AssetPairs", True)
    world.out.calls.clear()
    world.executor.rest_failed(call, "HTTP 502", world.now)
    world.turn(1)
    assert world.out.calls == []
    world.turn(10)
    (call,) = world.out.calls
    world.out.calls.clear()
    world.executor.rest_answer(call, {"XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD"}}, world.now)
    world.turn(1)
    (call,) = world.out.calls
    assert call.method == "Assets"
    world.executor.rest_answer(call, {"XXBT": {"altname": "XBT"}}, world.now)
    assert world.executor.backfill.names.symbol("XXBTZUSD") == "BTC/USD"


def test_the_names_of_tokenised_stocks_are_asked_for_apart() -> None:
    world = World(
        configuration(pairs=["BTC/USD", "AAPLx/USD"], inventory_base={"BTC": Decimal(1), "AAPLx": Decimal(0)})
    )
    world.executor.backfill.names = type(world.executor.backfill.names)({}, {})
    world.ready()
    answers = {
        ("AssetPairs", None): {"XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD"}},
        ("Assets", None): {"XXBT": {"altname": "XBT"}},
        ("AssetPairs", "tokenized_asset"): {"AAPLxUSD": {"altname": "AAPLxUSD", "wsname": "AAPLx/USD"}},
        ("Assets", "tokenized_asset"): {"AAPLx": {"altname": "AAPLx"}},
    }
    for _ in answers:
        world.turn(1)
        (call,) = world.out.calls
        world.out.calls.clear()
        wanted = call.params.get("aclass_base") or call.params.get("aclass")
        world.executor.rest_answer(call, answers[call.method, wanted], world.now)
    assert world.executor.backfill.names.altname("AAPLx/USD") == "AAPLxUSD"
    assert world.executor.backfill.names.symbol("XXBTZUSD") == "BTC/USD"
