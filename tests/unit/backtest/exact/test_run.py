"""The exact engine: the same bytes again, nothing from the future, and every cent explained."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import msgspec
import pytest

from backtest.data.columns import BUY, SELL, UNKNOWN, Mark
from backtest.errors import DataError
from backtest.exact import setting
from backtest.exact.bounds import bound
from backtest.exact.replayed import merge
from backtest.exact.run import EARLY_NS, Options, Outcome, on_columns, on_synthetic
from backtest.report import figures, report
from backtest.report.delays import measure
from backtest.report.earned import parts_of
from backtest.venue.latency import LatencyKind
from shared.clock import MS, SECOND
from shared.config import Config
from shared.process.effects import LogEntry
from tests.kit.backtest.market import BEGIN_TS, Tape, head, walk

STRATEGY = "market_maker"
SECONDS = 40.0


def prepared(*symbols: str, **limits: Decimal) -> Config:
    config = Config()
    config.trading = msgspec.structs.replace(
        config.trading, inventory_base={"BTC": Decimal(1), "ETH": Decimal(20), "SOL": Decimal(400)}, **limits
    )
    names = list(symbols or ("BTC/USD",))
    return setting.prepare(config, STRATEGY, names, names, 1)


def played(seed: int = 3, latency: LatencyKind = LatencyKind.CONSTANT, run_seed: int = 1, **limits: Decimal) -> Outcome:
    options = Options(STRATEGY, run_seed, latency=latency)
    return on_columns(prepared(**limits), {"BTC/USD": walk(seed, SECONDS)}, options)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return played()


def test_the_walk_is_traded(outcome: Outcome) -> None:
    assert len(outcome.fills) >= 5, "too few to compare anything by"
    assert outcome.account.valid
    assert not outcome.halted


def test_the_same_run_sends_the_same_bytes(outcome: Outcome) -> None:
    again = played()
    assert again.digest == outcome.digest
    assert again.sent == outcome.sent
    assert [(fill.ns, fill.price, fill.qty) for fill in again.fills] == [
        (fill.ns, fill.price, fill.qty) for fill in outcome.fills
    ]


def test_drawn_delays_follow_the_seed() -> None:
    first, same, other = (played(latency=LatencyKind.DRAWN, run_seed=seed).digest for seed in (1, 1, 2))
    assert first == same
    assert first != other


@pytest.mark.parametrize("at_s", [3.0, 11.3, 27.7])
def test_the_future_changes_no_request_before_it(outcome: Outcome, at_s: float) -> None:
    cut = BEGIN_TS + int(at_s * SECOND)
    columns = {"BTC/USD": head(walk(3, SECONDS), cut)}
    shorter = on_columns(prepared(), columns, Options(STRATEGY))
    # At most one message lies between the cut and the last row before it.
    before = [request for request in outcome.sent if request[0] + outcome.begin_ts - EARLY_NS <= cut - 100 * MS]
    assert len(before) > 2
    assert shorter.sent[: len(before)] == before


def test_every_part_of_the_profit_is_found(outcome: Outcome) -> None:
    fills = figures.marked(outcome)
    parts, pnl = figures.attribution(outcome, fills), figures.profit(outcome)
    assert pnl
    assert parts.spread
    assert parts.adverse
    assert parts.drift
    assert parts.unexplained(pnl) == 0
    assert abs(pnl - Decimal(outcome.account.equity)) < Decimal("0.0001")


def test_fees_are_a_part_of_their_own() -> None:
    config = prepared()
    account = msgspec.structs.replace(config.simulator.accounts[0], volume_30d_usd=Decimal(0))
    config.simulator = msgspec.structs.replace(config.simulator, accounts=[account])
    strategy = config.strategies[STRATEGY]
    config.strategies = {STRATEGY: msgspec.structs.replace(strategy, settings={"edge_bps": 0, "levels": 1})}
    outcome = on_columns(config, {"BTC/USD": walk(3, 60, step=600)}, Options(STRATEGY))
    parts, pnl = figures.attribution(outcome, figures.marked(outcome)), figures.profit(outcome)
    assert parts.fees < 0
    assert parts.fees == -sum(Decimal(fill.fee).scaleb(-5) for fill in outcome.fills)
    assert parts.unexplained(pnl) == 0


def test_the_bounds_are_ordered_and_the_middle_is_the_run(outcome: Outcome) -> None:
    front, middle, back = (bound(outcome, rule) for rule in ("front", "pro_rata", "back"))
    assert (middle.fills, middle.pnl) == (len(outcome.fills), figures.profit(outcome))
    assert front.orders_filled >= middle.orders_filled >= back.orders_filled > 0


def test_a_lost_day_halts_for_the_rest() -> None:
    outcome = played(max_daily_loss=Decimal("0.002"))
    assert outcome.halted
    last = max(fill.ns for fill in outcome.fills)
    assert last < outcome.end_ts - 5 * SECOND, "fills go on after the halt"
    made = report.make(outcome, figures.course(outcome), measure(outcome, []), "walk", "USD", {})
    assert any("halted" in warning for warning in made.warnings)


def test_what_the_run_logged_is_a_warning_of_the_report(outcome: Outcome) -> None:
    entries = [LogEntry("warning", "rest", "no answer")] * 2 + [LogEntry("error", "journal", "full")]
    logged = dataclasses.replace(outcome, log=entries)
    made = report.make(logged, figures.course(outcome), measure(outcome, []), "walk", "USD", {})
    assert made.warnings[-2:] == ["warning, rest: no answer (2 times)", "error, journal: full"]


def test_a_gap_pulls_the_quotes() -> None:
    tape = Tape()
    bids, asks = {999_990 - n: 10**8 for n in range(10)}, {1_000_010 + n: 10**8 for n in range(10)}
    tape.snapshot(BEGIN_TS, bids, asks)
    tape.mark(BEGIN_TS + 5 * SECOND, Mark.MISSED)
    # A trade through every quote: nothing of ours may be there any more.
    tape.trade(BEGIN_TS + 12 * SECOND, SELL, 990_000, 10**10)
    tape.snapshot(BEGIN_TS + 13 * SECOND, bids, asks)
    tape.levels(BEGIN_TS + 20 * SECOND, (BUY, 999_000, 10**8))
    outcome = on_columns(prepared(), {"BTC/USD": tape.columns()}, Options(STRATEGY))
    assert not outcome.fills
    resting = {c.number: c.remaining for c in outcome.order_changes if c.ts <= BEGIN_TS + 12 * SECOND}
    assert resting
    assert not any(resting.values())
    assert any(c.remaining for c in outcome.order_changes if c.ts > BEGIN_TS + 13 * SECOND)


def test_trades_alone_are_refused_and_those_of_no_side_are_left_out() -> None:
    tape = Tape()
    tape.trade(BEGIN_TS, UNKNOWN, 1_000_000, 10**8)
    with pytest.raises(DataError, match="BTC/USD: the data have no book"):
        merge({"BTC/USD": tape.columns()})
    tape.snapshot(BEGIN_TS + SECOND, {999_990: 10**8}, {1_000_010: 10**8})
    assert len(merge({"BTC/USD": tape.columns()}).ticks) == 2


def test_a_pair_that_is_not_traded_is_named() -> None:
    config = prepared()
    with pytest.raises(DataError, match=r"the data are of MINA/GBP, and market_maker trades BTC/USD"):
        setting.traded_pairs(config, STRATEGY, {"MINA/GBP"})
    with pytest.raises(DataError, match="no strategy 'other'"):
        setting.choose_strategy(config, "other")


def test_a_configuration_that_names_no_inventory_begins_flat() -> None:
    config = Config()
    assert config.trading.inventory_base is None
    made = setting.prepare(config, STRATEGY, ["BTC/USD"], ["BTC/USD"], 1)
    outcome = on_columns(made, {"BTC/USD": walk(3, 15)}, Options(STRATEGY))
    assert any(change.remaining for change in outcome.order_changes)


def test_the_synthetic_market_is_the_seeds() -> None:
    config = prepared()
    first, same = (on_synthetic(config, 20, Options(STRATEGY)) for _ in range(2))
    other = on_synthetic(config, 20, Options(STRATEGY, seed=2))
    assert first.digest == same.digest != other.digest
    assert figures.attribution(first, figures.marked(first)).unexplained(figures.profit(first)) == 0


def test_the_executors_own_attribution_is_the_reports(outcome: Outcome) -> None:
    live, fills = outcome.account.attribution, figures.marked(outcome)
    assert live is not None
    made = parts_of(figures.attribution(outcome, fills), figures.profit(outcome))
    assert (live.spread, live.adverse, live.drift) == (made.spread, made.adverse, made.drift)
    assert (live.fees, live.rounding, live.unexplained) == (made.fees, made.rounding, "0")
    assert outcome.account.unmarked_fills == 0


def test_the_synthetic_markets_queues_are_known() -> None:
    outcome = on_synthetic(prepared(), 30, Options(STRATEGY))
    made = report.make(outcome, figures.course(outcome), measure(outcome, []), "synthetic", "USD", {})
    assert made.seconds == 30
    assert {(each.fills, each.pnl) for each in made.bounds.values()} == {(made.fills, made.pnl)}
    assert made.outside_depth_share == (0 if made.fills else None)
