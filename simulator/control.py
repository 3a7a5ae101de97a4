"""The HTTP calls that are the simulator's own: ``/simulator/faults`` and ``/simulator/clock``. This machine only."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from decimal import Decimal

import msgspec
from aiohttp import web

from simulator.errors import SimulatorError
from simulator.faults import instant
from simulator.faults.rules import INSTANT_KINDS
from simulator.websocket import Clock, VirtualClock, WebSockets
from simulator.wire import NS, Json, iso, parse_time, read_json
from simulator.world import World

ADVANCE_MAX_NS = 366 * 86_400 * NS
STEP_MIN_NS = 100_000


class PutForward(msgspec.Struct):
    """Virtual time to pass: ``ms`` from now on, or until ``to`` (RFC 3339) where it is given."""

    ms: Decimal | None = None
    to: str | None = None

    def until(self, now: int) -> int:
        """Return the time (ns since the epoch) until which it passes; raises ValueError when there is none."""
        if self.to is not None:
            return parse_time(self.to)
        if self.ms is None:
            raise ValueError("neither is there")
        return now + int(self.ms * 1_000_000)


class Control:
    """Set a world's faults and put its clock forward, for people and tests."""

    def __init__(self, world: World, clock: Clock, sockets: WebSockets) -> None:
        self.world = world
        self.clock = clock
        self.sockets = sockets
        # By the steady clock, which no fault puts off.
        self._beat_ns = clock.steady() + NS
        self._turn = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of these calls."""
        return [
            web.get("/simulator/faults", self.summary),
            web.post("/simulator/faults", self.set),
            web.delete("/simulator/faults", self.clear),
            web.get("/simulator/clock", self.time),
            web.post("/simulator/clock", self.put_forward),
        ]

    async def summary(self, request: web.Request) -> web.Response:
        """Answer what is set and what was injected."""
        return refused(request) or answer(self.world.faults.summary())

    async def set(self, request: web.Request) -> web.Response:
        """Set one fault (an object) or several (a list), and answer their ids. One that is wrong changes nothing."""
        if (refusal := refused(request)) is not None:
            return refusal
        now = self.clock()
        faults = self.world.faults
        try:
            wanted = read_json(await request.read())
            injected = [faults.read(_plain(item), now) for item in (wanted if isinstance(wanted, list) else [wanted])]
            # Rules first: they keep their distance when an instant fault moves the clock.
            for fault in injected:
                if fault.kind not in INSTANT_KINDS:
                    faults.set(fault)
            for fault in injected:
                if fault.kind in INSTANT_KINDS:
                    instant.carry_out(self.world, fault, self.clock())
                    self.clock.put_off(self.world.clock_offset_ns)
        except (ValueError, ArithmeticError, SimulatorError) as error:
            return web.Response(status=400, text=json.dumps({"error": str(error)}), content_type="application/json")
        return answer({"ids": [fault.id for fault in injected]})

    async def clear(self, request: web.Request) -> web.Response:
        """Remove the rule of ``?id=``; without it remove all, and bring the exchange online and on time again."""
        if (refusal := refused(request)) is not None:
            return refusal
        text = request.query.get("id", "")
        if text and not text.isdecimal():
            return web.Response(status=400, text='{"error":"id is a number"}', content_type="application/json")
        cleared = self.world.faults.clear(int(text) if text else None)
        if not text:
            instant.calm(self.world, self.clock())
            self.clock.put_off(self.world.clock_offset_ns)
        return answer({"cleared": cleared})

    async def time(self, request: web.Request) -> web.Response:
        """Return the exchange's time."""
        return refused(request) or answer(self._time())

    async def put_forward(self, request: web.Request) -> web.Response:
        """Let virtual time pass: ``{"ms": 1500}`` from now, or ``{"to": "2026-01-01T00:10:00Z"}``.

        Answers when it has passed and what came of it has been handed to the sockets.
        """
        if (refusal := refused(request)) is not None:
            return refusal
        if not isinstance(self.clock, VirtualClock):
            return web.Response(status=409, text='{"error":"the clock is real"}', content_type="application/json")
        try:
            wanted = msgspec.json.decode(await request.read(), type=PutForward)
            until = wanted.until(self.clock())
        except (ValueError, ArithmeticError) as error:
            text = json.dumps({"error": f"ms or to: {error}"})
            return web.Response(status=400, text=text, content_type="application/json")
        if not 0 <= until - self.clock() <= ADVANCE_MAX_NS:
            text = '{"error":"time goes forward, a year at most"}'
            return web.Response(status=400, text=text, content_type="application/json")
        async with self._turn:
            await self._pass(self.clock, until)
        return answer(self._time())

    async def _pass(self, clock: VirtualClock, until: int) -> None:
        steps = 0
        while True:
            due = self.world.step(clock())
            now = clock()
            if clock.steady() >= self._beat_ns:
                self._beat_ns += NS
                self.sockets.beat_all()
            if now >= until:
                break
            beat = self._beat_ns - clock.steady()
            clock.advance(min(until - now, beat, max(due - now, STEP_MIN_NS)))
            steps += 1
            if steps % 200 == 0:
                await asyncio.sleep(0)
            while self.sockets.crowded:  # noqa: ASYNC110 - queues drain by themselves and signal nothing
                await asyncio.sleep(0.001)
        await self.sockets.drained()

    def _time(self) -> dict[str, object]:
        now = self.clock()
        return {"clock": "virtual" if isinstance(self.clock, VirtualClock) else "real", "ns": now, "time": iso(now)}


def refused(request: web.Request) -> web.Response | None:
    """Return the refusal of a caller that is not on this machine; None for one that is."""
    try:
        local = ipaddress.ip_address((request.remote or "").partition("%")[0]).is_loopback
    except ValueError:
        local = False
    return None if local else web.Response(status=403, text='{"error":"loopback only"}')


def answer(body: object) -> web.Response:
    """Return a JSON answer."""
    return web.Response(text=json.dumps(body, separators=(",", ":")), content_type="application/json")


def _plain(value: Json) -> object:
    """Return the numbers of a request as floats: these are settings, not money."""
    if not isinstance(value, dict):
        return value
    return {name: float(item) if isinstance(item, Decimal) else item for name, item in value.items()}
