"""Flatten (T11), dry run, order rate, each strategy's own limits, and a precision that changes."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
import structlog

from executor.effects import Request
from executor.record.journal import Journal
from executor.shell import Shell
from shared import halt
from shared.config import Strategy
from shared.messages import Instruments, OrderState
from shared.process.loop import Process
from tests.kit.executor_world import ETH, KeepingHands, World, buy, configuration, params_of, sell
from tests.kit.pairs import BTC


def holding(world: World, base: str, asset: str = "BTC") -> None:
    """The account holds this much of an asset, and no difference is left open."""
    holding = world.state.account.ledger.holdings[asset]
    holding.balance = holding.settled = Decimal(base)


def test_t11_flatten_pulls_confirms_closes_within_the_band_and_halts() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    holding(world, "1.005")  # 420 USD long
    world.state.controls.flattening = True
    world.turn()
    assert len(world.taken("cancel_order")) == 1
    world.turn(0.1)
    assert world.taken("add_order") == []  # not before the cancel is confirmed
    world.report("canceled", order, reason="User requested")
    world.turn(0.1)
    request = world.taken("add_order")[0]
    assert request.params["side"] == "sell"
    assert request.params["time_in_force"] == "ioc"
    assert "post_only" not in request.params
    assert params_of(request)["limit_price"] >= Decimal("84000.05") * Decimal("0.99")
    assert Decimal("0.0029") < params_of(request)["order_qty"] <= Decimal("0.00298")  # 250 USD an order
    sent = world.live()[0]
    world.report("canceled", sent, reason="Immediate or cancel")
    holding(world, "1.00202")
    world.turn(0.1)
    assert world.taken("add_order") == []
    world.wait(1.5)
    assert [r.params["order_qty"] for r in world.taken("add_order")] == [Decimal("0.00202000")]
    world.report("canceled", world.live()[0], reason="Immediate or cancel")
    holding(world, "1.00004")  # below the pair's minimum: dust
    world.wait(1.5)
    assert world.taken("add_order") == []
    assert "flattened" in world.halt
    assert world.out.flattened


def test_t11_a_short_position_is_bought_back_and_strategies_place_nothing_meanwhile() -> None:
    world = World().ready()
    holding(world, "0.999")
    world.state.controls.flattening = True
    world.target(buy(), sell())
    world.turn()
    assert [request.params["side"] for request in world.taken("add_order")] == ["buy"]
    assert world.taken("batch_add") == []


def test_t11_an_order_of_unknown_outcome_holds_up_its_own_symbol_and_no_other() -> None:
    inventory = {"BTC": Decimal(1), "ETH": Decimal(1)}
    world = World(configuration(pairs=["BTC/USD", "ETH/USD"], inventory_base=inventory))
    world.pairs = {"BTC/USD": BTC, "ETH/USD": ETH}
    world.ready()
    world.target(buy())
    world.turn()
    world.taken("add_order")
    world.wait(3.5)  # no answer
    assert [order.state for order in world.live()] == [OrderState.UNKNOWN]
    holding(world, "1.002")
    holding(world, "1.002", "ETH")
    world.state.controls.flattening = True
    world.turn()
    assert [(r.symbol, r.params["side"]) for r in world.taken("add_order")] == [("ETH/USD", "sell")]
    sent = next(order for order in world.live() if order.symbol == "ETH/USD")
    world.report("canceled", sent, reason="Immediate or cancel")
    holding(world, "1", "ETH")
    world.wait(2)
    assert world.taken("add_order") == []
    assert world.halt == ""  # not flat while BTC/USD is in doubt
    unknown = world.live()[0]
    world.report("canceled", unknown, reason="User requested")
    world.wait(1)
    assert [(r.symbol, r.params["side"]) for r in world.taken("add_order")] == [("BTC/USD", "sell")]


def test_t11_a_flatten_that_ends_a_halt_leaves_no_moment_to_quote_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    config = world.config
    config.root = tmp_path
    world.state.controls.halted = True
    halt.halt_trading(config.halt_file, halt.Halt(halt.Cause.DAILY_LOSS, "the day's loss reached its limit"))
    process = SimpleNamespace(config=config, log=structlog.get_logger())
    shell = Shell(cast(Process, process), world.state, world.executor, cast(Any, None))
    is_halted = halt.is_halted

    def asked_between(file: Path) -> bool:
        """The command does all of it between the executor's two looks."""
        is_there = is_halted(file)
        halt.halt(config.flatten_file, "flatten")
        halt.resume(config.halt_file)
        return is_there

    monkeypatch.setattr(halt, "is_halted", asked_between)
    for _ in range(2):
        shell.read_switches()
        assert world.state.controls.halted or world.state.controls.flattening
    assert not world.state.controls.halted


