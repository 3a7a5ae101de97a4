"""Measure how fast market data becomes columns: ``python -m benchmarks.extract``.

A capture of both pairs, as often as wanted with its times moved on, as a file of lines and as a recording of the bus,
and the single orders of the simulator's market, by the command as a person runs it: read, every checksum verified,
sorted, written as Parquet.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa

from backtest.exact.run import BOOT_NS, EPOCH_NS
from backtest.exact.synthetic import Synthetic
from backtest.venue.kraken import Kraken
from backtest.venue.latency import Latency, LatencyKind
from backtest.venue.loop import Loop
from benchmarks import report
from collector.recording.files import BARE, schema
from shared.clock import SECOND, parse_rfc3339, rfc3339
from shared.config import Config
from shared.kraken.level3 import CHANNEL
from shared.messages import FeedFrame

ROOT = Path(__file__).resolve().parents[1]
CAPTURE = "public_v2/book10_trades_BTCUSD_ETHUSD_flashbook.jsonl"
# The capture is 22 s long; of single orders there are so many.
APART_NS = 22 * SECOND
ORDERS_NS = 60 * SECOND
ORDERS_DEPTH = 100
BATCH_ROWS = 1000
_TIME = re.compile(rb'"timestamp":"([^"]+)"')
_SYMBOL = re.compile(rb'"symbol":"([^"]+)"')


def repeated(lines: list[bytes], copies: int, apart_ns: int = APART_NS) -> Iterator[bytes]:
    """Yield frames again and again, each time later."""
    for copy in range(copies):

        def moved(match: re.Match[bytes], by: int = copy * apart_ns) -> bytes:
            return b'"timestamp":"%s"' % rfc3339(parse_rfc3339(match[1].decode()) + by).encode()

        for line in lines:
            yield _TIME.sub(moved, line)


class SingleOrders:
    """Hears a minute of the channel ``level3`` of the simulator's own market, as a session would."""

    def __init__(self, symbol: str) -> None:
        self.frames: list[bytes] = []
        loop, latency = Loop(BOOT_NS), Latency(LatencyKind.CONSTANT, 0.0, 1)
        kraken = Kraken(loop, Config().simulator, latency, EPOCH_NS - BOOT_NS, crowded=True, seed=1)
        source = Synthetic(kraken, EPOCH_NS, EPOCH_NS + ORDERS_NS)
        kraken.world.hub.join(CHANNEL, symbol, ORDERS_DEPTH, self)
        self.push(CHANNEL, symbol, kraken.world.exchange.venues[symbol].order_book().snapshot(ORDERS_DEPTH))
        while source.advance(source.end_ts) is not None:
            pass

    def push(self, _channel: str, _symbol: str, text: str) -> None:
        """Take a frame."""
        self.frames.append(text.encode())


def write_recording(frames: Iterator[bytes], path: Path) -> None:
    """Write the book frames as a recording, each received 10 ms after its time."""
    rows: list[tuple[object, ...]] = []
    seqs: dict[str, int] = {}
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema("benchmark", [])) as writer:
        for frame in frames:
            if b'"channel":"book"' not in frame or (symbol := _SYMBOL.search(frame)) is None:
                continue
            at = _TIME.search(frame)
            if at is None:
                continue
            topic = f"feed.book.{symbol[1].decode()}"
            seq = seqs[topic] = seqs.get(topic, 0) + 1
            wall = parse_rfc3339(at[1].decode()) + 10_000_000 + hash(frame) % 1_000_000
            message = FeedFrame(
                src="collector", boot=1, seq=seq, ts=wall, symbol=symbol[1].decode(), frame=frame, connection=1,
                received=wall - SECOND,
            )  # fmt: skip
            payload = msgspec.msgpack.encode(message)
            rows.append((topic, "collector", 1, seq, wall, wall, 0, payload))
            if len(rows) == BATCH_ROWS:
                writer.write_batch(_batch(rows))
                rows = []
        if rows:
            writer.write_batch(_batch(rows))


def _batch(rows: list[tuple[object, ...]]) -> pa.RecordBatch:
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), BARE.types, strict=True)]
    return pa.record_batch(columns, schema=BARE)


def measure(name: str, source: Path, out: Path, repeats: int) -> str:
    """Return a row of the table; its rate is by the CPU time of the command, so that a busy machine counts less."""
    command = [sys.executable, "-m", "backtest", "extract", str(source), "--out", str(out), "--overwrite", "--json"]
    rates = []
    for _ in range(repeats):
        before = _children_s()
        run = json.loads(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)
        rates.append(round(run["rows"] / (_children_s() - before)))
    line = (
        f"| {name} | {run['frames']:,} | {run['rows']:,} | {run['checksums_ok']:,} | "
        f"{statistics.median(rates):,.0f} ({min(rates):,} to {max(rates):,}) |"
    )
    print(line, flush=True)
    return line


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Measure, print, and write the section of RESULTS.md."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.extract", description=__doc__)
    options.add_argument("--copies", type=int, default=100, help="how often the capture is repeated (100)")
    options.add_argument("--repeats", type=int, default=5, help="how often each is measured (5)")
    options.add_argument("--print", action="store_true", help="only print; leave RESULTS.md as it is")
    chosen = options.parse_args()
    capture = Path(os.environ.get("TRADEBYTE_FRAMES") or ROOT.parent / "shared" / "frames") / CAPTURE
    if not capture.is_file():
        print(f"{capture} is not here; set TRADEBYTE_FRAMES", file=sys.stderr)
        return 1
    where = report.machine()
    with tempfile.TemporaryDirectory() as folder:
        lines, recording = Path(folder) / "capture.jsonl", Path(folder) / "recording.arrows"
        orders = Path(folder) / "orders.jsonl"
        frames = capture.read_bytes().splitlines()
        lines.write_bytes(b"\n".join(repeated(frames, chosen.copies)))
        write_recording(repeated(frames, chosen.copies), recording)
        orders.write_bytes(b"\n".join(repeated(SingleOrders("BTC/USD").frames, chosen.copies, ORDERS_NS)))
        out = Path(folder) / "out"
        rows = [
            measure("capture, a frame a line", lines, out, chosen.repeats),
            measure("recording of the bus", recording, out, chosen.repeats),
            measure("single orders of BTC/USD, a frame a line", orders, out, chosen.repeats),
        ]
    if not chosen.print:
        report.write("extract", page(rows, where, chosen.copies, chosen.repeats))
        print("written to benchmarks/RESULTS.md")
    return 0


def page(rows: list[str], where: str, copies: int, repeats: int) -> str:
    """Return the section of RESULTS.md."""
    lines = [
        "## Market data to columns",
        "",
        f"{report.today()}, `python -m benchmarks.extract`, {repeats} repeats of {copies} copies. {where}.",
        "",
        "The whole command: starting, reading, verifying, sorting, writing; rows a second of CPU time, median (range).",
        "A row is a change of a level or of a single order, or a trade.",
        "",
        "| source | frames | rows | checksums that hold | rows/s |",
        "| --- | ---: | ---: | ---: | ---: |",
        *rows,
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
