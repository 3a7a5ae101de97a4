"""The same orders in every backtester: ``python -m benchmarks.backtest_agree PATH`` (``make backtest-bench``).

Orders are placed and cancelled at given times, at a distance from the recorded mid, whatever becomes of them; so all
engines have the same orders, and only their filling differs. Each difference from ours gets a cause by the record.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from backtest.data.sources import read
from backtest.exact.replayed import Tape, merge
from backtest.screen.built_in import RustMarket
from backtest.venue.implementation import load_market
from benchmarks import report
from benchmarks.backtest_agree import events, table
from benchmarks.backtest_agree.evidence import Reach, gather, through
from benchmarks.backtest_agree.orders import Outcome, Pace, Schedule, ours, requests, schedule
from benchmarks.backtest_peers import ROOT, environment
from shared.clock import MS
from shared.messages import Pair

# Distance from the mid in bp, and the quantity; at 0 bp an order joins the touch, where queues decide.
RUNS = ((0.0, 0.001), (0.5, 0.001), (1.0, 0.001), (0.0, 0.1))
PACE = Pace(every_ns=1000 * MS, rest_ns=900 * MS, delay_ns=10 * MS)
# In it a trade fills no resting order.
BY_BOOK = "nautilus_trader 1.221.0"
ENGINES = {
    "hftbacktest 2.4.4": ("hftbacktest_orders",),
    "fastmm-engine 0.9.0": ("fastmm_orders",),
    BY_BOOK: ("nautilus_orders", "l2"),
    "nautilus_trader 1.221.0, touch and trades": ("nautilus_orders", "l1"),
}
REFERENCE = "trade-through alone"
LINES = ROOT / "run" / "agree" / "differences.jsonl"


def main() -> None:
    """Run every engine, print, and write the section."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("path", help="a recorded day of one pair")
    chosen = options.parse_args()
    columns = next(iter(read([chosen.path]).columns.values()))
    if not isinstance(load_market(1), RustMarket):
        sys.exit("the Rust module is not built: make setup")
    python, pair = environment(), columns.pair
    tape = merge({pair.symbol: columns})
    made = events.rows(tape)
    runs = []
    for distance_bps, qty in RUNS:
        planned = schedule(tape, round(qty * 10**pair.qty_precision), PACE, distance_bps)
        others = {REFERENCE: through(tape, planned), **_peers(python, made, pair, planned, qty)}
        evidence = gather(made, planned.orders)
        runs.append(table.Run(planned, evidence, ours(tape, planned), others, int(tape.exchange_ts[0])))
    body = _head(pair, tape, f"python -m benchmarks.backtest_agree {chosen.path}")
    body += table.text(runs, pair.qty_precision, [name for name in ENGINES if name != BY_BOOK])
    table.write_lines(runs, LINES)
    print(body)
    report.write("agree", body)


def _peers(python: Path, made: list[events.Row], pair: Pair, planned: Schedule, qty: float) -> dict[str, Outcome]:
    """Return what the others make of the orders."""
    outcomes = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.npz"
        rule = {"delay_ns": planned.delay_ns, "qty": qty}
        events.save(file, made, pair, rule, requests(planned) | events.touches(made))
        for name, (script, *arguments) in ENGINES.items():
            path = ROOT / "benchmarks" / "peers" / f"{script}.py"
            command = [str(python), str(path), str(file), *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
            outcomes[name] = msgspec.json.decode(done.stdout.splitlines()[-1], type=Outcome)
    return outcomes


def _head(pair: Pair, tape: Tape, command: str) -> str:
    seconds = (int(tape.exchange_ts[-1]) - int(tape.exchange_ts[0])) / 1e9
    return (
        f"## The same orders in other backtesters\n\n{report.today()}, `{command}` (`make backtest-bench`).\n\n"
        f"{pair.symbol}, {len(tape.ticks):,} recorded rows, {seconds:.0f} s. Every {PACE.every_ns // MS} ms a "
        f"post-only buy and sell at a distance from the recorded mid, {PACE.delay_ns // MS} ms to the exchange, "
        f"cancelled {PACE.rest_ns // MS} ms later: the same orders in all, so that only their filling differs. "
        f"*{REFERENCE}* is no engine: an order is filled whole by the first trade past its price. "
        f"`{BY_BOOK}` runs twice: on the whole book, as by default, where no trade fills a resting order, only the "
        "book's other side does; and on touch and trades without the taker's side, `prob_fill_on_limit` 0, where "
        "trades past the price fill. It has no queue in either: there is no such option in it.\n\n"
        f"*{Reach.NEVER.value}*: no trade and no book came to the price, so none may fill. *{Reach.THROUGH.value}*: a "
        f"trade past the price came first, which fills by every rule. *{Reach.TOUCHED.value}*: a trade at the price, "
        "or the book's other side, came first; there the rules differ. *Same as ours* are filled orders with the same "
        "first time and quantity.\n\n"
    )


if __name__ == "__main__":
    main()
