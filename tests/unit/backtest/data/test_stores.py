"""Market data in a store: a real S3 server, started by the test, is read from and written to."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from backtest.data import extract
from backtest.data.places import place
from backtest.data.sources import read
from backtest.errors import DataError
from shared.clock import SECOND
from tests.unit.backtest.data.market_data import NOON, SYMBOL, Bus, Exchange, write_lines

moto_server = pytest.importorskip("moto.server", reason="moto is not installed")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket; the part of an address that follows its path."""
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("no_proxy", "127.0.0.1")):
        monkeypatch.setenv(name, value)
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    request = urllib.request.Request(f"http://{host}:{port}/market", method="PUT")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request).close()
    yield f"?endpoint_override={host}:{port}&scheme=http&region=us-east-1"
    server.stop()


def test_a_recording_is_extracted_into_a_store_and_read_from_it(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bus, exchange = Bus(NOON - 1000 * SECOND), Exchange()
    bus.frame(exchange.frame("snapshot", NOON, [(1000, 5)], [(1001, 7)]), NOON)
    bus.frame(exchange.frame("update", NOON + SECOND, [(1000, 6)]), NOON + SECOND)
    bus.write(tmp_path)
    with pytest.raises(SystemExit) as ended:
        extract.main([str(tmp_path), "--out", f"s3://market/columns{store}"])
    assert ended.value.code == 0, capsys.readouterr().err
    made = read([f"s3://market/columns{store}"])
    assert made.columns[SYMBOL].table.equals(read([str(tmp_path)]).columns[SYMBOL].table)
    with pytest.raises(SystemExit) as again:
        extract.main([str(tmp_path), "--out", f"s3://market/columns{store}"])
    assert again.value.code == 1
    assert "2026-07-24.parquet: this day is there already" in capsys.readouterr().err


def test_recordings_and_captures_in_a_store_are_read(store: str, tmp_path: Path) -> None:
    bus, exchange = Bus(NOON - 1000 * SECOND), Exchange()
    frame = exchange.frame("snapshot", NOON, [(1000, 5)], [(1001, 7)])
    bus.frame(frame, NOON)
    bus.write(tmp_path)
    write_lines(tmp_path / "capture.jsonl", [frame, b"rubbish"])
    folder = place(f"s3://market/raw{store}")
    for name in os.listdir(tmp_path):
        with folder.below(name).system.open_output_stream(folder.below(name).path) as out:
            out.write((tmp_path / name).read_bytes())
    recorded = read([f"s3://market/raw{store}"])
    assert recorded.columns[SYMBOL].table.num_rows == 2
    captured = read([f"s3://market/raw/capture.jsonl{store}"])
    assert captured.columns[SYMBOL].table.num_rows == 3
    assert [bad.line for bad in captured.tally.bad] == [2]


def test_an_address_that_is_none_or_has_nothing_is_refused_by_name(store: str) -> None:
    with pytest.raises(DataError, match="s3://market/nowhere"):
        read([f"s3://market/nowhere{store}"])
    with pytest.raises(DataError, match="ftp://"):
        read(["ftp://market/raw"])
