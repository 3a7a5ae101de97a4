"""Screen a strategy on recorded pairs, each by itself, under its own rule of the queue and at both bounds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal

from backtest.data.columns import Columns
from backtest.data.coverage import coverage_bps
from backtest.errors import DataError
from backtest.exact.replayed import merge
from backtest.screen.account import Account, account, fills_again
from backtest.screen.built_in import RustMarket, maker_rule, play
from backtest.screen.callback import CallbackScreen
from backtest.screen.moves import Moves
from backtest.screen.played import Pace, Played
from backtest.screen.rate_points import RateUse, rate_use
from backtest.venue.implementation import Market, load_market
from shared.clock import SECOND
from shared.config import Config
from shared.kraken.counters import TIERS
from shared.messages import Fees, Pair
from shared.valuation import legs
from simulator.pairs.pairs import FEES, PAIRS, USD, fee_row, percent
from strategy.loading import load_strategy
from strategy.models.market_maker import MarketMaker, Settings

BOUNDS = {"optimistic": "front", "middle": None, "pessimistic": "back"}


@dataclass(frozen=True, slots=True)
class PairBound:
    """The same requests under one rule of the queue; ``orders`` are those with any fill."""

    queue: str
    fills: int
    orders: int
    pnl: Decimal


@dataclass(frozen=True, slots=True)
class PairRun:
    """One pair's run and what it earned."""

    symbol: str
    qty_precision: int
    is_built_in: bool
    rows: int
    seconds: float
    wall_s: float
    played: Played
    account: Account
    bounds: dict[str, PairBound]
    rate: RateUse
    stats: dict[str, int]
    coverage_bps: float | None
    is_by_order: bool


@dataclass(frozen=True, slots=True)
class PairMarket:
    """One pair's rows, loaded once and played any number of times; rates are in millionths."""

    pair: Pair
    maker_rate: int
    fees: Fees
    market: Market
    begin_ts: int
    end_ts: int
    rows: int


def screen(config: Config, name: str, columns: dict[str, Columns], queue: str, pace: Pace) -> list[PairRun]:
    """Return a run for each pair. Raises DataError."""
    return [_screen(config, name, part, queue, pace) for part in columns.values()]


def load(config: Config, columns: Columns, queue: str) -> PairMarket:
    """Return a pair's rows as a market with the configured account's fees. Raises DataError."""
    pair, currency = columns.pair, config.trading.currency
    if legs(pair.symbol)[1] != currency:
        raise DataError(f"{pair.symbol} is not quoted in {currency}: 'tradebyte backtest' values it, this does not")
    volume = config.simulator.accounts[0].volume_30d_usd
    _, maker_rate, taker_rate = FEES[fee_row(int(volume * 10**USD.decimals))]
    fees = Fees(maker=percent(maker_rate), taker=percent(taker_rate))
    tape = merge({pair.symbol: columns})
    market = load_market(1, queue)
    tape.play_on(market)
    begin_ts, end_ts = int(tape.exchange_ts[0]), int(tape.exchange_ts[-1])
    return PairMarket(pair, maker_rate, fees, market, begin_ts, end_ts, len(tape.exchange_ts))


def play_on(config: Config, name: str, loaded: PairMarket, market: Market, pace: Pace) -> tuple[Played, bool]:
    """Play a market of a pair to its end; return also whether a rule in Rust did, which moves freely."""
    kind, settings = load_strategy(config, name)
    pair, fees, trading, end_ts = loaded.pair, loaded.fees, config.trading, loaded.end_ts
    is_free = pace.moves is Moves.FREE
    if is_free and kind is MarketMaker and isinstance(settings, Settings) and isinstance(market, RustMarket):
        rule = maker_rule(settings, trading, pair, fees.maker)
        if rule is not None:
            return play(market, rule, pace, end_ts), True
    return CallbackScreen(market, kind(settings), name, pair, fees, trading, pace).run(end_ts), False


def _screen(config: Config, name: str, columns: Columns, queue: str, pace: Pace) -> PairRun:
    loaded = load(config, columns, queue)
    pair, market, maker_rate, end_ts = loaded.pair, loaded.market, loaded.maker_rate, loaded.end_ts
    began = time.perf_counter()
    played, is_built_in = play_on(config, name, loaded, market, pace)
    wall_s = time.perf_counter() - began
    last = played.mids.at(end_ts, pair.price_precision)
    if last is None:
        raise DataError(f"{pair.symbol}: the data have no book with both sides")
    instrument = PAIRS[pair.symbol]
    bounds = {}
    for bound, rule in BOUNDS.items():
        fills = fills_again(market.again(rule or queue), played.operations, end_ts)
        pnl = account(instrument, maker_rate, fills, played.mids, end_ts, last).pnl
        bounds[bound] = PairBound(rule or queue, len(fills), len({fill.order_id for fill in fills}), pnl)
    return PairRun(
        symbol=pair.symbol,
        qty_precision=pair.qty_precision,
        is_built_in=is_built_in,
        rows=loaded.rows,
        seconds=(end_ts - loaded.begin_ts) / SECOND,
        wall_s=wall_s,
        played=played,
        account=account(instrument, maker_rate, played.fills, played.mids, end_ts, last),
        bounds=bounds,
        rate=rate_use(played.operations, TIERS[config.trading.tier]),
        stats=market.stats(0),
        coverage_bps=coverage_bps(columns),
        is_by_order=columns.orders is not None,
    )
