"""A day with single orders: every place is known, so the bounds coincide, and both engines say so."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from backtest.data.columns import Columns
from backtest.data.sources import read
from backtest.exact import setting
from backtest.exact.run import Options, Outcome, on_columns
from backtest.report import figures, files, report
from backtest.report.delays import measure
from backtest.screen import report as screen_report
from backtest.screen.played import Pace
from backtest.screen.run import screen
from shared.clock import MS
from shared.config import Config
from tests.unit.simulator.worlds import TestWorld

STRATEGY = "market_maker"
BTC = "BTC/USD"


def prepared() -> Config:
    config = Config()
    config.trading = msgspec.structs.replace(config.trading, inventory_base={"BTC": Decimal(1)})
    strategy = config.strategies[STRATEGY]
    config.strategies = {STRATEGY: msgspec.structs.replace(strategy, settings={"edge_bps": 0.2, "spacing_bps": 0.3})}
    return setting.prepare(config, STRATEGY, [BTC], [BTC], 1)


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> Columns:
    """The simulator's market as its level3, trade and book channels have it."""
    world = TestWorld(regime="calm", seed=7)
    orders, public = world.private(), world.public()
    orders.call("subscribe", channel="level3", symbol=[BTC], depth=100)
    public.call("subscribe", channel="book", symbol=[BTC], depth=10)
    public.call("subscribe", channel="trade", symbol=[BTC], snapshot=False)
    world.run(60)
    frames = [frame for frame in (*public.frames, *orders.frames) if '"data"' in frame]
    path = tmp_path_factory.mktemp("level3") / "frames.jsonl"
    path.write_text("".join(f"{frame}\n" for frame in frames))
    return read([str(path)]).columns[BTC]


@pytest.fixture(scope="module")
def outcome(columns: Columns) -> Outcome:
    return on_columns(prepared(), {BTC: columns}, Options(STRATEGY))


def test_the_bounds_coincide_and_every_place_is_known(outcome: Outcome) -> None:
    made = report.make(outcome, figures.course(outcome), measure(outcome, []), "level 3", "USD", {})
    assert len(outcome.fills) >= 5
    assert (made.queue, made.level3, made.outside_depth_share) == ("level3", [BTC], 0.0)
    front, middle, back = made.bounds.values()
    assert (front.fills, front.pnl) == (middle.fills, middle.pnl) == (back.fills, back.pnl)
    assert Decimal(middle.pnl) == figures.profit(outcome)
    assert all(is_known for _, is_known in outcome.places.values())


def test_without_single_orders_a_rule_of_the_queue_is_named(columns: Columns) -> None:
    by_price = dataclasses.replace(columns, orders=None)
    outcome = on_columns(prepared(), {BTC: by_price}, Options(STRATEGY))
    made = report.make(outcome, figures.course(outcome), measure(outcome, []), "level 2", "USD", {})
    assert (made.queue, made.level3) == ("pro_rata", [])


def test_what_was_ahead_at_a_fill_is_in_the_tables(outcome: Outcome) -> None:
    made = report.make(outcome, figures.course(outcome), measure(outcome, []), "level 3", "USD", {})
    filled = {fill.number for fill in outcome.fills if fill.maker}
    assert outcome.ahead_at_fill.keys() == filled
    assert made.queue_ahead_at_fill[BTC]["mean"] is not None
    rows = files.tables(outcome, figures.course(outcome))["orders"].to_pylist()
    for row in rows:
        assert row["queue_ahead_at_fill_lots"] == outcome.ahead_at_fill.get(row["order"])
    assert any(row["queue_ahead_at_arrival_lots"] for row in rows)


def test_the_fast_engine_plays_single_orders_too(columns: Columns, tmp_path: Path) -> None:
    pace = Pace(None, 10 * MS)
    (run,) = screen(prepared(), STRATEGY, {BTC: columns}, "pro_rata", pace)
    made = screen_report.make([run], STRATEGY, "pro_rata", pace, prepared().trading)
    assert made.fills > 0
    assert (made.queue, made.level3) == ("level3", [BTC])
    front, middle, back = made.bounds.values()
    assert (front.fills, front.pnl) == (middle.fills, middle.pnl) == (back.fills, back.pnl)
    assert made.queue_ahead_at_fill[BTC]["p50"] is not None
