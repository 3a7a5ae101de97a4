"""The order book that runs: the Rust one if it is built, else its Python twin.

``TRADEBYTE_NO_RUST=1`` asks for the twin. The process decides whether to warn about it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any  # Any: the Rust module, which need not be built

from book import interface


def _rust() -> Any:
    """Return the Rust module, or None.

    In the repository's root the crate's folder can be imported as an empty package even if nothing is built. So the
    module counts only if it has the order book.
    """
    if os.environ.get("TRADEBYTE_NO_RUST") == "1":
        return None
    try:
        import rust_client
    except ImportError:
        return None
    return rust_client if hasattr(rust_client, "OrderBook") else None


_MODULE = _rust()
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

BookBatch: Callable[[str, int, dict[str, int], int], interface.BookBatch] | None = _MODULE.BookBatch if RUST else None
"""Makes batches of messages, of src, boot, the publisher's numbers and the levels published; None without Rust."""

__all__ = ["RUST", "WIRE", "BookBatch", "FrameError", "OrderBook", "WrongSymbolError", "get_ask", "get_bid"]
