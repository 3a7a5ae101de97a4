"""The engines beside others that people choose: ``python -m benchmarks.backtest_peers PATH`` (``make backtest-bench``).

One rule in all: every 100 ms, one order a side at a fixed distance from the mid, no fee, 10 ms each way; an own order
is last in its queue, and what is cancelled is cancelled behind it. So it fills by trades that pass its price or eat
all that was before it. The same rows: one recorded day of a pair, played again and again.

The others run in an environment of their own, which is made once in run/peers/: their pinned versions of what they need
are not ours.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec

from backtest.data.columns import Columns
from backtest.data.sources import read
from backtest.exact import run, setting
from backtest.exact.replayed import Tape, merge
from backtest.exact.run import Options
from backtest.screen.built_in import FixedRule, RustMarket, play
from backtest.screen.callback import CallbackScreen
from backtest.screen.played import Pace, Played
from backtest.venue.implementation import load_market
from benchmarks import report
from benchmarks.backtest_agree import events
from benchmarks.screen import repeated
from shared.clock import MS
from shared.config import Config, Strategy as Section, Trading
from shared.messages import Fees, Quote, Target
from strategy.interface import Strategy, View

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "run" / "peers"
PACKAGES = ("hftbacktest==2.4.4", "nautilus_trader==1.221.0", "fastmm-engine[hot]==0.9.0")
SCRIPTS = {"hftbacktest 2.4.4": "hftbacktest_rule", "fastmm-engine 0.9.0": "fastmm_rule",
           "nautilus_trader 1.221.0": "nautilus_rule"}  # fmt: skip
EVERY_NS, DELAY_NS = 100 * MS, 10 * MS
DISTANCE_BPS, QTY, MOST = 0.5, 0.001, 0.01
LEFT_OUT = {
    "screen, rule in Rust": "executor, rate limits",
    "screen, rule in Python": "executor, rate limits",
    "exact": "nothing of the live code; its refresh rule and rate budget decide what moves, so its fills differ",
    "hftbacktest 2.4.4": "executor, rate limits, partial fills, gaps, post-only by own orders",
    "fastmm-engine 0.9.0": "Kraken's limits; decides on book events at least 100 ms apart, not by a clock",
    "nautilus_trader 1.221.0": "queue position, fills by trades, Kraken's rate limits",
}


# Looked at by hand, on one play of kraken_btc_20260724_levels_trades.csv; the counts above it are the run's own.
WHY = """
Why they differ: a trade leaves our book at once and the book of `hftbacktest` with the change after it, so for two
seconds after a large sale the mids, and the prices wanted, differ until the record has caught up. `fastmm-engine`
decides at book events, not by a clock, so its prices differ at times. `nautilus_trader` fills later or not: as it is
set up by default no trade fills a resting order, only the book's other side. `exact` moves an order only as its refresh
rule and rate budget let it, so it rests at other prices. *The same orders in other backtesters* places the same orders
in all engines, and gives each difference its cause.
"""


class Ran(msgspec.Struct, frozen=True):
    """One run of the rule; seconds of CPU time."""

    seconds: float
    rows: int
    volume: float
    position: float
    # The first fill of each order: its time, 1 for a buy or -1, the price in ticks.
    trades: list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Line:
    """An engine's runs."""

    engine: str
    runs: list[Ran]

    @property
    def speed(self) -> float:
        """Return the median of rows a second."""
        return statistics.median(each.rows / each.seconds for each in self.runs)


class NoSettings(msgspec.Struct, frozen=True):
    """The rule's numbers are constants."""


