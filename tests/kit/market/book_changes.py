"""Changes of a book, as frames."""

from __future__ import annotations

import json
import zlib
from typing import Any

from hypothesis import strategies as st

PRICE_DECIMALS, QTY_DECIMALS = 1, 3


SYMBOL = "BTC/USD"


def fixed(units: int, decimals: int, wire: int) -> str:
    """``units`` of ``10 ** -decimals`` as text with ``wire`` decimals."""
    digits = str(units * 10 ** (wire - decimals)).rjust(wire + 1, "0")
    return f"{digits[: len(digits) - wire]}.{digits[len(digits) - wire :]}"


class Exchange:
    """A naive Kraken: the whole book in two dicts, and frames as Kraken forms them.

    What a message says is the difference of the window of ``depth`` levels before and after a change: deletes, the
    levels that come into the window, and nothing about what falls out of it.
    """

    def __init__(self, depth: int, is_v1: bool) -> None:
        self.depth, self.is_v1 = depth, is_v1
        self.wire = (5, 8) if is_v1 else (PRICE_DECIMALS, QTY_DECIMALS)
        self.sides: dict[str, dict[int, int]] = {"bids": {}, "asks": {}}

    def window(self, side: str) -> dict[int, int]:
        levels = sorted(self.sides[side].items(), reverse=side == "bids")
        return dict(levels[: self.depth])

    def texts(self, price: int, qty: int) -> tuple[str, str]:
        return fixed(price, PRICE_DECIMALS, self.wire[0]), fixed(qty, QTY_DECIMALS, self.wire[1])

    def checksum(self) -> int:
        levels = [*list(self.window("asks").items())[:10], *list(self.window("bids").items())[:10]]
        texts = (text for price, qty in levels for text in self.texts(price, qty))
        return zlib.crc32("".join(text.replace(".", "").lstrip("0") for text in texts).encode())

    def snapshot(self) -> bytes:
        return self.frame("snapshot", {side: list(self.window(side).items()) for side in self.sides})

    def change(self, side: str, price: int, qty: int) -> bytes:
        before = self.window(side)
        self.sides[side].pop(price, None)
        if qty:
            self.sides[side][price] = qty
        after = self.window(side)
        said = [(price, 0)] if price in before and price not in after and not qty else []
        said += [(price, qty) for price, qty in after.items() if before.get(price) != qty]
        return self.frame("update", {side: said})

    def frame(self, kind: str, sides: dict[str, list[tuple[int, int]]]) -> bytes:
        if self.is_v1:
            return self.v1_frame(kind, sides)
        texts = {side: [self.texts(*level) for level in sides.get(side, [])] for side in ("bids", "asks")}
        bids, asks = (
            ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in levels) for levels in texts.values()
        )
        element = f'{{"symbol":"{SYMBOL}","bids":[{bids}],"asks":[{asks}],'
        element += f'"checksum":{self.checksum()},"timestamp":"2026-08-16T23:37:05.376419Z"}}'
        return f'{{"channel":"book","type":"{kind}","data":[{element}]}}'.encode()

    def v1_frame(self, kind: str, sides: dict[str, list[tuple[int, int]]]) -> bytes:
        bodies: list[dict[str, Any]] = []
        for side, levels in sides.items():
            key = side[0] + ("s" if kind == "snapshot" else "")
            texts = [[*self.texts(*level), "1693415330.62"] for level in levels]
            if kind == "snapshot" and bodies:
                bodies[0][key] = texts
            else:
                bodies.append({key: texts})
        if kind == "update":
            bodies[-1]["c"] = str(self.checksum())
        return json.dumps([336, *bodies, f"book-{self.depth}", "XBT/USD"]).encode()


prices = st.integers(900, 1000)


quantities = st.one_of(st.just(0), st.integers(1, 10**6))


changes = st.tuples(st.sampled_from(["bids", "asks"]), prices, quantities)


@st.composite
def mutated(draw: st.DrawFn, frame: bytes) -> bytes:
    """The frame with a few bytes changed, taken out, put in or repeated, or its numbers written otherwise."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(frame) - 1, 0)))
        to = at + draw(st.integers(0, 30))
        how = draw(st.sampled_from(["byte", "cut", "repeat", "insert", "number", "key"]))
        if how == "byte":
            frame = frame[:at] + draw(st.binary(min_size=1, max_size=1)) + frame[at + 1 :]
        elif how == "cut":
            frame = frame[:at] + frame[to:]
        elif how == "repeat":
            frame = frame[:to] + frame[at:to] + frame[to:]
        elif how == "insert":
            frame = frame[:at] + draw(st.sampled_from(SCRAPS)) + frame[at:]
        elif how == "number":
            old = draw(st.sampled_from([b"0.", b"9", b"1", b"00", b'"']))
            frame = frame.replace(old, draw(st.sampled_from(SCRAPS)), 1)
        else:
            old = draw(st.sampled_from([b"bids", b"asks", b"price", b"qty", b"USD", b"book", b"update", b"checksum"]))
            frame = frame.replace(old, draw(st.sampled_from(SCRAPS)), draw(st.integers(1, 3)))
    return frame


SCRAPS = [
    *(b"0", b"-", b"1e2", b"1E-3", b"5e-05", b"0.00000000", b"1e999", b"99999999999999999999", b".", b"1.25", b"NaN"),
    *(b"null", b"true", b"{}", b"[]", b"[[]]", b'""', b'"r"', b'"x":1,', b'"\\u0041"', b"\\", b'"', b",", b":"),
    *(b"bids", b"asks", b"price", b"qty", b"b", b"as", b"c", b"name", b"EUR", b"symbol", b"snapshot", b"ticker"),
    *(b"\xff", b"\xc3\xa9", b"\x00", b" ", b"\n", b"\\/", b"\\ud800"),
]
