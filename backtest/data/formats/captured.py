"""Captures: frames of Kraken's public WebSocket, v1 and v2, a line each."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backtest.data.columns import BUY, SELL, Mark
from backtest.data.formats.lines import LINES_A_PART
from backtest.data.market import Market
from backtest.data.places import Place
from backtest.errors import DataError
from book.facts import DEPTHS
from shared.clock import SECOND, parse_rfc3339
from shared.errors import CaptureError, FrameError
from shared.kraken import captures, v1, v2
from shared.kraken.pairs import new_name
from shared.numbers import scale

_SYMBOL = re.compile(rb'"symbol"\s*:\s*"([^"\\]+)"')
_V2_CHANNEL = re.compile(rb'"channel"\s*:\s*"([a-z0-9_]+)"')
_V1_END = re.compile(rb'"(book|trade)(?:-(\d+))?"\s*,\s*"([^"\\]+)"\s*\]\s*$')


class _Answer(msgspec.Struct):
    """A subscription's acknowledgement: v2's ``result``, or v1's ``subscription`` and ``pair``."""

    result: v2.Ack = v2.Ack()
    subscription: v2.Ack = v2.Ack()
    pair: str = ""


_answer = msgspec.json.Decoder(_Answer)


def read(place: Place, market: Market) -> Iterator[None]:
    """Read a capture; yield now and then, and at its end, so that the rows may be taken. Raises DataError."""
    reader = _Reader(place.text, market)
    try:
        with place.open() as file:
            for number, frame in captures.numbered(file, place.name):
                reader.take(frame, number)
                if number % LINES_A_PART == 0:
                    yield
            yield
    except (CaptureError, OSError) as error:
        raise DataError(f"{place.text}: {error}") from error


class _Reader:
    def __init__(self, file: str, market: Market) -> None:
        self._file, self._market = file, market
        # Depths of subscriptions that the books do not know yet.
        self._depths: dict[str, int] = {}

    def take(self, frame: bytes, line: int) -> None:
        if frame.startswith(b"{"):
            channel = _V2_CHANNEL.search(frame)
            name = channel[1] if channel else b""
            if name == b"book" and b'"data"' in frame:
                for symbol in set(_SYMBOL.findall(frame)) or {b""}:
                    self._book(symbol.decode(errors="replace"), frame, line)
                return
            if name == b"level3" and b'"data"' in frame:
                self._orders(frame, line)
                return
            if name == b"trade" and b'"data"' in frame:
                self._v2_trades(frame, line)
                return
            self._note_depth(frame, line)
        elif frame.startswith(b"[") and (end := _V1_END.search(frame)):
            symbol = end[3].decode(errors="replace")
            if end[1] == b"book":
                if end[2]:
                    self._depths[new_name(symbol)] = int(end[2])
                self._book(symbol, frame, line)
            else:
                self._v1_trades(frame, line)
        else:
            self._check_json(frame, line)

    def _book(self, symbol: str, frame: bytes, line: int) -> None:
        self._market.tally.frames += 1
        rows = self._market.rows(symbol) if symbol else None
        if rows is not None:
            if self._depths and (depth := self._depths.pop(rows.pair.symbol, 0)):
                rows.reader.expect_depth(depth)
            rows.frame(frame, 0, self._file, line)
        elif not symbol:
            self._broken(line, "a book frame without a symbol")

    def _orders(self, frame: bytes, line: int) -> None:
        self._market.tally.frames += 1
        for symbol in set(_SYMBOL.findall(frame)):
            rows = self._market.rows(symbol.decode(errors="replace"))
            if rows is not None:
                rows.order_frame(frame, 0, self._file, line)

    def _broken(self, line: int, why: str) -> None:
        """Count a line that may have been a book frame of any pair."""
        self._market.tally.note(self._file, line, why)
        self._market.mark_all(Mark.UNREADABLE, 0)

    def _check_json(self, frame: bytes, line: int) -> None:
        try:
            msgspec.json.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._broken(line, f"no JSON: {error}")

    def _note_depth(self, frame: bytes, line: int) -> None:
        try:
            answer = _answer.decode(frame)
        except msgspec.ValidationError:
            return
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._broken(line, f"no JSON: {error}")
            return
        for acknowledged, symbol in ((answer.result, answer.result.symbol), (answer.subscription, answer.pair)):
            if symbol and acknowledged.depth in DEPTHS:
                self._depths[new_name(symbol)] = acknowledged.depth

    def _v2_trades(self, frame: bytes, line: int) -> None:
        self._market.tally.frames += 1
        try:
            parsed = v2.parse(frame)
            if parsed.type != "update":
                return
            trades, unread = v2.elements(parsed.data, v2.Trade)
        except FrameError as error:
            self._market.tally.note(self._file, line, str(error))
            return
        for each in unread:
            self._market.tally.note(self._file, line, each.why)
        for trade in trades:
            rows = self._market.rows(trade.symbol)
            if rows is None:
                continue
            try:
                at = parse_rfc3339(trade.timestamp)
                ticks = scale(trade.price, rows.pair.price_precision)
                lots = scale(trade.qty, rows.pair.qty_precision)
                rows.trade(at, 0, BUY if trade.side == "buy" else SELL, ticks, lots, trade.trade_id)
            except ValueError as error:
                self._market.tally.note(self._file, line, str(error))

    def _v1_trades(self, frame: bytes, line: int) -> None:
        self._market.tally.frames += 1
        try:
            data = v1.parse_data(frame)
            trades, unread = v1.trades(data)
        except FrameError as error:
            self._market.tally.note(self._file, line, str(error))
            return
        for why in unread:
            self._market.tally.note(self._file, line, why)
        rows = self._market.rows(data.symbol)
        for trade in trades if rows is not None else ():
            assert rows is not None
            try:
                ticks = scale(trade.price, rows.pair.price_precision)
                lots = scale(trade.qty, rows.pair.qty_precision)
                rows.trade(int(trade.time_s * SECOND), 0, BUY if trade.side == "buy" else SELL, ticks, lots)
            except ValueError as error:
                self._market.tally.note(self._file, line, str(error))
