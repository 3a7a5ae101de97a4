"""The book order by order: Kraken's documented frames, the rules of its queue, and the simulator's level3 output."""

from __future__ import annotations

import copy
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from shared.config.unconfirmed import Unconfirmed
from shared.errors import FrameError
from shared.kraken.level3 import Event, Level3Book, depth_for, messages
from simulator.errors import KrakenError
from simulator.exchange.engine import Side
from tests.frames import frame_lines, frames_path
from tests.unit.simulator.worlds import TestWorld, limit, market

CHECKSUM_EXAMPLE = "public_v2/docs_Spot_Websockets_v2_Level3_Checksum.jsonl"
SIDES: tuple[Side, Side] = ("buy", "sell")


def frame(book: Level3Book, kind: str, rows: list[dict[str, str]], checksum: int | None = None) -> bytes:
    """Return a frame with bids only; its checksum is what a twin of the book comes to, unless given."""
    body = {"channel": "level3", "type": kind}
    element: dict[str, object] = {"symbol": book.symbol, "checksum": 0, "bids": rows, "asks": []}
    if checksum is None:
        _, (message,) = messages(json.dumps(body | {"data": [element]}).encode(), book.symbol)
        twin = copy.deepcopy(book)
        twin.apply(kind == "snapshot", message)
        checksum = twin.checksum()
    return json.dumps(body | {"data": [element | {"checksum": checksum}]}).encode()


def bid(order_id: str, price: str, qty: str, event: str | None = None) -> dict[str, str]:
    row = {"order_id": order_id, "limit_price": price, "order_qty": qty, "timestamp": "2026-01-01T00:00:00.5Z"}
    return row if event is None else row | {"event": event}


def three_bids() -> Level3Book:
    """Return a book with two orders at 100 and one at 99."""
    book = Level3Book("BTC/USD", 10, 1, 8)
    rows = [bid("A", "100.0", "0.5"), bid("B", "100.0", "0.7"), bid("C", "99.0", "1")]
    assert book.apply_frame(frame(book, "snapshot", rows))
    return book


def ids(book: Level3Book, ticks: int, side: Side = "buy") -> list[str]:
    return [order.order_id for order in book.queue(side, ticks)]


def test_kraken_s_own_example_verifies() -> None:
    (line,) = frame_lines(CHECKSUM_EXAMPLE)
    book = Level3Book("BTC/USD", 1000, 1, 8)
    assert book.apply_frame(line)
    assert (book.checksums_ok, book.checksums_failed) == (1, 0)
    first = book.queue("buy", 449394)[0]
    assert (first.order_id, first.lots, first.order_ts % 10**9) == ("OTCFZG-YOE2Q-LQKNM3", 88968699, 526146327)
    assert book.levels("buy", 1) == [(449394, sum(order.lots for order in book.queue("buy", 449394)))]


def test_two_orders_in_the_wrong_order_fail_the_checksum() -> None:
    (line,) = frame_lines(CHECKSUM_EXAMPLE)
    document = json.loads(line)
    bids = document["data"][0]["bids"]
    bids[0], bids[1] = bids[1], bids[0]
    book = Level3Book("BTC/USD", 1000, 1, 8)
    assert not book.apply_frame(json.dumps(document).encode())
    assert (book.checksums_ok, book.checksums_failed) == (0, 1)


def test_a_documented_snapshot_that_is_cut_short_is_read_but_does_not_verify() -> None:
    lines = [line for line in frame_lines("public_v2/docs_Orders_Level_3.jsonl") if b'"data"' in line]
    book = Level3Book("MATIC/USD", 10, 4, 8)
    assert not book.apply_frame(lines[0])
    assert ids(book, 5625) == ["OEP26Y-YAFEF-OFR62B", "OKNAY7-67JRK-AIZ4JO"]
    is_snapshot, (message,) = messages(lines[1], book.symbol)
    assert not is_snapshot
    assert [row.event for row in message.asks] == [Event.DELETE, Event.ADD, Event.ADD, Event.ADD]


@pytest.mark.parametrize(
    ("name", "event", "order_id"),
    [
        ("update_add", Event.ADD, "order-bid-new"),
        ("update_modify_qty", Event.MODIFY, "order-ask-1"),
        ("update_modify_price", Event.MODIFY, "order-bid-1"),
        ("update_delete", Event.DELETE, "order-ask-2"),
    ],
)
def test_made_frames_of_another_client_are_read(name: str, event: Event, order_id: str) -> None:
    _, (message,) = messages(frames_path(f"public_v2/nautilus_ws_l3_{name}.json").read_bytes(), "BTC/USD")
    assert [(row.event, row.order_id) for row in [*message.bids, *message.asks]] == [(event, order_id)]


@pytest.mark.parametrize(
    ("row", "queue"),
    [
        (bid("D", "100.0", "1", "add"), ["A", "B", "D"]),
        (bid("A", "100.0", "0.2", "modify"), ["A", "B"]),
        (bid("A", "100.0", "0.9", "modify"), ["B", "A"]),
        (bid("A", "99.0", "0.5", "modify"), ["B"]),
        (bid("A", "100.0", "0.5", "delete"), ["B"]),
        (bid("A", "100.0", "0", "modify"), ["B"]),
        (bid("unknown", "100.0", "0.5", "delete"), ["A", "B"]),
    ],
)
def test_less_keeps_the_place_and_all_else_goes_to_the_back(row: dict[str, str], queue: list[str]) -> None:
    book = three_bids()
    assert book.apply_frame(frame(book, "update", [row]))
    assert ids(book, 1000) == queue
    moved = ids(book, 990)
    assert moved == (["C", "A"] if row["limit_price"] == "99.0" else ["C"])


