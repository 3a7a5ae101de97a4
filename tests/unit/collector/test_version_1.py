"""The feed by WebSocket v1: old names of pairs, acknowledgements as events, instrument data from REST."""

from __future__ import annotations

import json

import msgspec
import pytest

from collector.feed.feed import Feed
from collector.feed.rest_instruments import assets_of, pairs_of
from shared.clock import SECOND
from shared.kraken.rest_names import RestNames
from shared.messages import FeedFrame, Instruments, Resync
from tests.frames import frames_path

NOW = 10 * SECOND


def opened() -> tuple[Feed, list[dict[str, object]]]:
    feed = Feed(["BTC/USD", "DOGE/USD"], 10, version=1)
    feed.opened(NOW)
    return feed, [json.loads(text) for text in feed.take().requests]


def ack(feed: Feed, status: str, pair: str, name: str = "book", error: str = "") -> None:
    body = {"event": "subscriptionStatus", "status": status, "pair": pair, "subscription": {"name": name}}
    feed.frame(json.dumps({**body, **({"errorMessage": error} if error else {})}).encode(), NOW)


def test_it_subscribes_with_the_old_names_and_wants_instrument_data_from_rest() -> None:
    feed, sent = opened()
    assert [(r["event"], r["pair"], r["subscription"]) for r in sent] == [
        ("subscribe", ["XBT/USD", "XDG/USD"], {"name": "book", "depth": 10}),
        ("subscribe", ["XBT/USD", "XDG/USD"], {"name": "trade"}),
    ]
    assert feed.wants_instruments


def test_acknowledgements_and_refusals_are_checked_by_symbol() -> None:
    feed, _ = opened()
    ack(feed, "subscribed", "XBT/USD")
    ack(feed, "error", "XDG/USD", error="Currency pair not supported")
    feed.turn(NOW + SECOND)
    status = feed.take().messages[-1][1]
    assert status.symbols == {  # type: ignore[attr-defined]
        "BTC/USD": "subscribed",
        "DOGE/USD": "refused: Currency pair not supported",
    }


def test_resync_works_in_events_as_well() -> None:
    feed, _ = opened()
    for name in ("book", "trade"):
        ack(feed, "subscribed", "XBT/USD", name)
    feed.resync(Resync(boot=1, symbols={"BTC/USD": 1}), NOW)
    ack(feed, "unsubscribed", "XBT/USD")
    assert [json.loads(text)["event"] for text in feed.take().requests] == ["unsubscribe", "subscribe"]


def test_its_frames_are_handed_on_under_the_new_name() -> None:
    feed, _ = opened()
    raw = b'[336,{"a":[["27120.00000","4.1","1693415330.62"]],"c":"3572756970"},"book-10","XBT/USD"]'
    feed.frame(raw, NOW)
    topic, message = feed.take().messages[-1]
    assert topic == "feed.book.BTC/USD"
    assert isinstance(message, FeedFrame)
    assert message.frame == raw


@pytest.mark.parametrize(
    ("name", "symbols"),
    [
        ("rest/AssetPairs_5pairs_live_20260925_bytex.json", ["BTC/USD"]),
        ("rest/AssetPairs_full_20210417_cryptofeed.json", ["BTC/USD", "DOGE/USD", "ETH/BTC"]),
    ],
)
def test_captured_asset_pairs_give_what_the_instrument_channel_would(name: str, symbols: list[str]) -> None:
    result = msgspec.json.decode(frames_path(name).read_bytes())["result"]
    pairs = pairs_of(result, RestNames(result, {}))
    assert set(symbols) <= set(pairs)
    pair = pairs["BTC/USD"]
    assert (pair.base, pair.quote, pair.price_precision, pair.qty_precision, pair.price_increment) == (
        "BTC",
        "USD",
        1,
        8,
        1,
    )


def test_captured_assets_give_their_decimals() -> None:
    result = msgspec.json.decode(frames_path("rest/Assets_live_20260925_bytex.json").read_bytes())["result"]
    assert assets_of(result, RestNames({}, result))["BTC"] == 10


def test_fetched_instrument_data_is_published() -> None:
    feed, _ = opened()
    result = msgspec.json.decode(frames_path("rest/AssetPairs_5pairs_live_20260925_bytex.json").read_bytes())["result"]
    feed.instruments(pairs_of(result, RestNames(result, {})), {"BTC": 10, "USD": 4, "ETH": 10}, NOW)
    message = feed.take().messages[-1][1]
    assert isinstance(message, Instruments)
    assert message.assets == {"BTC": 10, "USD": 4}
