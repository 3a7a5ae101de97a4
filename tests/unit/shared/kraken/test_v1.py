"""WebSocket v1's data frames: what they are about, and trades of which one that is odd spoils no other."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shared.errors import FrameError
from shared.kraken.v1 import Data, Trade, parse_data, trades

# KRAKEN.md 2: the documented trade frame.
TRADES = (
    b'[0,[["5541.20000","0.15850568","1534614057.321597","s","l",""],'
    b'["6060.00000","0.02455000","1534614057.324998","b","l",""]],"trade","XBT/USD"]'
)


def test_the_documented_trades_are_read() -> None:
    data = parse_data(TRADES)
    assert (data.channel, data.symbol) == ("trade", "BTC/USD")
    sold = Trade(
        side="sell", price=Decimal("5541.20000"), qty=Decimal("0.15850568"), time_s=Decimal("1534614057.321597")
    )
    bought = Trade(
        side="buy", price=Decimal("6060.00000"), qty=Decimal("0.02455000"), time_s=Decimal("1534614057.324998")
    )
    assert trades(data) == ([sold, bought], [])


@pytest.mark.parametrize("name", ['"book-10"', '{"name":"book","depth":10}'])
def test_a_channel_is_named_without_its_depth_in_either_form(name: str) -> None:
    data = parse_data(f'[1,{{"a":[]}},{{"b":[]}},{name},"XDG/XBT"]')
    assert data == Data(channel="book", symbol="DOGE/BTC", payloads=[{"a": []}, {"b": []}])


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b"nonsense", "JSON is malformed"),
        (b'["\xff"]', "utf-8"),
        (b"[" * 100_000, "recursion"),
        (b'{"event":"heartbeat"}', "not a list of id, payload, channel and pair"),
        (b'[1,"trade","XBT/USD"]', "not a list of id, payload, channel and pair"),
        (b'[1,[],7,"XBT/USD"]', "the channel or the pair is not a name"),
        (b'[1,[],{"name":7},"XBT/USD"]', "the channel or the pair is not a name"),
        (b'[1,[],"trade",7]', "the channel or the pair is not a name"),
    ],
)
def test_what_is_no_data_frame_is_named(frame: bytes, text: str) -> None:
    with pytest.raises(FrameError, match=text):
        parse_data(frame)


def test_a_trade_that_cannot_be_read_spoils_no_other() -> None:
    rows = '["1","2"],7,["x","1","1","b"],["1","1","1","q"],["1","2","3","b"]'
    read, unread = trades(parse_data(f'[0,[{rows}],"trade","XBT/USD"]'))
    assert read == [Trade(side="buy", price=Decimal(1), qty=Decimal(2), time_s=Decimal(3))]
    assert [text.rpartition(": ")[2] for text in unread] == [
        "['1', '2']",
        "7",
        "['x', '1', '1', 'b']",
        "['1', '1', '1', 'q']",
    ]


@pytest.mark.parametrize("payloads", [[], [{"a": []}]])
def test_a_payload_that_is_no_list_is_no_list_of_trades(payloads: list[object]) -> None:
    with pytest.raises(FrameError, match="not a list of trades"):
        trades(Data(channel="trade", symbol="BTC/USD", payloads=payloads))
