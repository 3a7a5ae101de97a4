"""Very many pairs: rendered messages are as true as worked-out ones, and made-up pairs have the shapes of real ones."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

from shared.config import Config, Simulator
from simulator.market.flood import MESSAGES_A_SECOND
from simulator.pairs import table as pair_table
from simulator.pairs.listing import listed_settings
from simulator.pairs.made import made_pairs
from simulator.pairs.pairs import ASSETS, PAIRS, Pair
from simulator.wire import NS
from tests.unit.simulator.worlds import Client, TestWorld, call, limit

PAIRS_LISTED = ["BTC/USD", "ETH/USD", "SOL/USD", "DOGE/USD", "ETH/BTC"]


def flooded(**changes: Any) -> TestWorld:
    return TestWorld(regime="flood", pairs=PAIRS_LISTED, **changes)


def checked(client: Client) -> dict[str, int]:
    """Follow every book by its messages; how many there were of each, all with good checksums and rising times."""
    books: dict[str, dict[str, dict[Decimal, str]]] = {}
    times: dict[str, str] = {}
    counts: dict[str, int] = {}
    for text in client.frames:
        frame = json.loads(text, parse_float=str)
        if frame.get("channel") != "book":
            continue
        (element,) = frame["data"]
        symbol = element["symbol"]
        counts[symbol] = counts.get(symbol, 0) + 1
        sides = books.setdefault(symbol, {"asks": {}, "bids": {}})
        string = ""
        for name, levels in sides.items():
            for row in element[name]:
                levels[Decimal(row["price"])] = f"{row['price']} {row['qty']}"
                if not Decimal(row["qty"]):
                    del levels[Decimal(row["price"])]
            for price in sorted(levels, reverse=name == "bids")[10:]:
                del levels[price]
            for price in sorted(levels, reverse=name == "bids"):
                string += "".join(part.replace(".", "").lstrip("0") for part in levels[price].split())
        assert crc32(string.encode()) == element["checksum"], text
        assert frame["type"] == "snapshot" or element["timestamp"] > times[symbol]
        times[symbol] = element["timestamp"]
    return counts


def test_rendered_messages_are_true_of_the_books_at_a_steady_rate() -> None:
    world = flooded()
    client = world.public()
    client.call("subscribe", channel="book", symbol=PAIRS_LISTED)
    world.run(1)
    counts = checked(client)
    assert set(counts) == set(PAIRS_LISTED)
    assert abs(sum(counts.values()) - len(counts) - MESSAGES_A_SECOND) < 100
    for venue in world.exchange.venues.values():
        for side, book in (("buy", venue.book.bids), ("sell", venue.book.asks)):
            assert venue.engine.levels(side, 100) == book.best(100)


def test_an_order_in_between_goes_its_usual_way() -> None:
    world = flooded()
    client = world.public()
    client.call("subscribe", channel="book", symbol=["BTC/USD"])
    world.run(0.1)
    bid, ask = world.touch()
    order = world.exchange.add(world.account(), limit(price=str(Decimal(bid).scaleb(-1))), world.now)
    taken = world.exchange.add(world.account(), limit(qty="0.0002", price=str(Decimal(ask).scaleb(-1))), world.now)
    world.world.flush(world.now)
    world.run(0.1)
    assert checked(client)["BTC/USD"] > 100
    assert (order.status, taken.filled) == ("new", taken.qty)
    world.exchange.cancel(world.account(), order, world.now)
    world.run(0.1)
    checked(client)


def test_other_channels_are_worked_out_as_ever_and_faults_strike() -> None:
    world = flooded()
    client = world.public()
    client.call("subscribe", channel="book", symbol=["ETH/USD"])
    private = world.private()
    private.call("subscribe", channel="level3", symbol=["ETH/USD"])
    world.run(0.1)
    assert checked(client)["ETH/USD"] > 100
    assert len(private.frames) > 100
    world.world.set_clock(3600 * NS)
    before = len(client.frames)
    world.now = world.world.now
    world.run(0.1)
    assert 100 < len(client.frames) - before < MESSAGES_A_SECOND


def test_made_up_pairs_have_the_shapes_of_real_ones() -> None:
    made = pair_table.read_asset_pairs(json.dumps({"error": [], "result": made_pairs(1_450)}), ASSETS)
    assert len({pair.symbol for pair in made}) == 1_450
    assert not {pair.base.name for pair in made} & set(ASSETS)

    def shapes(pairs: Iterable[Pair]) -> set[tuple[Any, ...]]:
        return {(p.price_precision, p.qty_precision, p.cost_precision, p.qty_min, p.tick, p.status) for p in pairs}

    assert shapes(made) == shapes(PAIRS.values())


def test_every_pair_of_a_file_is_listed_by_a_star(tmp_path: Path) -> None:
    row = call(TestWorld(), "AssetPairs", pair="XBTUSD")
    (tmp_path / "pairs.json").write_text(json.dumps({"error": [], "result": row}))
    config = Config(root=tmp_path, simulator=Simulator(asset_pairs="pairs.json", pairs=["ETH/USD", "*"]))
    assert listed_settings(config).pairs == ["ETH/USD", "BTC/USD"]
