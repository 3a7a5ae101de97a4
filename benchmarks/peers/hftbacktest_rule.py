"""hftbacktest: ``python hftbacktest_rule.py EVENTS.npz``, as its tutorials do: a compiled function, ids by price."""

import json
import sys
import time

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    FILLED,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from hftbacktest.types import event_dtype
from numba import njit
from numba.typed import List

# The parts of an id: it says side and price.
ASK_ID = 1 << 40


@njit
def quote(hbt, half, qty, most, every, trades):
    """Keep one order a side at the distance; fills are noted as (time, side, price in ticks)."""
    while hbt.elapse(every) == 0:
        ended = hbt.orders(0).values()
        while ended.has_next():
            order = ended.get()
            if order.status == FILLED:
                trades.append((order.exch_timestamp, int(order.side), order.exec_price_tick))
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid_tick, ask_tick = depth.best_bid_tick, depth.best_ask_tick
        if bid_tick <= 0 or ask_tick <= bid_tick or ask_tick > ASK_ID:
            continue
        mid = (bid_tick + ask_tick) / 2
        wanted_bid = min(int(np.floor(mid * (1 - half))), ask_tick - 1)
        wanted_ask = max(int(np.ceil(mid * (1 + half))), bid_tick + 1)
        position = hbt.position(0)
        wants_bid, wants_ask = position < most - 1e-12, position > -most + 1e-12
        has_bid = has_ask = False
        orders = hbt.orders(0)
        values = orders.values()
        while values.has_next():
            order = values.get()
            is_bid = order.order_id < ASK_ID
            is_right = (
                wants_bid and order.order_id == wanted_bid
                if is_bid
                else wants_ask and order.order_id == ASK_ID + wanted_ask
            )
            if is_right:
                has_bid, has_ask = has_bid or is_bid, has_ask or not is_bid
            elif order.cancellable:
                hbt.cancel(0, order.order_id, False)
        if wants_bid and not has_bid:
            hbt.submit_buy_order(0, wanted_bid, wanted_bid * depth.tick_size, qty, GTX, LIMIT, False)
        if wants_ask and not has_ask:
            hbt.submit_sell_order(0, ASK_ID + wanted_ask, wanted_ask * depth.tick_size, qty, GTX, LIMIT, False)


def events(loaded, tick, lot, delay):
    """Return rows as hftbacktest has them."""
    made = np.zeros(len(loaded["ts"]), event_dtype)
    kind = np.where(loaded["is_trade"], TRADE_EVENT, DEPTH_EVENT).astype(np.uint64)
    side = np.where(loaded["side"] == 1, SELL_EVENT, BUY_EVENT).astype(np.uint64)
    made["ev"] = kind | side | np.uint64(EXCH_EVENT | LOCAL_EVENT)
    made["exch_ts"], made["local_ts"] = loaded["ts"], loaded["ts"] + delay
    made["px"], made["qty"] = loaded["ticks"] * tick, loaded["lots"] * lot
    return made


def asset(data, rule):
    """Return the market: the last in each queue, filled whole or not, no fee."""
    return (
        BacktestAsset()
        .data([data])
        .linear_asset(1.0)
        .constant_order_latency(rule["delay_ns"], rule["delay_ns"])
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(rule["tick"])
        .lot_size(rule["lot"])
        .last_trades_capacity(0)
    )


def main():
    """Run twice, the first time to compile; print one object."""
    loaded = np.load(sys.argv[1])
    rule = json.loads(str(loaded["rule"]))
    data = events(loaded, rule["tick"], rule["lot"], rule["delay_ns"])
    for part in (data[:2000], data):
        hbt = HashMapMarketDepthBacktest([asset(part, rule)])
        trades = List([(0, 0, 0)])
        began = time.thread_time()
        quote(hbt, rule["distance_bps"] * 1e-4, rule["qty"], rule["most"], rule["every_ns"], trades)
        seconds = time.thread_time() - began
        state = hbt.state_values(0)
        volume, position = float(state.trading_volume), float(state.position)
        hbt.close()
    print(json.dumps({"seconds": seconds, "rows": len(data), "volume": volume, "position": position,
                      "trades": [list(map(int, trade)) for trade in list(trades)[1:]]}))  # fmt: skip


if __name__ == "__main__":
    main()
