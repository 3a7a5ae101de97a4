"""A halt asked for by POST waits behind no other act."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from monitor.acts import halting, restarting
from monitor.api.controls import Controls
from monitor.api.queries import HaltWish, RestartWish
from shared.config import Config

# More than asyncio has threads for, on any machine.
MANY = 40


def test_a_halt_waits_behind_no_restart_that_takes_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    free = threading.Event()

    def slow(*_: Any, **__: Any) -> dict[str, int]:
        assert free.wait(30)
        return {}

    done = {"open_orders": 0, "halted": True, "how": "executor", "why": "a test"}
    monkeypatch.setattr(restarting, "programs_of", lambda *_, **__: ["book"])
    monkeypatch.setattr(restarting, "restart", slow)
    monkeypatch.setattr(halting, "halt", lambda *_: done)
    config = Config()
    config.source = tmp_path / "config.yaml"
    controls = Controls(config, lambda *_: None)

    async def acted() -> bool:
        restarts = [asyncio.ensure_future(controls.restart(RestartWish(process="book"))) for _ in range(MANY)]
        await asyncio.sleep(0)
        try:
            return (await asyncio.wait_for(controls.halt(HaltWish(why="a test")), 20)).ok
        finally:
            free.set()
            await asyncio.gather(*restarts)

    assert asyncio.run(acted())
