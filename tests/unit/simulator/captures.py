"""The members and types of JSON messages, by class of message: what captures have and what the simulator says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.frames import frames_path

Shapes = dict[str, dict[str, set[str]]]
# Keys that are names of things, not of members: order ids, pairs, assets.
_ID = re.compile(
    r"[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6}|[A-Z0-9]{3,9}|[A-Z0-9]+/[A-Z]+|[A-Z0-9]+\.[A-Zd]|[A-Z0-9]{2,}[x.][A-Z0-9]{2,}|[A-Z0-9]{6,7}-.*"
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_SHORT_MEMBERS = set("abcvptlho")


class Float(Decimal):
    """A JSON number with a fraction or an exponent."""


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, Decimal | float):
        return "decimal"
    if _TIME.fullmatch(value):
        fraction = value.partition(".")[2].rstrip("Z")
        return f"time of {len(fraction)} digits"
    return "number text" if _NUMBER.fullmatch(value) else "text"


def walk(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Return every path in a value with the type there; list elements are ``[]``, named things ``*``."""
    if isinstance(value, dict):
        yield path, "object"
        named = value and all(_ID.fullmatch(key) for key in value if key not in ("last", "count"))
        for key, item in value.items():
            step = "*" if named and key not in ("last", "count") else key
            yield from walk(item, f"{path}.{step}")
    elif isinstance(value, list):
        yield path, "list"
        for item in value:
            yield from walk(item, f"{path}[]")
    else:
        yield path, _kind(value)


def add(shapes: Shapes, name: str, value: Any) -> None:
    """Add a message to its class."""
    paths = shapes.setdefault(name, {})
    for path, kind in walk(value):
        paths.setdefault(path, set()).add(kind)


def read(text: str) -> Any:
    """Return a JSON text whose fractions stay distinguishable from whole numbers."""
    return json.loads(text, parse_float=Float)


def v2_class(frame: Any) -> str | None:
    """Return the class of a v2 message of the server; None for requests and what has no counterpart."""
    if not isinstance(frame, dict) or "params" in frame:
        return None
    if frame.get("channel") and "method" not in frame:
        rows = frame.get("data")
        kind = rows[0].get("exec_type", "") if isinstance(rows, list) and rows else ""
        if frame["channel"] == "level3":
            return None
        return " ".join(filter(None, ["v2", frame["channel"], frame.get("type"), kind]))
    if frame.get("method") == "pong":
        return "v2 pong"
    if "method" not in frame or "success" not in frame:
        return None
    result = frame.get("result")
    channel = result.get("channel", "") if isinstance(result, dict) else ""
    if channel == "level3":
        return None
    return " ".join(filter(None, ["v2", frame["method"], channel, "done" if frame["success"] else "refused"]))


def _row_class(row: Any) -> str:
    """Class a row of a private v1 message: an order or trade as a whole, or what has changed."""
    if "ordertxid" in row:
        return "trade"
    if "descr" in row:
        return str(row["status"])
    return f"now {row['status']}" if "status" in row else "filled in part"


def v1_class(frame: Any) -> str | None:
    """Return the class of a v1 message of the server."""
    if isinstance(frame, list) and len(frame) == 3 and frame[1] in ("openOrders", "ownTrades"):
        rows = [row for item in frame[0] for row in item.values()]
        return f"v1 {frame[1]} {_row_class(rows[0])}" if rows else None
    if isinstance(frame, list) and len(frame) >= 4 and isinstance(frame[-2], str):
        name = frame[-2].partition("-")[0]
        parts = frame[1:-2]
        if name == "book":
            return "v1 book snapshot" if "as" in parts[0] else "v1 book update"
        return f"v1 {name}"
    if not isinstance(frame, dict) or "event" not in frame or frame["event"] in ("subscribe", "unsubscribe", "ping"):
        return None
    if "token" in frame:
        return None
    return " ".join(filter(None, ["v1", frame["event"], frame.get("status", "")]))


def _captured_lines(folder: str) -> Iterator[str]:
    root: Path = frames_path("SOURCES.md").parent / folder
    for path in sorted(root.iterdir()):
        if (
            path.name.endswith(".jsonl")
            and "book1000" not in path.name
            and "book10_BTCUSD_python-kraken-sdk.j" not in (path.name)
        ):
            yield from path.read_text().splitlines()[:3000]
        elif path.suffix == ".json" and "meta" not in path.name:
            yield path.read_text()


def captured_frames(folder: str) -> Iterator[Any]:
    """Return the captured or documented messages of a folder."""
    for line in _captured_lines(folder):
        try:
            yield read(line)
        except ValueError:
            continue


