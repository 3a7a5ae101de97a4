"""``python -m book verify FILE...``: checks the books of a capture against Kraken's own checksums.

A capture is a ``.jsonl`` file with one frame a line, v1 or v2 or both, or a ``.json`` file that is one frame or an
array of them, gzipped or not; frames of other channels are skipped. No instrument data is needed: precisions come from
the snapshots. A book's depth comes from the frame (v1), the subscription's acknowledgement or ``--depth``; else it is
the smallest of Kraken's depths that holds the snapshot, which may cut a thin book too short.

Exit codes: 0 every checksum matches; 1 one failed, a book frame was unreadable, or nothing could be checked; 2 the
command is wrong or a file cannot be read. After a failure a symbol's updates count as ``unsynced`` until a snapshot.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any  # Any: lines of somebody's capture; what does not fit is counted as unreadable

from book import implementation, orderbook
from book.facts import DEPTHS, UNKNOWN, Facts, depth_that_holds, describe
from book.frames import new_name
from book.interface import Implementation
from shared.errors import CaptureError
from shared.kraken import captures

ERRORS_KEPT = 3
LOST_ZEROS = (
    "most often numbers have lost their trailing zeros, which checksums are over, since a JSON library wrote the "
    "capture anew; record the frames' own bytes ('tradebyte record')"
)
_QTY = re.compile(rb'"qty"\s*:\s*-?\d*\.?(\d*)([eE]?)')


@dataclass(slots=True)
class Tally:
    """One symbol's counts: book frames, checksums checked and failed, frames out of sync, frames unreadable."""

    frames: int = 0
    checked: int = 0
    failed: int = 0
    unsynced: int = 0
    unreadable: int = 0
    depth: int = 0
    errors: list[str] = field(default_factory=list)

    def note(self, why: str) -> None:
        """Keep the first few reasons, each once."""
        if len(self.errors) < ERRORS_KEPT and why not in self.errors:
            self.errors.append(why)


class Verifier:
    """Keeps a book and counts for each symbol that it meets; ``depth`` is for books whose frames state none."""

    def __init__(self, depth: int | None = None, module: Implementation = implementation) -> None:
        self.tallies: dict[str, Tally] = {}
        self._module = module
        self._depth = depth
        self._books: dict[str, Any] = {}
        self._acknowledged: dict[str, int] = {}

    def new_connection(self) -> None:
        """Forget the books but not the counts, as another capture begins."""
        self._books.clear()
        self._acknowledged.clear()

    def take(self, frame: bytes) -> None:
        """Take one frame of any channel."""
        try:
            parsed = json.loads(frame)
        except (ValueError, RecursionError):
            # A broken book frame is a failure; other noise (a proxy's plain text) is skipped like other channels.
            if b'"book' in frame:
                self._unreadable(UNKNOWN, "a line that is no JSON")
            return
        about = describe(parsed)
        if about is None:
            self._note_acknowledgement(parsed)
            return
        symbol = about.symbol
        book = self._book(about)
        tally = self.tallies.setdefault(symbol, Tally())
        tally.frames += 1
        tally.depth = book.depth
        before = book.checksums_ok, book.checksums_failed
        try:
            synced = book.apply_frame(frame)
        except ValueError as error:
            self._unreadable(symbol, str(error))
            return
        failed = book.checksums_failed - before[1]
        tally.checked += book.checksums_ok - before[0] + failed
        tally.failed += failed
        if failed and (tally.checked == failed or has_lost_zeros(frame)):
            tally.note(LOST_ZEROS)
        tally.unsynced += not synced and not failed

    def _unreadable(self, symbol: str, why: str) -> None:
        tally = self.tallies.setdefault(symbol, Tally())
        tally.unreadable += 1
        tally.failed += 1
        tally.note(why[:200])

    def _book(self, about: Facts) -> Any:
        """Return the symbol's book; a new one if a snapshot comes with another depth."""
        symbol, levels = about.symbol, about.snapshot_levels
        depth = about.depth or self._acknowledged.get(symbol) or self._depth
        if depth is None and levels is not None:
            depth = depth_that_holds(levels)
        book = self._books.get(symbol)
        if book is None or (levels is not None and book.depth != depth):
            wire = self._module.WIRE
            book = self._books[symbol] = self._module.OrderBook(symbol, depth or DEPTHS[0], wire, wire)
        return book

    def _note_acknowledgement(self, parsed: Any) -> None:
        """Remember the depth that a subscription's acknowledgement, v1 or v2, states."""
        answer: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
        about: Any = answer.get("result") if answer.get("method") == "subscribe" else answer.get("subscription")
        depth = about.get("depth") if isinstance(about, dict) else None
        symbol = answer.get("pair") or (about.get("symbol") if isinstance(about, dict) else None)
        if isinstance(symbol, str) and depth in DEPTHS:
            self._acknowledged[new_name(symbol)] = depth

    def report(self) -> dict[str, Any]:
        """Return the counts, in total and by symbol."""
        symbols = {symbol: asdict(self.tallies[symbol]) for symbol in sorted(self.tallies)}
        sums = {key: sum(tally[key] for tally in symbols.values()) for key in ("frames", "checked", "failed")}
        return {**sums, "symbols": symbols}


def has_lost_zeros(frame: bytes) -> bool:
    """True if the quantities of a v2 frame do not all have the same number of decimals, as Kraken writes them."""
    quantities = _QTY.findall(frame)
    return len({len(decimals) for decimals, _ in quantities}) > 1 or any(exponent for _, exponent in quantities)


def table(report: dict[str, Any]) -> str:
    """Return the report for people."""
    heads = ("symbol", "depth", "frames", "checked", "failed", "unsynced")
    rows = [(symbol, *(str(tally[key]) for key in heads[1:])) for symbol, tally in report["symbols"].items()]
    total = ("all", "", *(str(report[key]) for key in heads[2:5]), "")
    lines = [f"{row[0]:<14}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in (heads, *rows, total)]
    errors = [f"{symbol}: {error}" for symbol, tally in report["symbols"].items() for error in tally["errors"]]
    return "\n".join([*lines, *errors])


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m book verify", description="check the books of captures")
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a .jsonl or .json capture, v1 or v2, .gz too"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--python", action="store_true", help="use the Python book even where the Rust one is built")
    parser.add_argument("--depth", type=int, choices=DEPTHS, help="depth of books whose capture does not state it")
    parser.add_argument("--config", metavar="PATH", help="taken as by every command; nothing in it matters here")
    options = parser.parse_args(argv)
    if not options.python and not implementation.RUST:
        print("the Rust module is not built: using the Python book", file=sys.stderr)
    verifier = Verifier(options.depth, orderbook if options.python else implementation)
    for path in options.files:
        verifier.new_connection()
        try:
            for frame in captures.frames(path):
                verifier.take(frame)
        except CaptureError as error:
            print(f"cannot read {path}: {error}", file=sys.stderr)
            return 2
    report = verifier.report()
    print(json.dumps(report) if options.json else table(report))
    if not report["checked"]:
        print("no checksum could be checked: no book frames with a snapshot in these files", file=sys.stderr)
    return 0 if report["checked"] and not report["failed"] else 1
