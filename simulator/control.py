"""The HTTP calls that are the simulator's own: ``/simulator/faults``. Answered to this machine only."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from aiohttp import web

from simulator import acts
from simulator.errors import KrakenError
from simulator.faults import ACTS
from simulator.websocket import Clock
from simulator.wire import read_json
from simulator.world import World


class Control:
    """What people and tests do to a world."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Its paths."""
        return [
            web.get("/simulator/faults", self.shown),
            web.post("/simulator/faults", self.set),
            web.delete("/simulator/faults", self.clear),
        ]

    async def shown(self, request: web.Request) -> web.Response:
        """What is set and what was injected."""
        return refused(request) or answer(self.world.faults.shown())

    async def set(self, request: web.Request) -> web.Response:
        """Sets one fault (an object) or several (a list); answers their ids. One that is wrong changes nothing."""
        if (refusal := refused(request)) is not None:
            return refusal
        now = self.clock()
        faults = self.world.faults
        try:
            wanted = read_json(await request.read())
            found = [faults.read(_plain(item), now) for item in (wanted if isinstance(wanted, list) else [wanted])]
            for fault in found:
                if fault.kind in ACTS:
                    acts.act(self.world, fault, now)
                else:
                    faults.set(fault)
            self.clock.put_off(self.world.clock_offset_ns)
        except (ValueError, ArithmeticError, KrakenError) as error:
            return web.Response(status=400, text=json.dumps({"error": str(error)}), content_type="application/json")
        return answer({"ids": [fault.id for fault in found]})

    async def clear(self, request: web.Request) -> web.Response:
        """Takes away the rule of ``?id=``; without it all, and the exchange is online and on time again."""
        if (refusal := refused(request)) is not None:
            return refusal
        text = request.query.get("id", "")
        if text and not text.isdecimal():
            return web.Response(status=400, text='{"error":"id is a number"}', content_type="application/json")
        cleared = self.world.faults.clear(int(text) if text else None)
        if not text:
            acts.calm(self.world, self.clock())
            self.clock.put_off(self.world.clock_offset_ns)
        return answer({"cleared": cleared})


def refused(request: web.Request) -> web.Response | None:
    """The refusal of a caller that is not on this machine; None for one that is."""
    try:
        local = ipaddress.ip_address((request.remote or "").partition("%")[0]).is_loopback
    except ValueError:
        local = False
    return None if local else web.Response(status=403, text='{"error":"loopback only"}')


def answer(body: Any) -> web.Response:
    """A JSON answer."""
    return web.Response(text=json.dumps(body, separators=(",", ":")), content_type="application/json")


def _plain(value: Any) -> Any:
    """The numbers of a request as floats: these are settings, not money."""
    if not isinstance(value, dict):
        return value
    return {name: float(item) if hasattr(item, "is_finite") else item for name, item in value.items()}
