"""``tradebyte tail``: what is on the bus, as any stranger could read it: ZeroMQ, msgpack, no schema."""

from __future__ import annotations

import base64
import os
import sys
from typing import Annotated, Any

import msgpack
import msgspec
import typer
import zmq
from rich.markup import escape

from monitor.commands.common import ConfigOption, JsonOption, console, load, print_json
from shared import bus, limits, topics
from shared.clock import rfc3339
from shared.config import Config

HEADER = ("v", "src", "boot", "seq", "ts")
EVERYTHING = [kind.name for kind in topics.KINDS if kind.name != "feed.book"]


def tail(
    topic: Annotated[
        list[str] | None,
        typer.Argument(
            help="Kinds (book, position, feed.book) or whole topics (book.BTC/USD); none: all but feed.book.",
            autocompletion=lambda: [kind.name for kind in topics.KINDS],
        ),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, help="End after this many messages.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Topic and the message's bytes in hex, as they came.")] = False,
) -> None:
    """Messages on the bus as they come.

    --json prints every one, a line each: topic and the message's own fields; bytes as text, or as base64 in an object
    {"base64": ...} where they are no UTF-8. A state topic comes again each second with the same boot and seq: without
    --json and --raw these repeats are left out.
    """
    found = load(config)
    wanted = topic or EVERYTHING
    for words in wanted:
        if words != "feed" and topics.kind_of(words) is None:
            kinds = ", ".join(kind.name for kind in topics.KINDS)
            raise typer.BadParameter(f"{words!r} is no topic here; the kinds are: {kinds}", param_hint="TOPIC")
    socket = _attach(found, wanted)
    out = console()
    seen: dict[str, tuple[Any, Any]] = {}
    left = count
    try:
        while left is None or left > 0:
            frames = socket.recv_multipart()
            if len(frames) != 2:
                continue
            name = frames[0].rstrip(b"\0").decode("utf-8", "replace")
            if raw:
                print(f"{name} {frames[1].hex()}", flush=True)
            elif json:
                print_json({"topic": name, **_plain(_unpacked(frames[1]))})
            else:
                message = _unpacked(frames[1])
                news = (message.get("boot"), message.get("seq"))
                if seen.get(name) == news:
                    continue
                if len(seen) < limits.BUS_TRACKED_TOPICS:
                    seen[name] = news
                out.print(line(name, _plain(message)), soft_wrap=True)
                sys.stdout.flush()
            left = None if left is None else left - 1
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        # 'tradebyte tail | head': whatever Python would still flush has no reader.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        socket.close(linger=0)


def _attach(config: Config, wanted: list[str]) -> zmq.Socket[bytes]:
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, limits.BUS_QUEUE_MESSAGES)
    for words in wanted:
        for prefix in topics.subscription(words):
            socket.setsockopt(zmq.SUBSCRIBE, prefix)
    curve = config.curve
    for endpoint in bus.addresses(config):
        if curve is not None and endpoint.startswith("tcp://"):
            socket.curve_serverkey = curve.public_key.encode()
            socket.curve_secretkey = curve.secret_key.encode()
            socket.curve_publickey = curve.public_key.encode()
        socket.connect(endpoint)
    return socket


def _unpacked(payload: bytes) -> dict[str, Any]:
    """A message's map; what is none is shown as it is instead of ending the tail."""
    try:
        found = msgpack.unpackb(payload, strict_map_key=False)
    except Exception as error:  # noqa: BLE001 - msgpack raises many kinds; each means the same here
        return {"undecodable": str(error) or type(error).__name__, "bytes": payload[: limits.BAD_MESSAGE_SHOWN_BYTES]}
    return found if isinstance(found, dict) else {"not_a_map": found}


def _plain(value: Any) -> Any:
    """A msgpack value as JSON can hold it."""
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


def line(topic: str, message: dict[str, Any]) -> str:
    """A message for people: time, topic, and its own fields."""
    ts = message.get("ts")
    when = rfc3339(ts)[11:23] if isinstance(ts, int) and 0 <= ts < 2**63 else "--:--:--.---"
    fields = " ".join(f"{key}={_short(each)}" for key, each in message.items() if key not in HEADER)
    return f"[dim]{when}[/dim] [bold]{escape(topic)}[/bold] {escape(fields)}"


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value if value and " " not in value else repr(value)
    return msgspec.json.encode(value).decode()
