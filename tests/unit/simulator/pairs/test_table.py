"""The table of pairs: every name as Kraken writes it, any precision, files in Kraken's form, and the start prices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from shared.config import Config, SimAccount, Simulator, Trading
from shared.errors import ConfigError
from shared.numbers import ROUNDING
from simulator.errors import KrakenError, TableError
from simulator.pairs import listing, pairs, table as pair_table, views as pair_views
from simulator.pairs.pairs import ASSETS, PAIRS, find_pair
from tests.unit.simulator.worlds import TestWorld, call, limit

# Kraken's own keys of AssetPairs, which no rule gives.
REST_IDS = {
    "BTC/USD": "XXBTZUSD", "ETH/BTC": "XETHXXBT", "ETH/EUR": "XETHZEUR", "DOGE/USD": "XDGUSD", "DOGE/BTC": "XXDGXXBT",
    "SOL/USD": "SOLUSD", "USDT/USD": "USDTZUSD", "USDC/USD": "USDCUSD", "EUR/USD": "ZEURZUSD", "GBP/USD": "ZGBPZUSD",
    "USD/JPY": "ZUSDZJPY", "USD/CAD": "ZUSDZCAD", "USD/CHF": "USDCHF", "AUD/USD": "AUDUSD", "XRP/USD": "XXRPZUSD",
    "LTC/EUR": "XLTCZEUR", "ZEC/USD": "XZECZUSD", "XLM/USD": "XXLMZUSD", "MLN/USD": "XMLNZUSD", "USDT/EUR": "USDTEUR",
    "XRP/ETH": "XRPETH", "LTC/ETH": "LTCETH",
}  # fmt: skip
NEEDED = [
    "BTC/EUR",
    "SOL/EUR",
    "DOGE/EUR",
    "SOL/BTC",
    "BTC/USDT",
    "BTC/JPY",
    "PEPE/USD",
    "PEPE/EUR",
    "LTC/USD",
    "ADA/USD",
    "EUR/GBP",
    "ETH/USDT",
    "AAPLx/USD",
]


def entry(**more: Any) -> dict[str, Any]:
    return {
        "altname": "NEWUSD", "wsname": "NEW/USD", "aclass_base": "currency", "base": "NEW", "quote": "ZUSD",
        "pair_decimals": 4, "lot_decimals": 6, "cost_decimals": 6, "ordermin": "2", "costmin": "0.5",
        "tick_size": "0.0005", "status": "online", **more,
    }  # fmt: skip


def configuration(**simulator: Any) -> Config:
    return Config(simulator=Simulator(**simulator))


@pytest.fixture
def coarse() -> Iterator[str]:
    """Return a pair whose tick is five of its last decimal, in the tables for as long as a test runs."""
    held: tuple[dict[str, Any], ...] = (
        pairs.ASSETS,
        pairs.PAIRS,
        pairs.BY_WSNAME,
        pairs._BY_NAME,
        pairs._ASSET_BY_NAME,
        pairs.PLACES,
    )
    before = [dict(table) for table in held]
    pairs.add_pairs(pair_table.read_asset_pairs(json.dumps({"NEWUSD": entry()}), ASSETS))
    yield "NEW/USD"
    for table, content in zip(held, before, strict=True):
        table.clear()
        table.update(content)


def test_every_price_of_a_coarse_tick_is_a_multiple_of_it(coarse: str) -> None:
    world = TestWorld(pairs=[coarse])
    world.account().balances["NEW"] = 10**14
    world.run(60)
    venue = world.exchange.venues[coarse]
    assert len(venue.tape) > 10
    prices = [key for side in (venue.book.bids, venue.book.asks) for key in side.keys]
    assert not any(price % 5 for price in [*prices, *(trade.price for trade in venue.tape)])
    with pytest.raises(KrakenError, match="EOrder:Tick size check failed"):
        world.exchange.add(world.account(), limit("buy", "10", "2.0001", coarse), world.now)
    order = world.exchange.add(world.account(), limit("buy", "10", "2.0005", coarse), world.now)
    with pytest.raises(KrakenError, match="EOrder:Tick size check failed"):
        world.exchange.amend(world.account(), order, None, Decimal("2.0006"), False, world.now)
    (row,) = call(world, "AssetPairs", pair="NEWUSD").values()
    assert (row["tick_size"], row["pair_decimals"]) == ("0.0005", 4)
    (_, snapshot) = world.public().call("subscribe", channel="instrument")
    assert snapshot["data"]["pairs"][0]["price_increment"] == Decimal("0.0005")


def test_rest_names_are_krakens_own() -> None:
    assert {symbol: PAIRS[symbol].rest_id for symbol in REST_IDS} == REST_IDS
    assert set(NEEDED) <= set(PAIRS)
    for pair in PAIRS.values():
        for name in (pair.symbol, pair.wsname, pair.altname, pair.rest_id):
            assert find_pair(name) is pair


def test_new_names_without_a_slash_are_taken_and_answered_under_the_old_ids() -> None:
    world = TestWorld(pairs=["BTC/USD", "DOGE/USD"])
    for name, answered in (
        ("BTCUSD", "XXBTZUSD"),
        ("DOGEUSD", "XDGUSD"),
        ("XBTUSD", "XXBTZUSD"),
        ("BTC/USD", "BTC/USD"),
    ):
        assert list(call(world, "AssetPairs", pair=name)) == [answered]


def test_start_prices_are_consistent_with_each_other() -> None:
    for pair in PAIRS.values():
        price = Decimal(pair.start_price).scaleb(-pair.price_precision)
        tick = Decimal(pair.tick).scaleb(-pair.price_precision)
        assert abs(price - ROUNDING.divide(pair.base.usd, pair.quote.usd)) <= tick / 2
        assert pair.start_price % pair.tick == 0
        # Minimums are worth what people can pay.
        assert Decimal(pair.qty_min).scaleb(-pair.qty_precision) * pair.base.usd <= 10


def test_a_pair_without_decimals_trades_and_prints_them_as_each_protocol_does() -> None:
    world = TestWorld(pairs=["BTC/JPY"], history_lag_s=(0.0, 0.0))
    world.empty("BTC/JPY")
    maker, visitor = world.account(), world.account("visitor")
    maker.balances["JPY"] = visitor.balances["JPY"] = 10**12
    world.exchange.add(visitor, limit("buy", "0.001", "12500001", "BTC/JPY"), world.now)
    world.exchange.add(maker, limit("sell", "0.001", "12500001", "BTC/JPY"), world.now)
    world.world.flush(world.now)
    (trade,) = call(world, "TradesHistory")["trades"].values()
    assert (trade["pair"], Decimal(trade["price"]), Decimal(trade["cost"])) == (
        "XXBTZJPY",
        Decimal(12_500_001),
        Decimal("12500.001"),
    )
    (yen,) = call(world, "Ledgers", asset="ZJPY", type="trade")["ledger"].values()
    # Yen have two decimals in the ledger: the fee of 0.25 % is 31.25.
    assert (yen["amount"], yen["fee"]) == ("-12500.00", "31.25")
    with pytest.raises(KrakenError, match="can only be specified up to 0 decimals"):
        world.exchange.add(visitor, limit("buy", "0.001", "12500001.5", "BTC/JPY"), world.now)
    assert PAIRS["BTC/JPY"].padded_price(12_500_001) == "12500001.00000"


def test_nine_decimals_are_plain_text_everywhere() -> None:
    world = TestWorld(pairs=["PEPE/USD"])
    client = world.public()
    (book,) = [f for f in client.call("subscribe", channel="book", symbol=["PEPE/USD"]) if f.get("channel") == "book"]
    assert all(-row["price"].as_tuple().exponent == 9 for row in book["data"][0]["bids"])


def test_what_an_asset_cannot_hold_is_rounded_to_its_decimals() -> None:
    # A euro has four decimals, a quantity of EUR/USD eight.
    world = TestWorld(pairs=["EUR/USD"])
    world.empty("EUR/USD")
    maker, visitor = world.account(), world.account("visitor")
    maker.balances["EUR"] = 10**8
    world.exchange.add(visitor, limit("buy", "10.00005", "1.16", "EUR/USD"), world.now)
    assert maker.free("EUR") == 10**8
    order = world.exchange.add(maker, limit("sell", "10.00005", "1.16", "EUR/USD"), world.now)
    assert order.status == "filled"
    assert visitor.balances["EUR"] == 10_0001
    assert maker.balances["EUR"] == 10**8 - 10_0001


def test_a_file_in_krakens_form_adds_its_pairs() -> None:
    text = json.dumps({"error": [], "result": {"NEWUSD": entry(), "NEWUSD.d": {"altname": "NEWUSD.d"}}})
    (pair,) = pair_table.read_asset_pairs(text, ASSETS)
    assert (pair.symbol, pair.tick, pair.qty_min, pair.cost_min) == ("NEW/USD", 5, 2_000_000, 5_000)
    # No table knows its price: Kraken's minimums are worth about 5 USD.
    assert pair.start_price == 25_000
    assert pair.quote is ASSETS["USD"]


def test_a_whole_number_keeps_its_zeros_in_asset_pairs() -> None:
    given = entry(pair_decimals=0, lot_decimals=0, ordermin="100", tick_size="10", costmin="5")
    (pair,) = pair_table.read_asset_pairs(json.dumps({"NEWUSD": given}), ASSETS)
    row = pair_views.rest_pair(pair, "online")
    assert (row["tick_size"], row["ordermin"], row["costmin"]) == ("10", "100", "5")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "AssetPairs"),
        ("{}", "AssetPairs"),
        ("nonsense", "Expecting value"),
        (json.dumps({"X": {}}), "X: KeyError"),
        (json.dumps({"X": None}), "X: TypeError"),
        (json.dumps({"X": entry(wsname="NEWUSD")}), "no wsname"),
        (json.dumps({"X": entry(tick_size="0.00001")}), "does not fit 4 decimals"),
        (json.dumps({"X": entry(pair_decimals=40)}), "decimals are from 0 to 12"),
        (json.dumps({"X": entry(ordermin="much")}), "X: "),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_entry(text: str, said: str) -> None:
    with pytest.raises(TableError, match=said):
        pair_table.read_asset_pairs(text, ASSETS)


def test_pairs_left_out_are_those_traded_and_what_valuing_needs() -> None:
    config = configuration()
    assert listing.listed_settings(config).pairs == ["BTC/USD", "ETH/USD", "SOL/USD"]
    config.trading = Trading(pairs=["BTC/EUR", "ETH/BTC"])
    assert listing.listed_settings(config).pairs == ["BTC/EUR", "ETH/BTC", "EUR/USD", "BTC/USD"]
    config.trading = Trading(pairs=["BTC/EUR"], reference_pairs=["USDT/USD"])
    assert listing.listed_settings(config).pairs == ["BTC/EUR", "USDT/USD", "EUR/USD"]


def test_any_name_of_a_pair_may_be_configured() -> None:
    named = ["XBT/EUR", "XETHXXBT", "XDGUSD", "DOGE/USD", "USDTUSD"]
    listed = listing.listed_settings(configuration(pairs=named)).pairs
    assert listed == ["BTC/EUR", "ETH/BTC", "DOGE/USD", "USDT/USD"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pairs": ["BTC/EURO"]}, r"simulator.pairs: BTC/EURO is in no table of pairs; did you mean BTC/EUR\?"),
        ({"pairs": ["btc/usd"]}, r"did you mean BTC/USD\?"),
        ({"pairs": []}, "simulator.pairs: name at least one"),
        ({"asset_pairs": "none.json"}, "simulator.asset_pairs: .*none.json"),
        (
            {"accounts": [SimAccount(name="x", keys=[], balances={"XBT": Decimal(1)})]},
            r"simulator.accounts\[0\].balances: XBT is no asset here; did you mean BTC\?",
        ),
        (
            {"accounts": [SimAccount(name="x", keys=[], balances={"USD": Decimal("0.00001")})]},
            "USD: must be 0 or more, with 4 decimals at most",
        ),
    ],
)
def test_what_cannot_be_listed_names_key_and_mend(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        listing.listed_settings(configuration(**settings))


def test_a_traded_pair_that_cannot_be_listed_is_named() -> None:
    config = Config(trading=Trading(pairs=["BTC/USD", "NOPE/USD"]))
    with pytest.raises(ConfigError, match=r"trading\.pairs: NOPE/USD is in no table of pairs"):
        listing.listed_settings(config)


def test_a_pair_begins_in_its_own_status() -> None:
    world = TestWorld(pairs=["ACA/EUR"])
    assert world.exchange.venues["ACA/EUR"].status == "cancel_only"
    with pytest.raises(KrakenError):
        world.exchange.add(world.account(), limit("sell", "12000", "0.0004", "ACA/EUR"), world.now)
