"""Whatever a file holds, reading it ends with rows or with an error that names it."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, strategies as st

from backtest.data.columns import Kind, Mark
from backtest.data.sources import parts, read
from backtest.data.tally import Tally
from backtest.errors import DataError
from shared.clock import SECOND
from shared.messages import Trade
from tests.unit.backtest.data.market_data import NOON, Bus, Exchange, rows, trade_frame

FRAMES = [
    Exchange().frame("snapshot", NOON, [(1000, 5)], [(1001, 7)]),
    trade_frame(NOON, "buy", 1001, 1, 1),
    b'[336,{"as":[["10.1","1","1700000000.1"]],"bs":[["10.0","2","1700000000.0"]]},"book-10","XBT/USD"]',
    b'[337,[["10.10000","0.5","1700000001.5","b","l",""]],"trade","XBT/USD"]',
    b'{"method":"subscribe","result":{"channel":"book","depth":25,"symbol":"BTC/USD"},"success":true}',
]
HEADERS = [
    b"exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n",
    b"exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n",
    b"ts,type,side,price_ticks,qty,id\n",
    b"time,price,volume\n",
    b"",
]

CELLS = ["kraken", "XBT/USD", "100", "true", "false", "bid", "buy", "add", "1000.0", "-1", "1e400", "nan", "9" * 20]


def damaged(content: bytes, damage: list[tuple[float, int]]) -> bytes:
    made = bytearray(content)
    for place, value in damage:
        if made:
            made[int(place * (len(made) - 1))] = value
    return bytes(made)


DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4)


def read_bytes(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with contextlib.suppress(DataError):
            for columns in read([str(path)]).columns.values():
                assert {row[2] for row in rows(columns)} <= set(Kind)
                assert {row[5] for row in rows(columns) if row[2] == Kind.MARK} <= set(Mark)


@given(st.lists(st.tuples(st.sampled_from(FRAMES), DAMAGE), max_size=8), st.binary(max_size=30))
def test_a_capture(frames: list[tuple[bytes, list[tuple[float, int]]]], rubbish: bytes) -> None:
    read_bytes("capture.jsonl", b"\n".join([*(damaged(*each) for each in frames), rubbish]))


@given(
    st.sampled_from(HEADERS),
    st.lists(st.lists(st.sampled_from(CELLS), min_size=3, max_size=8), max_size=6),
    st.binary(max_size=30),
)
def test_a_csv(header: bytes, lines: list[list[str]], rubbish: bytes) -> None:
    content = header + "\n".join(",".join(line) for line in lines).encode() + b"\n" + rubbish
    read_bytes("XBTUSD.csv", content)


@example([(0.78125, 173)], 1.0)  # an instrument message that is cut
@example([(0.8125, 0)], 1.0)  # and one without a member
@given(DAMAGE, st.floats(0, 1))
def test_a_recording(damage: list[tuple[float, int]], kept: float) -> None:
    bus, exchange = Bus(NOON - 1000 * SECOND), Exchange()
    bus.instruments(NOON)
    bus.frame(exchange.frame("snapshot", NOON, [(1000, 5)], [(1001, 7)]), NOON)
    bus.trade(Trade(side="sell", price=1000, qty=2, trade_id=1, trade_ts=NOON), NOON)
    with tempfile.TemporaryDirectory() as folder:
        content = bus.write(Path(folder)).read_bytes()
    read_bytes("recorded.arrows", damaged(content[: int(len(content) * kept)], damage))


@given(DAMAGE)
def test_extracted_columns(damage: list[tuple[float, int]]) -> None:
    read_bytes("2026-07-24.parquet", damaged(_day(), damage))


def _day() -> bytes:
    from backtest.data.formats import day_files
    from backtest.data.places import place

    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "capture.jsonl"
        capture.write_bytes(FRAMES[0])
        file = place(str(Path(folder) / "BTC-USD" / "2026-07-24.parquet"))
        day_files.write(file, read([str(capture)]).columns["BTC/USD"], "test", {})
        return Path(file.path).read_bytes()


def test_a_pair_that_nobody_knows_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_bytes(FRAMES[0].replace(b"BTC/USD", b"B\xff/USD"))
    with pytest.raises(DataError, match="precisions of this pair"):
        read([str(path)])


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (HEADERS[0], f"kraken,XBT/USD,{'9' * 20},1,true,bid,1,1"),
        (HEADERS[1], f"kraken,XBT/USD,1,{'9' * 20},1,buy,1,1"),
        (HEADERS[2], f"1,add,buy,1,{'9' * 20},1"),
        (HEADERS[2], f"{'9' * 20},trade,buy,1,1,1"),
        (HEADERS[2], "1,add,buy,-1,1,1"),
        (HEADERS[3], f"{'9' * 20},1,1"),
    ],
)
def test_a_number_beyond_any_market_is_a_bad_row(header: bytes, line: str, tmp_path: Path) -> None:
    good = {0: "kraken,XBT/USD,1,1,true,bid,1,1", 1: "kraken,XBT/USD,1,1,1,buy,1,1", 2: "1,add,buy,1,1,1", 3: "1,1,1"}
    path = tmp_path / "XBTUSD.csv"
    path.write_bytes(header + f"{line}\n{good[HEADERS.index(header)]}\n".encode())
    tally = Tally()
    for _ in parts([str(path)], tally, None):
        pass
    assert [bad.line for bad in tally.bad] == [2]


def test_a_stamp_beyond_any_clock_is_a_bad_row_and_spoils_no_other(tmp_path: Path) -> None:
    bus, exchange = Bus(1000), Exchange()
    bus.frame(exchange.frame("snapshot", NOON, [(1000, 5)], [(1001, 7)]), NOON)
    bus.frame(exchange.frame("update", NOON + SECOND, [(1000, 6)]), NOON + SECOND)
    bus.frame(exchange.frame("update", NOON + 2 * SECOND, [(1000, 7)]), NOON + 2 * SECOND)
    topic, message, heard = bus.messages[1]
    bus.messages[1] = topic, msgspec.structs.replace(message, received=2**64 - 1), heard
    made = read([str(bus.write(tmp_path))])
    assert [bad.line for bad in made.tally.bad] == [2]
    assert [row[2] for row in rows(made.columns["BTC/USD"])] == [Kind.SNAPSHOT, Kind.SNAPSHOT, Kind.MARK]
    assert rows(made.columns["BTC/USD"])[0][1] == NOON + 40_000
