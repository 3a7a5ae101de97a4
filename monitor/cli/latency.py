"""``tradebyte latency``: how long each hop takes, from a frame at Kraken to an order's acknowledgement."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.api.loopback import OPENER, api, why_unanswered
from monitor.cli.common import ConfigOption, JsonOption, console, fail, load, print_json, say, table
from monitor.model.latency import Latency
from monitor.model.sections import Hop, LatencyShown
from shared import bus
from shared.config import Config

SOURCES = ("feed.status", "book", "target", "order")
FIGURES = ("p50", "p90", "p99", "p999", "max")
POLL_MS = 50


def latency(
    seconds: Annotated[
        float | None, typer.Option(help="Listen to the bus this long instead of asking the monitor.", min=0.1)
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print each hop's latency: percentiles in ms, count, and since when (the monitor's start unless --seconds)."""
    settings = load(config)
    hops = from_monitor(settings) if seconds is None else from_bus(settings, seconds)
    if json:
        print_json({"hops": hops})
    else:
        _show(hops)


def from_monitor(config: Config) -> list[Hop]:
    """Return what the monitor has counted since it started."""
    try:
        with OPENER.open(f"{api(config)}/api/latency", timeout=2) as answer:
            hops = msgspec.json.decode(answer.read(), type=LatencyShown).hops
    except (OSError, msgspec.DecodeError) as error:
        why = why_unanswered(error) if isinstance(error, OSError) else "something else answers there"
        fail(
            f"the monitor does not answer on port {config.monitor.port} ({why}); start it, or listen to the bus "
            "without it: 'tradebyte latency --seconds 10'"
        )
    return hops


def from_bus(config: Config, seconds: float) -> list[Hop]:
    """Return what passes on the bus in the next ``seconds``, or until Ctrl-C: what was counted by then is not lost."""
    counted = Latency()
    subscriber = bus.attach(config, SOURCES)
    began = time.monotonic()
    out = Console(stderr=True)
    columns = (TextColumn("listening to the bus"), BarColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
            task = progress.add_task("", total=seconds)
            while (passed := time.monotonic() - began) < seconds:
                progress.update(task, completed=passed)
                subscriber.wait(POLL_MS)
                for received in subscriber.drain():
                    counted.take(received)
    except KeyboardInterrupt:
        say(f"tradebyte: stopped after {time.monotonic() - began:.0f} of {seconds:g} s; this is what was counted")
    finally:
        subscriber.close()
    return counted.described()


def _show(hops: list[Hop]) -> None:
    out = console()
    columns = ("count", *(f"{name} ms" for name in FIGURES))
    rows = table("hop", *columns, "since (UTC)", right=columns)
    for hop in hops:
        since = time.strftime("%H:%M:%S", time.gmtime(hop.since_ts)) if hop.since_ts else "no sample yet"
        figures = (_ms(value) for value in (hop.p50_ms, hop.p90_ms, hop.p99_ms, hop.p999_ms, hop.max_ms))
        rows.add_row(hop.hop.replace("_", " "), str(hop.count), *figures, since)
    out.print(rows)


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
