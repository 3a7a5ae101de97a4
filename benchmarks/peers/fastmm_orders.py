"""fastmm-engine: ``python fastmm_orders.py EVENTS.npz``: orders at given times by timers, the queue fill model."""

import json
import sys

import fastmm
import numpy as np
from fastmm_rule import CONFIG, columns


class Orders(fastmm.Strategy):
    """Sends each request at its time."""

    # The engine makes the strategy itself, from its class: one run a process.
    requests = ()
    qty_raw = 0
    refused = []
    ids = {}

    def on_book(self, ctx, _inst, _book):
        """Set a timer for each request at the first event: the clock is not the data's before it."""
        if not self.ids:
            for place, (ts, *_) in enumerate(self.requests):
                ctx.once(ts - ctx.now_ns, place)
            self.ids[0] = 0

    def on_timer(self, ctx, _timer_id, place):
        """Send one request."""
        _, number, side, price_raw = self.requests[place]
        if price_raw:
            self.ids[number] = ctx.send_raw(0, side, price_raw, self.qty_raw, post_only=True, tag=number)
        else:
            ctx.cancel(self.ids[number])

    def on_order_update(self, _ctx, update):
        """Note what was refused."""
        if update.state.lower() == "rejected":
            self.refused.append(update.user_tag)


def main():
    """Run once; print one object."""
    loaded = np.load(sys.argv[1])
    rule = json.loads(str(loaded["rule"]))
    text = CONFIG.format(every_ms=1, tick=f"{rule['tick']:g}", delay_us=rule["delay_ns"] // 1000)
    names = ("request_ts", "request_number", "request_side", "request_ticks")
    Orders.requests = [
        (ts, number, side, round(ticks * rule["tick"] * 1e8))
        for ts, number, side, ticks in zip(*(loaded[name].tolist() for name in names), strict=True)
    ]
    Orders.qty_raw = round(rule["qty"] * 1e8)
    config = fastmm.BacktestConfig.from_toml_string(text)
    result = fastmm.run_backtest(config, data=columns(loaded, rule), strategy=Orders)
    numbers = {order: number for number, order in Orders.ids.items()}
    fills = {}
    names = ("ts", "cl_ord_id", "qty")
    for ts, order, qty in zip(*(result.fills[name].tolist() for name in names), strict=True):
        each = fills.setdefault(numbers[order], {"ts": ts, "lots": 0})
        each["last_ts"] = ts
        each["lots"] += round(qty * 1e-8 / rule["lot"])
    print(json.dumps({"fills": fills, "refused": Orders.refused}))


if __name__ == "__main__":
    main()
