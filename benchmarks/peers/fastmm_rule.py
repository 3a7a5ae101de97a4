"""fastmm-engine: ``python fastmm_rule.py EVENTS.npz``: a strategy whose hook is compiled, the queue fill model."""

import json
import sys
import time

import fastmm
import numpy as np
from fastmm import Param

CONFIG = """
[engine]
name = "rule"
journal = false
rng_seed = 1
min_requote_ticks = 1
min_requote_interval_ms = {every_ms}
post_only = true
supports_replace = true
[venues.sim]
kind = "sim"
[venues.sim.fees]
maker_bps = 0.0
taker_bps = 0.0
[[instruments]]
venue = "sim"
symbol = "BTCUSD"
base = "BTC"
quote = "USD"
asset_class = "spot"
tick = "{tick}"
lot = "0.00000001"
min_qty = "0.00001"
min_notional = "0.5"
[risk]
max_order_qty = "100"
max_order_notional = "100000000"
max_position = "1000"
max_open_orders = 64
price_collar_bps = 1000
fat_finger_bps = 1000
max_loss = "100000000"
[logging]
level = "error"
[backtest]
fill_model = "l2_queue"
queue_conservatism = 1.0
latency_fixed_us = {delay_us}
latency_jitter_us = 0
equity_bar_s = 3600
initial_capital = 100000000
"""


class Rule(fastmm.Strategy):
    """Keeps one order a side at the distance from the mid."""

    half = Param(0.0)
    qty = Param(0.001)
    most = Param(0.01)

    @fastmm.hot
    def on_book(self, ctx, book):
        """Say what should rest."""
        if not book.valid:
            ctx.pull()
            return
        ctx.clear()
        position = ctx.position
        if position < self.most - 1e-12:
            ctx.bid(book.mid - book.mid * self.half, self.qty)
        if position > -self.most + 1e-12:
            ctx.ask(book.mid + book.mid * self.half, self.qty)
        ctx.keep_passive()


def columns(loaded, rule):
    """Return rows as fastmm has them: raw integers of 1e-8."""
    price = np.rint(loaded["ticks"] * rule["tick"] * 1e8).astype(np.int64)
    qty = np.rint(loaded["lots"] * rule["lot"] * 1e8).astype(np.int64)
    count = len(price)
    # The rows of a message have one number: a snapshot's are one book only so.
    ends = loaded["is_last"] | loaded["is_trade"]
    message = np.concatenate(([0], np.cumsum(ends[:-1])))
    return {
        "ts": loaded["ts"],
        # The first message is a snapshot: a book is not valid before one.
        "type": np.where(loaded["is_trade"], 2, np.where(loaded["ts"] == loaded["ts"][0], 0, 1)).astype(np.uint8),
        "inst": np.zeros(count, np.uint32),
        "side": loaded["side"].astype(np.int8),
        "price": price,
        "qty": qty,
        "seq": (message + 1).astype(np.uint64),
    }


def main():
    """Run twice, the first time to compile; print one object."""
    loaded = np.load(sys.argv[1])
    rule = json.loads(str(loaded["rule"]))
    text = CONFIG.format(
        every_ms=rule["every_ns"] // 1_000_000, tick=f"{rule['tick']:g}", delay_us=rule["delay_ns"] // 1000
    )
    data = columns(loaded, rule)
    params = {"half": rule["distance_bps"] * 1e-4, "qty": rule["qty"], "most": rule["most"]}
    for rows in (2000, len(data["ts"])):
        config = fastmm.BacktestConfig.from_toml_string(text)
        part = {name: values[:rows] for name, values in data.items()}
        began = time.thread_time()
        result = fastmm.run_backtest(config, data=part, strategy=Rule, params=params)
        seconds = time.thread_time() - began
    fills = {name: values.tolist() for name, values in result.fills.items()}
    trades, volume, position = {}, 0.0, 0.0
    for ts, order, side, price, qty in zip(
        *(fills[name] for name in ("ts", "cl_ord_id", "side", "price", "qty")), strict=True
    ):
        sign = 1 if side == 0 else -1
        trades.setdefault(order, [ts, sign, round(price * 1e-8 / rule["tick"])])
        volume, position = volume + qty * 1e-8, position + sign * qty * 1e-8
    print(json.dumps({"seconds": seconds, "rows": rows, "volume": volume, "position": position,
                      "trades": list(trades.values())}))  # fmt: skip


if __name__ == "__main__":
    main()
