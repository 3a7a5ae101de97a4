"""The collector's shell: frames that are read together are taken together, and an error with them ends the process."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from collector.__main__ import Collector
from shared.config import Config
from shared.process.effects import Effects
from shared.process.loop import Process


class Feed:
    """Stands for the feed's core: takes two frames at a time, and notes what it is given."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def frames(self, frames: list[bytes], start: int, _now: int, _wall: int) -> int:
        if frames[start] == b"bad":
            raise RuntimeError("a fault of ours")
        self.taken.append(frames[start : start + 2])
        return start + 2

    def closed(self, _now: int) -> None:
        self.taken.append("closed")

    def take(self) -> Any:
        return SimpleNamespace(finished=[], requests=[], reconnect="", **vars_of(Effects()))


def vars_of(effects: Effects) -> dict[str, Any]:
    return {"messages": effects.messages, "log": effects.log}


def collector(feed: Feed) -> Collector:
    log = SimpleNamespace(warning=lambda *_, **__: None)
    process = SimpleNamespace(config=Config(), dispatch=lambda _: None, log=log, publisher=None, stir=lambda: None)
    return Collector(cast(Process, process), cast(Any, feed))


def test_frames_that_are_read_together_are_taken_together_and_before_the_connection_s_end() -> None:
    feed = Feed()
    made = collector(feed)

    async def run() -> None:
        for frame in (b"a", b"b", b"c"):
            made._frame(frame)
        assert feed.taken == []
        await asyncio.sleep(0)
        assert feed.taken == [[b"a", b"b"], [b"c"]]
        made._frame(b"d")
        made._closed("lost")
        await asyncio.sleep(0)

    asyncio.run(run())
    assert feed.taken == [[b"a", b"b"], [b"c"], [b"d"], "closed"]


def test_an_error_with_frames_ends_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    made = collector(Feed())

    async def forever() -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(made.socket, "run", forever)
    monkeypatch.setattr(made, "_fetch_instruments", forever)
    monkeypatch.setattr("collector.__main__.limits.JOIN_S", 0)

    async def run() -> None:
        task = asyncio.ensure_future(made.run())
        await asyncio.sleep(0.01)
        made._frame(b"bad")
        await task

    with pytest.raises(RuntimeError, match="a fault of ours"):
        asyncio.run(run())
