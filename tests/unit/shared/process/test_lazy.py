"""Topics that wake nobody are read by a timer, and more often while much comes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from shared import limits
from shared.bus import Received, Subscriber
from shared.process.lazy import Lazily


def test_it_reads_more_often_while_much_comes() -> None:
    counts = iter([0, limits.LAZY_FEW, limits.LAZY_FEW + 1, 0])
    counters = SimpleNamespace(messages=0)
    waits: list[float] = []
    handed: list[int] = []

    def drain() -> list[str]:
        count = next(counts)
        counters.messages += count
        return ["a message"] * min(count, 1)

    subscriber = SimpleNamespace(drain=drain, counters=counters)
    lazily = Lazily(cast(Subscriber, subscriber), is_used=True)

    class Loop:
        def call_later(self, wait: float, _again: object, *_: object) -> None:
            waits.append(wait)

    def on_messages(received: list[Received]) -> None:
        handed.append(len(received))

    for _ in range(4):
        lazily.begin(cast(Any, Loop()), on_messages)
    busy, usual = limits.LAZY_BUSY_MS / 1000, limits.LAZY_MS / 1000
    assert waits == [usual, usual, busy, usual]
    assert handed == [1, 1]
