"""The fast engine: Rust's rule and the strategy's own class are one, money adds up, bounds are ordered."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from backtest.data.columns import Columns
from backtest.errors import DataError
from backtest.exact.history import Mids
from backtest.exact.pairs import pair_message
from backtest.exact.replayed import merge
from backtest.screen import command, report
from backtest.screen.account import account
from backtest.screen.built_in import FixedRule, MakerRule, RustMarket, maker_rule, play
from backtest.screen.callback import CallbackScreen
from backtest.screen.moves import Moves
from backtest.screen.played import Pace, Played, ScreenFill
from backtest.screen.run import screen
from backtest.venue.implementation import Market
from backtest.venue.queue_market import QueueMarket
from shared.clock import MS, SECOND
from shared.config import Config, Strategy, Trading
from shared.messages import Fees
from simulator.pairs.pairs import PAIRS
from strategy.interface import View
from strategy.models.market_maker import MarketMaker, Settings
from tests.unit.backtest.screen.days import LOT, day
from tests.unit.backtest.venue.tape import market_class

BTC = "BTC/USD"
SETTINGS = (
    Settings(edge_bps=0.2, spacing_bps=0.3, tolerance_bps=0.1),
    Settings(edge_bps=0.5, levels=4, spacing_bps=0.2, skew_bps=8, sizes=[Decimal(n) for n in (30, 60, 11, 240)]),
    Settings(edge_bps=0.1, min_edge_bps=0.05, size=Decimal(1000), max_position=Decimal(400), sides="buy"),
    Settings(edge_bps=0.3, inventory_target=Decimal(-200), tolerance_bps=0),
)


def rust_market(queue: str) -> RustMarket:
    """Rust's market; the test is skipped where that is not built."""
    market = market_class("rust")(1, queue)
    assert isinstance(market, RustMarket)
    return market


def play_class(market: Market, settings: Settings, pace: Pace, end: int) -> Played:
    fees = Fees(maker="0.0010", taker="0.1")
    pair = pair_message(BTC)
    return CallbackScreen(market, MarketMaker(settings), "maker", pair, fees, Trading(), pace).run(end)


@pytest.mark.rust
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("every_ns", [None, 70 * MS])
@pytest.mark.parametrize("queue", ["pro_rata", "back"])
def test_the_rule_in_rust_plays_like_the_class(settings: Settings, every_ns: int | None, queue: str) -> None:
    both_play_alike(day(1, 1500, gap_at=700), settings, every_ns, queue)


