"""Plain book frames to finished bus messages in one call, by Rust where it is built."""

from __future__ import annotations

from typing import Protocol

from shared.rust import rust_module


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
    """Return a batch that numbers messages by ``seqs``, the publisher's; None without the Rust module."""
    module = rust_module()
    if module is None:
        return None
    batch: FeedBatch = module.FeedBatch(src, boot, seqs)
    return batch
