"""A WebSocket session without its socket: the v2 envelope (KRAKEN.md 1.1-1.4), which version 1 overrides."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from simulator import errors
from simulator.arguments import only
from simulator.errors import KrakenError
from simulator.exchange.limits import Counter
from simulator.faults import oddities
from simulator.faults.rules import PROXY_TEXT
from simulator.wire import Json, Written, iso, read_json
from simulator.world import World

VERSION = "2.0.10"
# Kraken names no figure for its message rate; this one stops a flood, and no ordinary client.
MESSAGES_MAX, MESSAGES_DECAY = 400.0, 100.0
IDLE_NS = 60_000_000_000
SYMBOLS_MAX = 200
WAITING_MAX = 100_000
_CHECKSUM = re.compile(r'("checksum":|"c":")(\d+)')
_TOP = frozenset({"method", "params", "req_id"})


class Request(NamedTuple):
    """A request as read; ``error`` is set when it cannot be handled at all."""

    method: str
    params: dict[str, Json]
    # A number in version 2, in version 1 a text too.
    req_id: int | str | None
    arrived: int
    error: str = ""


class Session:
    """One connection. ``send`` takes each message in order; times are ns since the epoch."""

    path = "public"

    def __init__(self, world: World, connection_id: int, send: Callable[[str], None]) -> None:
        self.world = world
        self._unconfirmed = world.config.unconfirmed
        self.connection_id = connection_id
        self._send = send
        self._rate = Counter(MESSAGES_MAX, MESSAGES_DECAY)
        self.heard_ns = 0
        # Ends the connection; the shell knows how.
        self.hang_up: Callable[[], None] = lambda: None
        # As hang_up, after a close frame with that code.
        self.close_with: Callable[[int], None] = lambda _code: None
        # Answers are kept here while a fault decides on them.
        self._kept: list[str] | None = None
        # Messages that wait for their time, and when the last of them is due.
        self._waiting = 0
        self._due = 0

    def open(self, now: int) -> None:
        """Send what a client gets on connecting."""
        self.heard_ns = now
        self.world.hub.sessions[self] = None
        self.send(self.status())

    def shift(self, by: int) -> None:
        """Keep what is timed here at its distance when the exchange's clock is moved by so many ns."""
        self.heard_ns += by
        self._rate.ns += by
        self._due += by

    def send(self, text: str) -> None:
        """Send a message to the client, if no fault is in its way."""
        faults = self.world.faults
        if not faults.rules and not self._waiting:
            self._send(text)
            return
        now = self.world.now
        drop = faults.strike("drop", now, f"connection {self.connection_id}", path=self.path)
        if drop is not None:
            # Without a close frame (1006) it just ends.
            if drop.value in ("", "1006"):
                self.hang_up()
            else:
                self.close_with(int(drop.value))
            return
        text = self._distort(text, now)
        said = faults.strike("text", now, path=self.path)
        if said is not None:
            self._send(said.text or PROXY_TEXT)
        if faults.strike("garbage", now, path=self.path):
            self._send(faults.garbage())
        stall = faults.strike("stall", now, f"connection {self.connection_id}", path=self.path)
        if stall is not None:
            self.send_late(text, int(stall.ms * 1e6))
        else:
            self.send_late(text, faults.level("lag_public", now, path=self.path) if self.path != "private" else 0)

    def _distort(self, text: str, now: int) -> str:
        """Return the message with whatever rules do to its numbers and members."""
        faults = self.world.faults
        numbers = faults.strike("odd_numbers", now, path=self.path)
        if numbers is not None:
            text = oddities.odd_numbers(text, numbers.value)
        members = faults.strike("odd_members", now, path=self.path)
        return text if members is None else oddities.odd_members(text, members.value)

    def send_late(self, text: str, late_ns: int) -> None:
        """Send a message later, and never before what was to leave earlier."""
        now = self.world.now
        self._due = max(self._due, now + late_ns)
        if self._due <= now and not self._waiting:
            self._send(text)
        elif self._waiting >= WAITING_MAX:
            self.hang_up()
        else:
            self._waiting += 1
            self.world.later(self._due, lambda _now: self._arrive(text))

    def _arrive(self, text: str) -> None:
        self._waiting -= 1
        if self in self.world.hub.sessions:
            self._send(text)

    def push(self, channel: str, symbol: str, text: str) -> None:
        """Send a message of a public channel."""
        faults = self.world.faults
        if (
            faults.rules
            and channel.endswith(("book", "level3"))
            and faults.strike("corrupt_checksum", self.world.now, symbol, path=self.path, symbol=symbol)
        ):
            text = _CHECKSUM.sub(lambda match: f"{match[1]}{(int(match[2]) + 1) % 2**32}", text, count=1)
        self.send(text)

    def reply(self, text: str) -> None:
        """Send a message that answers a request."""
        if self._kept is None:
            self.send(text)
        else:
            self._kept.append(text)

    def status(self) -> str:
        """Return the ``status`` message."""
        return (
            f'{{"channel":"status","type":"update","data":[{{"version":"{VERSION}",'
            f'"system":"{self.world.exchange.state.system}","api_version":"v2","connection_id":{self.connection_id},'
            f'"upcoming_maintenance":[{self._maintenance()}],"emergency":[]}}]}}'
        )

    def close(self) -> None:
        """End every subscription, as the connection is gone."""
        self.world.hub.sessions.pop(self, None)

    def _maintenance(self) -> str:
        # No capture has a notice; these are the members that it needs at least.
        announced = self.world.maintenance
        if announced is None:
            return ""
        begin, end = (iso(when) for when in announced)
        return f'{{"start_time":"{begin}","end_time":"{end}"}}'

    @property
    def subscribed(self) -> bool:
        """True if the session has any subscription."""
        raise NotImplementedError

    def beat(self, now: int) -> bool:
        """Send the second's heartbeat; False when the connection is idle and should be closed."""
        silent = self._unconfirmed.quiet_close == "silent"
        if now - self.heard_ns > IDLE_NS and (silent or not self.subscribed):
            return False
        self.send(self.heartbeat())
        return True

    def heartbeat(self) -> str:
        """Return the second's sign of life."""
        return '{"channel":"heartbeat"}'

    def charge(self, arrived: int) -> bool:
        """Count a message; False when the connection sends too many."""
        if not self._rate.fits(1, arrived):
            return False
        self._rate.charge(1, arrived)
        return True

    def message(self, text: str, arrived: int) -> dict[str, Json]:
        """Return the object in a frame; raises KrakenError when there is none, or when frames come too often."""
        self.heard_ns = arrived
        if not self.charge(arrived):
            raise KrakenError(errors.MESSAGE_RATE)
        try:
            message = read_json(text)
        except (ValueError, ArithmeticError) as error:
            raise KrakenError(errors.MALFORMED) from error
        if not isinstance(message, dict):
            raise KrakenError(errors.MALFORMED)
        return message

    def read(self, text: str, arrived: int) -> Request:
        """Read a frame; never raises."""
        try:
            message = self.message(text, arrived)
        except KrakenError as refusal:
            return Request("", {}, None, arrived, str(refusal))
        method, params, req_id = message.get("method"), message.get("params", {}), message.get("req_id")
        name = method if isinstance(method, str) else ""
        number = req_id if isinstance(req_id, int) and not isinstance(req_id, bool) else None
        if number is not None and not -(2**63) <= number < 2**64:
            number = None
        error = ""
        if not name or len(name) > 64:
            name, error = "", errors.UNSUPPORTED_EVENT
        elif name == "ping" and "params" in message:
            error = errors.unsupported_field("params", name)
        elif not isinstance(params, dict):
            error = errors.MALFORMED
        elif extra := [member for member in message if member not in _TOP]:
            error = errors.unsupported_field(extra[0][:64], name)
        return Request(name, params if isinstance(params, dict) else {}, number, arrived, error)

    def handle(self, request: Request, now: int) -> None:
        """Answer a request; Kraken's refusals are answers too."""
        self.world.now = now
        faults = self.world.faults
        if not faults.rules:
            self._handle(request, now)
            return
        token = self.world.tokens.get(text) if isinstance(text := request.params.get("token"), str) else None
        about = {
            "path": self.path,
            "method": request.method,
            "account": token.key.account.name if token is not None else "",
        }
        refusal = faults.strike("refuse", now, request.method, **about)
        if refusal is not None and not refusal.after:
            self.refuse(request, refusal.text or errors.INTERNAL_ERROR, now)
            return
        never = faults.strike("answer_never", now, request.method, **about)
        late = faults.strike("answer_late", now, request.method, **about)
        kept: list[str] = []
        self._kept = kept
        try:
            self._handle(request, now)
        finally:
            self._kept = None
        if refusal is not None:
            self.refuse(request, refusal.text or errors.INTERNAL_ERROR, now)
            return
        for text in kept if never is None else []:
            if late is None:
                self.send(text)
            else:
                self.world.later(now + int(late.ms * 1e6), lambda _now, text=text: self._overdue(text))  # type: ignore[misc]

    def _overdue(self, text: str) -> None:
        if self in self.world.hub.sessions:
            self.send(text)

    def _handle(self, request: Request, now: int) -> None:
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
        """Handle any method but ping; raises KrakenError."""
        raise NotImplementedError

    def answer(self, request: Request, result: Written, now: int, **extra: int) -> None:
        """Send a success response; ``extra`` are members beside ``result``."""
        body = "" if result is None else f'"result":{json.dumps(result, separators=(",", ":"))},'
        more = "".join(f'"{name}":{value},' for name, value in extra.items())
        self.reply(
            f'{{"method":{json.dumps(request.method)},{more}{_req_id(request)}{body}"success":true,'
            f'"time_in":"{iso(request.arrived)}","time_out":"{iso(max(now, request.arrived))}"}}'
        )

    def refuse(self, request: Request, error: str, now: int, **extra: str) -> None:
        """Send an error response; ``extra`` are further members such as ``symbol``."""
        more = "".join(f'"{name}":{json.dumps(value)},' for name, value in extra.items())
        method = f'"method":{json.dumps(request.method)},' if request.method else ""
        self.reply(
            f'{{"error":{json.dumps(error)},{method}{_req_id(request)}"success":false,{more}'
            f'"time_in":"{iso(request.arrived)}","time_out":"{iso(max(now, request.arrived))}"}}'
        )

    def pong(self, request: Request, now: int) -> None:
        """Answer a ping."""
        self.reply(
            f'{{"method":"pong",{_req_id(request)}"time_in":"{iso(request.arrived)}",'
            f'"time_out":"{iso(max(now, request.arrived))}"}}'
        )


def channel_of(request: Request, allowed: Mapping[str, frozenset[str]]) -> str:
    """Return the channel of an (un)subscribe whose members are those of ``allowed``; raises KrakenError."""
    channel = request.params.get("channel")
    if not isinstance(channel, str) or channel not in allowed:
        raise KrakenError(errors.CHANNEL_INVALID)
    only(request.params, allowed[channel], request.method)
    return channel


def _req_id(request: Request) -> str:
    return "" if request.req_id is None else f'"req_id":{request.req_id},'
