"""hftbacktest: ``python hftbacktest_orders.py EVENTS.npz``: orders at given times, ids being their numbers."""

import json
import sys

import numpy as np
from hftbacktest import EXPIRED, FILLED, GTX, LIMIT, HashMapMarketDepthBacktest
from hftbacktest_rule import asset, events
from numba import njit
from numba.typed import List


@njit
def place(hbt, ts, numbers, is_buy, ticks, qty):
    """Send every request at its time; return the number of orders that were not sent."""
    failed = 0
    hbt.elapse(1)
    for row in range(len(ts)):
        if hbt.current_timestamp < ts[row] and hbt.elapse(ts[row] - hbt.current_timestamp) != 0:
            break
        price = ticks[row] * hbt.depth(0).tick_size
        if ticks[row] == 0:
            order = hbt.orders(0).get(numbers[row])
            if order is not None and order.cancellable:
                hbt.cancel(0, numbers[row], False)
        elif is_buy[row]:
            failed += hbt.submit_buy_order(0, numbers[row], price, qty, GTX, LIMIT, False) != 0
        else:
            failed += hbt.submit_sell_order(0, numbers[row], price, qty, GTX, LIMIT, False) != 0
    hbt.elapse(1_000_000_000)
    return failed


@njit
def ended(hbt, status):
    """Return the orders with a status: (number, time, quantity)."""
    matching = List([(0, 0, 0.0)])
    values = hbt.orders(0).values()
    while values.has_next():
        order = values.get()
        if order.status == status:
            matching.append((int(order.order_id), order.exch_timestamp, order.exec_qty))
    return matching


def main():
    """Run once; print one object."""
    loaded = np.load(sys.argv[1])
    rule = json.loads(str(loaded["rule"]))
    # The engine reads it where it is: it has to live as long.
    data = events(loaded, rule["tick"], rule["lot"], rule["delay_ns"])
    hbt = HashMapMarketDepthBacktest([asset(data, rule)])
    failed = place(
        hbt,
        loaded["request_ts"],
        loaded["request_number"],
        loaded["request_side"] == 0,
        loaded["request_ticks"],
        rule["qty"],
    )
    assert not failed, f"{failed} orders were not sent"
    fills = {
        number: {"ts": ts, "last_ts": ts, "lots": round(qty / rule["lot"])}
        for number, ts, qty in list(ended(hbt, FILLED))[1:]
    }
    refused = [number for number, _, _ in list(ended(hbt, EXPIRED))[1:]]
    hbt.close()
    print(json.dumps({"fills": fills, "refused": refused}))


if __name__ == "__main__":
    main()