@pytest.mark.parametrize(
    ("position", "side", "theirs", "limit"),
    [("1.002", "buy", "83990.0", "83990.1"), ("0.998", "sell", "84010.0", "84009.9"), ("1.002", "buy", "80000.0", "")],
)
def test_t11_it_goes_no_further_than_an_order_that_is_not_ours_and_closes_before_it(
    position: str, side: str, theirs: str, limit: str
) -> None:
    world = World().ready()
    order = {"order_id": "OX", "exec_type": "new", "order_status": "new", "symbol": "BTC/USD", "side": side}
    world.push("executions", [{**order, "order_qty": Decimal("0.01"), "limit_price": Decimal(theirs)}])
    holding(world, position)
    world.state.controls.flattening = True
    world.turn()
    (request,) = world.taken("add_order")
    assert request.params["side"] != side
    assert request.params["limit_price"] == Decimal(limit or "83160.1")  # the band's end
    entries = [entries.text for entries in world.out.log if "not ours rests at" in entries.text]
    assert bool(entries) is bool(limit)


def test_t11_halted_it_waits() -> None:
    world = World().ready()
    holding(world, "1.005")
    world.state.controls.flattening = world.state.controls.halted = True
    world.turn()
    assert world.taken("add_order") == []


def test_a_dry_run_plans_checks_and_journals_and_sends_nothing() -> None:
    world = World(configuration(dry_run=True))
    world.hear_bus()
    world.connect()
    world.target(buy(), sell(price=900_000))
    for _ in range(20):
        world.turn(0.05)
    sent = {request.method for request in world.sent}
    assert sent == {"subscribe"}
    states = {order.slot: (order.state, order.error) for order in world.state.registry.visible("BTC/USD")}
    assert states["b0"] == (OrderState.DENIED, "dry run, not sent: buy 0.00119047 at 83990.0")
    assert "price band" in states["a0"][1]
    assert len(list(world.state.registry.visible("BTC/USD"))) == 2


def test_a_dry_run_closes_nothing_and_says_what_it_would_have_sent() -> None:
    world = World(configuration(dry_run=True))
    world.hear_bus()
    world.connect()
    holding(world, "1.005")
    world.state.controls.flattening = True
    world.wait(5)
    assert {request.method for request in world.sent} <= {"subscribe", "unsubscribe"}
    assert world.live() == []
    assert world.halt == ""
    entries = [entries.text for entries in world.out.log if "BTC/USD: dry run, not sent: sell 0.00" in entries.text]
    assert entries
    assert all("'tradebyte halt' and 'resume' end the flatten" in each for each in entries)


@pytest.mark.parametrize("method", ["add_order", "batch_add", "amend_order", "edit_order", "cancel_all_orders_after"])
def test_whoever_asks_nothing_but_subscriptions_leaves_in_a_dry_run(tmp_path: Path, method: str) -> None:
    world = World(configuration(dry_run=True))
    hands = KeepingHands(world)
    dispatcher = world.dispatcher(Journal(tmp_path / "journal.sqlite"), hands)
    world.hear_bus()
    world.executor.opened("TOKEN", world.now)
    world.state.out.send(Request(900, method, {}, "BTC/USD"))
    world.state.out.send(Request(901, method, {}, "BTC/USD", urgent=True))
    dispatcher.turn(world.now)
    assert {json.loads(text)["method"] for text in hands.sent} == {"subscribe"}
    assert [entry.text for entry in hands.log if entry.level == "error"] == [
        f"{method} on BTC/USD: dry run, not sent"
    ] * 2


