"""Commands that belong to another component and run there, as a process: ``fills``, ``why``, ``verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.commands.common import ConfigOption, JsonOption, load, run_component
from monitor.commands.orders import SymbolOption


def fills(
    config: ConfigOption = None,
    json: JsonOption = False,
    symbol: SymbolOption = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only fills from this time on (RFC 3339, UTC).")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="Only the newest N, oldest first.")] = None,
) -> None:
    """All fills from the executor's journal, oldest first; with --json a line each."""
    options = {"--symbol": symbol, "--since": since, "--count": count}
    words = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    run_component(load(config), "executor", "fills", *words, *(["--json"] if json else []))


def why(
    order: Annotated[
        str, typer.Argument(metavar="ORDER", help="cl_ord_id, a prefix of it that is unique, or Kraken's order id.")
    ],
    config: ConfigOption = None,
    json: JsonOption = False,
    everything: Annotated[bool, typer.Option("--all", help="Every step, also those that only repeat.")] = False,
) -> None:
    """An order's causal chain: frame, book, target, plan, risk, budget, bytes, answers, reports, evidence.

    Works while everything runs and when nothing does.
    """
    words = [*(["--json"] if json else []), *(["--all"] if everything else [])]
    run_component(load(config), "executor", "why", order, *words)


def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Captured book frames.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Checks every checksum in captured book frames."""
    run_component(load(config), "book", "verify", *map(str, files), *(["--json"] if json else []))
