"""Messages that the monitor's tests share."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.model.past_fills import Line
from shared.clock import SECOND
from shared.messages import (
    Account,
    BookInfo,
    BookState,
    BookStatus,
    Fees,
    Fill,
    Profit,
)
from tests.kit.monitor.view import PAIR, WALL, config as config, view as view


def profit(**changed: Any) -> Profit:
    fields: dict[str, Any] = {
        "realised": "1.5",
        "unrealised": "-0.25",
        "fees": "0.1",
        "qty": "0.3",
        "average_price": "100",
        "mid": "99.5",
        "is_stale": False,
    }
    return Profit(**{**fields, **changed})


def fill(number: int, symbol: str = PAIR) -> Fill:
    return Fill(
        exec_id=f"T{number}",
        cl_ord_id="C",
        order_id="O",
        strategy="market_maker",
        symbol=symbol,
        side="buy",
        price="100.5",
        qty="0.1",
        fee="0.01",
        fill_ts=number * SECOND,
    )


def line(number: int, **changed: Any) -> Line:
    fields = msgspec.structs.asdict(fill(number))
    names = ("exec_id", "cl_ord_id", "order_id", "strategy", "symbol", "side", "price", "qty", "fee")
    more = {"ts": f"1970-01-01T00:{number // 60:02}:{number % 60:02}.000000Z"}
    made = {"realised": "1", "fees_paid": "0.5", "profit": "0.25"}
    return Line(**{**{name: fields[name] for name in names}, **more, **made, **changed})


FIGURES = {
    "cpu_percent": 5.0,
    "cpus": 2,
    "load_1_min": 0.5,
    "memory_percent": 50.0,
    "memory_free_mb": 900,
    "disk_percent": 10.0,
    "disk_free_mb": 9000,
}


def books(stale: bool, state: BookState = BookState.LIVE) -> BookStatus:
    info = BookInfo(state=state, age_ms=61_000, checksums_ok=1, checksums_failed=2, stale=stale)
    return BookStatus(books={PAIR: info}, ts=WALL)


def account(counter: float = 25.0) -> Account:
    return Account(
        valid=True,
        fees={PAIR: Fees(maker="0.0200", taker="0.1000")},
        counters={PAIR: counter},
        threshold=125.0,
        positions={PAIR: "0.0015"},
        balances={"USD": "10.5"},
        equity="-1.25",
        fees_paid="0.5",
    )
