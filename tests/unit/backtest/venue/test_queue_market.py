"""The rules of the queue market, each by a case that can be checked by hand, on both implementations."""

from __future__ import annotations

import pytest

from backtest.data.columns import Flag, Kind
from backtest.venue.queue_market import Stop
from backtest.venue.queue_orders import RECORDED_IDS_FROM
from tests.unit.backtest.venue.tape import IMPLEMENTATIONS, Tape, load, market_class

pytestmark = pytest.mark.parametrize("kind", IMPLEMENTATIONS)
BIDS = {100: 10, 99: 20, 98: 30}
ASKS = {102: 10, 103: 20, 104: 30}


def tape(kind: str, model: str = "pro_rata", depth: int = 0) -> Tape:
    made = Tape(kind, model, depth=depth)
    made.snapshot(BIDS, ASKS)
    return made


def test_the_queue_ahead_is_eaten_exactly_and_then_the_order_is_filled_in_parts(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "buy", 100, 5)
    assert t.market.place(0, 1) == (10, True)
    t.trade("sell", 100, 10)
    assert (t.fills(), t.market.place(0, 1)) == ([], (0, True)), "exactly what was ahead"
    t.level("buy", 100, 0)
    t.trade("sell", 100, 3)
    events = t.market.take_events(0)
    assert events == [("trade", RECORDED_IDS_FROM, 1, 100, 3, 0, 2)], "what is left of us is 2"
    t.trade("sell", 100, 4)
    assert t.market.take_events(0) == [("trade", RECORDED_IDS_FROM + 1, 1, 100, 2, 2, 0)]
    assert t.market.order(0, 1) is None
    stats = t.market.stats(0)
    assert (stats["fills"], stats["fill_lots"], stats["traded_lots"]) == (2, 5, 17)


def test_one_trade_eats_what_is_ahead_and_fills_us_with_the_rest(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "sell", 102, 5)
    t.trade("buy", 102, 12)
    assert t.fills() == [(1, 102, 2)]
    assert t.market.order(0, 1) == (1, "sell", 102, 3, 2)


def test_a_trade_is_not_counted_again_when_its_book_change_follows(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "buy", 100, 5)
    t.trade("sell", 100, 4)
    assert t.market.place(0, 1) == (6, True)
    t.level("buy", 100, 6)
    assert t.market.place(0, 1) == (6, True), "the change is the trade's"
    t.level("buy", 100, 9)
    assert t.market.place(0, 1) == (6, True), "who comes later is behind"


@pytest.mark.parametrize(("model", "ahead"), [("front", 2), ("pro_rata", 5), ("power", 4), ("log", 6), ("back", 6)])
def test_a_cancel_is_shared_by_the_model(kind: str, model: str, ahead: int) -> None:
    """Of 10 ahead and 4 behind, 8 are cancelled.

    front: 8 ahead. back: 4, as only 4 are behind. pro rata: floor(8 * 10 / 14) = 5. power: 8 * 100/116 = 6.9, behind
    1.1 of 4. log: ln 11 = 2.40, ln 5 = 1.61, so 8 * 0.598 = 4.8, behind 3.2 of 4.
    """
    t = tape(kind, model)
    t.rest(1, "buy", 100, 5)
    t.level("buy", 100, 14)
    t.level("buy", 100, 6)
    assert t.market.place(0, 1) == (ahead, True)


def test_no_model_lets_an_own_order_pass_one_before_it(kind: str) -> None:
    """Of 20, 16 are cancelled: with 9 ahead 6.4 of them are ahead, with 11 ahead 9.6; 3 and 2 would be left."""
    t = tape(kind, "power")
    t.level("buy", 100, 9)
    t.rest(1, "buy", 100, 5)
    t.level("buy", 100, 11)
    t.rest(2, "buy", 100, 5)
    t.level("buy", 100, 20)
    t.level("buy", 100, 4)
    assert (t.market.place(0, 1), t.market.place(0, 2)) == ((3, True), (3, True))


def test_less_quantity_keeps_the_place_and_more_or_another_price_loses_it(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "buy", 100, 5)
    t.trade("sell", 100, 4)
    t.level("buy", 100, 16)
    assert t.market.place(0, 1) == (6, True)
    assert t.market.amend(0, 1, None, 3) == [("amend", 1, 100, 3)]
    assert t.market.place(0, 1) == (6, True)
    assert t.market.amend(0, 1, None, 4) == [("amend", 1, 100, 4)]
    assert t.market.place(0, 1) == (16, True)
    assert t.market.amend(0, 1, 99, None) == [("amend", 1, 99, 4)]
    assert t.market.place(0, 1) == (20, True)
    assert t.market.amend(0, 7, 99, None) == [("refused", 7, "unknown")]


