"""Reasons of books that are not live, word by word and to the very moment; counts, and topics of what is sent."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from book import orderbook
from book.books import TROUBLES_SHOWN, Books
from shared import limits, messages as m
from shared.clock import MS, SECOND
from tests.kit.books_world import BTC, ETH, WALL, BooksWorld as World, frame, snapshot, update
from tests.kit.pairs import BTC as BTC_PAIR

V1 = b'[1,{"as":[["2.50000","1.0","1.0"]],"bs":[["2.40000","1.0","1.0"]]},"book-%d","ADA/XBT"]'


@pytest.fixture
def world() -> World:
    """Both books live."""
    made = World()
    made.turn()
    made.instruments()
    made.feed_status()
    for symbol in (BTC, ETH):
        made.frame(snapshot(symbol), symbol=symbol)
    made.turn()
    return made


def status(world: World, **changed: Any) -> m.FeedStatus:
    values: dict[str, Any] = {
        "boot": world.boot,
        "connected": True,
        "connection": world.connection,
        "last_byte": world.now,
        "symbols": {BTC: "subscribed", ETH: "subscribed"},
    }
    return m.FeedStatus(**{**values, **changed})


def book(world: World, symbol: str) -> orderbook.OrderBook:
    """The book itself, as the twin in Python keeps it."""
    return cast(orderbook.OrderBook, world.books._books[symbol].book)


def why(world: World, symbol: str = BTC) -> tuple[str, str]:
    """A book's state and reason now, without any news."""
    world.books._status_due = 0
    world.turn()
    assert world.status is not None
    info = world.status.books[symbol]
    return info.state.value, info.why


# ---- why a book is not live -----------------------------------------------------------------------------------------


def test_before_and_after_instrument_data_it_is_said_what_is_missing() -> None:
    world = World()
    assert why(world) == ("syncing", "no instrument data yet")
    world.instruments()
    assert why(world) == ("syncing", "no snapshot yet")
    world.feed_status()
    assert why(world) == ("syncing", "new connection, no snapshot yet")


def test_a_lost_connection_is_said(world: World) -> None:
    world.feed_status(connected=False)
    assert why(world) == ("syncing", "not connected to Kraken")


def test_a_refused_subscription_is_said_and_another_is_not(world: World) -> None:
    world.connection = 2
    world.send(status(world, symbols={BTC: "refused: no such pair", ETH: "pending"}, refused={BTC: "no such pair"}))
    assert why(world, BTC) == ("syncing", "refused: no such pair")
    assert why(world, ETH) == ("syncing", "new connection, no snapshot yet")
    world.send(status(world, symbols={}))
    assert why(world, BTC) == ("syncing", "new connection, no snapshot yet")


def test_a_book_that_lost_its_sync_behind_the_frames_is_not_live(world: World) -> None:
    book(world, BTC).synced = False
    assert why(world) == ("resyncing", "not in sync")


def test_a_live_book_has_no_reason(world: World) -> None:
    assert why(world) == ("live", "")


@pytest.mark.parametrize(
    ("ns", "said"), [(SECOND, ("live", "")), (SECOND + 1, ("silent", "feed.status not heard for 1 s"))]
)
def test_a_feed_may_be_unheard_for_a_second(world: World, ns: int, said: tuple[str, str]) -> None:
    world.now += ns
    assert why(world) == said


@pytest.mark.parametrize(
    ("ns", "said"), [(3 * SECOND, ("live", "")), (3 * SECOND + 1, ("silent", "nothing from Kraken for 3 s"))]
)
def test_kraken_may_be_silent_for_three_seconds(world: World, ns: int, said: tuple[str, str]) -> None:
    last_byte, world.now = world.now, world.now + ns
    world.feed_status(last_byte=last_byte)
    assert why(world) == said


def test_a_late_update_makes_the_whole_path_late(world: World) -> None:
    world.passes(5)
    world.frame(update(at=3))
    assert why(world, BTC) == why(world, ETH) == ("silent", "lagging: updates come late")


def test_a_book_that_alone_is_late_says_so(world: World) -> None:
    world.passes(5)
    world.frame(update(at=3))
    world.frame(update(ETH, at=5), symbol=ETH)
    assert why(world, BTC) == ("silent", "lagging: its updates come late")
    assert why(world, ETH) == ("live", "")


def test_a_contradicted_book_says_so(world: World) -> None:
    trades = [m.Trade(side="buy", price=1020, qty=1)]
    world.send(m.FeedTrades(symbol=BTC, price_precision=1, qty_precision=8, trades=trades, received=world.now))
    world.passes(1.1)
    assert why(world) == ("silent", "lagging: trades contradict it")


