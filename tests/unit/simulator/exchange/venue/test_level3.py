"""The level3 channel and REST's books (KRAKEN.md 1.5.1, 1.10; Kraken's pages of GroupedBook and Level3)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from shared.config.unconfirmed import Unconfirmed
from simulator.errors import KrakenError
from simulator.exchange.venue.level3 import QueuedOrder, differences
from tests.frames import frames_path
from tests.unit.simulator.worlds import Client, TestWorld, call, limit


class Follower:
    """A client's copy of the book by the rules of Kraken's guide: the order of the messages is the queue."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: dict[str, dict[Decimal, dict[str, str]]] = {"bids": {}, "asks": {}}

    def take(self, frame: dict[str, Any], text: str) -> None:
        (element,) = frame["data"]
        if frame["type"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
        for name, levels in self.sides.items():
            for row in element[name]:
                price, event = Decimal(str(row["limit_price"])), row.get("event", "add")
                level = levels.setdefault(price, {})
                if event == "delete":
                    del level[row["order_id"]]
                else:
                    assert (row["order_id"] in level) == (event == "modify"), text
                    level[row["order_id"]] = f"{row['limit_price']} {row['order_qty']}"
                if not level:
                    del levels[price]
            for price in sorted(levels, reverse=name == "bids")[self.depth :]:
                del levels[price]
        assert self.checksum() == element["checksum"], text

    def checksum(self) -> int:
        text = ""
        for name in ("asks", "bids"):
            levels = self.sides[name]
            for price in sorted(levels, reverse=name == "bids")[:10]:
                for order in levels[price].values():
                    text += "".join(part.replace(".", "").lstrip("0") for part in order.split())
        return crc32(text.encode())


def exact(frames: Iterable[str]) -> Iterable[tuple[dict[str, Any], str]]:
    for text in frames:
        if '"channel":"level3"' in text and '"data"' in text:
            yield json.loads(text, parse_float=str), text


def followed(world: TestWorld, depth: int = 10) -> Client:
    client = world.private()
    (ack, snapshot) = client.call("subscribe", channel="level3", symbol=["BTC/USD"], depth=depth)
    assert ack["result"] == {"channel": "level3", "snapshot": True, "symbol": "BTC/USD", "depth": depth}
    assert snapshot["type"] == "snapshot"
    return client


def test_the_follower_reads_kraken_s_own_example() -> None:
    (line,) = frames_path("public_v2/docs_Spot_Websockets_v2_Level3_Checksum.jsonl").read_text().splitlines()
    Follower(1000).take(json.loads(line), line)


@pytest.mark.parametrize("depth", [10, 100, 1000])
@pytest.mark.parametrize("numbers", ["number", "text"])
def test_a_client_that_follows_the_guide_keeps_every_checksum(depth: int, numbers: str) -> None:
    world = TestWorld(regime="volatile", unconfirmed=Unconfirmed(level3_numbers=numbers))  # type: ignore[arg-type]
    client, follower = followed(world, depth), Follower(depth)
    world.run(20)
    frames = list(exact(client.frames))
    for frame, text in frames:
        follower.take(frame, text)
    assert len(frames) > 300
    events = {row["event"] for frame, _ in frames[1:] for side in ("bids", "asks") for row in frame["data"][0][side]}
    assert events == {"add", "modify", "delete"}
    assert ('"limit_price":"' in frames[0][1]) == (numbers == "text")


def test_own_orders_are_there_under_their_ids_and_lose_their_place_when_they_grow() -> None:
    world = TestWorld()
    world.empty()
    client, follower = followed(world), Follower(10)
    account, venue = world.account(), world.exchange.venues["BTC/USD"]
    first, second = (world.exchange.add(account, limit(price="80000"), world.now) for _ in range(2))
    world.exchange.amend(account, first, Decimal("0.002"), None, False, world.now)
    world.world.flush(world.now)
    for frame, text in exact(client.frames):
        follower.take(frame, text)
    assert list(follower.sides["bids"][Decimal("80000.0")]) == [second.order_id, first.order_id]
    assert venue.engine.queue("buy", 800_000) == [second.number, first.number]
    rows = call(world, "Level3", pair="XBTUSD", depth=10)["bids"]
    assert [(row["order_id"], row["qty"], row["price"]) for row in rows] == [
        (second.order_id, "0.00100000", "80000.00000"), (first.order_id, "0.00200000", "80000.00000"),
    ]  # fmt: skip


def test_what_is_not_in_the_book_is_not_shown() -> None:
    world = TestWorld()
    client = followed(world)
    before = len(client.frames)
    iceberg = {"symbol": "BTC/USD", "side": "buy", "order_type": "iceberg", "limit_price": 83_000.0}
    private = world.private()
    private.call("add_order", order_qty=0.01, display_qty=0.002, **iceberg)
    rows = [r for f, _ in exact(client.frames[before:]) for r in f["data"][0]["bids"]]
    assert [row["order_qty"] for row in rows] in ([], ["0.00200000"])
    stop = {"symbol": "BTC/USD", "side": "sell", "order_type": "stop-loss", "order_qty": 0.01}
    before = len(client.frames)
    private.call("add_order", triggers={"price": 70_000.0}, **stop)
    assert client.frames[before:] == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"depth": 25}, "Subscription depth not supported"),
        ({"symbol": ["XBT/USD"]}, "Currency pair not supported XBT/USD"),
        ({"token": "none"}, "ESession:Invalid session"),
        ({"colour": 1}, "Unsupported field: 'colour' for the given msg type: subscribe"),
    ],
)
def test_a_wrong_subscribe_is_refused(change: dict[str, Any], error: str) -> None:
    (frame,) = TestWorld().private().call("subscribe", **{"channel": "level3", "symbol": ["BTC/USD"], **change})
    assert frame["error"] == error


