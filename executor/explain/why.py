"""``python -m executor why ORDER``: an order's causal chain, from the frame to the evidence for its last state."""

from __future__ import annotations

import argparse
import difflib
import json
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from executor.errors import OrderNotFound
from executor.explain import chain
from executor.orders import ids
from executor.record.archive import files
from executor.record.lookup import Lookup
from executor.record.rows import OrderRow
from shared.process.command_line import EXIT_CONFIG, load_config, refuse

EXIT_NOT_FOUND = 1
STEPS = 40  # a screen, more or less
NAMED = 8  # orders that a message names
NEAR_AMONG = 1000  # newest orders of each file, among which a mistyped id's likeness is looked for


def lookups(journal: Path) -> Iterator[Lookup]:
    """Yield the journal and its archives, newest first, each open only while it is in use."""
    for path in [journal, *reversed(files(journal))]:
        if path.exists():
            with closing(Lookup(path)) as lookup:
                yield lookup


def find(journal: Path, word: str) -> OrderRow:
    """Return the one order that ``word`` names. Raises :class:`OrderNotFound`."""
    orders: dict[str, OrderRow] = {}
    for lookup in lookups(journal):
        for row in lookup.orders(word):
            orders.setdefault(row.cl_ord_id, row)
    exact = [row for row in orders.values() if word in (row.cl_ord_id, row.order_id)]
    if len(exact) == 1 or len(orders) == 1:
        return (exact or list(orders.values()))[0]
    if orders:
        newest = sorted(orders, key=lambda name: -orders[name].created_ts)[:NAMED]
        more = f" and {len(orders) - NAMED} more" if len(orders) > NAMED else ""
        raise OrderNotFound(
            f"'{word}' begins the ids of {len(orders)} orders: {', '.join(newest)}{more}; type more of it"
        )
    raise OrderNotFound(_nothing(journal, word))


def _nothing(journal: Path, word: str) -> str:
    names: list[str] = []
    oldest: list[str] = []
    for lookup in lookups(journal):
        names += lookup.newest_names(NEAR_AMONG)
        oldest += filter(None, [lookup.oldest_name()])
    mine, first = ids.parse(word), ids.parse(min(oldest, default=""))
    if mine is not None and first is not None and mine.epoch < first.epoch:
        return f"'{word}' is older than the oldest order that is kept here; were files taken out of data/archive/?"
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.8)
    like = f"; near it: {', '.join(near)}" if near else ""
    return (
        f"no order '{word}' in {journal} and its archives{like}; 'tradebyte orders' and 'tradebyte fills' name orders"
    )


def _refuse(text: str) -> NoReturn:
    print(f"why: {text}", file=sys.stderr)
    raise SystemExit(EXIT_NOT_FOUND)


def main(arguments: list[str]) -> None:
    """Print the chain of the named order."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # 'why … | head' ends quietly
    options = argparse.ArgumentParser(prog="python -m executor why", description=__doc__)
    options.add_argument(
        "order", metavar="ORDER", help="cl_ord_id, a prefix of it that is unique, or Kraken's order id"
    )
    options.add_argument("--config", metavar="PATH")
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--all", action="store_true", help="every step, also those that only repeat")
    chosen = options.parse_args(arguments)
    journal = load_config("why", chosen.config).data / "journal.sqlite"
    if not journal.exists():
        _refuse(
            f"there is no journal at {journal}: no executor has run with this configuration ('make run' starts one)"
        )
    try:
        order = find(journal, chosen.order.strip())
        with closing(Lookup(journal)) as lookup:
            events = lookup.events(order.cl_ord_id)
        fills = [fill for each in lookups(journal) for fill in each.fills_of(order.cl_ord_id, order.order_id)]
    except OrderNotFound as error:
        _refuse(str(error))
    except sqlite3.Error as error:
        refuse(EXIT_CONFIG, "why", f"{journal} or an archive beside it cannot be read: {error}")
    if chosen.json:
        print(json.dumps(chain.as_json(order, events, fills)))
    else:
        print("\n".join(chain.screen(order, events, fills, None if chosen.all else STEPS)))