@pytest.mark.rust
@pytest.mark.parametrize("every_ns", [None, 70 * MS])
def test_the_rule_in_rust_follows_the_market_like_the_class(
    every_ns: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    leans = []

    def note(self: MarketMaker, view: View, stretch: float) -> float:
        leans.append((view.signals.forecast.value, stretch))
        return shift_bps(self, view, stretch)

    shift_bps = MarketMaker._shift_bps
    monkeypatch.setattr(MarketMaker, "_shift_bps", note)
    settings = Settings(edge_bps=0.2, usual_volatility=0.2, forecast_horizon_s=3)
    both_play_alike(day(3, 4500, gap_at=2500), settings, every_ns, "pro_rata")
    assert len({lean for lean, _ in leans}) > 100
    assert len({stretch for _, stretch in leans}) > 20


def both_play_alike(columns: Columns, settings: Settings, every_ns: int | None, queue: str) -> None:
    tape = merge({BTC: columns})
    pace, end = Pace(every_ns, 12 * MS), int(tape.exchange_ts[-1])
    rule = maker_rule(settings, Trading(), columns.pair, "0.0010")
    assert rule is not None
    fast, slow = rust_market(queue), market_class("rust")(1, queue)
    assert isinstance(fast, market_class("rust"))
    tape.play_on(fast)
    tape.play_on(slow)
    by_rule, by_class = play(fast, rule, pace, end), play_class(slow, settings, pace, end)
    assert by_rule == by_class
    assert by_rule.fills
    assert by_rule.counts.amends


def test_the_class_plays_on_the_reference_market_too() -> None:
    tape = merge({BTC: day(2, 300)})
    market = QueueMarket(1)
    tape.play_on(market)
    assert play_class(market, SETTINGS[0], Pace(None, 10 * MS), int(tape.exchange_ts[-1])).fills


def test_settings_that_only_the_class_knows_have_no_rule() -> None:
    pair = pair_message(BTC)
    assert isinstance(maker_rule(Settings(), Trading(), pair, "0.0"), MakerRule)
    assert maker_rule(Settings(max_order_age_s=5.0), Trading(), pair, "0.0") is None
    assert maker_rule(Settings(filled_order_delay_s=5.0), Trading(), pair, "0.0") is None


@pytest.mark.rust
def test_a_fixed_rule_quotes_at_its_distance_and_stops_at_its_position() -> None:
    tape = merge({BTC: day(3, 1500)})
    market = rust_market("pro_rata")
    assert isinstance(market, market_class("rust"))
    tape.play_on(market)
    rule = FixedRule(distance_bps=0.2, qty=50 * LOT, max_position=100 * LOT, price_step=1)
    played = play(market, rule, Pace(100 * MS, 10 * MS), int(tape.exchange_ts[-1]))
    position, most = 0, 0
    for fill in played.fills:
        position += fill.qty if fill.side == "buy" else -fill.qty
        most = max(most, abs(position))
    assert position == played.position
    # One more order may be on its way when the limit is reached.
    assert 50 * LOT < most <= 150 * LOT


def test_a_pair_of_fills_earns_its_spread_and_nothing_is_unexplained() -> None:
    """Buys 0.01 at 65000.0 with the mid at 65001, sells it at 65004.0 with the mid at 65003; the mid ends at 65010."""
    mids = Mids()
    # The trade that filled the buy moved the mid at once: that is not in the spread.
    for ts, bid, ask in ((0, 650_009, 650_011), (5, 650_009, 650_013), (15, 650_029, 650_031), (40, 650_099, 650_101)):
        mids.add(ts * SECOND, bid, ask)
    fills = [
        ScreenFill(5 * SECOND, 1, "buy", 650_000, 1_000_000, 0, SECOND, 0),
        ScreenFill(20 * SECOND, 2, "sell", 650_040, 1_000_000, 7, SECOND, 0),
    ]
    # 0.02 % of 650 and of 650.04: 0.13 and 0.130008, which the ledger has as 0.1300.
    made = account(PAIRS[BTC], 200, fills, mids, 50 * SECOND, Decimal("65010"))
    assert made.parts.spread == Decimal("0.02")
    # The mid went up by 2 after the buy, and did not move in the ten seconds after the sale.
    assert made.parts.adverse == Decimal("0.02")
    # Then up by 7 while long (bought), and by 7 after the sale: nothing is held, and nothing is left of it.
    assert made.parts.drift == Decimal("0.07") - Decimal("0.07")
    assert made.parts.fees == Decimal("-0.26")
    assert made.pnl == Decimal("0.04") - Decimal("0.26")
    assert made.parts.unexplained(made.pnl) == 0


def config() -> Config:
    settings: dict[str, object] = {"edge_bps": 0.2, "spacing_bps": 0.3}
    grid = Strategy(class_="strategy.models.grid:Grid", pairs=[BTC])
    return Config(strategies={"maker": Strategy(pairs=[BTC], settings=settings), "grid": grid})


@pytest.mark.parametrize("seed", range(3))
def test_bounds_are_ordered_and_the_profit_is_explained(seed: int) -> None:
    pace = Pace(None, 10 * MS)
    runs = screen(config(), "maker", {BTC: day(seed, 800)}, "pro_rata", pace)
    made = report.make(runs, "maker", "pro_rata", pace, Trading())
    assert made.fills == made.bounds["middle"].fills > 0
    assert made.pnl == made.bounds["middle"].pnl
    assert made.bounds["optimistic"].orders >= made.bounds["middle"].orders >= made.bounds["pessimistic"].orders > 0
    assert Decimal(made.attribution.unexplained) == 0


def test_another_strategy_is_played_by_its_class() -> None:
    runs = screen(config(), "grid", {BTC: day(1, 300)}, "front", Pace(200 * MS, 10 * MS))
    assert not runs[0].is_built_in
    assert runs[0].played.counts.submits > 0


@pytest.mark.parametrize("moves", [Moves.PACED, Moves.PRICED])
def test_moves_that_are_not_free_are_played_by_the_class_at_fewer_points(moves: Moves) -> None:
    pace = Pace(None, 10 * MS, moves=moves)
    free, held = (screen(config(), "maker", {BTC: day(1, 1500)}, "front", each) for each in (Pace(None, 10 * MS), pace))
    assert not held[0].is_built_in
    assert 0 < held[0].rate.points < free[0].rate.points
    made = report.make(held, "maker", "front", pace, Trading())
    assert (made.engine, made.moves, made.rate_points) == ("python", moves, held[0].rate.points)
    assert made.rate_level_highest[BTC] == pytest.approx(held[0].rate.highest, abs=0.01)
    assert made.rate_level_highest[BTC] <= made.rate_level_most == 125
    assert made.rate_rejects == 0


def test_a_pair_of_another_currency_is_refused() -> None:
    trading = Trading(currency="EUR", pairs=[BTC])
    with pytest.raises(DataError):
        screen(Config(trading=trading), "market_maker", {BTC: day(1, 50)}, "front", Pace(None, 0))


def test_the_command_prints_one_object_and_writes_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["ts,type,side,price_ticks,qty,id"]
    columns = day(1, 400).table.to_pylist()
    for number, row in enumerate(columns):
        kind = ("add", "add", "trade", "")[row["kind"]]
        kind = "cancel" if kind == "add" and not row["lots"] else kind
        side = ("buy", "sell")[row["side"]]
        lines.append(f"{row['exchange_ts']},{kind},{side},{row['ticks']},{row['lots'] // 100},{number}")
    data = tmp_path / "day.csv"
    data.write_text("\n".join(lines) + "\n")
    command.main([str(data), "--json", "--every-ms", "50", "--moves", "paced", "--out", str(tmp_path / "out")])
    made = json.loads(capsys.readouterr().out)
    assert made["rows"] == len(columns)
    assert (made["moves"], made["every_ms"]) == ("paced", 50)
    assert set(made["bounds"]) == {"optimistic", "middle", "pessimistic"}
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == made
    assert (tmp_path / "out" / "fills.parquet").is_file()


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main([str(tmp_path / "nothing.csv")])
    assert ended.value.code == 1
    assert "nothing.csv" in capsys.readouterr().err
    for wrong in (["--every-ms", "0"], ["--latency-ms", "-1"], ["--queue", "best"], ["--moves", "fast"]):
        with pytest.raises(SystemExit):
            command.main([str(tmp_path), *wrong])