def test_the_order_rate_is_bounded_and_its_window_moves_on() -> None:
    world = World(configuration(max_orders_per_minute=2)).ready()
    world.target(buy(), buy(839_800, slot="b1"), sell())
    world.turn()
    assert [len(r.orders) for r in world.taken("batch_add")] == [3]  # one request is decided at once
    for order in world.live():
        world.report("canceled", order, reason="User requested")
    world.wait(30)
    assert world.taken("batch_add") == []
    world.wait(31)
    assert [len(r.orders) for r in world.taken("batch_add")] == [3]


def test_each_strategys_own_limits_bind_beside_the_accounts() -> None:
    config = configuration()
    section = Strategy(max_position_size=Decimal(150), max_open_orders=3)
    config.strategies = {"market_maker": section, "other": Strategy()}
    world = World(config).ready()
    world.target(buy(), buy(839_800, slot="b1"))
    world.target(buy(839_700), buy(839_600, slot="b1"), strategy="other")
    world.turn()
    by_strategy = {s: sum(o.strategy == s for o in world.live()) for s in ("market_maker", "other")}
    assert by_strategy == {"market_maker": 1, "other": 2}
    denied = [order.error for order in world.state.registry.visible("BTC/USD") if order.state is OrderState.DENIED]
    assert len(denied) == 1
    assert "the strategy's worst case" in denied[0]


def test_a_kept_quantity_that_is_too_much_at_the_new_price_is_reduced_first() -> None:
    world = World().ready()  # max_order_size is 250
    order = world.place(sell(840_100, 297_000))[0]  # 249.51 USD; at 84,700 it would be 251.56
    world.wait(11)
    world.target(sell(847_000, 289_000))  # 244.78 USD, and 3 % less
    world.turn()
    amend = world.taken("amend_order")[0]
    assert (amend.params["limit_price"], amend.params["order_qty"]) == (Decimal("84010.0"), Decimal("0.00289000"))
    world.report("amended", order, limit_price=Decimal("84010.0"), order_qty=Decimal("0.00289000"))
    world.wait(11)
    amend = world.taken("amend_order")[0]
    assert (amend.params["limit_price"], amend.params["order_qty"]) == (Decimal("84700.0"), Decimal("0.00289000"))


def test_what_grew_beyond_max_order_size_by_the_market_alone_may_be_reduced() -> None:
    world = World().ready()
    world.place(sell(840_100, 297_000))  # 249.51 USD
    world.bid, world.ask = 845_000, 845_001
    world.hear_bus()
    world.target(sell(840_100, 200_000))
    world.turn()
    assert [request.params["order_qty"] for request in world.taken("amend_order")] == [Decimal("0.00200000")]


def test_two_strategies_never_cross_each_other() -> None:
    config = configuration()
    config.strategies = {"market_maker": Strategy(), "other": Strategy()}
    world = World(config).ready()
    world.bid, world.ask = 839_000, 841_000
    world.hear_bus()
    world.target(buy(840_000))
    world.target(sell(839_900), strategy="other")
    world.turn()
    assert [order.strategy for order in world.live()] == ["market_maker"]


def test_a_precision_that_changes_cancels_what_was_placed_and_drops_its_targets() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    finer = msgspec.structs.replace(BTC, price_precision=2)
    world.executor.message(Instruments(pairs={"BTC/USD": finer}, assets={"BTC": 10, "USD": 4}), world.now)
    world.target(buy())
    world.turn()
    assert len(world.taken("cancel_order")) == 1
    world.report("canceled", order, reason="User requested")
    world.target(buy())  # still in the old precision
    world.turn()
    assert world.taken("add_order") == []
