"""The collector's shell: all frames of one read are taken, and their effects carried out, one part after the other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from collector.__main__ import Collector
from shared.config import Config
from shared.process.effects import Effects
from shared.process.loop import Process


class Feed:
    """Stands for the feed's core: takes two frames at a time, and notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def frames(self, frames: list[bytes], start: int, _now: int, _wall: int) -> int:
        self.asked.append(frames[start : start + 2])
        return start + 2

    def take(self) -> Any:
        self.asked.append("take")
        return SimpleNamespace(finished=[], requests=[], reconnect="", **vars_of(Effects()))


def vars_of(effects: Effects) -> dict[str, Any]:
    return {"messages": effects.messages, "log": effects.log}


def test_all_frames_of_a_read_are_taken() -> None:
    feed, stirred = Feed(), []
    process = SimpleNamespace(config=Config(), dispatch=lambda _: None, publisher=None, stir=lambda: stirred.append(1))
    made = Collector(cast(Process, process), cast(Any, feed))
    made._frames([b"a", b"b", b"c"])
    assert feed.asked == [[b"a", b"b"], "take", [b"c"], "take"]
    assert stirred == [1]