def test_trades_of_an_unknown_symbol_or_of_another_precision_say_nothing(world: World) -> None:
    trades = [m.Trade(side="buy", price=1020, qty=1)]
    for symbol, precision in ((BTC, 2), ("A/B", 1)):
        world.send(
            m.FeedTrades(symbol=symbol, price_precision=precision, qty_precision=8, trades=trades, received=world.now)
        )
    world.passes(1.1)
    assert why(world) == ("live", "")


# ---- the trouble of all books ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "more"), [(1, ""), (5, ""), (6, " and 1 more"), (8, " and 3 more")])
def test_the_first_five_books_that_are_not_live_are_named_and_the_others_counted(count: int, more: str) -> None:
    symbols = [f"A{number}/USD" for number in range(count)]
    books = Books(symbols, 10, orderbook)
    books.turn(1000 * SECOND)
    assert books.trouble == ", ".join(f"{symbol} syncing" for symbol in symbols[:TROUBLES_SHOWN]) + more


def test_without_trouble_nothing_is_said(world: World) -> None:
    assert world.books.trouble == ""


# ---- counts and problems --------------------------------------------------------------------------------------------


def test_every_frame_is_counted_once(world: World) -> None:
    for _ in range(3):
        world.frame(update())
    assert world.books.out.counts["frames"] == 5


def test_what_belongs_to_no_book_or_no_connection_is_counted_each_time(world: World) -> None:
    world.connection = 2
    world.feed_status()
    world.connection = 1
    for _ in range(2):
        world.frame(snapshot())
        world.feed_status()
        world.frame(snapshot("A/B"), symbol="A/B")
    counts = world.books.out.counts
    assert counts["frame of an old connection"] == 2
    assert counts["feed.status of an old connection"] == 2
    assert counts["frame of a symbol not asked for"] == 2


def test_a_problem_says_its_kind_its_count_and_what_came(world: World) -> None:
    world.frame(b"garbage")
    problem = world.problems[0]
    assert problem.startswith(f"FrameError: {BTC}: FrameError: ")
    assert problem.endswith(": b'garbage'")


def test_lost_frames_are_one_kind_whatever_their_number(world: World) -> None:
    world.frame(update(), missed=3)
    assert world.books.out.counts["frames lost on the bus"] == 1
    assert world.problems[0].startswith(f"frames lost on the bus: {BTC}: 3 frames lost on the bus: b'")


def test_refused_instrument_data_name_the_pair_and_the_others_are_taken(world: World) -> None:
    world.instruments(99)
    assert world.books.out.counts["instrument data refused"] == 2
    assert world.problems[0] == (f"instrument data refused: {BTC}: a precision is WIRE or 0 to 18")


# ---- instruments ----------------------------------------------------------------------------------------------------


def test_a_pair_that_others_are_valued_by_gets_a_book_of_the_same_depth(world: World) -> None:
    pair = msgspec.structs.replace(BTC_PAIR, symbol="EUR/USD", base="EUR", qty_min=1)
    world.send(m.Instruments(boot=world.boot, pairs={"A/B": pair, "EUR/USD": pair}, references=["EUR/USD", BTC]))
    bids = [(f"{100 - number}.0", "1") for number in range(11)]
    world.frame(frame("snapshot", "EUR/USD", bids=bids), symbol="EUR/USD")
    world.turn()
    newest = [book for book in world.published if book.symbol == "EUR/USD"][-1]
    assert (newest.state, len(newest.bids)) == ("live", 10)
    assert why(world) == ("live", "")  # a book that there is stays what it is
    assert "A/B" not in world.books._books


def test_a_replay_takes_symbols_from_the_recording_alone_and_keeps_the_precisions_of_live_books() -> None:
    world = World()
    world.feed_status(replay=True)
    world.send(m.Instruments(boot=world.boot, references=["EUR/USD"]))
    assert "EUR/USD" not in world.books._books
    world.instruments(1)
    world.frame(snapshot())
    world.instruments(2)
    world.turn()
    assert world.state() == "live"
    assert [book for book in world.published if book.symbol == BTC][-1].price_precision == 1
    assert world.books._books[ETH].precisions == (2, 8)  # one that is not live takes the newest


# ---- replay ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("subscribed", "depth"), [(25, 25), (10, 10)])
def test_a_recorded_snapshot_sizes_its_book(subscribed: int, depth: int) -> None:
    world = World()
    world.feed_status(replay=True)
    world.frame(V1 % subscribed, symbol="ADA/BTC")
    assert book(world, "ADA/BTC").depth == depth


def test_a_thin_recorded_book_has_the_configured_depth_and_a_live_one_keeps_its_own() -> None:
    world = World()
    world.feed_status(replay=True)
    thin = frame("snapshot", "ADA/BTC", bids=[("1.0", "1")])
    world.frame(thin, symbol="ADA/BTC")
    assert book(world, "ADA/BTC").depth == 10
    world.frame(V1 % 100, symbol="ADA/BTC")
    assert book(world, "ADA/BTC").depth == 10