def test_a_cancel_that_loses_the_race_by_a_millisecond(kind: str) -> None:
    ms = 1_000_000
    t = tape(kind)
    t.rest(1, "buy", 101, 5)
    t.trade("sell", 101, 1)
    rows = [(10 * ms, 10 * ms, 0, int(Kind.TRADE), 1, 101, 9, int(Flag.LAST))]
    load(t.market, rows)
    # The cancel would have arrived at 11 ms.
    assert t.market.advance(11 * ms, 0)[0] == Stop.FILL
    assert t.market.now() == 10 * ms
    assert t.fills() == [(1, 101, 1), (1, 101, 4)]
    assert t.market.advance(11 * ms, 0) == (0, 0, 8, 8)
    assert t.market.cancel(0, 1) == []


def test_a_cancel_that_wins_the_race(kind: str) -> None:
    ms = 1_000_000
    t = tape(kind)
    t.rest(1, "buy", 101, 5)
    load(t.market, [(10 * ms, 10 * ms, 0, int(Kind.TRADE), 1, 101, 9, int(Flag.LAST))])
    assert t.market.advance(9 * ms, 0)[0] == 0
    assert t.market.cancel(0, 1) == [("cancel", 1, 5, "user")]
    assert t.market.advance(11 * ms, 0)[0] == 0
    assert t.fills() == []


def test_post_only_is_cancelled_when_the_record_or_an_own_order_is_crossed(kind: str) -> None:
    t = tape(kind)
    assert t.market.submit(0, 1, 1, "buy", 102, 5, "gtc", True) == [("cancel", 1, 5, "post_only")]
    t.rest(2, "sell", 101, 5)
    assert t.market.submit(0, 3, 1, "buy", 101, 5, "gtc", True) == [("cancel", 3, 5, "post_only")]
    t.rest(4, "buy", 100, 5)
    assert t.market.amend(0, 4, 101, None, True) == [("refused", 4, "post_only")]


def test_a_taker_takes_the_record_and_it_stays_taken_until_the_level_goes(kind: str) -> None:
    t = tape(kind)
    first = RECORDED_IDS_FROM
    assert t.market.submit(0, 1, 1, "buy", 103, 15, "ioc") == [
        ("trade", 1, first, 102, 10, 5, 0),
        ("trade", 1, first + 1, 103, 5, 0, 15),
    ]
    assert t.market.levels(0, "sell", 2) == [(103, 15), (104, 30)]
    t.level("sell", 102, 12)
    assert t.market.best(0, "sell") == (102, 2)
    t.level("sell", 102, 0)
    t.level("sell", 102, 12)
    assert t.market.best(0, "sell") == (102, 12)
    assert t.market.stats(0)["own_taken_lots"] == 15
    t.snapshot(BIDS, ASKS)
    assert t.market.best(0, "sell") == (102, 10)


def test_a_crossing_limit_order_rests_with_what_the_record_lacks(kind: str) -> None:
    t = tape(kind)
    events = t.market.submit(0, 1, 1, "buy", 102, 15)
    assert events[1:] == [("rest", 1, 102, 5)]
    assert t.market.place(0, 1) == (0, True)
    assert t.market.submit(0, 2, 2, "sell", None, 40)[-1] == ("trade", 2, RECORDED_IDS_FROM + 3, 98, 5, 0, 25)


def test_own_orders_of_one_owner_never_trade(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "sell", 101, 5)
    assert t.market.submit(0, 2, 1, "buy", 102, 5) == [("cancel", 2, 5, "stp")]
    events = t.market.submit(0, 3, 1, "buy", 102, 5, "ioc", False, "cancel_oldest")
    assert events[0] == ("cancel", 1, 5, "stp")
    assert events[1][0] == "trade"


def test_a_taker_meets_a_level_in_the_order_of_its_queue(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "buy", 100, 5)
    t.level("buy", 100, 14)
    events = t.market.submit(0, 2, 2, "sell", 100, 18, "ioc")
    assert [(event[3], event[4]) for event in events] == [(100, 10), (100, 5), (100, 3)]
    assert events[1][2] == 1


def test_fill_or_kill_counts_what_is_visible(kind: str) -> None:
    t = tape(kind)
    assert t.market.submit(0, 1, 1, "buy", 103, 31, "fok") == [("cancel", 1, 31, "fok")]
    assert len(t.market.submit(0, 1, 1, "buy", 103, 30, "fok")) == 2