def captured() -> Shapes:
    """Return the classes of every captured or documented message."""
    shapes: Shapes = {}
    for folder, classify in (("public_v2", v2_class), ("private_v2", v2_class), ("public_v1", v1_class)):
        for frame in captured_frames(folder):
            name = classify(frame)
            if name is not None:
                add(shapes, name, frame)
    for method, files in REST_FILES.items():
        for file in files:
            name, _, line = file.partition("#")
            text = frames_path(f"rest/{name}").read_text()
            for answer in _answers(text.splitlines()[int(line)] if line else text):
                add(shapes, f"REST {method}", answer)
    return shapes


def unread() -> set[str]:
    """Return the files of ``rest/`` that are neither compared nor explained."""
    read = {file.partition("#")[0] for files in REST_FILES.values() for file in files}
    there = {path.name for path in frames_path("SOURCES.md").parent.joinpath("rest").iterdir()}
    return {name for name in there - read if not any(re.fullmatch(pattern, name) for pattern in NO_COUNTERPART)}


def _answers(text: str) -> Iterable[Any]:
    if not text.lstrip().startswith("{"):
        text = text[text.index("{") :]
    try:
        frames = [read(text)]
    except ValueError:
        frames = []
        for line in text.splitlines():
            try:
                frames.append(read(line))
            except ValueError:
                continue
    return [frame for frame in frames if isinstance(frame, dict) and "result" in frame and not frame.get("error")]


