"""Topics that wake nobody are read by turns, and more often while much comes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from shared import limits
from shared.bus import Subscriber
from shared.process.lazy import Lazily


def lazily(counters: SimpleNamespace, *, is_used: bool = True) -> Lazily:
    subscriber = SimpleNamespace(drain=lambda: ["m"], counters=counters, has_waiting=True)
    return Lazily(cast(Subscriber, subscriber), is_used=is_used)


def test_nothing_is_read_where_nothing_is_wanted() -> None:
    counters = SimpleNamespace(messages=0)
    assert lazily(counters, is_used=False).read() == []
    assert len(lazily(counters).read()) == 1


def test_it_is_read_between_turns_while_much_comes() -> None:
    counters = SimpleNamespace(messages=0)
    made = lazily(counters)
    made.busy_ms = 4
    assert made.more(20) == []
    counters.messages += limits.LAZY_FEW
    assert made.more(20) == []
    counters.messages += limits.LAZY_FEW + 1
    assert made.more(20) == [0.004, 0.008, 0.012, 0.016]
    assert made.more(20) == []
    counters.messages += limits.LAZY_FEW + 1
    made.busy_ms = 0
    assert made.more(20) == []
