"""The exchange's rules in virtual time: validation, orders, fills, ledger, counters, the dead man's switch."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shared.config.unconfirmed import Unconfirmed
from simulator import errors
from simulator.errors import KrakenError
from simulator.exchange.orders import Account
from simulator.exchange.state import SystemStatus
from simulator.wire import NS
from tests.unit.simulator.worlds import TestWorld, limit, market


def refused(world: TestWorld, request: Any, who: str = "maker") -> str:
    with pytest.raises(KrakenError) as caught:
        world.exchange.add(world.account(who), request, world.now)
    return str(caught.value)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (limit(price="80000.15"), "EOrder:Invalid price:XBT/USD price can only be specified up to 1 decimals."),
        (limit(qty="0.00004"), errors.ORDER_MINIMUM),
        (limit(qty="0.00005", price="9000"), errors.COST_MINIMUM),
        (limit(qty="2"), errors.INSUFFICIENT_FUNDS),
        (limit("sell", qty="1.1", price="90000"), errors.INSUFFICIENT_FUNDS),
        (limit(qty="0.000000001"), "EGeneral:Invalid arguments:volume"),
        (limit(qty="-1"), "EGeneral:Invalid arguments:volume"),
        (limit(price="0"), errors.INVALID_PRICE),
        (limit(price="1E+40"), errors.INVALID_PRICE),
        (market("buy", "2"), errors.INSUFFICIENT_FUNDS),
    ],
)
def test_an_order_is_refused_in_krakens_words(request_: Any, text: str) -> None:
    assert refused(TestWorld(), request_) == text


def test_validation_has_krakens_order() -> None:
    world = TestWorld()
    # Wrong in every way at once: the price is named first, then the size, then the funds.
    assert refused(world, limit(qty="0.00000001", price="1.11")).startswith(errors.INVALID_PRICE)
    assert refused(world, limit(qty="0.00000001", price="1.1")) == errors.ORDER_MINIMUM
    world.exchange.state.system = SystemStatus.CANCEL_ONLY
    assert refused(world, limit(qty="0.00000001", price="1.11")) == errors.CANCEL_ONLY


def test_open_orders_reserve_their_funds() -> None:
    world = TestWorld()
    maker = world.account()
    world.exchange.add(maker, limit(qty="1", price="60000"), world.now)
    assert maker.free("USD") == 40_000_0000
    assert refused(world, limit(qty="1", price="60000")) == errors.INSUFFICIENT_FUNDS
    world.exchange.cancel_all(maker, world.now)
    assert maker.free("USD") == 100_000_0000


def test_a_reservation_includes_the_maker_fee() -> None:
    world = TestWorld()
    visitor = world.account("visitor")
    world.exchange.add(visitor, limit(qty="1", price="60000"), world.now)
    assert visitor.held("USD") == 60_150_0000


def test_a_taker_pays_the_ask_and_the_taker_fee_to_the_last_digit() -> None:
    world = TestWorld()
    visitor = world.account("visitor")
    _, ask = world.touch()
    order = world.exchange.add(visitor, market("buy", "0.00012345"), world.now)
    exact = Decimal(ask * 12345).scaleb(-9)
    cost, amount, fee = rounded(exact, 5), rounded(exact, 4), rounded(exact * 4 / 1000, 5)
    assert (order.status, order.cost, order.fee) == ("filled", cost, fee)
    assert visitor.balances["USD"] == 100_000_0000 - amount - rounded(Decimal(fee).scaleb(-5), 4)
    assert visitor.balances["BTC"] == 10**10 + 1234500


def rounded(value: Decimal, decimals: int) -> int:
    return int(value.scaleb(decimals).quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("side", "qty", "price", "cost", "fee", "amount", "charged"),
    [
        # 9.999949895 USD: the ledger's amount is of the product, not of the fill's 9.99995.
        ("sell", "0.00010001", "99989.5", 9_99995, 4000, 9_9999, 400),
        ("sell", "0.0001", "84000.5", 8_40005, 3360, 8_4001, 336),
        # A fee of 0.0027496: the ledger's is of the fill's 0.00275.
        ("sell", "0.00005", "13748", 68740, 275, 6874, 28),
        ("buy", "0.00005", "13748", 68740, 275, -6874, 28),
    ],
)
def test_a_fill_has_the_pair_s_cost_decimals_and_its_ledger_entry_the_asset_s(
    side: str, qty: str, price: str, cost: int, fee: int, amount: int, charged: int
) -> None:
    world = TestWorld()
    world.empty()
    maker, visitor = world.account(), world.account("visitor")
    world.exchange.add(maker, limit("buy" if side == "sell" else "sell", qty, price), world.now)
    order = world.exchange.add(visitor, limit(side, qty, price, tif="ioc"), world.now)
    (fill,) = visitor.fills
    assert (order.cost, order.fee) == (fill.cost, fill.fee) == (cost, fee)
    (entry,) = (e for e in world.exchange.state.journal.ledger if e.account == visitor.index and e.asset == "USD")
    assert (entry.amount, entry.fee, entry.balance) == (amount, charged, 100_000_0000 + amount - charged)
    assert visitor.balances["USD"] == entry.balance


def test_a_fee_takes_no_more_than_the_balance_has() -> None:
    world = TestWorld()
    world.empty()
    maker, visitor = world.account(), world.account("visitor")
    # 0.6885 USD and 0.00172 of the maker's fee: a unit is missing.
    world.exchange.add(visitor, limit("buy", "0.00005", "13770"), world.now)
    visitor.balances["USD"] = 6901
    world.exchange.add(maker, limit("sell", "0.00005", "13770"), world.now)
    (fill,) = visitor.fills
    assert (fill.cost, fill.fee, visitor.balances["USD"]) == (68850, 160, 0)


def test_a_fee_rounded_up_takes_no_more_than_a_sale_brings() -> None:
    world = TestWorld(unconfirmed=Unconfirmed(fee_rounding="up"))
    visitor = world.account("visitor")
    visitor.balances["USD"] = 0
    order = world.exchange.add(visitor, limit("sell", "0.06", "160", "SOL/USD"), world.now)
    # One lot at 160 USD brings 0.0000016 USD, and half a ledger's unit of the dollar is not reached.
    world.exchange.lifecycle.fill(order, order.price or 0, 1, True, 5, world.now)
    assert (visitor.fills[-1].fee, visitor.balances["USD"]) == (0, 0)
    # Ten thousand of them bring 160 units, of which 0.25 % is less than one and still charged as one.
    world.exchange.lifecycle.fill(order, order.price or 0, 10_000, True, 6, world.now)
    assert (visitor.fills[-1].fee, visitor.balances["USD"]) == (4, 159)


def test_a_maker_is_filled_at_its_price_by_another_account() -> None:
    world = TestWorld()
    maker, visitor = world.account(), world.account("visitor")
    _, ask = world.touch()
    venue = world.exchange.venues["BTC/USD"]
    # Everything better is taken first: price-time priority holds for accounts as for the crowd.
    mine = world.exchange.add(maker, limit("sell", "0.01", str(Decimal(ask) / 10), post_only=True), world.now)
    ahead = venue.engine.levels("sell", 1)[0][1] - 1_000_000
    world.exchange.add(visitor, limit("buy", str(Decimal(ahead) / 10**8), str(Decimal(ask) / 10), tif="ioc"), world.now)
    assert mine.filled == 0
    world.exchange.add(visitor, limit("buy", "0.004", str(Decimal(ask) / 10), tif="ioc"), world.now)
    assert mine.filled == 400_000
    assert maker.fills[-1].maker
    assert maker.fills[-1].fee == 0


@pytest.mark.parametrize(
    ("stp", "bid", "ask"),
    [
        ("cancel_newest", "new", "canceled"),
        ("cancel_oldest", "canceled", "new"),
        ("cancel_both", "canceled", "canceled"),
    ],
)
def test_own_orders_never_trade_with_each_other(stp: str, bid: str, ask: str) -> None:
    world = TestWorld()
    world.empty()
    maker = world.account()
    old = world.exchange.add(maker, limit("buy", "0.001", "84000"), world.now)
    new = world.exchange.add(maker, limit("sell", "0.001", "84000", stp=stp), world.now)
    assert (old.status, new.status, old.filled) == (bid, ask, 0)
    assert {old.reason, new.reason} - {""} == {"Self trade prevention"}


def test_a_leg_that_rounds_to_nothing_has_no_ledger_entry() -> None:
    world = TestWorld()
    visitor = world.account("visitor")
    order = world.exchange.add(visitor, limit("buy", "0.06", "140", "SOL/USD"), world.now)
    world.world.flush(world.now)
    # One lot at 140 USD costs 0.0000014 USD.
    world.exchange.lifecycle.fill(order, order.price or 0, 1, True, 5, world.now)
    assert [entry.asset for entry in world.exchange.state.journal.ledger] == ["SOL"]


def test_a_post_only_amend_that_would_take_is_refused_and_changes_nothing() -> None:
    world = TestWorld()
    maker = world.account()
    order = world.exchange.add(maker, limit(post_only=True), world.now)
    with pytest.raises(KrakenError, match="EOrder:Post only order"):
        world.exchange.amend(maker, order, None, Decimal(90_000), True, world.now)
    assert (order.price, order.amended) == (800_000, False)


def test_an_amend_to_no_more_than_what_is_filled_ends_the_order() -> None:
    world = TestWorld()
    world.empty()
    maker, visitor = world.account(), world.account("visitor")
    order = world.exchange.add(maker, limit("buy", "0.01", "84000"), world.now)
    world.exchange.add(visitor, limit("sell", "0.006", "84000"), world.now)
    assert (order.filled, order.status) == (600_000, "partially_filled")
    world.exchange.amend(maker, order, Decimal("0.006"), None, False, world.now)
    assert (order.status, order.reason, order.filled) == ("canceled", "User requested", 600_000)


def test_an_amended_price_that_crosses_trades_at_once() -> None:
    world = TestWorld()
    world.empty()
    maker, visitor = world.account(), world.account("visitor")
    order = world.exchange.add(maker, limit("buy", "0.01", "80000"), world.now)
    world.exchange.add(visitor, limit("sell", "0.004", "84000"), world.now)
    world.exchange.amend(maker, order, None, Decimal(84_000), False, world.now)
    assert (order.filled, order.cost, order.status) == (400_000, 336_00000, "partially_filled")
    assert not maker.fills[-1].maker


def test_requests_are_charged_by_the_orders_age_and_refused_above_the_threshold() -> None:
    world = TestWorld()
    maker = world.account()
    counter = maker.counter("BTC/USD")
    order = world.exchange.add(maker, limit(), world.now)
    world.exchange.amend(maker, order, None, Decimal(79_000), False, world.now)
    assert counter.now(world.now) == 1 + 4
    world.after(7)
    world.exchange.cancel(maker, order, world.now)
    assert counter.now(world.now) == pytest.approx(6)
    counter.charge(125 - 6.5, world.now)
    assert refused(world, limit()) == errors.ORDER_RATE_LIMIT
    world.after(1)
    assert world.exchange.add(maker, limit(), world.now).status == "new"


def test_a_batch_cancel_is_accepted_above_the_threshold_and_a_single_cancel_is_not() -> None:
    world = TestWorld()
    maker = world.account()
    orders = [world.exchange.add(maker, limit(cl_ord_id=f"c{i}"), world.now) for i in range(3)]
    maker.counter("BTC/USD").charge(119, world.now)
    with pytest.raises(KrakenError, match=errors.ORDER_RATE_LIMIT):
        world.exchange.cancel(maker, orders[0], world.now)
    assert world.exchange.batch_cancel(maker, [orders[0].order_id, "nothing"], ["c1", "c2"], world.now) == 3
    assert not maker.orders


def test_a_pair_holds_no_more_orders_than_the_tier_allows() -> None:
    world = TestWorld()
    visitor = world.account("visitor")
    for i in range(80):
        world.exchange.add(visitor, limit(qty="0.0001", price=str(70_000 + i)), world.now)
        world.now += NS
    assert refused(world, limit(qty="0.0001"), "visitor") == errors.ORDERS_LIMIT


def test_a_client_id_is_unique_among_open_orders_only() -> None:
    world = TestWorld()
    maker = world.account()
    world.exchange.add(maker, limit(cl_ord_id="mine"), world.now)
    assert refused(world, limit(cl_ord_id="mine")) == "EGeneral:Invalid arguments:cl_ord_id"
    world.exchange.cancel_all(maker, world.now)
    assert world.exchange.add(maker, limit(cl_ord_id="mine"), world.now).status == "new"


def test_the_switch_cancels_everything_of_its_account_and_is_then_off() -> None:
    world = TestWorld()
    maker, visitor = world.account(), world.account("visitor")
    order = world.exchange.add(maker, limit(), world.now)
    other = world.exchange.add(visitor, limit(), world.now)
    current, trigger = world.exchange.arm(maker, 5, world.now)
    assert trigger == current + 5
    world.after(4.9)
    assert order.status == "new"
    world.after(0.2)
    assert (order.status, order.reason) == ("canceled", "CancelAllOrdersAfter Timeout")
    assert other.status == "new"
    assert maker.trigger_ns == 0
    assert world.exchange.arm(maker, 0, world.now)[1] == 0


def test_a_good_till_date_order_expires() -> None:
    world = TestWorld()
    order = world.exchange.add(world.account(), limit(tif="gtd", expire_ns=world.now + 10 * NS), world.now)
    world.after(9)
    assert order.status == "new"
    world.after(2)
    assert order.status == "expired"


STEP = st.tuples(
    st.sampled_from(["limit", "market", "ioc", "fok", "amend", "cancel", "all"]),
    st.sampled_from(["maker", "visitor"]),
    st.sampled_from(["buy", "sell"]),
    st.integers(-400, 400),
    st.integers(5_000, 90_000_000),
)


def total(world: TestWorld, asset: str) -> int:
    held = sum(account.balances[asset] for account in world.exchange.accounts.values())
    return held + world.exchange.state.outside.get(asset, 0) + world.exchange.state.fees.get(asset, 0)


def try_step(world: TestWorld, step: Any) -> None:
    what, who, side, offset, lots = step
    account: Account = world.account(who)
    qty, price = str(Decimal(lots) / 10**8), str(Decimal(world.touch()[0] + offset) / 10)
    try:
        if what == "market":
            world.exchange.add(account, market(side, qty), world.now)
        elif what in ("limit", "ioc", "fok"):
            tif = "gtc" if what == "limit" else what
            world.exchange.add(account, limit(side, qty, price, tif=tif), world.now)
        elif what == "all":
            world.exchange.cancel_all(account, world.now)
        elif account.orders:
            order = next(iter(account.orders.values()))
            if what == "amend":
                world.exchange.amend(account, order, Decimal(qty), Decimal(price), False, world.now)
            else:
                world.exchange.cancel(account, order, world.now)
    except KrakenError:
        pass


@settings(max_examples=25, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_nothing_is_made_or_lost_and_no_balance_goes_negative(steps: list[Any]) -> None:
    world = TestWorld()
    before = {asset: total(world, asset) for asset in ("USD", "BTC")}
    for step in steps:
        try_step(world, step)
        world.run(0.2)
        for account in world.exchange.accounts.values():
            assert min(account.balances.values()) >= 0
            for order in account.orders.values():
                resting = world.exchange.venues[order.pair.symbol].engine.order(order.number)
                assert resting is not None
                assert (resting[2], resting[3]) == (order.price, order.remaining)
    assert {asset: total(world, asset) for asset in ("USD", "BTC")} == before
    for account in world.exchange.accounts.values():
        entries, _ = world.store.history.ledger(account.index, 0, 2**62, 2**62, 0, None, ["USD"])
        assert entries[0].balance == account.balances["USD"]
