"""Single orders as rows: Rust's reader and its Python twin make the same of any frames."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from backtest.data.columns import Mark
from backtest.data.order_rows import OrderRows, RustOrderRows
from shared.clock import SECOND, rfc3339
from shared.errors import FrameError
from shared.kraken.level3 import Change, Event, Level3Book
from shared.rust import rust_module
from tests.kit.pairs import BTC

rust = rust_module()
pytestmark = pytest.mark.skipif(rust is None, reason="the Rust module is not built")
MIDNIGHT = 1_780_012_800 * SECOND

# What is wrong with a frame, if anything: each is read by the general reader, or refused by it.
FLAWS = (
    "none", "none", "none", "checksum", "huge checksum", "no checksum", "text numbers", "more decimals", "no side",
    "trailing zeros", "no time", "a bad time", "an offset", "another pair", "both pairs", "no id", "an escaped id",
    "a null", "twice", "an unknown member", "an unknown event", "zero quantity", "a price of zero", "huge", "cut",
    "white space", "no json", "another channel", "exponent", "asks first",
)  # fmt: skip
orders = st.lists(
    st.tuples(
        st.sampled_from(["add", "modify", "delete"]),
        st.sampled_from(["bids", "asks"]),
        st.sampled_from("ABCDE"),
        st.one_of(st.integers(1000, 1001), st.integers(1000, 1012)),
        st.integers(1, 3),
    ),
    max_size=4,
)
frames = st.lists(
    st.tuples(st.booleans(), orders, st.sampled_from(FLAWS), st.integers(0, 3), st.sampled_from([0, 5, 40 * SECOND])),
    max_size=12,
)


class Exchange:
    """Makes frames whose checksums hold, unless something is wrong with them."""

    def __init__(self) -> None:
        self._book = Level3Book(BTC.symbol, 10, 1, 8)

    def frame(self, is_snapshot: bool, rows: list[tuple[str, str, str, int, int]], flaw: str, at: int) -> bytes:
        element: dict[str, Any] = {"symbol": BTC.symbol, "bids": [], "asks": [], "timestamp": rfc3339(at)}
        if is_snapshot:
            self._book.clear()
        for event, side, name, ticks, lots in rows:
            lots = 0 if flaw == "zero quantity" else lots
            kind = Event.ADD if is_snapshot else Event(event)
            change = Change(kind if lots else Event.DELETE, "buy" if side == "bids" else "sell", name, ticks, lots, at)
            self._book.change(change)
            price, qty = f"{ticks / 10:.1f}", f"{lots / 1e8:.8f}"
            row: dict[str, Any] = {"order_id": name, "limit_price": price, "order_qty": qty, "timestamp": rfc3339(at)}
            element[side].append(row if is_snapshot else {"event": event, **row})
        for trimmed in ("buy", "sell"):
            self._book.trim(trimmed)
        element["checksum"] = self._book.checksum()
        return damaged({"channel": "level3", "type": "snapshot" if is_snapshot else "update", "data": [element]}, flaw)


def damaged(frame: dict[str, Any], flaw: str) -> bytes:
    """Return a frame as bytes, with something wrong with it."""
    element = frame["data"][0]
    rows = [*element["bids"], *element["asks"]]
    if flaw == "checksum":
        element["checksum"] ^= 1
    elif flaw == "huge checksum":
        element["checksum"] = 10**15
    elif flaw == "no checksum":
        del element["checksum"]
    elif flaw == "no time":
        del element["timestamp"]
        for row in rows[1:]:
            del row["timestamp"]
    elif flaw == "a bad time":
        element["timestamp"] = "yesterday"
    elif flaw == "an offset":
        element["timestamp"] = element["timestamp"].replace("Z", "+02:00")
    elif flaw == "another pair":
        element["symbol"] = "ETH/USD"
    elif flaw == "both pairs":
        frame["data"].insert(0, {**element, "symbol": "ETH/USD"})
    elif flaw == "another channel":
        frame["channel"] = "book"
    elif flaw == "asks first":
        element["bids"] = element.pop("bids")
    elif flaw == "no side":
        del element["asks"]
    elif flaw == "an unknown member":
        frame["sequence"] = element["sequence"] = 1
    for row in rows[:1]:
        if flaw == "more decimals":
            row["limit_price"] += "5"
        elif flaw == "trailing zeros":
            row["limit_price"] += "0"
        elif flaw == "no id":
            del row["order_id"]
        elif flaw == "an escaped id":
            row["order_id"] = 'é"'
        elif flaw == "a null":
            row["timestamp"] = None
        elif flaw == "an unknown event":
            row["event"] = "vanish"
        elif flaw == "a price of zero":
            row["limit_price"] = "0.0"
        elif flaw == "huge":
            row["order_qty"] = "1" + "0" * 18
        elif flaw == "exponent":
            row["order_qty"] = "3e-8"
    text = json.dumps(frame, indent=1 if flaw == "white space" else None)
    if flaw != "text numbers":
        for name in ("limit_price", "order_qty"):
            text = _unquoted(text, name)
    if flaw == "twice" and rows:
        text = text.replace('"order_id":', '"order_id": "Z", "order_id":', 1)
    return text.encode()[: -3 if flaw == "cut" else None] + (b"x" if flaw == "no json" else b"")


def _unquoted(text: str, name: str) -> str:
    head, *parts = text.split(f'"{name}": "')
    return head + "".join(f'"{name}": {part.replace(chr(34), "", 1)}' for part in parts)


def fed(reader: OrderRows | RustOrderRows, frame: bytes, heard: int) -> bool:
    """Feed a frame as the caller does; return whether it could be read."""
    try:
        reader.feed(frame, heard)
    except FrameError:
        reader.mark(Mark.UNREADABLE, heard)
        return False
    return True


@settings(max_examples=300)
@given(frames, st.sampled_from([MIDNIGHT - 60 * SECOND, MIDNIGHT + SECOND]))
def test_both_make_the_same_rows(stream: list[tuple[bool, Any, str, int, int]], at: int) -> None:
    assert rust is not None
    twin, other = OrderRows(BTC), RustOrderRows(BTC, rust.OrderReader(BTC.symbol, 1, 8))
    exchange = Exchange()
    for number, (is_snapshot, rows, flaw, seconds, heard_after) in enumerate(stream):
        at += seconds * 30 * SECOND
        frame = exchange.frame(is_snapshot or number == 0, rows, flaw, at)
        heard = at + heard_after if heard_after else 0
        assert fed(twin, frame, heard) == fed(other, frame, heard), frame
        assert twin.checksums == other.checksums, frame
        if number == 5:
            twin.mark(Mark.MISSED, heard)
            other.mark(Mark.MISSED, heard)
    ours, theirs = twin.taken(), other.taken()
    assert ours.depth == theirs.depth
    assert ours.table.to_pylist() == theirs.table.to_pylist()
    assert ours.table.equals(theirs.table)
    assert not twin.taken().table.num_rows
    assert not other.taken().table.num_rows


def test_an_amend_that_leaves_the_quantity_keeps_the_place() -> None:
    assert rust is not None
    exchange = Exchange()
    begin = [("add", "bids", name, 1000, 3) for name in "AB"]
    frames = [
        exchange.frame(True, begin, "none", MIDNIGHT),
        exchange.frame(False, [("modify", "bids", "A", 1000, 3)], "none", MIDNIGHT),
        exchange.frame(False, [("modify", "bids", "A", 1000, 2)], "none", MIDNIGHT),
        exchange.frame(False, [("modify", "bids", "B", 1000, 4)], "none", MIDNIGHT),
    ]
    for reader in (OrderRows(BTC), RustOrderRows(BTC, rust.OrderReader(BTC.symbol, 1, 8))):
        for frame in frames:
            reader.feed(frame, 0)
        assert reader.checksums == (4, 0)


def test_frames_of_the_ordinary_form_are_read_without_the_general_reader() -> None:
    assert rust is not None
    reader = rust.OrderReader(BTC.symbol, 1, 8)
    frame = Exchange().frame(True, [("add", "bids", "A", 1000, 5), ("add", "asks", "B", 1001, 5)], "none", MIDNIGHT)
    assert reader.feed(frame, 0)
    assert reader.checksums == (1, 0)
    assert not reader.feed(frame.replace(b'"A"', b'"\\u0041"'), 0)
