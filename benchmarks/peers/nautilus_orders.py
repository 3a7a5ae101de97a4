"""nautilus_trader: ``python nautilus_orders.py EVENTS.npz BOOK``: orders at given times by alerts.

BOOK is ``l2``, its matching on the whole book as a user has it by default; or ``l1``, on the touch and the trades,
where a limit order that is only touched is never filled (``prob_fill_on_limit`` 0).
"""

import json
import sys
from collections import defaultdict

import numpy as np
from nautilus_rule import INSTRUMENT, engine_of, pair, rows
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, BookType, OrderSide
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.trading.strategy import Strategy


class Orders(Strategy):
    """Sends each request at its time."""

    def __init__(self, requests, rule):
        super().__init__()
        self.requests, self.rule = requests, rule
        self.fills, self.refused, self.sent = {}, [], {}

    def on_start(self):
        """Subscribe, and set an alert for each moment."""
        self.instrument = self.cache.instrument(INSTRUMENT)
        self.qty = self.instrument.make_qty(self.rule["qty"])
        for ts in self.requests:
            self.clock.set_time_alert_ns(str(ts), ts, self.send)

    def send(self, event):
        """Send the requests of a moment."""
        for number, side, ticks in self.requests[int(event.name)]:
            if not ticks:
                if not self.sent[number].is_closed:
                    self.cancel_order(self.sent[number])
                continue
            self.sent[number] = self.order_factory.limit(
                INSTRUMENT,
                OrderSide.SELL if side == 1 else OrderSide.BUY,
                self.qty,
                Price(ticks * self.rule["tick"], self.rule["price_precision"]),
                post_only=True,
                tags=[str(number)],
            )
            self.submit_order(self.sent[number])

    def on_order_filled(self, event):
        """Add a fill."""
        number = int(self.cache.order(event.client_order_id).tags[0])
        each = self.fills.setdefault(number, {"ts": event.ts_event, "lots": 0})
        each["last_ts"] = event.ts_event
        each["lots"] += round(float(event.last_qty) / self.rule["lot"])

    def on_order_rejected(self, event):
        """Note what was refused."""
        self.refused.append(int(self.cache.order(event.client_order_id).tags[0]))


def touches(loaded, rule):
    """Return the touch after each change as quotes."""
    names = ("ts", "bid", "bid_lots", "ask", "ask_lots")
    made = []
    for ts, bid, bid_lots, ask, ask_lots in zip(*(loaded[f"touch_{name}"].tolist() for name in names), strict=True):
        prices = (Price(ticks * rule["tick"], rule["price_precision"]) for ticks in (bid, ask))
        sizes = (Quantity(lots * rule["lot"], rule["qty_precision"]) for lots in (bid_lots, ask_lots))
        made.append(QuoteTick(INSTRUMENT, *prices, *sizes, ts, ts))
    return made


def without_side(trade):
    """Return a trade that does not say who took: only such a one moves both prices of the touch."""
    side = AggressorSide.NO_AGGRESSOR
    return TradeTick(INSTRUMENT, trade.price, trade.size, side, trade.trade_id, trade.ts_event, trade.ts_init)


def main():
    """Run once; print one object."""
    loaded, is_whole = np.load(sys.argv[1]), sys.argv[2] == "l2"
    rule = json.loads(str(loaded["rule"]))
    requests = defaultdict(list)
    names = ("request_ts", "request_number", "request_side", "request_ticks")
    for ts, number, side, ticks in zip(*(loaded[name].tolist() for name in names), strict=True):
        requests[ts].append((number, side, ticks))
    book_type, fill_model = (
        (BookType.L2_MBP, None) if is_whole else (BookType.L1_MBP, FillModel(prob_fill_on_limit=0.0))
    )
    engine = engine_of(book_type, rule["delay_ns"], fill_model)
    engine.add_instrument(pair(rule))
    made = rows(loaded, rule)
    if not is_whole:
        trades = [each for each in made if isinstance(each, TradeTick)]
        made = [without_side(each) for each in trades] + touches(loaded, rule)
        made.sort(key=lambda each: each.ts_init)
    engine.add_data(made)
    strategy = Orders(requests, rule)
    engine.add_strategy(strategy)
    engine.run()
    print(json.dumps({"fills": strategy.fills, "refused": strategy.refused}))


if __name__ == "__main__":
    main()
