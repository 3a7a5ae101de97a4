"""The order book that runs: the Rust one if it is built, else its Python twin.

``TRADEBYTE_NO_RUST=1`` asks for the twin. The process decides whether to warn about it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from book import interface
from shared.rust import rust_module

_MODULE = rust_module()
RUST: bool = _MODULE is not None
"""True if the books are the Rust ones."""

if TYPE_CHECKING or not RUST:
    from book.orderbook import WIRE, FrameError, OrderBook, WrongSymbolError, get_ask, get_bid
else:
    WIRE = _MODULE.WIRE
    FrameError = _MODULE.FrameError
    OrderBook = _MODULE.OrderBook
    WrongSymbolError = _MODULE.WrongSymbolError
    get_ask = _MODULE.get_ask
    get_bid = _MODULE.get_bid

BookBatch: Callable[[str, int, dict[str, int], int], interface.BookBatch] | None
BookBatch = None if _MODULE is None else _MODULE.BookBatch
"""Makes batches of messages, of src, boot, the publisher's numbers and the levels published; None without Rust."""

__all__ = ["RUST", "WIRE", "BookBatch", "FrameError", "OrderBook", "WrongSymbolError", "get_ask", "get_bid"]
