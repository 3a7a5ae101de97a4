"""Faults that a reader found: each with the sequence of events that led there."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from executor.account.held import Inventory
from executor.decide.slot_backoff import SlotBackoff
from executor.effects import RestCall
from executor.orders.codec import to_row
from executor.orders.denial import Denial, Rule
from executor.orders.order import Active
from executor.record.rows import BeforeRow
from shared.clock import SECOND
from shared.messages import Fill, Quote
from tests.kit.executor.first_day import old_fill, open_connection
from tests.kit.executor_world import BOOT_TO_WALL, World, buy, configuration


def test_beyond_a_limit_one_order_goes_and_no_more_until_it_is_seen_to_be_too_little() -> None:
    world = World(configuration(max_position_size=Decimal(250))).ready()
    world.place(buy(), buy(839_000, slot="b1"))  # 200 dollars
    world.state.account.inventory = Inventory({"BTC": Decimal("0.9992")})  # 67 dollars long already
    world.state.account.changes += 1
    for _ in range(3):
        world.turn(0.02)
    going = [order.slot for order in world.live() if order.life is Active.CANCELLING]
    assert going == ["b1"]


def test_a_fill_finer_than_the_orders_lots_is_counted_and_told() -> None:
    world = World().ready()
    (order,) = world.place(buy())
    fill = old_fill(1, world.exchange_ts, order_id=order.order_id, cl_ord_id=order.cl_ord_id)
    world.push("executions", [{**fill, "last_qty": Decimal("0.000500005")}])  # the pair has nine decimals since
    assert order.filled == 50_000
    fills = [(topic, message) for topic, message in world.out.messages if isinstance(message, Fill)]
    assert [(topic, message.heard) for topic, message in fills] == [("fill.BTC/USD", world.now)]
    assert to_row(order, BOOT_TO_WALL).filled == "0.00050000"


def test_a_target_for_a_pair_that_is_none_of_the_strategys_is_not_taken() -> None:
    made = World()
    made.pairs = {**made.pairs, "EUR/USD": msgspec.structs.replace(made.pairs["BTC/USD"], symbol="EUR/USD", base="EUR")}
    made.ready()
    made.target(Quote(slot="b0", side="buy", price=839_900, qty=119_047), symbol="EUR/USD")
    made.turn()
    assert made.taken("add_order") == []
    assert any("not one of its pairs" in line.text for line in made.out.log if line.alert)


def test_old_fills_that_were_told_before_the_journal_opened_prove_nothing() -> None:
    world = World()
    world.hear_bus()
    open_connection(world)
    old = [old_fill(n, world.exchange_ts - 3600 * SECOND) for n in range(3)]
    world.push("executions", old, "snapshot")
    world.push("balances", world.balances(), "snapshot")
    world.turn()
    kept = [*world.state.account.rows, *world.out.rows]
    assert {row.exec_id for row in kept if isinstance(row, BeforeRow)} == {"TOLD0", "TOLD1", "TOLD2"}
    # Two that came after it, whose entries were lost: the balances prove both together.
    new = [old_fill(n, world.exchange_ts + n * SECOND) for n in (11, 12)]
    for row in new:
        world.state.account.ledger.opened_ts = world.exchange_ts + 10 * SECOND
        world.push("executions", [row])
    world.push("balances", world.balances(USD="98400.0000", BTC="1.0200000000"), "snapshot")
    world.turn()
    assert world.state.is_reconciled
    assert world.state.account.pnl["BTC/USD"].qty == Decimal("0.02")


def test_the_same_rule_with_other_figures_waits_longer_each_time_and_is_no_news() -> None:
    backoff, slot, now = SlotBackoff(), ("m", "BTC/USD", "b0"), 1000 * SECOND
    lasted = []
    for number in range(4):
        denial = Denial(Rule.POSITION, f"worst case BTC {1000 + number} is above max_position_size 1000")
        assert backoff.is_news(slot, denial, now) is (number == 0)
        backoff.deny(slot, denial, now)
        began = now
        while backoff.holds(slot, now):
            now += SECOND // 10
        lasted.append((now - began) / SECOND)
    assert lasted == sorted(lasted)
    assert lasted[3] > 2 * lasted[0]


def test_an_answer_to_a_page_that_was_given_up_takes_no_other_page_away() -> None:
    world = World().ready()
    history = world.executor.backfill
    history.pages = [("TradesHistory", "0", "1", 0)]
    world.executor.rest_answer(RestCall("page", "Ledgers", {}), {"count": 0, "ledger": {}}, world.now)
    assert history.pages == [("TradesHistory", "0", "1", 0)]


def test_an_order_whose_history_cannot_be_read_is_asked_for_again() -> None:
    world = World().ready()
    world.executor.stream.reconcile.ask_history.append("T1")
    world.executor.rest_answer(RestCall("order T1", "ClosedOrders", {}), {"closed": "nothing"}, world.now)
    assert world.executor.stream.reconcile.ask_history == ["T1"]


def test_somebody_elses_post_only_order_that_was_refused_blocks_no_price_of_ours() -> None:
    world = World().ready()
    order = {"order_id": "OHAND", "symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_status": "new"}
    world.push("executions", [{**order, "order_qty": Decimal(1), "limit_price": Decimal("83990.0")}])
    end = {"order_id": "OHAND", "exec_type": "canceled", "order_status": "canceled", "reason": "Post only order"}
    world.push("executions", [end])
    assert world.state.registry.standing() == []
    assert world.executor.rejections.blocked_price("BTC/USD", "buy") is None


def test_rounding_to_the_decimals_that_the_instruments_name_explains_a_balance() -> None:
    world = World().ready()
    (order,) = world.place(buy(839_991))
    qty, price = Decimal("0.00119047"), Decimal("83999.1")  # 99.998408... dollars; the ledger keeps four decimals
    world.report("trade", order, exec_id="T1", symbol="BTC/USD", side="buy", last_qty=qty, last_price=price, fees=[])
    rounded = (100_000 - qty * price).quantize(Decimal("0.0001"))
    assert rounded != 100_000 - qty * price
    world.push("balances", world.balances(BTC=f"{1 + qty:.10f}", USD=str(rounded)), "snapshot")
    world.turn()
    assert world.state.is_reconciled
