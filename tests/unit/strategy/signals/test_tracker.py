"""The tracker: own fills from order messages, trades within their window, and nothing that is not needed."""

from __future__ import annotations

import pytest

from shared import limits
from shared.clock import SECOND
from shared.messages import Book, BookState, FeedTrades, Order, Orders, OrderState, Side, Trade
from strategy.signals.own_fills import OwnFill, OwnFills
from strategy.signals.tracker import Tracker
from strategy.signals.values import NOTHING, Needs, Signals

EVERYTHING = Needs(
    trades=True,
    volatility_half_life_s=60,
    parkinson_half_life_s=60,
    forecast_horizon_s=4,
    imbalance_window_bps=5,
    microprice=True,
    order_flow_half_life_s=5,
    intensity_half_life_s=10,
    markout_half_life_s=300,
)


def book(bid: int = 1000, state: BookState = BookState.LIVE, precision: int = 1) -> Book:
    live = state is BookState.LIVE
    return Book(
        symbol="BTC/USD",
        state=state,
        price_precision=precision,
        qty_precision=8,
        bids=[(bid, 30)] if live else [],
        asks=[(bid + 1, 10)] if live else [],
    )


def trades(*sides: str) -> FeedTrades:
    made = [Trade(side="buy" if side == "buy" else "sell", price=1000, qty=1) for side in sides]
    return FeedTrades(symbol="BTC/USD", price_precision=1, qty_precision=8, trades=made, received=0)


def order(name: str, filled: int, *, strategy: str = "m", side: Side = "buy") -> Order:
    state, slot = OrderState.OPEN, "b0"
    return Order(
        cl_ord_id=name,
        order_id="O",
        strategy=strategy,
        slot=slot,
        side=side,
        price=990,
        qty=10,
        filled=filled,
        state=state,
    )


def orders(*made: Order, valid: bool = True) -> Orders:
    return Orders(symbol="BTC/USD", valid=valid, price_precision=1, qty_precision=8, orders=list(made))


def test_own_fills_are_what_orders_filled_since_the_last_message() -> None:
    fills = OwnFills("m")
    assert fills.take(orders(order("a", 3))) == []
    assert fills.take(orders(order("a", 3), order("b", 0))) == []
    assert fills.take(orders(order("a", 5), order("b", 10), order("c", 4, strategy="other"))) == [
        OwnFill("buy", 990, 2),
        OwnFill("buy", 990, 10),
    ]
    assert fills.take(orders(valid=False)) == []
    assert fills.take(orders(order("b", 10))) == []


def full_tracker() -> tuple[Tracker, int]:
    tracker, now = Tracker(EVERYTHING, "m"), SECOND
    tracker.on_book(book(), now)
    tracker.on_orders(orders(), now)
    for number in range(70):
        now += SECOND
        tracker.on_orders(orders(order(str(number), 1, side=("buy", "sell")[number % 2])), now)
        tracker.on_trades(trades("buy", "buy", "sell"), now)
        tracker.on_book(book(1000 + number % 2), now)
    return tracker, now


def test_every_signal_that_is_needed_becomes_valid() -> None:
    tracker, now = full_tracker()
    signals = tracker.signals(now)
    assert all(getattr(signals, name).is_valid for name in Signals.__struct_fields__)
    assert signals.imbalance.value == 0.5
    assert signals.microprice.value == pytest.approx(1001.75)
    assert pytest.approx(signals.buy_intensity.value, rel=0.1) == 2.0
    assert signals.markout("buy", 1) == signals.buy_markout_1s


def test_values_are_of_the_valid_ones_and_give_them_back() -> None:
    tracker, now = full_tracker()
    signals = tracker.signals(now)
    values = signals.values()
    assert values.keys() == set(Signals.__struct_fields__)
    assert values["buy_markout_1s"] == [signals.buy_markout_1s.mean_bps, signals.buy_markout_1s.stderr_bps]
    assert Signals.of_values(values) == signals
    assert Signals.of_values({"forecast": [1.5], "parkinson": [1.0, 2.0], "of_another_version": [1.0]}).values() == {
        "forecast": [1.5]
    }
    assert Signals().values() == {}


def test_what_is_not_needed_is_never_valid() -> None:
    tracker = Tracker(Needs(microprice=True), "m")
    tracker.on_book(book(), SECOND)
    tracker.on_trades(trades("buy"), SECOND)
    assert tracker.signals(SECOND) == Signals(microprice=tracker.signals(SECOND).microprice)
    assert tracker.trades(SECOND) == ()
    assert not NOTHING.is_any
    assert not NOTHING.public_trades
    assert EVERYTHING.public_trades


def test_trades_leave_the_view_with_their_age_and_number() -> None:
    tracker = Tracker(EVERYTHING, "m")
    tracker.on_book(book(), SECOND)
    tracker.on_trades(trades(*["buy"] * (limits.VIEW_TRADES + 1)), SECOND)
    assert len(tracker.trades(SECOND)) == limits.VIEW_TRADES
    tracker.on_trades(trades("sell"), 30 * SECOND)
    assert [trade.side for trade in tracker.trades(62 * SECOND)] == ["sell"]


def test_a_book_that_is_not_live_has_no_shape_and_no_flow() -> None:
    tracker, now = full_tracker()
    tracker.on_book(book(state=BookState.RESYNCING), now)
    signals = tracker.signals(now)
    assert not signals.imbalance.is_valid
    assert not signals.microprice.is_valid
    assert not signals.order_flow.is_valid


def test_a_fill_whose_horizon_falls_into_a_gap_is_left_out() -> None:
    tracker, now = Tracker(EVERYTHING, "m"), SECOND
    tracker.on_book(book(), now)
    tracker.on_orders(orders(), now)
    for number in range(60):
        tracker.on_orders(orders(order(str(number), 1)), now)
        tracker.on_gap(now + SECOND // 2)
        now += 2 * SECOND
        tracker.on_time(now)
    assert not tracker.signals(now).buy_markout_1s.is_valid


def test_another_precision_begins_anew() -> None:
    tracker, now = full_tracker()
    tracker.on_book(book(10_000, precision=2), now)
    assert not tracker.signals(now).volatility.is_valid
    assert tracker.trades(now) == ()
