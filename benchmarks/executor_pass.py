"""Cost of the executor's pass by how much there is: ``python -m benchmarks.executor_pass [--write]``.

The core alone, with 4 resting orders a pair. In each pass one pair has a new book and a new target that moves one of
its quotes; the rest stands still. The last line compares 1,000 pairs with 1.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from benchmarks import report
from executor.decide.budget import Budget
from executor.effects import Request
from shared.clock import SECOND
from shared.kraken.counters import TIERS
from shared.messages import Fees, Pair, Quote
from tests.kit.executor_world import World, configuration
from tests.kit.pairs import BTC

COUNTS = (1, 3, 10, 100, 1000)
PASSES = 300
WARM = 120  # past the grace of a start, in which every pair is looked at in every pass
TTL_MS = 10**9  # what stands still is not said again here
LEVELS = (("b0", "buy", -10), ("b1", "buy", -20), ("a0", "sell", 10), ("a1", "sell", 20))


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds until a pass's requests could leave, and of the whole pass."""

    until_requests: float
    whole: float


class ManyPairs(World):
    """A healthy executor with four open orders on each of so many pairs."""

    def __init__(self, count: int) -> None:
        pairs = {f"C{n}/USD": _pair(n) for n in range(count)}
        big = Decimal(10**9)
        super().__init__(
            configuration(
                pairs=list(pairs),
                inventory_base={pair.base: Decimal(1) for pair in pairs.values()},
                max_position_size=big,
                max_gross_position=big,
                max_open_orders=10**6,
                max_orders_per_minute=10**9,
            )
        )
        self.pairs = pairs
        for symbol in pairs:
            self.state.account.fees[symbol] = Fees(maker="0.00", taker="0.10")
        self.ready()
        for symbol in pairs:
            self.target(*_quotes(0), symbol=symbol, ttl_ms=TTL_MS)
        self.turn()
        self.settle()

    def balances(self, **changed: str) -> list[dict[str, object]]:
        """Return money for all of the bids."""
        return super().balances(USD="1000000000.0000", **changed)

    def settle(self) -> None:
        """Let the exchange take what was asked of it."""
        requests, self.sent = self.sent, []
        for request in requests:
            if request.method == "add_order":
                self.answer(request, _placed(request)[0])
            elif request.method == "batch_add":
                self.answer(request, _placed(request))
            elif request.method == "amend_order":
                self.answer(request, {"cl_ord_id": request.orders[0]})

    def one_pass(self, number: int) -> Took:
        """Change one pair, and return what the pass took."""
        symbol = f"C{number % len(self.pairs)}/USD"
        self.now += SECOND // 50
        self.raw({"channel": "heartbeat"})
        self.state.market.feed_at = self.state.market.books_at = self.now
        self.hear_book(symbol)
        self.target(*_quotes(1 + number // len(self.pairs) % 5), symbol=symbol, ttl_ms=TTL_MS)
        for order in self.state.registry.live_on(symbol):  # old enough to be amended, and with the points for it
            order.touched -= 100 * SECOND
        self.state.budget = Budget(TIERS["pro"])
        began = time.perf_counter()
        decided = self.executor.decide(self.now)
        until_requests = time.perf_counter() - began
        rest = self.executor.tell(self.now)
        took = Took(until_requests, time.perf_counter() - began)
        self.gather(decided)
        self.gather(rest)
        self.collect()
        self.settle()
        self.take()
        return took


def _pair(number: int) -> Pair:
    return msgspec.structs.replace(BTC, symbol=f"C{number}/USD", base=f"C{number}")


def _quotes(moved: int) -> list[Quote]:
    return [
        Quote(
            slot=slot,
            side="buy" if side == "buy" else "sell",
            price=840_000 + away * 10 - (moved if slot == "b1" else 0),
            qty=119_047,
        )
        for slot, side, away in LEVELS
    ]


def _placed(request: Request) -> list[dict[str, str]]:
    return [{"order_id": f"O{name[-12:]}", "cl_ord_id": name} for name in request.orders]


def measure(count: int, passes: int) -> list[Took]:
    """Return what each pass took with so many pairs, those of the second's own work left in."""
    world = ManyPairs(count)
    for number in range(WARM):
        world.one_pass(number)
        world.armed()
    taken = []
    for number in range(WARM, WARM + passes):
        taken.append(world.one_pass(number))
        world.armed()
    live = len(world.live())
    assert live == 4 * count, f"{live} orders are live, not {4 * count}"
    return taken


def main() -> None:
    """Measure, print, and write where asked."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    options.add_argument("--passes", type=int, default=PASSES)
    options.add_argument("--pairs", type=int, nargs="*", default=list(COUNTS))
    chosen = options.parse_args()
    lines = [
        "| pairs | orders | ms a pass, median | 90th percentile | longest | to requests, median | 90th percentile |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    medians = {}
    for count in chosen.pairs:
        passes = measure(count, chosen.passes)
        whole, requests = sorted(each.whole for each in passes), sorted(each.until_requests for each in passes)
        medians[count] = statistics.median(whole)
        at = int(0.9 * len(whole))
        seconds = (medians[count], whole[at], whole[-1], statistics.median(requests), requests[at])
        figures = [1000 * each for each in seconds]
        lines.append(f"| {count:,} | {4 * count:,} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
        print(lines[-1])
    most, least = max(medians), min(medians)
    ratio = f"{most:,} to {least:,}: ratio {medians[most] / medians[least]:.1f}"
    print(ratio)
    if chosen.write:
        where = f"{report.machine()}; {report.today()}; `python -m benchmarks.executor_pass --write`."
        head = f"## The executor's pass\n\n{where}"
        what = "One pair changes in each pass; four orders rest on every pair."
        report.write("executor_pass", "\n".join([head, "", what, "", *lines, "", ratio]))


if __name__ == "__main__":
    main()