class FixedDistance(Strategy):
    """The rule as a strategy of ours."""

    Settings = NoSettings

    def __init__(self, settings: msgspec.Struct) -> None:
        assert isinstance(settings, NoSettings)
        self._next = 0

    def on_book(self, view: View) -> Target | None:
        """Quote both sides, at most every 100 ms; a side whose position is at the limit is left."""
        if view.now < self._next:
            return None
        self._next = view.now + EVERY_NS
        bid, ask = view.book.bids[0][0], view.book.asks[0][0]
        mid, lots = (bid + ask) / 2, round(QTY * 10**view.pair.qty_precision)
        most = round(MOST / QTY) * lots
        position = view.position.position
        away = mid * DISTANCE_BPS * 1e-4
        quotes = []
        if position < most:
            quotes.append(Quote(slot="b0", side="buy", price=int(min(mid - away, ask - 1)), qty=lots))
        if position > -most:
            quotes.append(Quote(slot="a0", side="sell", price=-int(-max(mid + away, bid + 1) // 1), qty=lots))
        return view.target(quotes)


def main() -> None:
    """Measure, print, and write the section."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("path", help="a recorded day of one pair")
    options.add_argument("--rows", type=int, default=1_000_000, help="for the fast ones; the slow ones get a tenth")
    options.add_argument("--repeats", type=int, default=3)
    chosen = options.parse_args()
    columns = next(iter(read([chosen.path]).columns.values()))
    if not isinstance(load_market(1), RustMarket):
        sys.exit("the Rust module is not built: make setup")
    python = environment()
    one = merge({columns.pair.symbol: columns})
    long, short = repeated(one, chosen.rows), repeated(one, chosen.rows // 10)
    fast = [Line(name, [ours(columns, long) for _ in range(chosen.repeats)]) for name, ours in FAST.items()]
    fast += [
        _peer(python, name, columns, long, chosen.repeats) for name in ("hftbacktest 2.4.4", "fastmm-engine 0.9.0")
    ]
    slow = [Line("exact", [_exact(columns, short) for _ in range(chosen.repeats)])]
    slow.append(_peer(python, "nautilus_trader 1.221.0", columns, short, chosen.repeats))
    once = [Line("screen, rule in Rust", [_in_rust(columns, one)]), Line("exact", [_exact(columns, one)])]
    once += [_peer(python, name, columns, one, 1) for name in SCRIPTS]
    body = _section(columns, fast, slow, once, f"python -m benchmarks.backtest_peers {chosen.path}")
    print(body)
    report.write("peers", body)


def _in_rust(columns: Columns, tape: Tape) -> Ran:
    pair, scale = columns.pair, 10**columns.pair.qty_precision
    market = load_market(1, "back")
    tape.play_on(market)
    assert isinstance(market, RustMarket)
    rule = FixedRule(DISTANCE_BPS, round(QTY * scale), round(MOST * scale), pair.price_increment)
    began = time.thread_time()
    played = play(market, rule, PACE, int(tape.exchange_ts[-1]))
    return _ran(played, tape, scale, time.thread_time() - began)


def _in_python(columns: Columns, tape: Tape) -> Ran:
    market = load_market(1, "back")
    tape.play_on(market)
    strategy, fees, trading = FixedDistance(NoSettings()), Fees(maker="0.0", taker="0.0"), Trading()
    screen = CallbackScreen(market, strategy, "rule", columns.pair, fees, trading, PACE)
    began = time.thread_time()
    played = screen.run(int(tape.exchange_ts[-1]))
    return _ran(played, tape, 10**columns.pair.qty_precision, time.thread_time() - began)


def _ran(played: Played, tape: Tape, scale: int, seconds: float) -> Ran:
    volume, position = sum(fill.qty for fill in played.fills) / scale, played.position / scale
    trades: dict[int, tuple[int, int, int]] = {}
    for fill in played.fills:
        trades.setdefault(fill.order_id, (fill.ts, 1 if fill.side == "buy" else -1, fill.price))
    return Ran(seconds, len(tape.ticks), volume, position, list(trades.values()))


PACE = Pace(EVERY_NS, DELAY_NS, 0, 0, 0)
FAST = {"screen, rule in Rust": _in_rust, "screen, rule in Python": _in_python}


def _exact(columns: Columns, tape: Tape) -> Ran:
    """Run the rule by the live code, its own limits wide."""
    symbol = columns.pair.symbol
    config = Config()
    config.trading = msgspec.structs.replace(
        config.trading, inventory_base={"BTC": Decimal(1)}, max_daily_loss=Decimal(10**6)
    )
    config.strategies = {"rule": Section(class_="benchmarks.backtest_peers:FixedDistance", pairs=[symbol])}
    prepared = setting.prepare(config, "rule", [symbol], [symbol], 1)
    began = time.thread_time()
    outcome = run.on_tape(prepared, tape, {symbol: columns.pair}, Options("rule", queue="back"))
    seconds = time.thread_time() - began
    scale = 10**columns.pair.qty_precision
    volume = sum(fill.qty for fill in outcome.fills) / scale
    position = sum(fill.qty if fill.side == "buy" else -fill.qty for fill in outcome.fills) / scale
    trades: dict[int, tuple[int, int, int]] = {}
    for fill in outcome.fills:
        trades.setdefault(fill.number, (fill.ns, 1 if fill.side == "buy" else -1, fill.price))
    return Ran(seconds, len(tape.ticks), volume, position, list(trades.values()))


def environment() -> Path:
    """Return the Python that has the others, which are installed at the first run."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        venv.create(PEERS, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES]
    subprocess.run(install, check=True)
    return python


def _peer(python: Path, name: str, columns: Columns, tape: Tape, repeats: int) -> Line:
    """Run one of the others on a tape, a process a run."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.npz"
        rule = {"every_ns": EVERY_NS, "delay_ns": DELAY_NS, "distance_bps": DISTANCE_BPS, "qty": QTY, "most": MOST}
        events.save(file, events.rows(tape), columns.pair, rule, {})
        script = ROOT / "benchmarks" / "peers" / f"{SCRIPTS[name]}.py"
        runs = []
        for _ in range(repeats):
            done = subprocess.run([str(python), str(script), str(file)], capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
            runs.append(msgspec.json.decode(done.stdout.splitlines()[-1], type=Ran))
    return Line(name, runs)


def _section(columns: Columns, fast: list[Line], slow: list[Line], once: list[Line], command: str) -> str:
    """Return the section for RESULTS.md."""
    head = (
        f"## Backtests beside others\n\n{report.today()}, `{command}` (`make backtest-bench`). {report.machine()}.\n\n"
        f"{columns.pair.symbol}, {columns.table.num_rows:,} recorded rows played again and again; every 100 ms one "
        f"order of {QTY} a side, {DISTANCE_BPS} bp from the mid, up to {MOST} held; no fee, 10 ms each way, last in "
        "the queue. CPU time of the run alone, data in memory, compiled before; median (range). *Filled* are orders "
        "with any fill; *same* are those of them that the first line has too, at the same ns, side and tick.\n\n"
    )
    return head + "\n".join(_table(lines) for lines in (fast, slow)) + _once(once) + WHY


def _once(lines: list[Line]) -> str:
    """Return how many orders each engine fills in one play of the day, and how many of them are the first's."""
    trades = {line.engine: set(line.runs[0].trades) for line in lines}
    first = trades[lines[0].engine]
    counts = ", ".join(f"{name} {len(theirs)} and {len(theirs & first)}" for name, theirs in trades.items())
    return f"\nOne play of the day, orders filled and how many of them are the first's too: {counts}.\n"


def _table(lines: list[Line]) -> str:
    first = lines[0]
    rows = []
    for line in lines:
        last = line.runs[-1]
        same = len(set(last.trades) & set(first.runs[-1].trades))
        rows.append(
            f"| {line.engine} | {first.speed / line.speed:.2f} | **{line.speed:,.0f}** ({_range(line)}) | "
            f"{last.rows:,} | {len(last.trades):,} | {same:,} | {last.volume:.4f} | {last.position:+.4f} | "
            f"{LEFT_OUT[line.engine]} |\n"
        )
    return (
        "| engine | time by the first's | rows/s | rows | filled | same | volume | held at the end | leaves out |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n" + "".join(rows)
    )


def _range(line: Line) -> str:
    speeds = [each.rows / each.seconds for each in line.runs]
    return f"{min(speeds):,.0f} to {max(speeds):,.0f}"


if __name__ == "__main__":
    main()