def test_a_replay_opens_books_up_to_a_limit_and_none_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BUS_TRACKED_TOPICS", 3)
    world = World()
    world.feed_status(replay=True)
    for symbol in ("", "ADA/BTC", "SOL/BTC"):
        world.frame(V1 % 10, symbol=symbol)
    assert list(world.books._books) == [BTC, ETH, "ADA/BTC"]
    assert world.books.out.counts["frame of a symbol not asked for"] == 2


# ---- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("uncertain_ms", "is_live"), [(0, True), (500, True), (501, False), (-1, False)])
def test_the_exchanges_time_counts_where_it_is_known_well_enough(
    world: World, uncertain_ms: float, is_live: bool
) -> None:
    # This machine's clock is 5 s ahead of the exchange's: by its own time the update is late.
    behind = world.wall - world.now - 5 * SECOND
    world.now += 10 * SECOND
    world.send(status(world, exchange_offset=behind, offset_uncertain_ms=uncertain_ms))
    world.frame(update(at=(world.wall - 5 * SECOND - WALL) / SECOND))
    assert why(world)[0] == ("live" if is_live else "silent")


def test_by_the_exchanges_time_an_update_may_be_late_that_is_not_by_our_own(world: World) -> None:
    ahead = world.wall - world.now + 5 * SECOND
    world.now += 10 * SECOND
    world.send(status(world, exchange_offset=ahead, offset_uncertain_ms=10))
    world.frame(update(at=(world.wall - WALL) / SECOND))
    assert why(world) == ("silent", "lagging: updates come late")


# ---- what is sent ---------------------------------------------------------------------------------------------------


def test_messages_go_to_their_topics_and_status_says_which_implementation_it_is() -> None:
    for rust in (True, False):
        books = Books([BTC], 10, orderbook, rust=rust)
        books.turn(1000 * SECOND)
        resync, (topic, message) = books.take().messages
        assert resync == ("resync", m.Resync(symbols={}))  # what an earlier process asked for is met or forgotten
        assert topic == "book.status"
        assert isinstance(message, m.BookStatus)
        assert message.rust is rust
    assert Books([BTC], 10, orderbook)._rust is False


def test_a_request_for_a_snapshot_goes_to_its_topic_while_the_feed_is_heard(world: World) -> None:
    world.frame(b"garbage")
    world.now += SECOND
    world.books.turn(world.now)
    assert ("resync", m.Resync(symbols={BTC: 1})) in world.books.take().messages


def test_nothing_is_asked_of_a_feed_that_has_not_been_heard() -> None:
    books = Books([BTC], 10, orderbook)
    for now in (0, SECOND, SECOND + 1):
        books.turn(now)
    assert [message for topic, message in books.take().messages if topic == "resync"] == [m.Resync(symbols={})]


def test_the_status_is_due_at_once_and_every_200_ms() -> None:
    books = Books([BTC], 10, orderbook)
    sent = []
    for now in (0, 199 * MS, 200 * MS, 399 * MS, 400 * MS):
        books.turn(now)
        sent.append(any(topic == "book.status" for topic, _ in books.take().messages))
    assert sent == [True, False, True, False, True]


def test_fewer_levels_are_published_than_followed_and_the_status_says_how_far_those_reach() -> None:
    world = World()
    world.books = Books([BTC], 10, orderbook, published=1)
    world.instruments()
    world.feed_status()
    assert world.info().coverage_bps == 0
    bids = [("99.9", "1"), ("99.0", "1")]
    world.frame(frame("snapshot", bids=bids, asks=[("100.1", "1"), ("101.0", "1")]))
    assert (world.published[-1].bids, world.published[-1].asks) == ([(999, 10**8)], [(1001, 10**8)])
    assert world.info().coverage_bps == 100.0
    world.frame(b"garbage")
    assert world.info().coverage_bps == 0


def test_the_first_connection_of_the_first_boot_is_a_new_one() -> None:
    for boot, connection in ((0, 1), (1, 0)):
        world = World()
        world.boot, world.connection = boot, connection
        world.instruments()
        world.feed_status()
        assert why(world) == ("syncing", "new connection, no snapshot yet")
        world.frame(snapshot())
        assert world.state() == "live"


def test_before_any_connection_no_frame_is_taken() -> None:
    world = World()
    world.boot = world.connection = 0
    world.instruments()
    world.frame(snapshot())
    assert world.books.out.counts["frame of an old connection"] == 1
    world.feed_status(connected=False)
    assert why(world) == ("syncing", "no snapshot yet")


def test_a_book_whose_state_does_not_change_is_not_sent_again(world: World) -> None:
    world.published.clear()
    world.passes(1)
    assert world.published == []
    world.passes(1.2, news=False)
    assert [(book.symbol, book.state) for book in world.published] == [(BTC, "silent"), (ETH, "silent")]