def test_a_level_that_enters_the_window_is_ahead_of_us(kind: str) -> None:
    t = tape(kind, depth=3)
    t.rest(1, "buy", 97, 5)
    assert t.market.place(0, 1) == (0, False)
    t.trade("sell", 97, 1)
    assert t.fills() == [], "nobody knows what is before us"
    t.changes(("buy", 100, 0), ("buy", 97, 500))
    assert t.market.place(0, 1) == (500, True)
    t.trade("sell", 97, 100)
    assert (t.fills(), t.market.place(0, 1)) == ([], (400, True))


def test_outside_the_window_only_the_optimistic_model_fills_at_the_price(kind: str) -> None:
    t = tape(kind, "front", depth=3)
    t.rest(1, "buy", 97, 5)
    t.trade("sell", 97, 1)
    assert t.fills() == [(1, 97, 1)]
    assert t.market.stats(0)["outside_fills"] == 1


def test_a_price_in_the_window_without_a_level_is_ours_alone(kind: str) -> None:
    t = tape(kind, depth=3)
    t.rest(1, "buy", 96, 5)
    t.changes(("buy", 100, 0), ("buy", 95, 7))
    assert t.market.place(0, 1) == (0, True)


def test_a_known_place_is_kept_when_its_level_leaves_the_window(kind: str) -> None:
    t = tape(kind, "back", depth=3)
    t.rest(1, "buy", 98, 5)
    t.level("buy", 101, 3)
    assert t.market.levels(0, "buy", 9) == [(101, 3), (100, 10), (99, 20), (98, 5)]
    assert t.market.place(0, 1) == (30, True)
    t.changes(("buy", 101, 0), ("buy", 98, 44))
    assert t.market.place(0, 1) == (30, True), "who came meanwhile is behind"
    t.level("buy", 101, 3)
    t.changes(("buy", 101, 0), ("buy", 98, 12))
    assert t.market.place(0, 1) == (12, True)


def test_a_worse_trade_meets_our_better_price_first(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "buy", 100, 5)
    t.rest(2, "buy", 99, 5)
    t.trade("sell", 99, 24)
    assert t.fills() == [(1, 100, 5)], "19 of 20 ahead of the other order are eaten"
    assert t.market.place(0, 2) == (0, True), "the record has none of them left"
    assert t.market.stats(0)["through_fills"] == 1


def test_two_own_orders_at_one_level_trade_in_their_order(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "buy", 100, 5)
    t.level("buy", 100, 14)
    t.rest(2, "buy", 100, 5)
    assert (t.market.place(0, 1), t.market.place(0, 2)) == ((10, True), (14, True))
    t.trade("sell", 100, 17)
    # 10 ahead, 5 for the first, and the 4 between them take the other 2.
    assert t.fills() == [(1, 100, 5)]
    t.trade("sell", 100, 2)
    assert t.fills() == [(2, 100, 2)]
    assert t.market.queue(0, "buy", 100) == [2]


def test_the_record_that_reaches_our_price_fills_us_at_it(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "buy", 101, 15)
    t.changes(("buy", 100, 0), ("sell", 100, 4), ("sell", 101, 4))
    assert t.fills() == [(1, 101, 4), (1, 101, 4)]
    assert t.market.levels(0, "sell", 1) == [(102, 10)]
    assert t.market.stats(0)["crossed_fills"] == 2
    t.level("sell", 101, 5)
    assert t.fills() == [(1, 101, 1)], "only what is more than was taken"


def test_a_gap_fills_nothing_and_the_snapshot_after_it_is_ahead(kind: str) -> None:
    t = tape(kind)
    t.rest(1, "buy", 100, 5)
    t.mark()
    assert not t.market.is_live(0)
    t.trade("sell", 99, 50)
    t.level("sell", 100, 50)
    assert t.fills() == []
    assert t.market.submit(0, 2, 1, "buy", 102, 5, "gtc", True) == [("cancel", 2, 5, "post_only")]
    assert t.market.submit(0, 3, 1, "buy", 99, 5) == [("rest", 3, 99, 5)]
    assert t.market.submit(0, 4, 1, "buy", 103, 5, "ioc") == [("cancel", 4, 5, "ioc")]
    assert t.market.place(0, 3) == (0, False)
    t.snapshot({100: 4, 99: 60}, {101: 5})
    assert t.market.is_live(0)
    assert (t.market.place(0, 1), t.market.place(0, 3)) == ((4, True), (60, True))


