"""Both order books, and frames to feed them with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from book import orderbook
from tests.frames import rust

Levels = list[tuple[str, str]]


MODULES = [
    pytest.param(lambda: orderbook, id="python"),
    pytest.param(rust, id="rust", marks=pytest.mark.rust),
]


HEADER = ("book", 2**60, 7, 1_700_000_000_000_000_001, 11, 12)


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> Any:
    load: Callable[[], Any] = request.param
    return load()


def v2(kind: str, bids: Levels = [], asks: Levels = [], checksum: int | None = None, symbol: str = "BTC/USD") -> bytes:  # noqa: B006
    def side(levels: Levels) -> str:
        return ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in levels)

    tail = "" if checksum is None else f',"checksum":{checksum}'
    element = f'{{"symbol":"{symbol}","bids":[{side(bids)}],"asks":[{side(asks)}]{tail}}}'
    return f'{{"channel":"book","type":"{kind}","data":[{element}]}}'.encode()


def live(module: Any, bids: Levels, asks: Levels, depth: int = 10) -> Any:
    book = module.OrderBook("BTC/USD", depth, 1, 8)
    assert book.apply_frame(v2("snapshot", bids, asks))
    return book
