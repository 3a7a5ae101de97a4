"""Virtual time: it passes by request alone, and the same requests at the same times give the same bytes."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from simulator.wire import NS, parse_time
from tests.integration.simulator.running import MAKER, Running, looped

pytestmark = pytest.mark.processes
ORDER = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 60000.0}


async def story(simulator: Running) -> list[str]:
    """Return every byte that a public and a private client were sent in a small session."""
    simulator._nonces = iter(range(1, 1000))  # type: ignore[assignment]
    async with simulator.public() as public, simulator.private(MAKER) as private:

        async def ask(client: object, **message: object) -> None:
            await client.call(**message)  # type: ignore[attr-defined]

        await ask(public, method="subscribe", channel="book", symbol=["BTC/USD", "SOL/USD"], depth=10)
        await ask(public, method="subscribe", channel="trade", symbol=["BTC/USD"])
        await ask(private, method="subscribe", channel="executions", ratecounter=True)
        await asyncio.to_thread(simulator.control, "clock", "POST", {"ms": 5_000})
        await ask(private, method="add_order", **ORDER)
        await ask(private, method="add_order", symbol="BTC/USD", side="sell", order_type="market", order_qty=0.001)
        await asyncio.to_thread(simulator.control, "clock", "POST", {"ms": 20_000})
        await ask(private, method="cancel_all")
        await ask(public, method="ping")
        return [*public.texts, *private.texts]


@looped
async def test_the_same_seed_requests_and_times_give_the_same_bytes() -> None:
    sessions = []
    for seed in ("5", "5", "6"):
        with tempfile.TemporaryDirectory() as folder:
            simulator = Running(Path(folder), ("--clock", "virtual", "--seed", seed))
            simulator.start()
            try:
                sessions.append(await story(simulator))
            finally:
                simulator.kill()
    assert len(sessions[0]) > 300
    assert sessions[0] == sessions[1]
    assert sessions[0] != sessions[2]


def test_time_stands_still_until_it_is_put_forward_and_then_runs_fast(tmp_path: Path) -> None:
    simulator = Running(tmp_path, ("--clock", "virtual", "--start", "2026-03-01T12:00:00Z"))
    simulator.start()
    try:
        assert simulator.control("clock")["time"] == "2026-03-01T12:00:00.000000Z"
        assert simulator.get("Time")["result"]["unixtime"] == 1772366400
        began = time.monotonic()
        assert simulator.control("clock", "POST", {"ms": 120_000})["time"] == "2026-03-01T12:02:00.000000Z"
        assert time.monotonic() - began < 60
        assert simulator.control("clock", "POST", {"to": "2026-03-01T12:02:01Z"})["clock"] == "virtual"
        assert simulator.get("SystemStatus")["result"]["timestamp"] == "2026-03-01T12:02:01Z"
        rejected: tuple[Any, ...] = ({"ms": -1}, {"ms": "x"}, {}, [], {"to": "yesterday"}, {"ms": 1e15})
        for wrong in rejected:
            with pytest.raises(urllib.error.HTTPError) as error:
                simulator.control("clock", "POST", wrong)
            assert error.value.code == 400
            assert json.load(error.value)["error"]
    finally:
        simulator.kill()


def test_a_real_clock_is_not_put_forward(simulator: Running) -> None:
    assert simulator.control("clock")["clock"] == "real"
    with pytest.raises(urllib.error.HTTPError) as error:
        simulator.control("clock", "POST", {"ms": 1})
    assert error.value.code == 409


@looped
async def test_a_clock_that_is_off_stalls_no_request_and_closes_no_connection() -> None:
    with tempfile.TemporaryDirectory() as folder:
        simulator = Running(Path(folder))
        simulator.start()
        try:
            async with simulator.public() as client:
                # Minutes: a request that waited for the clock, or a connection idle by it, could not be missed.
                for ms in (-300_000, 300_000, 0):
                    await asyncio.to_thread(simulator.control, "faults", "POST", {"kind": "clock", "ms": ms})
                    for _ in range(3):
                        pong = await client.call("ping")
                    off = parse_time(pong["time_out"]) - time.time_ns()
                    assert abs(off - ms * 1_000_000) < 60 * NS
        finally:
            simulator.kill()
