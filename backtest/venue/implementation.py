"""The queue market that is used: Rust's where it is built, else the reference."""

from __future__ import annotations

import os
from typing import Protocol

from backtest.venue.queue_market import QueueMarket
from backtest.venue.rows import ReadableBuffer, Row
from simulator.exchange.engine import Event, Side


class Market(Protocol):
    """The interface of both; ``queue_market`` has the rules. A wrong call raises its module's EngineError."""

    def __init__(self, symbols: int, model: str = "pro_rata", power: float = 2.0) -> None: ...
    def load(
        self,
        exchange_ts: ReadableBuffer,
        heard_ts: ReadableBuffer,
        symbol: ReadableBuffer,
        kind: ReadableBuffer,
        side: ReadableBuffer,
        ticks: ReadableBuffer,
        lots: ReadableBuffer,
        flags: ReadableBuffer,
        orders: ReadableBuffer | None = None,
    ) -> None: ...
    def again(self, model: str = "pro_rata", power: float = 2.0) -> Market: ...
    def set_depth(self, symbol: int, depth: int, order_depth: int = 0) -> None: ...
    def advance(self, until_ns: int, stop: int) -> tuple[int, int, int, int]: ...
    def next_ts(self) -> int | None: ...
    def now(self) -> int: ...
    def row(self, index: int) -> Row | tuple[int, int, int, int, int, int, int, int, int]: ...
    def take_events(self, symbol: int) -> list[Event]: ...
    def fills_ahead(self, symbol: int) -> list[int | None]: ...
    def submit(
        self,
        symbol: int,
        order_id: int,
        owner: int,
        side: str,
        price: int | None,
        qty: int,
        tif: str = "gtc",
        post_only: bool = False,
        stp: str = "cancel_newest",
    ) -> list[Event]: ...
    def amend(
        self, symbol: int, order_id: int, price: int | None, qty: int | None, post_only: bool = False
    ) -> list[Event]: ...
    def cancel(self, symbol: int, order_id: int) -> list[Event]: ...
    def order(self, symbol: int, order_id: int) -> tuple[int, Side, int, int, int] | None: ...
    def place(self, symbol: int, order_id: int) -> tuple[int, bool] | None: ...
    def count(self, symbol: int) -> int: ...
    def levels(self, symbol: int, side: str, n: int) -> list[tuple[int, int]]: ...
    def best(self, symbol: int, side: str) -> tuple[int, int] | None: ...
    def queue(self, symbol: int, side: str, price: int) -> list[int]: ...
    def is_live(self, symbol: int) -> bool: ...
    def stats(self, symbol: int) -> dict[str, int]: ...


def load_market(symbols: int, model: str = "pro_rata", power: float = 2.0) -> Market:
    """Return a market of the Rust kind where it is built; ``TRADEBYTE_NO_RUST=1`` asks for the reference."""
    kind: type[Market] = QueueMarket
    if os.environ.get("TRADEBYTE_NO_RUST") != "1":
        try:
            import rust_client
        except ImportError:
            pass
        else:
            # The bare crate folder imports as an empty namespace package from the repository's root.
            kind = getattr(rust_client, "QueueMarket", QueueMarket)
    return kind(symbols, model, power)
