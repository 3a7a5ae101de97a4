"""The books that are live, and why others are not: every rule of the core, with the time passed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared import messages as m
from shared.clock import MS, SECOND
from tests.kit.books_world import BOOT, BTC, ETH, WALL, BooksWorld as World, frame, snapshot, update


@pytest.fixture
def fresh() -> World:
    """A process that has just started."""
    world = World()
    world.turn()
    return world


@pytest.fixture
def world(fresh: World) -> World:
    """Both books live."""
    fresh.instruments()
    fresh.feed_status()
    for symbol in (BTC, ETH):
        fresh.frame(snapshot(symbol), symbol=symbol)
    fresh.turn()
    assert (fresh.state(BTC), fresh.state(ETH)) == ("live", "live")
    return fresh


# ---- from the start to live -----------------------------------------------------------------------------------------


def test_at_the_start_every_book_is_published_as_syncing_and_nothing_is_asked_for(fresh: World) -> None:
    assert [(book.symbol, book.state) for book in fresh.published] == [(BTC, "syncing"), (ETH, "syncing")]
    assert fresh.requests == [{}]
    assert fresh.status is not None
    assert fresh.status.books[BTC].why == "no instrument data yet"


def test_a_snapshot_makes_a_book_live_with_its_levels(world: World) -> None:
    book = world.published[-1]
    assert (book.bids, book.asks) == ([(1000, 10**8)], [(1010, 10**8)])
    assert (book.price_precision, book.qty_precision) == (1, 8)
    assert (book.received, book.booked) == (world.now, world.now)
    assert world.requests == [{}]


def test_every_frame_of_a_live_book_is_published(world: World) -> None:
    before = len(world.published)
    world.frame(update())
    assert [book.bids[0] for book in world.published[before:]] == [(1001, 2 * 10**8)]


def test_frames_before_instrument_data_are_counted_and_the_snapshot_asked_for(fresh: World) -> None:
    fresh.feed_status()
    fresh.frame(snapshot())
    assert fresh.state() == "syncing"
    assert fresh.books.out.counts["frame before its instrument data"] == 1
    fresh.turn()
    assert fresh.requests == [{}]
    fresh.instruments()
    fresh.turn()
    assert fresh.requests == [{}, {BTC: 1}]


def test_a_book_that_joins_late_asks_at_its_first_update(fresh: World) -> None:
    fresh.instruments()
    fresh.feed_status()
    fresh.frame(update())
    fresh.turn()
    assert fresh.state() == "syncing"
    assert fresh.requests[-1] == {BTC: 1}


def test_a_quiet_book_that_joins_late_asks_once_its_snapshot_is_overdue(fresh: World) -> None:
    fresh.instruments()
    fresh.passes(0.9)
    assert fresh.requests == [{}]
    fresh.passes(0.3)
    assert fresh.requests == [{}, {BTC: 1, ETH: 1}]


def test_a_subscription_under_way_brings_its_snapshot_unasked(fresh: World) -> None:
    fresh.subscribed = False
    fresh.instruments()
    fresh.passes(10)
    assert fresh.requests == [{}]


# ---- resyncing ------------------------------------------------------------------------------------------------------

BAD: dict[str, tuple[str, Callable[[World], None]]] = {
    "bad checksum": ("checksum failed", lambda world: world.frame(frame("update", checksum=1, bids=[("99.0", "1")]))),
    "bus gap": ("2 frames lost on the bus", lambda world: world.frame(update(), missed=2)),
    "crossed": ("crossed", lambda world: world.frame(frame("update", bids=[("101.0", "1")]))),
    "garbage": ("FrameError: ", lambda world: world.frame(b"CloudFlare WebSocket proxy restarting")),
    "between two ticks": ("more than 1 decimals", lambda world: world.frame(frame("update", bids=[("99.05", "1")]))),
    "another symbol's frame": ("WrongSymbolError", lambda world: world.frame(update(ETH))),
    "other precision": ("precision changed", lambda world: world.instruments(2, (BTC,))),
}


@pytest.mark.parametrize(("why", "happens"), BAD.values(), ids=BAD)
def test_what_spoils_a_book_resyncs_it_alone(world: World, why: str, happens: Callable[[World], None]) -> None:
    happens(world)
    world.turn()
    assert (world.state(BTC), world.state(ETH)) == ("resyncing", "live")
    assert world.requests[-1] == {BTC: 1}
    assert why in world.info().why
    world.frame(update())
    assert world.state() == "resyncing"
    world.frame(snapshot())
    world.turn()
    assert world.state() == "live"
    assert world.requests[-1] == {}


def test_a_request_is_raised_only_after_five_seconds_without_a_snapshot(world: World) -> None:
    for _ in range(40):
        world.frame(frame("update", checksum=1))
        world.passes(0.1)
    assert world.requests == [{}, {BTC: 1}]
    world.passes(1.5)
    assert world.requests == [{}, {BTC: 1}, {BTC: 2}]
    world.passes(5)
    assert world.requests[-1] == {BTC: 3}


def test_snapshots_that_fail_do_not_make_a_resubscribe_each(world: World) -> None:
    for _ in range(20):
        world.frame(frame("snapshot", checksum=1))
        world.passes(0.1)
    assert world.requests == [{}, {BTC: 1}]
    assert world.info().checksums_failed == 20


def test_a_gap_just_before_a_snapshot_does_no_harm(world: World) -> None:
    world.frame(snapshot(), missed=3)
    world.turn()
    assert world.state() == "live"
    assert world.requests == [{}]
    assert world.books.out.counts["frames lost on the bus"] == 1


def test_counts_of_checksums_survive_a_change_of_precision(world: World) -> None:
    world.frame(frame("update", checksum=1))
    world.instruments(2)
    assert world.info().checksums_failed == 1


def test_instrument_data_that_no_pair_has_are_named_and_survived(world: World) -> None:
    for precision in (99, -2, 2**63):
        world.instruments(precision)
    assert world.state() == "live"
    assert world.books.out.counts["instrument data refused"] == 6


# ---- connections ----------------------------------------------------------------------------------------------------


def test_a_lost_connection_empties_every_book_and_asks_for_nothing(world: World) -> None:
    world.frame(frame("update", checksum=1))
    world.turn()
    world.feed_status(connected=False)
    world.turn()
    assert (world.state(BTC), world.state(ETH)) == ("syncing", "syncing")
    assert world.requests[-1] == {}
    world.frame(snapshot())
    assert world.state() == "syncing"
    assert world.books.out.counts["frame of an old connection"] == 1


@pytest.mark.parametrize("first", ["status", "frame"])
def test_a_new_connection_begins_anew(world: World, first: str) -> None:
    world.connection = 2
    if first == "status":
        world.feed_status()
    else:
        world.frame(update())
    world.turn()
    assert (world.state(BTC), world.state(ETH)) == ("syncing", "syncing")
    world.frame(snapshot())
    assert (world.state(BTC), world.state(ETH)) == ("live", "syncing")


def test_a_restarted_collector_is_a_new_connection_though_it_counts_from_one(world: World) -> None:
    world.connection = 5
    world.feed_status()
    world.boot, world.connection = BOOT + 1, 1
    world.feed_status()
    world.turn()
    assert world.state() == "syncing"
    world.frame(snapshot())
    assert world.state() == "live"


def test_frames_of_the_connection_before_are_ignored(world: World) -> None:
    world.connection = 2
    world.feed_status()
    world.connection = 1
    world.frame(snapshot())
    world.feed_status(connected=False)
    world.turn()
    assert world.state() == "syncing"
    assert world.books.out.counts["frame of an old connection"] == 1


# ---- silence --------------------------------------------------------------------------------------------------------


def test_a_feed_unheard_for_a_second_silences_every_book(world: World) -> None:
    world.passes(0.9, news=False)
    assert world.state() == "live"
    world.passes(0.3, news=False)
    assert (world.state(BTC), world.state(ETH)) == ("silent", "silent")


def test_no_byte_for_three_seconds_silences_every_book(world: World) -> None:
    last = world.now
    world.passes(2.9, bytes_=False)
    assert world.state() == "live"
    world.now += 200 * MS
    world.feed_status(last_byte=last)
    world.turn()
    assert (world.state(BTC), world.state(ETH)) == ("silent", "silent")


def test_silence_ends_with_the_next_byte_when_the_books_are_intact(world: World) -> None:
    world.passes(4, bytes_=False)
    assert world.state() == "silent"
    world.passes(0.1)
    assert (world.state(BTC), world.state(ETH)) == ("live", "live")
    assert world.requests == [{}]


def test_a_frame_is_a_byte_from_kraken(world: World) -> None:
    world.passes(4, bytes_=False)
    world.frame(update(at=4))
    assert world.state() == "live"


def test_times_from_the_future_do_not_hold_silence_off(world: World) -> None:
    world.feed_status(last_byte=2**62)
    world.passes(3.3, bytes_=False)
    assert world.state() == "silent"


def test_a_book_that_is_not_good_stays_what_it_is_in_silence(world: World) -> None:
    world.frame(frame("update", checksum=1))
    world.passes(2, news=False)
    assert (world.state(BTC), world.state(ETH)) == ("resyncing", "silent")
    assert world.requests == [{}, {BTC: 1}]


def test_stale_is_shown_and_quoted_on(world: World) -> None:
    world.passes(59)
    assert world.info().stale is False
    world.passes(2)
    assert world.info().stale is True
    assert world.state() == "live"
    world.frame(update())
    assert world.info().stale is False


# ---- lagging --------------------------------------------------------------------------------------------------------


def test_updates_two_seconds_old_are_a_lagging_book(world: World) -> None:
    world.passes(5)
    world.frame(update(at=3))
    assert world.state() == "silent"
    assert "late" in world.info().why
    world.frame(update(at=5))
    world.turn()
    assert (world.state(BTC), world.state(ETH)) == ("live", "live")


def test_updates_a_little_late_lag_only_when_it_lasts(world: World) -> None:
    states = []
    for _ in range(12):
        world.passes(0.1)
        world.frame(update(at=(world.wall - WALL) / SECOND - 1.2))
        states.append(world.state())
    assert states == ["live"] * 10 + ["silent"] * 2
    world.frame(update(at=(world.wall - WALL) / SECOND - 0.9))
    world.turn()
    assert (world.state(BTC), world.state(ETH)) == ("live", "live")


def test_lagging_ends_when_nothing_more_comes(world: World) -> None:
    world.passes(5)
    world.frame(update(at=3))
    world.passes(4.8)
    assert world.state() == "silent"
    world.passes(0.5)
    assert world.state() == "live"


def test_a_snapshot_s_time_is_no_lateness(world: World) -> None:
    world.passes(30)
    world.frame(snapshot())
    assert world.state() == "live"


# ---- replay ---------------------------------------------------------------------------------------------------------


def test_a_replay_brings_its_own_symbols_precisions_and_times(fresh: World) -> None:
    fresh.feed_status(replay=True)
    raw = b'[1,{"as":[["2.50000","1.0","1.0"]],"bs":[["2.40000","1.0","1.0"]]},"book-1000","ADA/XBT"]'
    fresh.frame(raw, symbol="ADA/BTC")
    fresh.turn()
    book = fresh.published[-1]
    assert (book.symbol, book.state, book.price_precision, book.bids) == ("ADA/BTC", "live", 5, [(240000, 10)])
    fresh.frame(b'[1,{"a":[["2.50000","2.0","1.0"]]},"book-1000","ADA/XBT"]', symbol="ADA/BTC")
    assert fresh.state("ADA/BTC") == "live"
    fresh.frame(b"garbage", symbol="ADA/BTC")
    fresh.turn()
    assert fresh.state("ADA/BTC") == "resyncing"
    assert fresh.requests == [{}]


def test_frames_of_symbols_not_asked_for_are_counted_outside_a_replay(world: World) -> None:
    world.frame(snapshot("A/B"), symbol="A/B")
    assert world.books.out.counts["frame of a symbol not asked for"] == 1


# ---- reports --------------------------------------------------------------------------------------------------------


def test_book_status_is_new_every_200_ms(world: World) -> None:
    seen = []
    for _ in range(10):
        world.status = None
        world.passes(0.1)
        seen.append(world.status is not None)
    assert sum(seen) == 5


def test_a_flood_of_one_problem_is_counted_and_told_at_powers_of_two(world: World) -> None:
    for _ in range(100):
        world.frame(b"garbage")
    assert world.books.out.counts["FrameError"] == 100
    assert len(world.problems) == 7
    assert world.books.trouble.startswith(f"{BTC} resyncing")


def test_other_messages_are_no_concern_of_the_books(world: World) -> None:
    before: Any = len(world.published)
    world.send(m.Control(halted=True))
    assert len(world.published) == before


# ---- trades against the book ----------------------------------------------------------------------------------------


def trade(world: World, price: int) -> None:
    world.send(
        m.FeedTrades(
            symbol=BTC,
            price_precision=1,
            qty_precision=8,
            trades=[m.Trade(side="buy", price=price, qty=1)],
            received=world.now,
        )
    )


def test_a_trade_beyond_the_touch_that_the_book_does_not_catch_up_with_is_a_lagging_book(world: World) -> None:
    trade(world, 1020)  # the ask stands at 1010
    world.passes(0.9)
    assert world.state() == "live"
    world.passes(0.2)
    assert world.state() == "silent"
    assert "trades contradict it" in world.info().why
    world.frame(frame("update", asks=[("101.0", "0"), ("102.0", "1")]))
    assert world.state() == "live"


def test_a_trade_that_the_next_update_explains_is_nothing(world: World) -> None:
    trade(world, 1020)
    world.frame(frame("update", asks=[("101.0", "0"), ("102.5", "1")]))
    world.frame(frame("update", asks=[("101.5", "1")]))
    world.passes(2)
    assert world.state() == "live"


def test_a_trade_within_the_touch_ends_the_doubt(world: World) -> None:
    trade(world, 1020)
    world.passes(0.5)
    trade(world, 1010)
    world.passes(2)
    assert world.state() == "live"


def test_lateness_goes_by_the_exchanges_time_where_it_is_known(world: World) -> None:
    """This machine's clock is 5 s ahead of the exchange's: no book is late for that."""
    behind = world.wall - world.now - 5 * SECOND
    for step in range(30):
        world.send(
            m.FeedStatus(
                boot=world.boot,
                connected=True,
                connection=1,
                last_byte=world.now,
                symbols={BTC: "subscribed", ETH: "subscribed"},
                exchange_offset=behind,
                offset_uncertain_ms=10,
            )
        )
        at = (world.wall - 5 * SECOND - WALL) / SECOND
        world.frame(frame("update", at=at, bids=[("100.1", str(step + 1))]))
        world.now += 100 * MS
        world.turn()
    assert world.state() == "live"
