"""CSV files of others: each form by its first line, bad rows named by file and line."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from backtest.data.columns import BUY, SELL, UNKNOWN, Flag, Kind, Mark
from backtest.data.sources import read
from backtest.errors import DataError
from tests.system import ROOT
from tests.unit.backtest.data.market_data import SYMBOL, rows

BOOK = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
US = 1000


def csv_file(path: Path, text: str) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


def test_tardis_book_and_trades_become_one_market(tmp_path: Path) -> None:
    book = csv_file(
        tmp_path / "kraken_incremental_book_L2_2024-03-01_XBT-USD.csv.gz",
        f"{BOOK}"
        "kraken,XBT/USD,50,60,false,bid,100.0,1\n"  # before any snapshot
        "kraken,XBT/USD,100,110,true,bid,100.0,1\n"
        "kraken,XBT/USD,99,110,true,ask,100.1,2.5\n"
        "kraken,XBT/USD,200,210,false,bid,100.0,0\n"
        "kraken,XBT/USD,200,210,false,bid,99.9,0.00000001\n"
        "kraken,XBT/USD,300,310,true,ask,100.2,3\n",
    )
    trades = csv_file(
        tmp_path / "kraken_trades.csv",
        f"{TRADES}kraken,XBT/USD,200,205,7,sell,100.0,1\nkraken,XBT/USD,250,255,,unknown,100.0,1\n",
    )
    made = read([book, trades])
    assert made.tally.bad_rows == 0
    lot = 10**8
    assert rows(made.columns[SYMBOL]) == [
        (100 * US, 110 * US, Kind.SNAPSHOT, BUY, 1000, lot, Flag.FIRST),
        (100 * US, 110 * US, Kind.SNAPSHOT, SELL, 1001, 250_000_000, Flag.LAST),
        (200 * US, 205 * US, Kind.TRADE, SELL, 1000, lot, Flag.LAST),
        (200 * US, 210 * US, Kind.LEVEL, BUY, 1000, 0, 0),
        (200 * US, 210 * US, Kind.LEVEL, BUY, 999, 1, Flag.LAST),
        (250 * US, 255 * US, Kind.TRADE, UNKNOWN, 1000, lot, Flag.LAST),
        (300 * US, 310 * US, Kind.SNAPSHOT, SELL, 1002, 3 * lot, Flag.FIRST | Flag.LAST),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "kraken,XBT/USD,200,210,false,middle,100.0,1",
        "kraken,XBT/USD,200,210,false,bid,100.01,1",
        "kraken,XBT/USD,200,210,false,bid,-1,1",
        "kraken,XBT/USD,200,210,false,bid,nan,1",
        "kraken,XBT/USD,now,210,false,bid,100.0,1",
        "kraken,XBT/USD,200,210,perhaps,bid,100.0,1",
        "kraken,XBT/USD,200",
    ],
)
def test_a_bad_row_of_a_book_is_named_and_ends_the_book(bad: str, tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "book.csv",
        f"{BOOK}kraken,XBT/USD,100,110,true,bid,100.0,1\n{bad}\nkraken,XBT/USD,300,310,false,bid,100.0,2\n",
    )
    made = read([path])
    assert [(entry.file, entry.line) for entry in made.tally.bad] == [(path, 3)]
    assert [row[2] for row in rows(made.columns[SYMBOL])] == [Kind.SNAPSHOT, Kind.MARK]
    assert made.tally.gaps == {Mark.UNREADABLE: 1}


def test_a_bad_trade_is_named_and_the_others_stay(tmp_path: Path) -> None:
    good = "kraken,XBT/USD,200,205,7,sell,100.0,1\n"
    path = csv_file(tmp_path / "trades.csv", f"{TRADES}{good}kraken,XBT/USD,200,205,7,sell,x,1\n{good}")
    made = read([path])
    assert len(rows(made.columns[SYMBOL])) == 2
    assert [entry.line for entry in made.tally.bad] == [3]


def test_krakens_time_and_sales_has_its_pair_in_the_files_name_and_no_side(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "XBTUSD.csv", "1381095255,122.0,0.10000000\n1381179030.5,123.61,0.1\n1381201115,123.9,2\n"
    )
    made = read([path])
    assert [row[0] for row in rows(made.columns[SYMBOL])] == [1381095255 * 10**9, 1381201115 * 10**9]
    assert rows(made.columns[SYMBOL])[0][2:] == (Kind.TRADE, UNKNOWN, 1220, 10_000_000, Flag.LAST)
    assert [(entry.line, entry.why) for entry in made.tally.bad] == [(2, "123.61 has more than 1 decimals")]
    assert made.columns[SYMBOL].depth == 0


def test_time_and_sales_with_a_header_may_have_sides(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "ETHUSD_2024.csv", "price,volume,time,side\n1774.14,2,1700000000.25,b\n1774.15,1,1700000001,sell\n"
    )
    assert [row[3] for row in rows(read([path]).columns["ETH/USD"])] == [BUY, SELL]


def test_a_file_of_no_known_form_or_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of the known forms"):
        read([csv_file(tmp_path / "a.csv", "open,high,low\n1,2,3\n")])
    with pytest.raises(DataError, match=r"pair's name, such as XBTUSD\.csv"):
        read([csv_file(tmp_path / "trades.csv", "1381095255,122.0,0.1\n")])
    with pytest.raises(DataError, match=r"a\.csv"):
        read([csv_file(tmp_path / "empty" / "a.csv", "")])


def test_the_level_events_of_a_real_market_are_read() -> None:
    folder = Path(os.environ.get("TRADEBYTE_FRAMES") or ROOT.parent / "shared" / "frames").parent / "data"
    path = folder / "kraken_btc_20260724_levels_trades.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there (set TRADEBYTE_FRAMES)")
    made = read([str(path)])
    every = rows(made.columns[SYMBOL])
    assert sum(row[2] == Kind.TRADE for row in every) == 172
    assert len(every) == 17_263
    assert 177 < made.tally.seconds < 178
    assert made.tally.bad_rows == 0


def test_a_level_that_is_cancelled_and_added_at_one_moment_only_changes(tmp_path: Path) -> None:
    text = (
        "ts,type,side,price_ticks,qty,id\n100,add,buy,1000,5,1\n100,add,sell,1001,5,2\n"
        "200,cancel,buy,1000,0,1\n200,add,buy,1000,7,3\n300,cancel,buy,1000,0,3\n"
    )
    made = read([csv_file(tmp_path / "events.csv", text)])
    bids = [(row[0], row[5]) for row in rows(made.columns[SYMBOL]) if row[4] == 1000]
    assert bids == [(100, 500), (200, 700), (300, 0)]


def test_a_bad_level_event_is_named_and_ends_the_book(tmp_path: Path) -> None:
    text = "ts,type,side,price_ticks,qty,id\n100,add,buy,1000,5,1\n200,add,up,1000,5,2\n300,add,buy,999,1,3\n"
    made = read([csv_file(tmp_path / "events.csv", text)])
    assert [row[2] for row in rows(made.columns[SYMBOL])] == [Kind.SNAPSHOT, Kind.MARK]
    assert [entry.line for entry in made.tally.bad] == [3]
