"""Private messages of WebSocket version 1, ``openOrders`` and ``ownTrades`` (KRAKEN.md 2), from version 2's reports.

Everything is text; prices have at least five decimals. An order is sent whole once, then only its changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from simulator.pairs.pairs import PAIRS
from simulator.rest.views import describe
from simulator.wire import Written, fixed, micros, parse_time, read_json

# Any: a report of this exchange's own, whose members ws_v2/reports.py wrote.
Row = Mapping[str, Any]
_ZERO = "0.00000"


def read(report: str) -> Row:
    """Return a version 2 report, numbers exact."""
    row = read_json(f"{{{report}}}")
    assert isinstance(row, dict)
    return row


def _text(value: Decimal | int) -> str:
    """Return a number with its own decimals, at least five."""
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    return f"{number:.{max(5, -exponent if isinstance(exponent, int) else 0)}f}"


def _time(text: str) -> str:
    return micros(parse_time(text))


def order(row: Row, opened_ns: int, status: str) -> dict[str, Written]:
    """Return a whole order, from the report that has its terms."""
    pair, limit = PAIRS[row["symbol"]], row.get("limit_price")
    trigger = trigger_of(row)
    first = _text(trigger or limit or 0)
    second = _ZERO if trigger is None or limit is None else _text(limit)
    at = describe(row["order_type"], first, second) + (f" {_ZERO}" if row["order_type"] == "market" else "")
    made: dict[str, Written] = {
        "avg_price": _text(row.get("avg_price", 0)),
        "cost": _text(row["cum_cost"]),
        "descr": {
            "close": None,
            "leverage": None,
            "order": f"{row['side']} {row['order_qty']:f} {pair.wsname} @ {at}",
            "ordertype": row["order_type"],
            "pair": pair.wsname,
            "price": first,
            "price2": second,
            "type": row["side"],
        },
        "expiretm": _time(row["expire_time"]) if "expire_time" in row else None,
        "fee": _text(row["fee_usd_equiv"]),
        "limitprice": _ZERO,
        "misc": "",
        "oflags": ",".join([row["fee_ccy_pref"], *(["post"] if row.get("post_only") else [])]),
        "opentm": micros(opened_ns),
        "refid": None,
        "starttm": _time(row["effective_time"]) if "effective_time" in row else None,
        "status": status,
        "stopprice": _ZERO if trigger is None else _text(trigger),
        "timeinforce": row["time_in_force"],
        "userref": row.get("order_userref", 0),
        "vol": f"{row['order_qty']:f}",
        "vol_exec": f"{row['cum_qty']:f}" if "cum_qty" in row else fixed(0, pair.qty_precision),
    }
    return {**made, "cl_ord_id": row["cl_ord_id"]} if "cl_ord_id" in row else made


def trigger_of(row: Row) -> Decimal | None:
    """Return an order's trigger price as it is now, None for one without."""
    triggers = row.get("triggers")
    return None if triggers is None else triggers.get("actual_price", triggers["price"])


def change(row: Row) -> dict[str, Written]:
    """Return the changes of a report to an order that has been sent before."""
    # A last trade may tell the end itself.
    kind = "filled" if row["order_status"] == "filled" else row["exec_type"]
    changed: dict[str, Written] = {"userref": row.get("order_userref", 0)}
    if kind in ("trade", "filled", "canceled", "expired"):
        changed |= {
            "vol_exec": f"{row['cum_qty']:f}",
            "cost": _text(row["cum_cost"]),
            "fee": _text(row["fee_usd_equiv"]),
            "avg_price": _text(row["avg_price"]),
        }
    if kind in ("filled", "canceled", "expired"):
        changed |= {"lastupdated": _time(row["timestamp"]), "status": "closed" if kind == "filled" else kind}
        if "reason" in row:
            changed["cancel_reason"] = row["reason"]
    elif kind in ("amended", "restated"):
        # Captures have no amendment; the changed members have their names in the whole order.
        changed |= {"status": "open", "misc": "amended", "vol": f"{row['order_qty']:f}"}
        limit, trigger = row.get("limit_price"), trigger_of(row)
        first = limit if trigger is None else trigger
        descr = {} if first is None else {"price": _text(first)}
        if trigger is not None:
            changed["stopprice"] = _text(trigger)
            descr |= {} if limit is None else {"price2": _text(limit)}
        changed["descr"] = descr
    elif kind != "trade":
        changed |= {"status": "open", **({"misc": "touched"} if kind == "status" else {})}
    return changed


def trade(row: Row) -> dict[str, Written]:
    """Return a fill, from its report."""
    return {
        "cost": _text(row["cost"]),
        "fee": _text(row["fee_usd_equiv"]),
        "margin": _ZERO,
        "ordertxid": row["order_id"],
        "ordertype": row["order_type"],
        "pair": PAIRS[row["symbol"]].wsname,
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "price": _text(row["last_price"]),
        "time": _time(row["timestamp"]),
        "type": row["side"],
        "vol": f"{row['last_qty']:f}",
        **({"userref": row["order_userref"]} if row.get("order_userref") else {}),
        **({"cl_ord_id": row["cl_ord_id"]} if "cl_ord_id" in row else {}),
    }
