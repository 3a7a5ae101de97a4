"""Commands that belong to another component and run there, as a process: from ``fills`` to ``replay``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.common import ConfigOption, JsonOption, load, run_component
from monitor.cli.orders import SymbolOption
from shared.bus import topics


def _topics() -> list[str]:
    return [kind.name for kind in topics.KINDS]


def _flags(options: Mapping[str, object]) -> list[str]:
    return [word for name, value in options.items() if value is not None for word in (name, str(value))]


def fills(
    config: ConfigOption = None,
    json: JsonOption = False,
    symbol: SymbolOption = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only fills from this time on (RFC 3339, UTC).")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="Only the newest N, oldest first.")] = None,
) -> None:
    """Print all fills from the executor's journal, oldest first; with --json a line each."""
    options = {"--symbol": symbol, "--since": since, "--count": count}
    run_component(load(config), "executor", "fills", *_flags(options), *(["--json"] if json else []))


def why(
    order: Annotated[
        str, typer.Argument(metavar="ORDER", help="cl_ord_id, a prefix of it that is unique, or Kraken's order id.")
    ],
    config: ConfigOption = None,
    json: JsonOption = False,
    everything: Annotated[bool, typer.Option("--all", help="Every step, also those that only repeat.")] = False,
) -> None:
    """Print an order's causal chain: frame, book, target, plan, risk, budget, bytes, answers, reports, evidence.

    Works while everything runs and when nothing does.
    """
    options = [*(["--json"] if json else []), *(["--all"] if everything else [])]
    run_component(load(config), "executor", "why", order, *options)


def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Captured book frames.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Check every checksum in captured book frames."""
    run_component(load(config), "book", "verify", *map(str, files), *(["--json"] if json else []))


def record(
    topic: Annotated[
        list[str] | None,
        typer.Argument(help="Kinds (book, feed.book) or whole topics; none: everything.", autocompletion=_topics),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
    folder: Annotated[Path | None, typer.Option(help="Where the files go (else data/recordings).")] = None,
    max_mb: Annotated[
        float | None, typer.Option("--max-mb", help="Of all files together; the oldest go first (else 1000).")
    ] = None,
    rotate_mb: Annotated[float | None, typer.Option("--rotate-mb", help="A new file after so much (else 64).")] = None,
    rotate_minutes: Annotated[
        float | None, typer.Option("--rotate-minutes", help="A new file after so long (else 60).")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="End after so long (else at Ctrl-C).")] = None,
) -> None:
    """Record what is on the bus, raw frames included, into Arrow files that any Arrow library reads."""
    options = {
        "--folder": folder,
        "--max-mb": max_mb,
        "--rotate-mb": rotate_mb,
        "--rotate-minutes": rotate_minutes,
        "--seconds": seconds,
    }
    arguments = [*(topic or []), *_flags(options), *(["--json"] if json else [])]
    run_component(load(config), "collector", "record", *arguments)


def replay(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Recorded files or folders (else data/recordings).")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
    speed: Annotated[str, typer.Option(metavar="N|max", help="Times as fast as recorded; max: flat out.")] = "1",
    topic: Annotated[
        list[str] | None,
        typer.Option(
            "--topics", metavar="TOPIC", help="Only this kind or topic; again for more.", autocompletion=_topics
        ),
    ] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From then on (RFC 3339, UTC).")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until before then.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Of the recording's own bus (else run/replay).")] = None,
) -> None:
    """Put a recording onto a bus of its own, byte for byte and in order.

    It writes a configuration for that bus, so that tail, status, top and the rest look at the recording by --config.
    The live bus is never touched.
    """
    options = {"--speed": speed, "--from": start, "--to": end, "--folder": folder}
    wanted = [word for each in topic or [] for word in ("--topics", each)]
    arguments = [*map(str, paths or []), *_flags(options), *wanted, *(["--json"] if json else [])]
    run_component(load(config), "collector", "replay", *arguments)
