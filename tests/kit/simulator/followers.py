"""Clients that keep a book by the simulator's frames, as a trader's would."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from zlib import crc32

from tests.unit.simulator.worlds import Client


class Follower:
    """A client's book: applies a message in order, then drops what is beyond its depth."""

    def __init__(self, depth: int, snapshot: str) -> None:
        self.depth = depth
        self.sides: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
        self.take(snapshot)

    def take(self, text: str) -> None:
        message = json.loads(text, parse_float=str)
        for entry in message["data"]:
            for name, side in self.sides.items():
                for level in entry[name]:
                    if Decimal(level["qty"]) == 0:
                        assert level["price"] in side, "a delete names a level that the client has"
                        del side[level["price"]]
                    else:
                        assert side.get(level["price"]) != level["qty"], "no entry is without effect"
                        side[level["price"]] = level["qty"]
                best = self.best(name)
                self.sides[name] = dict(best)
            assert entry["checksum"] == self.checksum()

    def best(self, name: str) -> list[tuple[str, str]]:
        ordered = sorted(self.sides[name].items(), key=lambda level: Decimal(level[0]), reverse=name == "bids")
        return ordered[: self.depth]

    def checksum(self) -> int:
        levels = self.best("asks")[:10] + self.best("bids")[:10]
        return crc32("".join(t.replace(".", "").lstrip("0") for level in levels for t in level).encode())


class OldFollower:
    """A client's book by the rules of version 1; ``refills`` are the levels that it was sent again."""

    def __init__(self, depth: int, text: str) -> None:
        self.depth = depth
        self.refills: list[str] = []
        frame = json.loads(text)
        self.sides = {
            "a": dict(level[:2] for level in frame[1]["as"]),
            "b": dict(level[:2] for level in frame[1]["bs"]),
        }
        assert "c" not in frame[1]

    def take(self, text: str) -> None:
        frame = json.loads(text)
        parts = frame[1:-2]
        assert ["c" in part for part in parts] == [False] * (len(parts) - 1) + [True]
        for part in parts:
            for name, levels in part.items():
                if name != "c":
                    self._side(name, levels)
        assert parts[-1]["c"] == str(self.checksum())

    def _side(self, name: str, levels: list[list[str]]) -> None:
        side = self.sides[name]
        for price, qty, time, *mark in levels:
            assert len(time.split(".")[1]) == 6
            if Decimal(qty) == 0:
                del side[price]
            else:
                side[price] = qty
            if mark:
                assert mark == ["r"]
                self.refills.append(price)
        self.sides[name] = dict(self.best(name))

    def best(self, name: str) -> list[tuple[str, str]]:
        return sorted(self.sides[name].items(), key=lambda x: Decimal(x[0]), reverse=name == "b")[: self.depth]

    def checksum(self) -> int:
        levels = self.best("a")[:10] + self.best("b")[:10]
        return crc32("".join(t.replace(".", "").lstrip("0") for level in levels for t in level).encode())


def subscribe(client: Client, name: str, pair: str = "XBT/USD", **options: Any) -> list[Any]:
    return client.raw({"event": "subscribe", "pair": [pair], "subscription": {"name": name, **options}, "reqid": 7})
