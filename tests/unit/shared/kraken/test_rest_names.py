"""REST's names of pairs and assets, from captures of what Kraken lists."""

from __future__ import annotations

import msgspec
import pytest

from shared.kraken.rest_names import RestNames
from tests.frames import frames_path


def captured() -> RestNames:
    pairs = msgspec.json.decode(frames_path("rest/AssetPairs_full_20210417_cryptofeed.json").read_bytes())["result"]
    assets = msgspec.json.decode(frames_path("rest/Assets_live_20260925_bytex.json").read_bytes())["result"]
    return RestNames(pairs, assets)


@pytest.mark.parametrize(
    ("symbol", "rest_id", "altname"),
    [
        ("BTC/USD", "XXBTZUSD", "XBTUSD"),
        ("USDT/USD", "USDTZUSD", "USDTUSD"),
        ("EUR/USD", "ZEURZUSD", "EURUSD"),
        ("GBP/USD", "ZGBPZUSD", "GBPUSD"),
        ("USD/CAD", "ZUSDZCAD", "USDCAD"),
        ("USD/JPY", "ZUSDZJPY", "USDJPY"),
        ("USD/CHF", "USDCHF", "USDCHF"),
        ("DOGE/BTC", "XXDGXXBT", "XDGXBT"),
        ("XRP/ETH", "XRPETH", "XRPETH"),
    ],
)
def test_a_pair_is_known_by_every_name_the_exchange_lists(symbol: str, rest_id: str, altname: str) -> None:
    names = captured()
    assert names.altname(symbol) == altname
    assert {names.symbol(name) for name in (rest_id, altname, symbol)} == {symbol}


@pytest.mark.parametrize(
    ("rest_id", "asset", "is_spot"),
    [
        ("XXBT", "BTC", True),
        ("ZUSD", "USD", True),
        ("XXDG", "DOGE", True),
        ("ZEUS", "ZEUS", True),
        ("XBT.F", "BTC", False),
        ("ETH.S", "ETH", False),
        ("USD.M", "USD", False),
        ("NEVERSEEN", "NEVERSEEN", True),
    ],
)
def test_an_asset_is_known_by_its_new_name_and_a_wallet_by_its_suffix(rest_id: str, asset: str, is_spot: bool) -> None:
    names = captured()
    assert (names.asset(rest_id), names.is_spot(rest_id)) == (asset, is_spot)


def test_rows_that_are_none_are_left_out() -> None:
    names = RestNames({"A": None, "B": {"altname": 5}, "C": {"wsname": "XBT/USD"}}, {"D": None})
    assert names.altname("BTC/USD") == "C"
    assert names.asset("D") == "D"
    assert not RestNames({}, {})
