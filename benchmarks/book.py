"""The Rust order book against its Python twin, in one run: ``python -m benchmarks.book``.

Captured frames (where they are: ``TRADEBYTE_FRAMES``, else beside the repository) and generated ones at depths 10, 100
and 1000. Each repeat measures both, one right after the other, in CPU time of the thread, so that a busy machine counts
as little as it can; it prints the median of the repeats, their range, and the ratio of the pairs. Every frame's
checksum is compared as in a running system.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report
from book import orderbook
from book.frames import new_name
from book.interface import Implementation, OrderBook

ROOT = Path(__file__).resolve().parents[1]
CAPTURES = (
    ("captured v2, BTC/USD", "public_v2/book10_BTCUSD_python-kraken-sdk_repadded.jsonl", 10),
    ("captured v1, ten pairs", "public_v1/book1000_10pairs_cryptofeed.jsonl", 1000),
)
DEPTHS = (10, 100, 1000)
PUBLISHED = 10
PRICE_DECIMALS, QTY_DECIMALS = 1, 8


@dataclass(frozen=True, slots=True)
class Workload:
    """Frames by symbol, in order; each symbol has a book of its own."""

    name: str
    depth: int
    frames: list[tuple[str, bytes]]


def captured(name: str, path: Path, depth: int) -> Workload:
    """Return a capture's book frames; v1 names its pair at a frame's end."""
    frames = []
    for line in path.read_bytes().splitlines():
        if line.startswith(b"["):
            frames.append((new_name(json.loads(line)[-1]), line))
        elif line.startswith(b'{"channel":"book"'):
            frames.append((json.loads(line)["data"][0]["symbol"], line))
    return Workload(name, depth, frames)


def generated(depth: int, updates: int, seed: int = 1) -> Workload:
    """Return a snapshot and updates in the shares that captures have: 73 % change one level, 22 % two, 5 % three."""
    rng = random.Random(seed)
    symbol, mid = "BTC/USD", 1_000_000
    book = orderbook.OrderBook(symbol, depth, PRICE_DECIMALS, QTY_DECIMALS)
    sides = {
        "bids": {mid - n: rng.randrange(10**5, 10**9) for n in range(1, depth + 1)},
        "asks": {mid + n: rng.randrange(10**5, 10**9) for n in range(1, depth + 1)},
    }
    frames = [_frame(book, symbol, "snapshot", {side: list(levels.items()) for side, levels in sides.items()})]
    for _ in range(updates):
        changes: dict[str, list[tuple[int, int]]] = {"bids": [], "asks": []}
        for _ in range(rng.choices((1, 2, 3), (73, 22, 5))[0]):
            side = rng.choice(("bids", "asks"))
            away = min(depth, 1 + int(rng.expovariate(1 / max(2.0, depth / 5))))
            price = mid - away if side == "bids" else mid + away
            # A level that goes comes back, so that the book stays as deep as its subscription.
            gone = price in sides[side] and rng.random() < 0.2
            qty = 0 if gone else rng.randrange(10**5, 10**9)
            if gone:
                del sides[side][price]
            else:
                sides[side][price] = qty
            changes[side].append((price, qty))
        frames.append(_frame(book, symbol, "update", changes))
    return Workload("generated v2", depth, [(symbol, frame) for frame in frames])


def _frame(book: OrderBook, symbol: str, kind: str, sides: dict[str, list[tuple[int, int]]]) -> bytes:
    """Return a frame as Kraken forms it; its checksum is worked out by the twin."""
    levels = ",".join(
        f'"{side}":[{",".join(f"{{{_level(price, qty)}}}" for price, qty in changed)}]'
        for side, changed in sides.items()
    )
    head = f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}",{levels}'
    assert book.apply_frame(f"{head}}}]}}".encode())
    stamp = "" if kind == "snapshot" else ',"timestamp":"2026-09-25T17:48:26.844359Z"'
    return f'{head},"checksum":{book.checksum()}{stamp}}}]}}'.encode()


def _level(price: int, qty: int) -> str:
    return f'"price":{price // 10}.{price % 10},"qty":{qty // 10**8}.{qty % 10**8:08d}'


def apply(module: Implementation, workload: Workload) -> float:
    """Return us a frame: parsed, applied, checksum compared."""
    return _timed(module, workload, lambda _book: None)


def apply_and_encode(module: Implementation, workload: Workload) -> float:
    """Return us a frame: the same, and the bus message made of the best levels."""
    return _timed(module, workload, lambda book: book.encode(PUBLISHED, "live", "book", 1, 1, 1, 1, 1))


def _timed(module: Implementation, workload: Workload, then: Callable[[OrderBook], object]) -> float:
    symbols = {symbol for symbol, _ in workload.frames}
    books = {symbol: module.OrderBook(symbol, workload.depth, module.WIRE, module.WIRE) for symbol in symbols}
    began = time.thread_time_ns()
    for symbol, frame in workload.frames:
        book = books[symbol]
        book.apply_frame(frame)
        then(book)
    took_ns = time.thread_time_ns() - began
    failed = sum(book.checksums_failed for book in books.values())
    checked = sum(book.checksums_ok for book in books.values())
    if failed or not checked:
        raise SystemExit(f"{workload.name}: {failed} checksums failed, {checked} matched: nothing measured so counts")
    return took_ns / len(workload.frames) / 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: us a frame in each repeat."""

    workload: Workload
    what: str
    python: list[float]
    rust: list[float]

    def text(self) -> str:
        """Return Markdown."""
        ratios = [python / rust for python, rust in zip(self.python, self.rust, strict=True)]
        cells = [
            self.workload.name,
            str(self.workload.depth),
            self.what,
            f"{len(self.workload.frames):,}",
            _spread(self.python),
            _spread(self.rust),
            f"**{_spread(ratios)}**",
        ]
        return f"| {' | '.join(cells)} |"


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def measure(workloads: list[Workload], rust: Implementation, repeats: int) -> list[Row]:
    """Return every workload by both, after a round that is not counted."""
    rows = []
    for workload in workloads:
        for what, work in (("apply", apply), ("apply, encode", apply_and_encode)):
            work(orderbook, workload), work(rust, workload)
            pairs = [(work(orderbook, workload), work(rust, workload)) for _ in range(repeats)]
            row = Row(workload, what, [python for python, _ in pairs], [rusty for _, rusty in pairs])
            print(row.text(), flush=True)
            rows.append(row)
    return rows


