"""Make the table in docs/architecture.md that follows one frame through the rooms, with places that are true."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What happens, in the order in which it happens, and where.
WAY = [
    ("bytes come from Kraken's public WebSocket", "collector/__main__.py", "Collector._frames"),
    (
        "plain book frames are wrapped in one call; any other frame is classified",
        "collector/feed/feed.py",
        "Feed.frames",
    ),
    (
        "it goes onto the bus unchanged, with the time of its arrival",
        "shared/bus/publisher.py",
        "Publisher.publish_finished",
    ),
    ("the book process drains its queue", "book/__main__.py", "Shell.on_messages"),
    (
        "live books take them in one call, checksums compared; what is out of the ordinary goes alone",
        "book/books.py",
        "Books.run",
    ),
    ("a live book is published in ticks and lots", "book/books.py", "Books.encode"),
    ("the strategy's process receives it", "strategy/host.py", "Host.message"),
    ("the strategy decides which quotes it wants", "strategy/models/market_maker.py", "MarketMaker.on_book"),
    ("they are published as its target, with the time for which they hold", "strategy/host.py", "Host._publish"),
    ("the executor takes the target and makes a pass", "executor/executor.py", "Executor.decide"),
    ("the gates decide whether anything may be placed now", "executor/decide/gates.py", "Gates.advancing"),
    ("the planner lists the steps from the orders to the target", "executor/decide/planner.py", "plan"),
    ("the risk gate checks each step against the limits", "executor/decide/risk.py", "refusal"),
    ("the budget checks that the pair's rate counter has room", "executor/decide/budget.py", "Budget.allows"),
    ("the dispatcher sends cancels, writes the journal, sends the rest", "executor/dispatch.py", "Dispatcher.turn"),
    ("the journal knows the order before its bytes leave", "executor/record/journal.py", "Journal.write"),
    ("the response arrives on the private stream", "executor/exchange/stream.py", "Stream.frame"),
    ("the order moves to its next state", "executor/orders/transitions.py", "life_after"),
]


def table() -> str:
    """Return the way as a table, each place with its line."""
    rows = [f"| {what} | `{path}:{line(path, name)}` {name} |" for what, path, name in WAY]
    return "\n".join(["| what happens | where |", "| --- | --- |", *rows])


def line(path: str, name: str) -> int:
    """Return the line of a function or of a class's method; a KeyError names what is not there."""
    lines = _lines(path)
    if name not in lines:
        raise KeyError(f"{path} has no {name}: change WAY in scripts/architecture_docs.py")
    return lines[name]


@cache
def _lines(path: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines[node.name] = node.lineno
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines[f"{node.name}.{inner.name}"] = inner.lineno
    return lines