def test_advance_stops_after_the_first_message_that_did_something_wanted(kind: str) -> None:
    t = tape(kind)
    load(
        t.market,
        [
            (10, 11, 0, Kind.LEVEL, 0, 99, 7, 0),
            (10, 11, 0, Kind.LEVEL, 0, 98, 7, Flag.LAST),
            (20, 21, 0, Kind.TRADE, 1, 100, 10, Flag.LAST),
            (20, 22, 0, Kind.LEVEL, 0, 100, 0, Flag.LAST),
            (30, 31, 0, Kind.MARK, 0, 0, 1, Flag.LAST),
        ],
    )
    assert t.market.next_ts() == 10
    assert t.market.advance(5, 31) == (0, 0, 6, 6)
    assert t.market.now() == 5
    assert t.market.advance(40, Stop.BOOK) == (Stop.BOOK, 0, 6, 8)
    assert (t.market.now(), t.market.next_ts()) == (10, 20)
    assert t.market.row(7) == (10, 11, 0, Kind.LEVEL, 0, 98, 7, Flag.LAST, 0)
    assert t.market.advance(40, Stop.TRADE | Stop.TOUCH) == (Stop.TRADE | Stop.TOUCH, 0, 8, 9)
    assert t.market.advance(40, Stop.MARK) == (Stop.MARK, 0, 10, 11)
    assert t.market.advance(40, 31) == (0, 0, 11, 11)
    assert (t.market.now(), t.market.next_ts()) == (40, None)


def test_symbols_do_not_touch_each_other(kind: str) -> None:
    market = market_class(kind)(2)
    first = int(Flag.FIRST)
    load(
        market,
        [
            (1, 1, 0, Kind.SNAPSHOT, 0, 100, 10, first),
            (1, 1, 1, Kind.SNAPSHOT, 0, 50, 5, first),
            (2, 2, 1, Kind.TRADE, 1, 100, 10, 0),
        ],
    )
    assert market.advance(9, Stop.MARK) == (Stop.MARK, 0, 0, 1)
    market.submit(0, 1, 1, "buy", 100, 1)
    market.submit(1, 1, 1, "buy", 50, 1)
    assert market.advance(9, 0)[0] == 0
    assert (market.best(0, "buy"), market.best(1, "buy")) == ((100, 11), (50, 6))
    assert market.count(1) == 1


def test_the_same_rows_are_played_again_under_another_model(kind: str) -> None:
    market = market_class(kind)(1, "front")
    market.set_depth(0, 1)
    rows = [
        (1, 1, 0, Kind.SNAPSHOT, 0, 100, 10, Flag.FIRST),
        (1, 1, 0, Kind.SNAPSHOT, 0, 99, 10, Flag.LAST),
        (2, 2, 0, Kind.LEVEL, 0, 100, 14, Flag.LAST),
        (3, 3, 0, Kind.LEVEL, 0, 100, 10, Flag.LAST),
    ]
    load(market, rows)
    for model, ahead in (("front", 6), ("back", 10)):
        again = market.again(model)
        assert again.advance(1, Stop.MARK)[0] == Stop.MARK
        again.submit(0, 1, 1, "buy", 100, 5)
        while again.advance(9, 0)[0]:
            pass
        assert (again.place(0, 1), again.levels(0, "buy", 9)) == ((ahead, True), [(100, 15)])
    assert market.next_ts() == 1, "each plays for itself"
    while market.advance(9, 0)[0]:
        pass
    load(market, [(9, 9, 0, Kind.MARK, 0, 0, 1, Flag.LAST)])
    with pytest.raises(ValueError):
        market.again("front")


@pytest.mark.parametrize(
    "row",
    [
        (1, 1, 1, 0, 0, 100, 1, 0),
        (1, 1, 0, 6, 0, 100, 1, 0),
        (1, 1, 0, 0, 2, 100, 1, 0),
        (1, 1, 0, 0, 0, -1, 1, 0),
        (1, 1, 0, 0, 0, 100, -1, 0),
        (0, 1, 0, 0, 0, 100, 1, 0),
    ],
)
def test_rows_that_are_none_are_refused(kind: str, row: tuple[int, int, int, int, int, int, int, int]) -> None:
    t = tape(kind)
    with pytest.raises(ValueError):
        load(t.market, [row])


def test_columns_of_different_lengths_are_refused(kind: str) -> None:
    t = tape(kind)
    with pytest.raises(ValueError):
        t.market.load(*[bytes(8)] * 8)


def test_a_market_of_no_model_is_refused(kind: str) -> None:
    for arguments in ((1, "best"), (0, "front"), (1, "power", 0.0), (1, "power", 99.0), (70000, "front")):
        with pytest.raises(ValueError):
            market_class(kind)(*arguments)