def rust_module() -> Implementation | None:
    """Return the Rust books; None where only the crate's folder can be imported, or not even that."""
    try:
        import rust_client
    except ImportError:
        return None
    return rust_client if hasattr(rust_client, "OrderBook") else None


def main() -> int:
    """Measure, print, and write the book's section of RESULTS.md."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.book", description=__doc__)
    options.add_argument("--repeats", type=int, default=7, help="how often each is measured (7)")
    options.add_argument("--updates", type=int, default=2000, help="generated frames at each depth (2000)")
    options.add_argument("--print", action="store_true", help="only print; leave RESULTS.md as it is")
    chosen = options.parse_args()
    rust_client = rust_module()
    if rust_client is None:
        print("the Rust module is not built, so there is nothing to compare: 'make rust' builds it", file=sys.stderr)
        return 1
    where = report.machine()
    workloads, notes = [], []
    folder = Path(os.environ.get("TRADEBYTE_FRAMES") or ROOT.parent / "shared" / "frames")
    for name, file, depth in CAPTURES:
        if (folder / file).is_file():
            workloads.append(captured(name, folder / file, depth))
        else:
            notes.append(f"{name}: skipped, the capture is not here (set TRADEBYTE_FRAMES)")
    workloads += [generated(depth, chosen.updates) for depth in DEPTHS]
    for note in notes:
        print(note)
    rows = measure(workloads, rust_client, chosen.repeats)
    if not chosen.print:
        report.write("book", page(rows, notes, where, chosen.repeats))
        print("written to benchmarks/RESULTS.md")
    return 0


def page(rows: list[Row], notes: list[str], where: str, repeats: int) -> str:
    """Return the section of RESULTS.md."""
    lines = [
        "## Order book: Rust against its Python twin",
        "",
        f"{report.today()}, `python -m benchmarks.book` (`make bench`), {repeats} repeats. {where}.",
        "",
        "CPU time in us a frame, median (range) of the repeats; the ratio is Python's over Rust's, pair by pair. Each",
        f"frame is parsed, applied, and its checksum compared; *encode* makes the bus message of {PUBLISHED} levels.",
        "",
        "| frames | depth | work | count | Python | Rust | times as fast |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
        *(row.text() for row in rows),
    ]
    if notes:
        lines += ["", *notes]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
