"""To look at a part of many books each turn shows the same as to look at all of them."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings, strategies as st

from book import books
from shared import messages as m
from shared.clock import MS, SECOND
from tests.kit.books_world import WALL, BooksWorld, frame, snapshot, update

SYMBOLS = tuple(f"C{number:02}/USD" for number in range(12))
BAD = frame("update", SYMBOLS[0], checksum=1, bids=[("99.0", "1")])
LATE_S = -20  # an update's own time
MINUTE_LEFT_S = 39  # of the minute that the frames' times are in

steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["update", "update", "snapshot", "bad", "missed", "late", "trade", "status", "connect", "time"]
        ),
        st.integers(0, len(SYMBOLS) - 1),
        st.sampled_from([20, 20, 40, 200, 1100, 3500]),
    ),
    max_size=60,
)


def played(actions: list[tuple[str, int, int]], looked_at: int) -> tuple[BooksWorld, list[object]]:
    """Return a world after these steps, and what it published of states and requests, turn by turn."""
    seen: list[object] = []
    with patch.object(books, "LOOKED_AT", looked_at):
        world = BooksWorld(SYMBOLS)
        world.instruments()
        world.feed_status()
        for symbol in SYMBOLS:
            world.frame(snapshot(symbol), symbol=symbol)
        world.turn()
        for name, number, wait_ms in actions:
            act(world, name, SYMBOLS[number])
            world.now += wait_ms * MS if name == "time" else 20 * MS
            world.turn()
            newest = {book.symbol: book.state for book in world.published}
            seen.append((newest, world.requests[-1:], world.books.trouble))
    return world, seen


def act(world: BooksWorld, name: str, symbol: str) -> None:
    if name == "update":
        world.frame(update(symbol, at=min((world.wall - WALL) / SECOND, MINUTE_LEFT_S)), symbol=symbol)
    elif name == "snapshot":
        world.frame(snapshot(symbol), symbol=symbol)
    elif name == "bad":
        world.frame(BAD.replace(SYMBOLS[0].encode(), symbol.encode()), symbol=symbol)
    elif name == "missed":
        world.frame(update(symbol), missed=1, symbol=symbol)
    elif name == "late":
        world.frame(update(symbol, at=LATE_S), symbol=symbol)
    elif name == "trade":
        trade = m.Trade(side="buy", price=2000, qty=1, trade_id=1, trade_ts=1)
        world.send(m.FeedTrades(symbol=symbol, price_precision=1, qty_precision=8, trades=[trade], received=world.now))
    elif name == "connect":
        world.connection += 1
        world.feed_status()
    elif name == "status":
        world.feed_status()


@settings(deadline=None, max_examples=60)
@given(steps)
def test_parts_show_every_book_as_a_look_at_all_does(actions: list[tuple[str, int, int]]) -> None:
    parts, by_parts = played(actions, 1)
    whole, by_whole = played(actions, 1000)
    assert by_parts == by_whole
    for world in (parts, whole):
        world.now += 200 * MS
        world.feed_status()
        world.turn()
    assert parts.status is not None
    assert whole.status is not None
    assert parts.status.books.keys() == whole.status.books.keys() == {*SYMBOLS}
    for symbol, info in parts.status.books.items():
        other = whole.status.books[symbol]
        assert (info.state, info.why, info.checksums_ok) == (other.state, other.why, other.checksums_ok)
        assert 0 <= other.age_ms - info.age_ms <= 200


def test_a_status_describes_each_book_by_a_look_no_older_than_a_status() -> None:
    with patch.object(books, "LOOKED_AT", 1):
        world = BooksWorld(SYMBOLS)
        world.instruments()
        world.feed_status()
        for symbol in SYMBOLS:
            world.frame(snapshot(symbol), symbol=symbol)
        world.turn()
        framed = world.now
        for turn in range(100):
            world.now += 20 * MS
            if turn % 10 == 0:
                world.feed_status()
            world.turn()
            assert world.status is not None
            ages = [info.age_ms for info in world.status.books.values()]
            assert len(ages) == len(SYMBOLS)
            assert min(ages) >= (world.now - framed) / MS - 400
