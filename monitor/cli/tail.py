"""``tradebyte tail``: what is on the bus, as any stranger could read it: ZeroMQ, msgpack, no schema."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from json import JSONEncoder
from typing import Annotated

import msgpack
import msgspec
import typer
import zmq

from monitor.cli.common import ConfigOption, JsonOption, console, fail, load, looked_in
from shared import bus, limits
from shared.bus import topics
from shared.clock import rfc3339
from shared.messages import Message

HEADER = ("v", "src", "boot", "seq", "ts")
# Messages within this time are shown together: waking for each costs more than showing it.
TOGETHER_S = 0.05
# A change of the connections ends the waiting, and is seen at once; this is for the relay's silence.
WAIT_MS = 500
HEADERS = msgspec.msgpack.Decoder(Message)
EVERYTHING = [kind.name for kind in topics.KINDS if kind.name != "feed.book"]


def tail(
    topic: Annotated[
        list[str] | None,
        typer.Argument(
            help="Kinds (book, position, feed.book), whole topics (book.BTC/USD), or all of a strategy "
            "(target.market_maker); none: all but feed.book.",
            autocompletion=lambda: [kind.name for kind in topics.KINDS],
        ),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, help="End after this many messages.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Topic and the message's bytes in hex, as they came.")] = False,
) -> None:
    """Print messages on the bus as they come.

    --json prints every one, a line each: topic and the message's own fields; bytes as text, or as base64 in an object
    {"base64": ...} where they are no UTF-8. A state topic comes again each second with the same boot and seq: without
    --json and --raw these repeats are left out.
    """
    settings = load(config)
    wanted = topic or EVERYTHING
    for name in wanted:
        if why := topics.why_unknown(name):
            raise typer.BadParameter(why, param_hint="TOPIC")
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    connections = bus.Connections(bus.open_socket(context, wanted), settings, wanted)
    if not _is_answered(connections):
        connections.close()
        fail(f"nothing runs that could be heard; looked in {looked_in(settings)}. Start it: make run")
    give_way()
    admitted = _Admitted(connections) if settings.relay is not None else lambda _topic, _payload: True
    show = _raw if raw else _json if json else _Lines(is_styled=console().color_system is not None)
    left = count
    try:
        while left is None or left > 0:
            connections.wait(WAIT_MS)
            time.sleep(TOGETHER_S)
            lines = list(itertools.islice(_waiting(connections, admitted, show), left))
            connections.turn()
            sys.stdout.write("".join(f"{each}\n" for each in lines))
            sys.stdout.flush()
            left = None if left is None else left - len(lines)
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        # 'tradebyte tail | head': whatever Python would still flush has no reader.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        connections.close()


def give_way() -> None:
    """Leave the cores to whatever else wants them: many who look must not delay trading."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _is_answered(connections: bus.Connections) -> bool:
    """Wait until anything answers; a bus without publishers must be told from publishers that say nothing."""
    end = time.monotonic() + limits.TAIL_NOBODY_S
    while not connections.is_connected and (left := end - time.monotonic()) > 0:
        connections.wait(min(WAIT_MS, int(left * 1000) + 1))
        connections.turn()
    return connections.is_connected


class _Admitted:
    """Admits a message unless it came before: of an event none twice, of a state none after a newer one.

    While the route changes each comes by the relay and from its publisher.
    """

    def __init__(self, connections: bus.Connections) -> None:
        self._connections = connections
        self._newest: dict[tuple[bytes, str], tuple[int, int]] = {}

    def __call__(self, topic: bytes, payload: bytes) -> bool:
        if not self._connections.heard(topic, payload):
            return False
        try:
            header = HEADERS.decode(payload)
            kind = topics.kind_of(topics.decode(topic))
        except (msgspec.DecodeError, ValueError):
            return True
        key, number = (topic, header.src), (header.boot, header.seq)
        newest = self._newest.get(key)
        if newest is not None and (number < newest or (number == newest and kind is not None and not kind.is_state)):
            return False
        if newest is not None or len(self._newest) < limits.BUS_TRACKED_TOPICS:
            self._newest[key] = number
        return True


def _waiting(
    connections: bus.Connections, admitted: Callable[[bytes, bytes], bool], show: Callable[[str, bytes], str | None]
) -> Iterator[str]:
    """Yield a line for each waiting message that is new, up to a bound."""
    for _ in range(limits.BUS_DRAIN_MESSAGES):
        try:
            frames = connections.receive()
        except zmq.Again:
            return
        if len(frames) == 2 and admitted(frames[0], frames[1]):
            text = show(frames[0].rstrip(b"\0").decode("utf-8", "replace"), frames[1])
            if text is not None:
                yield text


def _raw(topic: str, payload: bytes) -> str:
    return f"{topic} {payload.hex()}"


def _json(topic: str, payload: bytes) -> str:
    return _encoded({"topic": topic, **_unpacked(payload)})


class _Lines:
    """Lines for people, of new messages only: a repeated state gives none."""

    def __init__(self, is_styled: bool) -> None:
        self._is_styled = is_styled
        self._newest: dict[str, tuple[object, object]] = {}

    def __call__(self, topic: str, payload: bytes) -> str | None:
        message = _unpacked(payload)
        news = (message.get("boot"), message.get("seq"))
        if self._newest.get(topic) == news:
            return None
        if len(self._newest) < limits.BUS_TRACKED_TOPICS:
            self._newest[topic] = news
        when, fields = line(message)
        if self._is_styled:
            return f"{typer.style(when, dim=True)} {typer.style(topic, bold=True)} {fields}"
        return f"{when} {topic} {fields}"


def _unpacked(payload: bytes) -> dict[str, object]:
    """Return a message's map; show what is none as it is instead of ending the tail."""
    try:
        message = msgpack.unpackb(payload, strict_map_key=False)
    except Exception as error:  # noqa: BLE001 - msgpack raises many kinds; each means the same here
        return {"undecodable": str(error) or type(error).__name__, "bytes": payload[: limits.BAD_MESSAGE_SHOWN_BYTES]}
    return message if isinstance(message, dict) else {"not_a_map": message}


def _encoded(value: object) -> str:
    try:
        return JSON.encode(value)
    except (TypeError, ValueError):
        return msgspec.json.encode(_plain(value)).decode()


def _plain(value: object) -> object:
    """Return a msgpack value as JSON can hold it."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


# Unlike msgspec it calls back for bytes, so that a message without any need not be searched for them.
JSON = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


def line(message: dict[str, object]) -> tuple[str, str]:
    """Return a message's time and its own fields, for people."""
    ts = message.get("ts")
    when = rfc3339(ts)[11:23] if isinstance(ts, int) and 0 <= ts < 2**63 else "--:--:--.---"
    return when, " ".join(f"{key}={_short(each)}" for key, each in message.items() if key not in HEADER)


def _short(value: object) -> str:
    if isinstance(value, bytes):
        value = _plain(value)
    if isinstance(value, str):
        return value if value and value.isprintable() and " " not in value else repr(value)
    return _encoded(value)
