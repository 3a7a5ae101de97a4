"""``tradebyte status``: is everything ready, which books are live, what is open."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from monitor import halted
from monitor.commands.common import ConfigOption, JsonOption, age, console, load, print_json, table
from monitor.listen import gather
from shared.clock import boot_ns, wall_ns

COLOURS = {"ready": "green", "live": "green", "dead": "bold red", "halted": "bold yellow", "silent": "red"}


def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Processes, books, open orders and positions, asked from the bus itself."""
    found = load(config)
    view = gather(found, lambda view: view.is_complete)
    shown = view.status(boot_ns(), wall_ns(), halted.text(found))
    if json:
        print_json(shown)
    else:
        show(shown, console())


def coloured(state: str) -> str:
    """A state in its colour."""
    colour = COLOURS.get(state, "yellow")
    return f"[{colour}]{state}[/{colour}]"


def show(shown: dict[str, Any], out: Console) -> None:
    """The status object for people."""
    where = "sandbox" if shown["sandbox"] else "[bold red]LIVE[/bold red]"
    ready = sum(process["state"] == "ready" for process in shown["processes"].values())
    headline = f"{where}{', dry run' if shown['dry_run'] else ''}: {ready} of {len(shown['processes'])} processes ready"
    out.print(headline)
    if shown["halted"]:
        out.print(f"[bold yellow]HALTED[/bold yellow]: {shown['halted_why']} ('tradebyte resume' ends it)")
    out.print()
    numbers = ("pid", "up", "heard", "MB", "gaps", "drops")
    processes = table("process", "state", *numbers, "why", right=numbers)
    for name, process in shown["processes"].items():
        processes.add_row(
            name,
            coloured(process["state"]),
            _text(process["pid"]),
            age(process["uptime_s"]),
            age(process["heartbeat_age_s"]),
            _text(process["rss_mb"]),
            _text(process["gaps"]),
            _text(process["drops"]),
            process["why"],
        )
    out.print(processes)
    out.print()
    numbers = ("age", "bid", "ask", "checksums", "failed", "position")
    books = table("book", "state", *numbers, "why", right=numbers)
    for symbol, book in shown["books"].items():
        books.add_row(
            symbol,
            coloured(book["state"]),
            age(None if book["age_ms"] is None else book["age_ms"] / 1000),
            book["bid"] or "-",
            book["ask"] or "-",
            _text(book["checksums_ok"]),
            _text(book["checksums_failed"]),
            shown["positions"].get(symbol, "-"),
            book["why"],
        )
    out.print(books)
    out.print()
    known = "" if shown["orders_known"] else " (the executor has not told, or has not reconciled yet)"
    out.print(f"open orders: {shown['open_orders']}{known}")


def _text(value: object) -> str:
    return "-" if value is None else str(value)
