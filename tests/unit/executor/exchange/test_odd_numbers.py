"""Numbers, times and nulls that no market has, on every private frame and REST answer: named, counted, survived."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from executor.effects import RestCall
from executor.exchange.requests import add_params, amend_params
from executor.orders.order import Order
from shared.clock import SECOND, parse_rfc3339, rfc3339
from shared.kraken import v2
from shared.messages import OrderState
from tests.kit.executor_world import World, buy

ODD = [
    '"NaN"',
    '"Infinity"',
    '"-Infinity"',
    "1e999999",
    "1e-999999",
    "5" * 70,
    "0." + "1" * 70,
    '"x"',
    "[]",
    "{}",
    "true",
]
ROW = (
    '{"order_id":"OHAND","symbol":"BTC/USD","side":"sell","order_type":"limit","exec_type":"new","order_status":"new",'
    '"order_qty":0.5,"limit_price":90000.0,"cum_qty":0,"timestamp":"2026-11-29T18:00:00.000000Z"}'
)
TRADE = (
    '{"order_id":"OHAND","exec_id":"TX","exec_type":"trade","symbol":"BTC/USD","side":"sell","last_qty":0.1,'
    '"last_price":90000.0,"order_status":"filled","fees":[{"asset":"USD","qty":0.1}],'
    '"timestamp":"2026-11-29T18:00:00.000000Z"}'
)
ENTRY = (
    '{"asset":"EUR","amount":1.5,"balance":1.5,"fee":0.1,"ledger_id":"L1","ref_id":"R1","type":"deposit",'
    '"timestamp":"2026-11-29T18:00:00.000000Z","wallet_type":"spot","wallet_id":"main"}'
)


def swapped(text: str, name: str, value: str) -> str:
    members = json.loads(text)
    assert name in members
    return "{" + ",".join(f"{json.dumps(n)}:{value if n == name else json.dumps(v)}" for n, v in members.items()) + "}"


def push(world: World, channel: str, *rows: str, kind: str = "update") -> None:
    world.sequences[channel] = 1 if kind == "snapshot" else world.sequences[channel] + 1
    sequence = world.sequences[channel]
    text = f'{{"channel":"{channel}","type":"{kind}","data":[{",".join(rows)}],"sequence":{sequence}}}'
    world.executor.frame(text.encode(), world.now)


def goes_on(world: World, order: Order) -> None:
    """Nothing was condemned: connected, reconciled, the own order open, and it still ends by its report."""
    world.turn()
    assert world.out.reconnect == ""
    assert (world.state.session.executions_ready, world.state.session.balances_ready) == (True, True)
    assert world.state.is_reconciled
    assert order.state is OrderState.OPEN


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["order_qty", "limit_price", "cum_qty"])
def test_an_odd_number_in_somebody_elses_order_spoils_nothing(name: str, odd: str) -> None:
    world = World().ready()
    (order,) = world.place(buy())
    own = {"order_id": order.order_id, "cl_ord_id": order.cl_ord_id, "exec_type": "new", "order_status": "new"}
    push(world, "executions", swapped(ROW, name, odd), json.dumps(own))
    goes_on(world, order)
    push(world, "executions", swapped(ROW, name, odd), json.dumps(own), kind="snapshot")
    goes_on(world, order)
    assert world.state.out.counts["unreadable"] >= 2
    assert any(entry.kind == "unreadable" and entry.alert for entry in world.out.log)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["last_qty", "last_price", "fees"])
def test_an_odd_number_in_somebody_elses_trade_spoils_nothing(name: str, odd: str) -> None:
    if (name, odd) == ("fees", "[]"):
        pytest.skip("no fees are no odd number")
    world = World().ready()
    (order,) = world.place(buy())
    push(world, "executions", swapped(TRADE, name, odd))
    goes_on(world, order)
    assert world.state.out.counts["unreadable"] == 1


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["amount", "balance", "fee"])
def test_an_odd_number_in_a_balance_spoils_nothing(name: str, odd: str) -> None:
    world = World().ready()
    (order,) = world.place(buy())
    push(world, "balances", swapped(ENTRY, name, odd))
    goes_on(world, order)
    assert world.state.out.counts["unreadable"] == 1
    sound = json.dumps([{**row, "balance": str(row["balance"])} for row in world.balances()])[1:-1]
    push(world, "balances", sound, f'{{"asset":"EUR","balance":{odd}}}', kind="snapshot")
    goes_on(world, order)


@pytest.mark.parametrize("name", json.loads(ROW))
def test_a_null_says_what_absence_says(name: str) -> None:
    world = World().ready()
    (order,) = world.place(buy())
    push(world, "executions", swapped(ROW, name, "null"))
    push(world, "executions", swapped(TRADE.replace("OHAND", "OX"), "fees", "null"))
    push(world, "balances", *(swapped(ENTRY, each, "null") for each in ("type", "ref_id", "wallet_type", "fee")))
    world.turn()
    assert world.out.reconnect == ""
    assert order.state is OrderState.OPEN


@pytest.mark.parametrize(
    "time", ["2026-11-29T18:00:00+00:00", "2026-11-29T19:00:00.000000+01:00", "2026-11-29T18:00:00Z"]
)
def test_times_with_an_offset_are_read(time: str) -> None:
    assert parse_rfc3339(time) == parse_rfc3339("2026-11-29T18:00:00.000000Z")
    world = World().ready()
    push(world, "executions", swapped(ROW, "timestamp", json.dumps(time)))
    (order,) = world.live()
    assert order.created_ts == parse_rfc3339(time)


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-45T99:00:00Z"])
def test_a_time_that_cannot_be_read_loses_no_fill(time: str) -> None:
    world = World().ready()
    (order,) = world.place(buy())
    trade = swapped(TRADE, "timestamp", json.dumps(time)).replace("OHAND", order.order_id)
    push(world, "executions", trade.replace("0.1", "0.0001"))
    assert order.filled == 10_000


def test_integers_where_decimals_were_are_numbers() -> None:
    world = World().ready()
    push(world, "executions", swapped(swapped(ROW, "limit_price", "90000"), "order_qty", "1"))
    (order,) = world.live()
    assert (order.price, order.qty) == (900_000, 100_000_000)


@pytest.mark.parametrize("answer", ['{"order_id":null,"cl_ord_id":null}', "null", '{"order_id":"O1","warnings":null}'])
def test_nulls_in_an_answer_are_survived(answer: str) -> None:
    world = World().ready()
    world.target(buy())
    world.turn()
    (request,) = world.taken("add_order")
    at = rfc3339(world.exchange_ts)
    text = f'{{"method":"add_order","req_id":{request.req_id},"success":true,"error":null,"symbol":null,'
    world.executor.frame(f'{text}"result":{answer},"time_in":"{at}","time_out":"{at}"}}'.encode(), world.now)
    order = world.state.registry.find(request.orders[0])
    assert order is not None
    assert order.state in (OrderState.OPEN, OrderState.UNKNOWN)


def test_one_odd_answer_of_a_batch_leaves_only_its_own_order_unknown() -> None:
    world = World().ready()
    world.target(buy(), buy(839_800, slot="b1"))
    world.turn()
    (batch,) = world.taken("batch_add")
    world.answer(batch, [{"order_id": 5, "cl_ord_id": batch.orders[0]}, {"order_id": "O2", "cl_ord_id": None}])
    states = [order.state for order in world.live()]
    assert states == [OrderState.UNKNOWN, OrderState.OPEN]


FIELDS = {"pair": "XXBTZUSD", "type": "buy", "price": "84000.0", "vol": "0.1", "fee": "0.1", "time": 1.5}


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "1e999999", "5" * 70, None, "x", [], {}])
@pytest.mark.parametrize("name", ["price", "vol", "fee", "time"])
def test_odd_numbers_in_rest_answers_are_survived(name: str, odd: Any) -> None:
    world = World().ready()
    for method, result in (
        ("TradesHistory", {"trades": {"TX": {**FIELDS, "ordertxid": "OX", name: odd}}, "count": 1}),
        ("Ledgers", {"ledger": {"LX": {"refid": "R", "asset": "ZUSD", "type": "trade", "amount": odd, "fee": odd,
                                       "balance": odd, "time": odd}}, "count": 1}),
        ("TradeVolume", {"fees": {"XXBTZUSD": {"fee": odd}}, "fees_maker": None}),
    ):  # fmt: skip
        tag = "fees" if method == "TradeVolume" else "page"
        world.executor.backfill.pages = [(method, "0", "1", 0)]
        world.executor.rest_answer(RestCall(tag, method, {}), result, world.now)
        world.turn(0.1)


# --- What leaves -----------------------------------------------------------------------------------------------------


def order_of(price: int, qty: int, price_precision: int, qty_precision: int) -> Order:
    return Order("T", "m", "X/USD", "b0", "buy", price, qty, price_precision, qty_precision)


@pytest.mark.parametrize(
    ("order", "price", "qty"),
    [
        (order_of(1, 1, 10, 8), "0.0000000001", "0.00000001"),
        (order_of(71_230, 5, 10, 0), "0.0000071230", "5.0"),
        (order_of(9_500_000, 5, 0, 8), "9500000.0", "0.00000005"),
        (order_of(840_000, 10**8, 1, 8), "84000.0", "1.00000000"),
    ],
)
def test_numbers_leave_as_plain_decimals_with_a_point(order: Order, price: str, qty: str) -> None:
    add = v2.request("add_order", add_params(order), 1)
    amend = v2.request("amend_order", amend_params(order, order.price, order.qty, 10 * SECOND), 1)
    batch = v2.request("batch_add", {"orders": [add_params(order)]}, 1)
    for written in (add, amend, batch):
        assert f'"limit_price":{price}' in written
        assert f'"order_qty":{qty}' in written
        json.loads(written)


def test_a_whole_number_of_another_kind_keeps_its_form() -> None:
    assert (
        v2.request("m", {"timeout": 15, "token": "T"}, 3)
        == '{"method":"m","params":{"timeout":15,"token":"T"},"req_id":3}'
    )
    assert Decimal(json.loads(v2.request("m", {"x": Decimal("1E+3")}))["params"]["x"]) == 1000
