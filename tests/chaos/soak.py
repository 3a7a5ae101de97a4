"""Several strategies on one account for a while: no limit breached, nothing crossed, no warning unexplained.

``python -m tests.chaos.soak --minutes 10`` runs three, two of them on one symbol, and writes docs/soak.md.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from shared.clock import rfc3339, wall_ns
from shared.messages import Account, Book, BookState, Orders
from tests.system import ROOT, System, running

LIVE = ("sent", "open", "unknown", "cancelling")
# A limit binds when an order is sent; afterwards the market may move what it is worth.
MOVED = Decimal("1.01")
# Warnings that a sound run may give, each with the words of docs/troubleshooting.md that explain it.
EXPLAINED = {
    r"is above (its )?max_(gross_)?position(_size)?": "| a limit is named |",
    r"Post only order": "| `Post only order` |",
    r"the machine's CPU is": "(loop lag, slow operations, CPU)",
}
SECTION = """[program:{program}]
command="%(here)s/../../.venv/bin/python" -m strategy --name {name}
directory=%(here)s/../..
startsecs=0
autorestart=unexpected
exitcodes=0,78
redirect_stderr=true
stdout_logfile=%(here)s/../../logs/{program}.out.log
"""


@dataclass
class Seen:
    """The record of a run."""

    breaches: list[str] = field(default_factory=list)
    looks: int = 0
    fills: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    rss_mb: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """True if nothing was breached, nothing differed, every strategy traded, and no warning is unexplained."""
        return not (self.breaches or self.differences or self.unexplained) and len(self.fills) == 3

    @property
    def unexplained(self) -> list[str]:
        """Return the warnings that the troubleshooting page does not explain."""
        page = (ROOT / "docs/troubleshooting.md").read_text()
        explained = [pattern for pattern, text in EXPLAINED.items() if text in page]
        return [text for text in self.warnings if not any(re.search(pattern, text) for pattern in explained)]


def three(tree: dict[str, Any]) -> None:
    """Return three market makers, two of them on BTC/USD."""
    maker = tree["strategies"]["market_maker"]
    tree["strategies"] = {
        "market_maker": {**maker, "pairs": ["BTC/USD"], "max_position_size": 600},
        "wide": {**maker, "pairs": ["BTC/USD"], "settings": {"levels": 3, "size": 60, "edge_bps": 2, "spacing_bps": 1}},
        "others": {**maker, "pairs": ["ETH/USD", "SOL/USD"]},
    }
    tree["bus"].pop("strategy.market_maker", None)


def watch(system: System, seen: Seen) -> None:
    """Check once what the bus says."""
    system.listen()
    seen.looks += 1
    account = system.last.get("account")
    if not isinstance(account, Account):
        return
    rules = system.config.trading
    for symbol in rules.pairs:
        orders, book = system.last.get(f"order.{symbol}"), system.last.get(f"book.{symbol}")
        if not isinstance(orders, Orders) or not isinstance(book, Book) or book.state is not BookState.LIVE:
            continue
        live = [order for order in orders.orders if order.state in LIVE]
        bids = [order.price for order in live if order.side == "buy"]
        asks = [order.price for order in live if order.side == "sell"]
        if bids and asks and max(bids) >= min(asks):
            seen.breaches.append(f"{symbol}: own orders cross: {max(bids)} and {min(asks)} ticks")
        unit = Decimal(1).scaleb(-orders.price_precision - orders.qty_precision)
        mid = Decimal(book.bids[0][0] + book.asks[0][0]) / 2
        position = Decimal(account.positions.get(symbol, "0")) * mid.scaleb(-orders.price_precision)
        for side, sign in (("buy", 1), ("sell", -1)):
            opened = sum(max(Decimal(o.price), mid) * (o.qty - o.filled) * unit for o in live if o.side == side)
            worst = sign * position + opened
            if worst > rules.max_position_size * MOVED:
                seen.breaches.append(f"{symbol}: worst case {worst:.2f} on the {side} side")
        if any(o.price * o.qty * unit > rules.max_order_size * MOVED for o in live):
            seen.breaches.append(f"{symbol}: an order above max_order_size")
    if len([o for t, m in system.last.items() if isinstance(m, Orders) and t for o in m.orders if o.state in LIVE]) > (
        rules.max_open_orders
    ):
        seen.breaches.append("more orders open than max_open_orders")


def warnings(folder: Path) -> Counter[str]:
    """Return every warning of every process, without its numbers, so that equal ones count together."""
    counts: Counter[str] = Counter()
    for log in (folder / "logs").glob("*.log"):
        if log.name in ("tradebyte.log", "supervisord.log") or log.name.endswith(".out.log"):
            continue
        for line in log.read_text().splitlines():
            if re.search(r"level='(warning|error|critical)'", line):
                event = re.search(r"(?:text|event)=('(?!alert').*?'|\".*?\")( |$)", line)
                counts[f"{log.stem}: {re.sub(r'[0-9]+', 'N', event.group(1) if event else line)}"] += 1
    return counts


def run(folder: Path, seconds: float) -> Seen:
    """Run, watch, halt and compare."""
    seen = Seen()
    (folder / "config/supervisor.d").mkdir(parents=True)
    for name in ("wide", "others"):
        (folder / f"config/supervisor.d/{name}.conf").write_text(SECTION.format(program=f"strategy_{name}", name=name))
    with running(folder, three) as system:
        end = time.monotonic() + seconds
        memory: dict[str, float] = {}
        while time.monotonic() < end:
            watch(system, seen)
            if not memory and time.monotonic() > end - seconds * 0.8:
                memory = {name: beat.rss_mb for name in system.config.process_names if (beat := system.heartbeat(name))}
            time.sleep(0.1)
        after = {name: beat.rss_mb for name in system.config.process_names if (beat := system.heartbeat(name))}
        seen.rss_mb = {name: (memory.get(name, 0.0), after[name]) for name in after}
        seen.warnings = warnings(folder)
        system.json("halt")
        seen.differences = system.differences()
        seen.fills = Counter(fill["strategy"] for fill in system.lines("fills"))
    return seen


def report(seen: Seen, minutes: float) -> str:
    """Return the run as a page."""
    lines = [
        "# Three strategies on one account",
        "",
        f"`python -m tests.chaos.soak --minutes {minutes:g}`, {rfc3339(wall_ns())[:16].replace('T', ' ')} UTC.",
        "",
        "Two market makers on BTC/USD, one on ETH/USD and SOL/USD, each a process of its own. Ten times a second the",
        "bus was asked what is open: own orders that cross, worst cases over a limit, too many or too large orders are",
        "breaches. Warnings are those in the logs of all processes.",
        "",
        f"{seen.looks} looks, {len(seen.breaches)} breaches, {sum(seen.warnings.values())} warnings;",
        f"docs/troubleshooting.md does not explain {len(seen.unexplained)} kinds of them.",
        *(f"- {text}" for text in seen.breaches[:20]),
        *(f"- {count} x {text}" for text, count in seen.warnings.most_common(20)),
        "",
        f"Fills: {', '.join(f'{name} {count}' for name, count in sorted(seen.fills.items()))}. Compared with the",
        f"exchange afterwards: {len(seen.differences)} differences.",
        *(f"- {text}" for text in seen.differences),
        "",
        "| process | MB after a fifth of the time | MB at the end |",
        "| --- | --- | --- |",
        *(f"| {name} | {first:.1f} | {last:.1f} |" for name, (first, last) in seen.rss_mb.items()),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run and report; the exit code says whether all was well."""
    options = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=10)
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tradebyte-soak-"))
    seen = run(folder, chosen.minutes * 60)
    page = report(seen, chosen.minutes)
    print(page)
    if chosen.minutes >= 10:
        (ROOT / "docs/soak.md").write_text(page)
    if seen.is_good:
        shutil.rmtree(folder)
    else:
        print(f"the run's folder: {folder}")
    sys.exit(0 if seen.is_good else 1)


if __name__ == "__main__":
    main()
