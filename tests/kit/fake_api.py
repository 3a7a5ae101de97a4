"""A monitor's API that answers as a test wants, and remembers the requests."""

from __future__ import annotations

import copy
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-the-tests"
NOW = 1_790_000_000.0


def sections() -> dict[str, Any]:
    """Return a quiet sandbox: two pairs, an own quote a side, one fill, one alert."""
    return copy.deepcopy(_SECTIONS)


class FakeApi:
    """Serves ``answers`` by path; ``requests`` has every request's path and query, ``posted`` what was sent with it."""

    def __init__(self) -> None:
        self.answers = sections()
        self.requests: list[tuple[str, dict[str, list[str]]]] = []
        self.posted: list[tuple[str, dict[str, Any], str]] = []
        self.refusal: tuple[int, dict[str, str]] | None = None
        self.delay_s = 0.0
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def base(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> FakeApi:
        """Listen on a free port, or on the one it had."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                where = urlsplit(self.path)
                api.requests.append((where.path, parse_qs(where.query)))
                time.sleep(api.delay_s)
                if api.refusal is not None:
                    self.answer(*api.refusal)
                elif where.path in api.answers:
                    self.answer(200, api.answers[where.path])
                else:
                    self.answer(404, {"error": "not-found", "text": f"no {where.path}", "mend": "see /openapi.json"})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.posted.append((self.path, body, self.headers.get("Authorization", "")))
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    self.answer(401, {"error": "token", "text": "no token", "mend": "send it"})
                elif api.refusal is not None:
                    self.answer(*api.refusal)
                else:
                    self.answer(200, {"ok": True, "text": f"{self.path} was done"})

            def answer(self, code: int, body: Any) -> None:
                raw = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        return Handler


def order(side: str, price: str, qty: str = "0.00100000", **fields: Any) -> dict[str, Any]:
    """Return an own live order on BTC/USD."""
    slot = "b0" if side == "buy" else "s0"
    made = {
        "cl_ord_id": f"T000001000{slot}000001", "order_id": "OABCDE-FGHIJ-KLMNOP", "strategy": "market_maker",
        "symbol": "BTC/USD", "slot": slot, "side": side, "price": price, "qty": qty, "filled": "0.00000000",
        "state": "open", "is_live": True, "error": "", "created_ts": NOW - 9, "changed_ts": NOW - 5,
    }  # fmt: skip
    return {**made, **fields}


def fill(number: int, side: str = "buy", symbol: str = "BTC/USD", price: str = "99999.9") -> dict[str, Any]:
    """Return an own fill."""
    return {
        "exec_id": f"TEXEC{number}", "cl_ord_id": f"T00000100{number:09d}", "order_id": f"O{number}",
        "strategy": "market_maker", "symbol": symbol, "side": side, "price": price, "qty": "0.00050000",
        "fee": "0.00000", "ts": NOW - 100 + number,
    }  # fmt: skip


def process(state: str = "ready", **fields: Any) -> dict[str, Any]:
    """Return a process's row."""
    made = {
        "state": state, "why": "", "pid": 4711, "boot": 1, "uptime_s": 61.0, "heartbeat_age_s": 0.4, "rss_mb": 41.5,
        "gaps": 0, "drops": 0, "loop_lag_ms": 0.3, "memory_percent": None, "restarts": 0, "messages_in": 12,
        "messages_out": 34, "version": "0.1.0",
    }  # fmt: skip
    return {**made, **fields}


def book(mid: str | None = "100000.5", **fields: Any) -> dict[str, Any]:
    """Return a live book of three levels a side."""
    made = {
        "state": "live", "why": "", "stale": False, "age_ms": 12, "mid": mid, "spread_bps": 0.1, "price_precision": 1,
        "qty_precision": 8,
        "bids": [["100000.0", "1.00000000"], ["99999.0", "2.00000000"], ["99998.0", "0.50000000"]],
        "asks": [["100001.0", "0.75000000"], ["100002.0", "1.25000000"], ["100003.0", "3.00000000"]],
        "checksums_ok": 99, "checksums_failed": 0,
    }  # fmt: skip
    return {**made, **fields}


_NAMES = ("simulator", "collector", "book", "strategy.market_maker", "executor", "monitor")
_PROCESSES = {name: process(restarts=int(name == "book")) for name in _NAMES}
_POINTS = [[NOW - 60 + second, 100_000.0 + second % 7] for second in range(60)]
_SERIES = {
    **{f"{kind}.BTC/USD": _POINTS for kind in ("mid", "bid", "ask")},
    **{
        name: [[NOW - 60, 0.0], [NOW - 30, 0.5], [NOW - 1, 1.25]]
        for name in ("profit", "equity", "realised", "unrealised")
    },
    **{name: [[NOW - 60, 0.0], [NOW - 1, 0.02]] for name in ("fees", "pnl.BTC/USD", "asset.BTC")},
    **{f"rss_mb.{name}": [[NOW - 60, 40.0], [NOW - 1, 41.5]] for name in _NAMES},
}
_ASSETS = {"BTC": {"position": "0.00050000", "worth": "50.00", "inventory": "1", "wallets": {}, "held": ""}}
_RATES = {
    "BTC": {"rate": "100000.5", "valid": True, "way": ["BTC/USD"]}, "USD": {"rate": "1", "valid": True, "way": []},
}  # fmt: skip
_CONNECTION = {
    "connected": True, "system": "online", "reconnects": 0, "private_connected": True, "private_problem": "",
    "attempts": 1, "private_attempts": 1, "attempts_10_min_max": 150, "refused": {},
}  # fmt: skip
_STATUS_PROCESSES = {
    name: {key: value for key, value in each.items() if key not in ("messages_in", "messages_out", "version")}
    for name, each in _PROCESSES.items()
}
_SECTIONS: dict[str, Any] = {
    "/api/status": {
        "halted": False, "halted_why": "", "sandbox": True, "dry_run": False, "processes": _STATUS_PROCESSES,
        "books": {"BTC/USD": {"state": "live", "why": "", "stale": False, "age_ms": 12, "bid": "100000.0",
                              "ask": "100001.0", "checksums_ok": 99, "checksums_failed": 0}},
        "open_orders": 2, "orders_known": True, "stale": [], "rates": {"pairs": {}, "rest": None}, "fees": {},
        "machine": None, "slow": [], "connection": _CONNECTION,
        "positions": {"BTC/USD": "0.00050000"}, "currency": "USD", "unlisted": [], "empty_slots": [], "unwanted": [],
        "assets": _ASSETS, "asset_rates": _RATES, "paused": {},
    },
    "/api/processes": _PROCESSES,
    "/api/books": {"BTC/USD": book(), "ETH/USD": book(None, state="syncing", why="no snapshot yet", bids=[], asks=[],
                                                      spread_bps=None)},
    "/api/orders": {"known": True, "orders": [order("buy", "99999.0"), order("sell", "100004.0")]},
    "/api/fills": {"fills": [fill(1), fill(2, "sell", price="100002.0"), fill(3, symbol="ETH/USD", price="4000.00")]},
    "/api/trades": {"BTC/USD": [{"side": "buy", "price": "100001.0", "qty": "0.1", "ts": NOW - 20}]},
    "/api/positions": {
        "known": True, "why": "", "account": {"BTC/USD": "0.00050000"}, "currency": "USD", "assets": _ASSETS,
        "rates": _RATES,
        "balances": {"USD": "99950.0000", "BTC": "1.0005000000"},
        "strategies": [{"strategy": "market_maker", "symbol": "BTC/USD", "valid": True, "position": "0.00050000",
                        "account_position": "0.00050000", "fills": 2}],
    },
    "/api/pnl": {
        "valid": True, "why": "", "currency": "USD",
        "total": {"profit": "1.25000", "today": "0.75", "equity": "1.25000", "realised": "1.50000",
                  "unrealised": "-0.25000", "fees": "0.00000",
                  "transfers": "0.00000", "rounding": "0.00000", "fx": "0"},
        "quotes": {"USD": {"realised": "1.5", "unrealised": "-0.25", "fees": "0", "transfers": "0", "rounding": "0",
                           "equity": "1.25"}},
        "pairs": {"BTC/USD": {"realised": "1.50000", "unrealised": "-0.25000", "fees": "0.00000", "qty": "0.00050000",
                              "average_price": "99999.9", "mid": "100000.5", "is_stale": False}},
    },
    "/api/latency": {
        "hops": [{"hop": "book", "about": "frame to book", "count": 105, "since_ts": NOW - 60, "min_ms": 0.05,
                  "p50_ms": 0.1, "p90_ms": 0.2, "p99_ms": 0.4, "p999_ms": 0.8, "max_ms": 0.9, "average_ms": 0.12,
                  "buckets": [[0.0, 5], [0.1, 60], [0.2, 30], [0.9, 10]]}]
    },
    "/api/alerts": {
        "active": [{"kind": "stale", "name": "ETH/USD", "level": "warning", "text": "no update", "since_ts": NOW - 9}],
        "recent": [{"ts": NOW - 9, "src": "monitor", "level": "warning", "kind": "stale", "text": "ETH/USD"}],
    },
    "/api/logs": {"lines": [{"ts": NOW - 9, "process": "book", "level": "warning", "event": "resync",
                             "fields": {"symbol": "ETH/USD"}}]},
    "/api/history": {"names": [], "series": _SERIES},
    "/api/control": {"halted": False, "why": "", "flattening": False, "sandbox": True, "dry_run": False},
}  # fmt: skip