def test_levels_beyond_the_depth_are_forgotten() -> None:
    book = Level3Book("BTC/USD", 2, 1, 8)
    book.apply_frame(frame(book, "snapshot", [bid("A", "100.0", "1"), bid("B", "99.0", "1")]))
    assert book.apply_frame(frame(book, "update", [bid("C", "99.5", "1", "add")]))
    assert book.prices("buy", 10) == [1000, 995]
    assert book.find("B") is None


def test_nothing_is_taken_from_a_bad_checksum_until_the_next_snapshot() -> None:
    book = three_bids()
    assert not book.apply_frame(frame(book, "update", [bid("D", "100.0", "1", "add")], checksum=1))
    assert not book.apply_frame(frame(book, "update", [bid("E", "100.0", "1", "add")]))
    assert book.find("E") is None
    assert book.apply_frame(frame(book, "snapshot", [bid("F", "98.0", "1")]))
    assert book.prices("buy", 10) == [980]


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b'{"channel":"book","type":"update","data":[]}',
        b'{"channel":"level3","type":"new","data":[]}',
        b'{"channel":"level3","type":"update","data":[{"symbol":"BTC/USD"}]}',
        *(
            json.dumps({"channel": "level3", "type": "snapshot", "data": [
                {"symbol": "BTC/USD", "checksum": 0, "bids": [bid("A", "100.0", "1") | change], "asks": []}
            ]}).encode()
            for change in (
                {"limit_price": "100.05"}, {"limit_price": "-1.0"}, {"limit_price": "1e999"}, {"order_qty": "-1"},
                {"timestamp": "yesterday"}, {"event": "replace"},
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_sound_frame_raises_and_ends_the_sync(raw: bytes) -> None:
    book = three_bids()
    with pytest.raises(FrameError):
        book.apply_frame(raw)
    assert not book.synced
    assert book.prices("buy", 10) == []


def test_another_pair_s_element_changes_nothing() -> None:
    book = three_bids()
    other = Level3Book("ETH/USD", 10, 1, 8)
    assert book.apply_frame(frame(other, "snapshot", [bid("Z", "5.0", "1")]))
    assert book.prices("buy", 10) == [1000, 990]


@pytest.mark.parametrize("depth", [10, 100])
def test_a_volatile_market_of_the_simulator_keeps_every_checksum(depth: int) -> None:
    world = TestWorld(regime="volatile", unconfirmed=Unconfirmed(level3_numbers="number"))
    client = world.private()
    client.call("subscribe", channel="level3", symbol=["BTC/USD"], depth=depth)
    book = Level3Book("BTC/USD", depth, 1, 8)
    world.run(10)
    for text in client.frames:
        if '"channel":"level3"' in text and '"data"' in text:
            assert book.apply_frame(text.encode()), text
    assert book.checksums_ok > 100
    venue = world.exchange.venues["BTC/USD"]
    for side in SIDES:
        assert book.levels(side, depth) == venue.book.side(side).best(depth)


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "amend", "cancel", "market"]),
        st.sampled_from(["maker", "visitor"]),
        st.sampled_from(SIDES),
        st.integers(0, 14),
        st.integers(1, 5),
        st.integers(0, 99),
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=25, deadline=None)
@given(OPERATIONS)
def test_random_operations_leave_the_engine_s_queues(
    operations: list[tuple[str, str, Side, int, int, int]],
) -> None:
    world = TestWorld()
    world.empty()
    client = world.private()
    client.call("subscribe", channel="level3", symbol=["BTC/USD"], depth=10)
    for kind, name, side, step, size, chosen in operations:
        price, qty = str(Decimal(80_000) + step), str(Decimal(size) / 1000)
        account = world.account(name)
        own = list(account.orders.values())
        try:
            if kind == "add":
                world.exchange.add(account, limit(side, qty, price), world.now)
            elif kind == "market":
                world.exchange.add(account, market(side, qty), world.now)
            elif own and kind == "amend":
                order = own[chosen % len(own)]
                world.exchange.amend(account, order, Decimal(qty), Decimal(price), False, world.now)
            elif own and kind == "cancel":
                world.exchange.cancel(account, own[chosen % len(own)], world.now)
        except KrakenError:
            continue
        world.now += 1_000_000
    world.world.flush(world.now)
    book = Level3Book("BTC/USD", 10, 1, 8)
    for text in client.frames:
        if '"channel":"level3"' in text and '"data"' in text:
            assert book.apply_frame(text.encode()), text
    venue = world.exchange.venues["BTC/USD"]
    for side in SIDES:
        assert book.levels(side, 10) == venue.book.side(side).best(10)
        for ticks in book.prices(side, 10):
            assert ids(book, ticks, side) == [venue.order_name(number) for number in venue.engine.queue(side, ticks)]


@pytest.mark.parametrize(("levels", "depth"), [(1, 10), (10, 10), (11, 100), (500, 1000), (5000, 1000)])
def test_the_depth_is_the_least_that_has_so_many_levels(levels: int, depth: int) -> None:
    assert depth_for(levels) == depth