# Every captured or documented answer by its method; ``#1`` is one line of a file that holds several methods'.
REST_FILES = {
    "Time": [
        "kraken-async-rs_server_time_json.json",
        "nautilus_http_server_time.json",
    ],
    "SystemStatus": [
        "kraken-async-rs_system_status_json.json",
        "nautilus_http_system_status.json",
        "jkorf_GetSystemStatus.txt",
        "docs_Spot_REST_Introduction.jsonl",
    ],
    "Assets": [
        "Assets_live_20260925_bytex.json",
        "kraken-async-rs_asset_info_json.json",
        "jkorf_GetAssets.txt",
    ],
    "AssetPairs": [
        "AssetPairs_5pairs_live_20260925_bytex.json",
        "nautilus_http_asset_pairs.json",
        "jkorf_GetSymbols.txt",
        "AssetPairs_XETHZUSD_live_202609_excerpt.json",
        "nautilus_http_asset_pairs_tokenized.json",
        "AssetPairs_full_20210417_cryptofeed.json",
    ],
    "Ticker": [
        "kraken-async-rs_ticker_information_json.json",
        "nautilus_http_ticker.json",
        "jkorf_GetTicker.txt",
    ],
    "Depth": [
        "nautilus_http_order_book.json",
        "jkorf_GetOrderBook.txt",
    ],
    "OHLC": [
        "nautilus_http_ohlc.json",
        "kraken-async-rs_ohlc_data_json.json",
        "jkorf_GetKlines.txt",
        "OHLC_Trades_live_20260925_bytex.jsonl#0",
    ],
    "Trades": [
        "nautilus_http_trades.json",
        "jkorf_GetTradeHistory.txt",
        "OHLC_Trades_live_20260925_bytex.jsonl#1",
    ],
    "Spread": [
        "jkorf_GetRecentSpread.txt",
    ],
    "GetWebSocketsToken": [
        "kraken-async-rs_websockets_token_json.json",
    ],
    "Balance": [
        "nautilus_http_spot_balance.json",
        "kraken-async-rs_account_balance_json.json",
        "jkorf_GetBalances.txt",
        "docs_Get_Account_Balance.jsonl",
    ],
    "BalanceEx": [
        "kraken-async-rs_extended_balance_json.json",
        "jkorf_GetAvailableBalances.txt",
        "docs_Get_Extended_Balance.jsonl",
    ],
    "TradeBalance": [
        "kraken-async-rs_trade_balance_json.json",
        "nautilus_http_spot_trade_balance.json",
        "docs_Get_Trade_Balance.jsonl",
    ],
    "TradeVolume": [
        "kraken-async-rs_trade_volume_json.json",
        "kraken-async-rs_trade_volume_per_pair_json.json",
        "jkorf_GetTradeVolume.txt",
        "docs_Get_Trade_Volume.jsonl",
    ],
    "OpenOrders": [
        "kraken-async-rs_open_orders_json.json",
        "docs_Get_Open_Orders.jsonl",
        "jkorf_GetOpenOrders.txt",
        "nautilus_http_open_orders.json",
    ],
    "ClosedOrders": [
        "kraken-async-rs_closed_orders_json.json",
        "docs_Get_Closed_Orders.jsonl",
        "jkorf_GetClosedOrders.txt",
        "nautilus_http_closed_orders.json",
        "kraken-async-rs_closed_orders_page_1_json.json",
        "kraken-async-rs_closed_orders_page_2_json.json",
        "kraken-async-rs_closed_orders_page_3_json.json",
    ],
    "QueryOrders": [
        "kraken-async-rs_query_order_info_json.json",
        "jkorf_GetOrders.txt",
        "jkorf_GetOrders2.txt",
        "docs_Query_Orders_Info.jsonl",
    ],
    "TradesHistory": [
        "docs_Get_Trades_History.jsonl",
        "jkorf_GetUserTrades.txt",
        "nautilus_http_trades_history.json",
    ],
    "QueryTrades": [
        "kraken-async-rs_query_trades_info_json.json",
        "jkorf_GetUserTradeDetails.txt",
        "docs_Query_Trades_Info.jsonl",
    ],
    "Ledgers": [
        "kraken-async-rs_ledgers_info_json.json",
        "docs_Get_Ledgers_Info.jsonl",
    ],
    "QueryLedgers": [
        "kraken-async-rs_query_ledgers_json.json",
        "docs_Query_Ledgers.jsonl",
    ],
    "OrderAmends": [
        "kraken-async-rs_order_amends_json.json",
        "docs_Get_Order_Amends.jsonl",
    ],
    "AddOrder": [
        "kraken-async-rs_add_order_json.json",
        "docs_Add_Order.jsonl",
        "jkorf_PlaceOrder.txt",
        "nautilus_http_add_order_spot.json",
    ],
    "AddOrderBatch": [
        "kraken-async-rs_add_order_batch_json.json",
        "docs_Add_Order_Batch.jsonl",
        "jkorf_PlaceMultipleOrders.txt",
    ],
    "AmendOrder": [
        "kraken-async-rs_amend_order_json.json",
        "docs_Amend_Order.jsonl",
    ],
    "EditOrder": [
        "kraken-async-rs_edit_order_json.json",
        "docs_Edit_Order.jsonl",
        "jkorf_EditOrder.txt",
    ],
    "CancelOrder": [
        "kraken-async-rs_cancel_order_json.json",
        "jkorf_CancelOrder.txt",
        "docs_Cancel_Order.jsonl",
        "nautilus_http_cancel_order_spot.json",
    ],
    "CancelOrderBatch": [
        "kraken-async-rs_cancel_order_batch_json.json",
        "jkorf_CancelMultipleOrders.txt",
        "docs_Cancel_Order_Batch.jsonl",
    ],
    "CancelAll": [
        "kraken-async-rs_cancel_all_orders_json.json",
        "jkorf_CancelAllOrders.txt",
        "docs_Cancel_All_Orders.jsonl",
    ],
    "CancelAllOrdersAfter": [
        "kraken-async-rs_cancel_all_orders_after_json.json",
        "jkorf_CancelAllOrdersAfter.txt",
        "docs_Cancel_All_Orders_After_X.jsonl",
    ],
}
# Files of ``rest/`` that nothing here answers, and why.
NO_COUNTERPART = {
    r".*(Earn|Alloc|Deallocat|earn|alloc).*": "earn is not simulated",
    r".*(Withdraw|Deposit|Transfer|withdraw|deposit|transfer).*": "funding is not simulated",
    r".*(Export|export).*": "reports are not simulated",
    r".*(Subaccount|sub_account).*": "there are no sub-accounts",
    r".*(Open_Positions|open_positions).*": "there is no margin",
    r"docs_(Query_L3|Get_Grouped)_Order_Book\.jsonl": "level 3 and grouped books are not simulated",
    r"docs_Get_Credit_Lines\.jsonl": "there are no credit lines",
    r"docs_(Get_API_Key_Info|Get_Websockets_Token|Spot_Atomic_Amends)\.jsonl": "requests alone, no answer",
    r"docs_Spot_Websockets_(Authentication|v1_Book_Checksum)\.jsonl": "of the WebSocket",
}


def differences(captured: Shapes, own: Shapes) -> set[str]:
    """Return what the two do not share in the classes that both have, and the classes that are not here at all."""
    missing = {f"{name}: not here" for name in captured if name not in own}
    for name in captured.keys() & own.keys():
        theirs, ours = captured[name], own[name]
        for path in theirs.keys() - ours.keys():
            if not any(path.startswith((f"{other}.", f"{other}[")) for other in theirs.keys() - ours.keys()):
                missing.add(f"{name}{path}: missing")
        for path in ours.keys() - theirs.keys():
            if not any(path.startswith((f"{other}.", f"{other}[")) for other in ours.keys() - theirs.keys()):
                missing.add(f"{name}{path}: added")
        for path in ours.keys() & theirs.keys():
            if odd := ours[path] - theirs[path]:
                missing.add(f"{name}{path}: {'/'.join(sorted(odd))} for {'/'.join(sorted(theirs[path]))}")
    return missing
