"""A WebSocket session without its socket: the v2 envelope (KRAKEN.md 1.1-1.4), which version 1 overrides."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from simulator import errors
from simulator.arguments import only
from simulator.errors import KrakenError
from simulator.limits import Counter
from simulator.wire import iso, read_json
from simulator.world import World

VERSION = "2.0.10"
# Kraken names no figure for its message rate; this one stops a flood and no client that behaves.
MESSAGES_MAX, MESSAGES_DECAY = 400.0, 100.0
IDLE_NS = 60_000_000_000
SYMBOLS_MAX = 200
_TOP = frozenset({"method", "params", "req_id"})


class Request(NamedTuple):
    """A request as read; ``error`` is set when it cannot be handled at all."""

    method: str
    params: dict[str, Any]
    req_id: int | None
    arrived: int
    error: str = ""


class Session:
    """One connection. ``send`` takes each message in order; times are ns since the epoch."""

    def __init__(self, world: World, connection_id: int, send: Callable[[str], None]) -> None:
        self.world = world
        self.connection_id = connection_id
        self._send = send
        self._rate = Counter(MESSAGES_MAX, MESSAGES_DECAY)
        self.heard_ns = 0

    def send(self, text: str) -> None:
        """A message to the client."""
        self._send(text)

    def open(self, now: int) -> None:
        """What a client gets on connecting."""
        self.heard_ns = now
        self.send(self.status())

    def status(self) -> str:
        """The ``status`` message."""
        return (
            f'{{"channel":"status","type":"update","data":[{{"version":"{VERSION}",'
            f'"system":"{self.world.exchange.system}","api_version":"v2","connection_id":{self.connection_id},'
            '"upcoming_maintenance":[],"emergency":[]}]}'
        )

    def close(self) -> None:
        """Ends every subscription."""

    @property
    def subscribed(self) -> bool:
        """Has the session any subscription."""
        raise NotImplementedError

    def beat(self, now: int) -> bool:
        """The second's heartbeat; False when the connection is idle and should be closed."""
        if now - self.heard_ns > IDLE_NS and not self.subscribed:
            return False
        self.send(self.heartbeat())
        return True

    def heartbeat(self) -> str:
        """The second's sign of life."""
        return '{"channel":"heartbeat"}'

    def charge(self, arrived: int) -> bool:
        """Counts a message; False when the connection sends too many."""
        if not self._rate.fits(1, arrived):
            return False
        self._rate.charge(1, arrived)
        return True

    # --- requests ------------------------------------------------------------------------------------------------

    def read(self, text: str, arrived: int) -> Request:
        """Reads a frame; never raises."""
        self.heard_ns = arrived
        if not self.charge(arrived):
            return Request("", {}, None, arrived, errors.MESSAGE_RATE)
        try:
            message = read_json(text)
        except (ValueError, ArithmeticError):
            return Request("", {}, None, arrived, errors.MALFORMED)
        if not isinstance(message, dict):
            return Request("", {}, None, arrived, errors.MALFORMED)
        method, params, req_id = message.get("method"), message.get("params", {}), message.get("req_id")
        name = method if isinstance(method, str) else ""
        number = req_id if isinstance(req_id, int) and not isinstance(req_id, bool) else None
        if number is not None and not -(2**63) <= number < 2**64:
            number = None
        error = ""
        if not name or len(name) > 64:
            name, error = "", errors.UNSUPPORTED_EVENT
        elif not isinstance(params, dict):
            error = errors.MALFORMED
        elif extra := [member for member in message if member not in _TOP]:
            error = errors.unsupported_field(extra[0][:64], name)
        return Request(name, params if isinstance(params, dict) else {}, number, arrived, error)

    def handle(self, request: Request, now: int) -> None:
        """Answers a request; Kraken's refusals are answers too."""
        try:
            if request.error:
                raise KrakenError(request.error)
            if request.method == "ping":
                self.pong(request, now)
            else:
                self.dispatch(request, now)
        except KrakenError as error:
            self.refuse(request, str(error), now)

    def dispatch(self, request: Request, now: int) -> None:
        """Handles any method but ping; raises KrakenError."""
        raise NotImplementedError

    def answer(self, request: Request, result: Mapping[str, Any] | list[Any], now: int) -> None:
        """A success response."""
        body = json.dumps(result, separators=(",", ":"))
        self.send(
            f'{{"method":{json.dumps(request.method)},{_req_id(request)}"result":{body},"success":true,'
            f'"time_in":"{iso(request.arrived)}","time_out":"{iso(now)}"}}'
        )

    def refuse(self, request: Request, error: str, now: int, **extra: str) -> None:
        """An error response; ``extra`` are further members such as ``symbol``."""
        more = "".join(f'"{name}":{json.dumps(value)},' for name, value in extra.items())
        method = f'"method":{json.dumps(request.method)},' if request.method else ""
        self.send(
            f'{{"error":{json.dumps(error)},{method}{_req_id(request)}"success":false,{more}'
            f'"time_in":"{iso(request.arrived)}","time_out":"{iso(now)}"}}'
        )

    def pong(self, request: Request, now: int) -> None:
        """The answer to a ping; raises KrakenError."""
        if request.params:
            raise KrakenError(errors.unsupported_field("params", "ping"))
        self.send(f'{{"method":"pong",{_req_id(request)}"time_in":"{iso(request.arrived)}","time_out":"{iso(now)}"}}')


def channel_of(request: Request, allowed: Mapping[str, frozenset[str]]) -> str:
    """The channel of a (un)subscribe whose members are those of ``allowed``; raises KrakenError."""
    channel = request.params.get("channel")
    if not isinstance(channel, str) or channel not in allowed:
        raise KrakenError(errors.CHANNEL_INVALID)
    only(request.params, allowed[channel], request.method)
    return channel


def _req_id(request: Request) -> str:
    return "" if request.req_id is None else f'"req_id":{request.req_id},'
