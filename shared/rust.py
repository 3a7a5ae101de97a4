"""The Rust module, where it is built. What it holds has a Python twin that does the same."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For those who may not import the module itself.
    from rust_client import OrderReader as OrderReader


def rust_module() -> ModuleType | None:
    """Return the Rust module; None where it is not built, or ``TRADEBYTE_NO_RUST=1`` asks for the twins."""
    if os.environ.get("TRADEBYTE_NO_RUST") == "1":
        return None
    try:
        import rust_client
    except ImportError:
        return None
    # In the repository's root the crate's folder can be imported as an empty package even if nothing is built.
    return rust_client if hasattr(rust_client, "OrderBook") else None