def test_it_lives_on_the_private_side_and_ends_with_its_subscription(tmp_path: Path) -> None:
    world = TestWorld(tmp_path / "sim.sqlite")
    (refused,) = world.public().call("subscribe", channel="level3", symbol=["BTC/USD"])
    assert refused["error"].startswith("Private data")
    client = followed(world)
    (again,) = client.call("subscribe", channel="level3", symbol=["BTC/USD"])
    assert again["error"] == "Already subscribed"
    assert client.session.subscribed
    (ended,) = client.call("unsubscribe", channel="level3", symbol=["BTC/USD"])
    assert ended["result"] == {"channel": "level3", "symbol": "BTC/USD"}
    before = len(client.frames)
    world.run(2)
    assert not list(exact(client.frames[before:]))
    assert ("level3", 10) not in world.exchange.venues["BTC/USD"].subscribed


def test_subscriptions_have_a_rate_of_their_own() -> None:
    client = TestWorld().private()
    for _ in range(2):
        assert client.call("subscribe", channel="level3", symbol=["BTC/USD"], depth=1000)[0]["success"]
        client.call("unsubscribe", channel="level3", symbol=["BTC/USD"], depth=1000)
    (refused,) = client.call("subscribe", channel="level3", symbol=["BTC/USD"], depth=1000)
    assert refused["error"] == "Exceeded msg rate"


def test_differences_make_the_new_queue() -> None:
    a, b, c, grown = QueuedOrder(1, 5, 0), QueuedOrder(2, 5, 0), QueuedOrder(3, 5, 0), QueuedOrder(1, 9, 1)
    assert differences([a, b], [b, grown]) == [("delete", a), ("add", grown)]
    assert differences([a, b], [grown, b, c]) == [("modify", grown), ("add", c)]


def test_a_grouped_book_adds_up_at_the_passive_end() -> None:
    world = TestWorld()
    world.empty()
    for side, price in (("buy", "80000"), ("buy", "79999.9"), ("sell", "80000.1"), ("sell", "80001")):
        world.exchange.add(world.account(), limit(side, price=price), world.now)
    book = call(world, "GroupedBook", pair="BTC/USD", grouping=10)
    assert (book["pair"], book["grouping"]) == ("BTC/USD", 10)
    assert book["bids"] == [
        {"price": "80000.00000", "qty": "0.00100000"}, {"price": "79999.00000", "qty": "0.00100000"},
    ]  # fmt: skip
    assert book["asks"] == [{"price": "80001.00000", "qty": "0.00200000"}]
    assert len(call(TestWorld(), "GroupedBook", pair="XBTUSD")["asks"]) == 10
    for fields in ({"grouping": 3}, {"depth": 11}, {"pair": ""}):
        with pytest.raises(KrakenError, match="EGeneral:Invalid arguments"):
            call(world, "GroupedBook", **{"pair": "XBTUSD", **fields})
