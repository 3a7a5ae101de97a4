"""A whole session of pykrakenapi, which makes pandas tables of what krakenex answers. It knows REST alone."""

from __future__ import annotations

import os
import time
from typing import Any

import krakenex
import pykrakenapi

PAIR, LOW = "XXBTZUSD", "60000.1"


def main() -> None:
    """Run through everything that it has."""
    api = krakenex.API(os.environ["KRAKEN_KEY"], os.environ["KRAKEN_SECRET"])
    api.uri = os.environ["KRAKEN_REST"]
    # No retries, so that a refusal ends the session; a second between public calls, as it insists on.
    client = pykrakenapi.KrakenAPI(api, tier="Intermediate", retry=0, crl_sleep=1)
    markets(client)
    books(client, float(os.environ["MINUTES"]) * 60)
    bought = orders(client)
    history(client, bought)


def markets(client: Any) -> None:
    """Read everything public but the book."""
    assert client.get_server_time()[1] > 0
    assert client.get_system_status()[0] == "online"
    assert "XXBT" in client.get_asset_info().index
    pairs = client.get_tradable_asset_pairs()
    assert pairs.loc[PAIR, "wsname"] == "XBT/USD"
    assert float(client.get_ticker_information(PAIR).loc[PAIR, "a"][0]) > 0
    while client.get_recent_trades(PAIR)[0].empty:
        pass
    candles, _last = client.get_ohlc_data(PAIR)
    assert candles.close.iloc[0] > 0
    spreads, _last = client.get_recent_spread_data(PAIR)
    assert (spreads.bid < spreads.ask).all()
    print(f"markets: {len(pairs)} pairs, ticker, trades, candles, spreads")


def books(client: Any, seconds: float) -> None:
    """Ask for the book until the time is over, once a second as its limiter allows."""
    end, count = time.monotonic() + seconds, 0
    while not count or time.monotonic() < end:
        asks, bids = client.get_order_book(PAIR, count=10)
        assert (len(asks), len(bids)) == (10, 10)
        assert bids.price.astype(float).max() < asks.price.astype(float).min()
        count += 1
    print(f"books: {count} times Depth, one a second; it has no feed and no checksum")


def orders(client: Any) -> str:
    """Place, amend and cancel orders; return the id of a market buy."""
    order = {"pair": PAIR, "type": "buy", "volume": "0.001", "validate": False}
    (resting,) = client.add_standard_order(ordertype="limit", price=LOW, oflags="post", **order)["txid"]
    assert client.get_open_orders().loc[resting, "descr_price"] == float(LOW)
    assert client.cancel_open_order(resting)["count"] == 1
    assert client.query_orders_info(resting).loc[resting, "status"] == "canceled"
    (bought,) = client.add_standard_order(ordertype="market", **order)["txid"]
    refusal = ""
    try:
        client.add_standard_order(ordertype="limit", price=LOW, **{**order, "volume": "9"})
    except pykrakenapi.pykrakenapi.KrakenAPIError as error:
        refusal = str(error)
    assert "EOrder:Insufficient funds" in refusal
    print("order: add, cancel, a market buy, a refusal that it knows; it cannot amend or edit")
    return str(bought)


def history(client: Any, bought: str) -> None:
    """Look back."""
    trades, count = client.get_trades_history()
    assert set(trades.ordertxid) == {bought}
    assert len(client.query_trades_info(trades.txid.iloc[0])) == 1
    closed, _count = client.get_closed_orders()
    assert closed.loc[bought, "vol_exec"] == 0.001
    ledger, entries = client.get_ledgers_info()
    assert len(client.query_ledgers(ledger.ledger_id.iloc[0])) == 1
    assert client.get_account_balance().loc["ZUSD", "vol"] > 0
    assert client.get_trade_balance(asset="ZUSD").loc["eb"].iloc[0] > 0
    currency, _volume, fees, _maker = client.get_trade_volume(PAIR)
    assert currency == "ZUSD"
    assert fees.loc["fee", PAIR] > 0
    print(f"history: {count} trades, {len(closed)} closed orders, {entries} ledger entries, balances, fees")
    assert client.get_websockets_token()["token"]
    print("not in this client: a private feed; it got a token for one")


if __name__ == "__main__":
    main()
