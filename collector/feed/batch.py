"""Plain book frames to finished bus messages in one call, by Rust where it is built."""

from __future__ import annotations

import os
from typing import Protocol


class FeedBatch(Protocol):
    """Makes messages ``feed.book.<symbol>`` of frames in the very form in which Kraken sends them."""

    def want(self, symbol: str, /) -> None:
        """Take frames of a symbol from now on."""
        ...

    def take(
        self, frames: list[bytes], start: int, connection: int, received: int, ts: int, /
    ) -> list[tuple[bytes, bytes]]:
        """Return topic and message, as on the wire, of each frame from a place on up to the first that is not plain."""
        ...


def load_batch(src: str, boot: int, seqs: dict[str, int]) -> FeedBatch | None:
    """Return a batch that numbers messages by ``seqs``, the publisher's; None where the Rust module is not built.

    ``TRADEBYTE_NO_RUST=1`` asks for none.
    """
    if os.environ.get("TRADEBYTE_NO_RUST") == "1":
        return None
    try:
        import rust_client
    except ImportError:
        return None
    # In the repository's root the crate's folder can be imported as an empty package even if nothing is built.
    return rust_client.FeedBatch(src, boot, seqs) if hasattr(rust_client, "FeedBatch") else None
