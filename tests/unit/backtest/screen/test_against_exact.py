"""Both engines on the same data: the same fills where the executor has nothing to say, and its rules where it has."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import msgspec
import pytest

from backtest.data.columns import BUY, SELL, Columns
from backtest.exact import setting
from backtest.exact.run import Options, Outcome, on_columns
from backtest.screen.played import Pace
from backtest.screen.run import PairRun, screen
from backtest.venue.recorded import Amended
from shared.clock import MS
from shared.config import Config, Strategy
from tests.kit.backtest.market import BEGIN_TS, Tape

BTC = "BTC/USD"
TOUCH = {BUY: 999_950, SELL: 1_000_050}
STEP_NS = 100 * MS
# The size of a quote is about this.
QUOTE_LOTS = 100_000
Fill = tuple[int, str, int, int]


def calm(seed: int, seconds: int, trade_every: int, *, whole: bool) -> Columns:
    """A market whose touch stands still while its queues breathe, and takers come from both sides in turn.

    A taker reaches us wholly or takes almost nothing (``whole``), or takes anything.
    """
    rng, tape = Random(seed), Tape()
    queue = {BUY: 400_000, SELL: 400_000}
    far = range(1, 25)
    bids = {TOUCH[BUY]: queue[BUY], **{TOUCH[BUY] - 20 * n: 10_000_000 for n in far}}
    asks = {TOUCH[SELL]: queue[SELL], **{TOUCH[SELL] + 20 * n: 10_000_000 for n in far}}
    tape.snapshot(BEGIN_TS, bids, asks)
    taker = BUY
    for number in range(1, seconds * 10):
        ts = BEGIN_TS + number * STEP_NS
        if number % trade_every == 0:
            taker, maker = (SELL, BUY) if taker == BUY else (BUY, SELL)
            if whole and rng.random() < 0.5:
                lots = queue[maker] + rng.randrange(2, 5) * QUOTE_LOTS
            else:
                lots = rng.randrange(1_000, 3_000) if whole else rng.randrange(10_000, queue[maker] + 2 * QUOTE_LOTS)
            tape.trade(ts - 10 * MS, taker, TOUCH[maker], lots)
            queue[maker] = max(0, queue[maker] - lots)
            tape.levels(ts - 9 * MS, (maker, TOUCH[maker], queue[maker]))
        side = rng.choice((BUY, SELL))
        queue[side] = max(50_000, queue[side] + rng.randrange(-60_000, 70_000))
        tape.levels(ts, (side, TOUCH[side], queue[side]))
    return tape.columns()


def run(columns: Columns, queue: str, **settings: object) -> tuple[Outcome, PairRun]:
    """The runs of the exact engine and of the fast one."""
    config = Config()
    config.trading = msgspec.structs.replace(config.trading, inventory_base={"BTC": Decimal(1)})
    quotes: dict[str, object] = {"levels": 1, "edge_bps": 0.499, "skew_bps": 0, **settings}
    config.strategies = {"maker": Strategy(pairs=[BTC], settings=quotes)}
    prepared = setting.prepare(config, "maker", [BTC], [BTC], 1)
    exact = on_columns(prepared, {BTC: columns}, Options("maker", queue=queue, one_way_ms=10.0))
    return exact, screen(prepared, "maker", {BTC: columns}, queue, Pace(None, 10 * MS))[0]


def fills(exact: Outcome, fast: PairRun) -> tuple[list[Fill], list[Fill]]:
    """The fills of both."""
    by_exact = [(fill.ns, str(fill.side), fill.price, fill.qty) for fill in exact.fills]
    return by_exact, [(fill.ts, str(fill.side), fill.price, fill.qty) for fill in fast.played.fills]


def first_difference(exact: list[Fill], fast: list[Fill]) -> Fill:
    """The earliest fill that only one of them has."""
    return min(set(exact) ^ set(fast))


@pytest.mark.parametrize("queue", ["front", "pro_rata", "back"])
@pytest.mark.parametrize("seed", [1, 2])
def test_both_engines_are_filled_alike_where_the_executor_has_nothing_to_say(seed: int, queue: str) -> None:
    exact, fast = fills(*run(calm(seed, 120, 35, whole=True), queue))
    assert exact == fast
    assert len(fast) > 8
    assert {fill[1] for fill in fast} == {"buy", "sell"}


def test_risk_is_the_cause_of_what_only_the_fast_engine_buys() -> None:
    """Buys only, until the limit: the executor counts what is open and in flight, the strategy what it holds."""
    exact_run, fast_run = run(calm(1, 240, 35, whole=True), "front", sides="buy")
    assert any(reason.startswith("denied: worst case") for reason in exact_run.rejects)
    exact, fast = fills(exact_run, fast_run)
    ts = first_difference(exact, fast)[0]
    held = sum(qty for at, _, _, qty in fast if at < ts)
    assert held > 8 * QUOTE_LOTS, "of ten, which is the limit"


def test_the_refresh_rule_is_the_cause_of_a_later_top_up() -> None:
    """The fast engine tops a partial fill up at once, the executor not within 10 s of the order's last change."""
    exact_run, fast_run = run(calm(3, 120, 7, whole=False), "pro_rata")
    ts = first_difference(*fills(exact_run, fast_run))[0]
    top_ups = [request.ts for request in fast_run.played.operations if isinstance(request, Amended)]
    assert min(top_ups) < ts, "nothing differs before the first of them"
