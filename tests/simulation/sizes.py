"""Invariant 10: what a process keeps in memory has a bound that does not depend on how long it has run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from shared import limits
from tests.simulation.host import Host

# Containers by the end of their path, and what each may hold; all others are small.
BOUNDS = {
    "_recent": 1000,
    "_recent_set": 1000,
    "_keys": limits.LEDGER_RECENT,
    "counts": 2000,
    "_by_cl": limits.ENDED_ORDERS_KEPT + 100,
    "_by_symbol": limits.ENDED_ORDERS_KEPT + 100,  # of one pair, when all its orders were denied lately
    "_by_order_id": limits.ENDED_ORDERS_KEPT + 100,
    "_ended": limits.ENDED_ORDERS_KEPT + 1,
    "_times": limits.LOG_TEXTS_TRACKED + 1,  # texts of the log, of each how often
    "ts": limits.MIDS_KEPT,  # of the mids that fills are marked by
    "mids": limits.MIDS_KEPT,
    "orders": limits.ENDED_ORDERS_KEPT + 100,  # of the last published message
}
SMALL = 100


def containers(thing: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, int]]:
    """Every container that can be reached from the executor, with its size."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type)) or callable(thing):
        return
    seen.add(id(thing))
    if isinstance(thing, dict):
        yield path, len(thing)
        for key, value in list(thing.items()):
            yield from containers(value, f"{path}[{key}]" if len(path) < 200 else path, seen)
    elif isinstance(thing, (list, tuple, set, frozenset, deque)):
        yield path, len(thing)
        for value in list(thing):
            yield from containers(value, path + "[]", seen)
    else:
        names = list(getattr(thing, "__dict__", {}))
        for kind in type(thing).__mro__:
            slots = getattr(kind, "__slots__", ())
            names += [slots] if isinstance(slots, str) else list(slots)
        if type(thing).__module__.startswith(("executor", "shared")):
            for name in names:
                if hasattr(thing, name):
                    yield from containers(getattr(thing, name), f"{path}.{name}", seen)


def oversized(host: Host) -> list[str]:
    """Return what is larger than it may be."""
    oversized_ones = []
    roots = {"executor": host.executor, "dispatcher": host.dispatcher}
    for root, thing in roots.items():
        for path, size in containers(thing, root, set()):
            name = path.rstrip("[]").rpartition(".")[2].partition("[")[0]
            if ".config" not in path and size > BOUNDS.get(name, SMALL):
                oversized_ones.append(f"{path} holds {size}")
    return oversized_ones
