"""nautilus_trader: ``python nautilus_rule.py EVENTS.npz``: BacktestEngine, a strategy class with a timer, L2 book."""

import json
import sys
import time
from decimal import Decimal

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USD
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    RecordFlag,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("KRAKEN")
INSTRUMENT = InstrumentId(Symbol("BTC/USD"), VENUE)


class RuleConfig(StrategyConfig, frozen=True):
    """The rule's numbers."""

    half: float
    qty: float
    most: float
    every_ns: int


class Rule(Strategy):
    """Keeps one order a side at the distance from the mid."""

    def __init__(self, config):
        super().__init__(config)
        self.trades = {}
        self.volume = 0.0

    def on_start(self):
        """Subscribe, and decide by a timer."""
        self.instrument = self.cache.instrument(INSTRUMENT)
        self.qty = self.instrument.make_qty(self.config.qty)
        self.subscribe_order_book_deltas(INSTRUMENT, book_type=BookType.L2_MBP)
        self.clock.set_timer("decide", pd.Timedelta(self.config.every_ns, "ns"), callback=self.decide)

    def decide(self, _event):
        """Amend or place what differs."""
        book = self.cache.order_book(INSTRUMENT)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if bid is None or ask is None:
            return
        tick = float(self.instrument.price_increment)
        mid = (float(bid) + float(ask)) / 2
        prices = {
            OrderSide.BUY: min(np.floor(mid * (1 - self.config.half) / tick) * tick, float(ask) - tick),
            OrderSide.SELL: max(np.ceil(mid * (1 + self.config.half) / tick) * tick, float(bid) + tick),
        }
        position = float(self.portfolio.net_position(INSTRUMENT))
        for side, price in prices.items():
            towards = position if side == OrderSide.BUY else -position
            self.keep(side, self.instrument.make_price(price), towards < self.config.most - 1e-12)

    def keep(self, side, price, is_wanted):
        """Bring one side to its price."""
        orders = self.cache.orders_open(instrument_id=INSTRUMENT, side=side)
        flying = self.cache.orders_inflight(instrument_id=INSTRUMENT, side=side)
        for order in orders:
            if order in flying or order.is_pending_update or order.is_pending_cancel:
                continue
            if not is_wanted:
                self.cancel_order(order)
            elif order.price != price:
                self.modify_order(order, price=price)
        if is_wanted and not orders and not flying:
            order = self.order_factory.limit(INSTRUMENT, side, self.qty, price, post_only=True)
            self.submit_order(order)

    def on_order_filled(self, event):
        """Note the first fill of each order."""
        sign = 1 if event.order_side == OrderSide.BUY else -1
        tick = round(float(event.last_px) / float(self.instrument.price_increment))
        self.trades.setdefault(str(event.client_order_id), [event.ts_event, sign, tick])
        self.volume += float(event.last_qty)


def pair(rule):
    """Return the instrument."""
    return CurrencyPair(
        instrument_id=INSTRUMENT, raw_symbol=Symbol("BTC/USD"), base_currency=BTC, quote_currency=USD,
        price_precision=rule["price_precision"], size_precision=rule["qty_precision"],
        price_increment=Price(rule["tick"], rule["price_precision"]),
        size_increment=Quantity(rule["lot"], rule["qty_precision"]), lot_size=None, max_quantity=None,
        min_quantity=None, max_notional=None, min_notional=None, max_price=None, min_price=None,
        margin_init=Decimal(0), margin_maint=Decimal(0), maker_fee=Decimal(0), taker_fee=Decimal(0),
        ts_event=0, ts_init=0,
    )  # fmt: skip


def rows(loaded, rule):
    """Return a batch of deltas for each message, and trades."""
    made, deltas = [], []
    price_precision, qty_precision = rule["price_precision"], rule["qty_precision"]
    columns = (loaded[name].tolist() for name in ("ts", "is_trade", "side", "ticks", "lots", "is_last"))
    for number, (ts, is_trade, side, ticks, lots, is_last) in enumerate(zip(*columns, strict=True)):
        price, qty = Price(ticks * rule["tick"], price_precision), Quantity(lots * rule["lot"], qty_precision)
        if is_trade:
            taker = AggressorSide.SELLER if side == 1 else AggressorSide.BUYER
            made.append(TradeTick(INSTRUMENT, price, qty, taker, TradeId(str(number)), ts, ts))
            continue
        order = BookOrder(OrderSide.SELL if side == 1 else OrderSide.BUY, price, qty, 0)
        action = BookAction.UPDATE if lots else BookAction.DELETE
        flags = RecordFlag.F_LAST if is_last else 0
        deltas.append(OrderBookDelta(INSTRUMENT, action, order, flags, number, ts, ts))
        if is_last:
            made.append(OrderBookDeltas(INSTRUMENT, deltas))
            deltas = []
    return made


def engine_of(book_type, delay_ns, fill_model=None):
    """Return an engine with the venue, and an account that everything can be traded on."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(10_000_000, USD), Money(100, BTC)],
        base_currency=None,
        book_type=book_type,
        fill_model=fill_model,
        latency_model=LatencyModel(base_latency_nanos=delay_ns),
        trade_execution=True,
    )
    return engine


def main():
    """Run once; print one object."""
    loaded = np.load(sys.argv[1])
    rule = json.loads(str(loaded["rule"]))
    engine = engine_of(BookType.L2_MBP, 2 * rule["delay_ns"])
    engine.add_instrument(pair(rule))
    engine.add_data(rows(loaded, rule))
    strategy = Rule(
        RuleConfig(half=rule["distance_bps"] * 1e-4, qty=rule["qty"], most=rule["most"], every_ns=rule["every_ns"])
    )
    engine.add_strategy(strategy)
    began = time.thread_time()
    engine.run()
    seconds = time.thread_time() - began
    position = float(engine.portfolio.net_position(INSTRUMENT))
    print(json.dumps({"seconds": seconds, "rows": len(loaded["ts"]), "volume": strategy.volume, "position": position,
                      "trades": list(strategy.trades.values())}))  # fmt: skip


if __name__ == "__main__":
    main()
