"""A pair's columns as Parquet, a file a day (UTC): ``DIR/BTC-USD/2026-07-24.parquet``.

Single orders are a file of their own beside it: ``DIR/BTC-USD/2026-07-24.level3.parquet``.

The metadata says the pair, the depth, the sources and what was counted while reading them, so that a file is complete
in itself.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backtest.data.columns import ORDERS_SCHEMA, SCHEMA, Columns, SingleOrders
from backtest.data.places import Place
from backtest.errors import DataError
from shared.messages import Pair

FORMAT: Final = "1"
SUFFIX: Final = ".parquet"
ORDERS_SUFFIX: Final = ".level3.parquet"
_TIMES: Final = ("exchange_ts", "heard_ts", "order_ts")
_US: Final = 1000
# Measured as the smallest with zstd, on a capture and on recordings (docs/data.md); quantities are best left plain.
_ENCODINGS: Final = {
    "exchange_ts": "DELTA_BINARY_PACKED",
    "heard_ts": "DELTA_BINARY_PACKED",
    "ticks": "BYTE_STREAM_SPLIT",
    "lots": "PLAIN",
    "order_ts": "DELTA_BINARY_PACKED",
}
_DICTIONARIES: Final = ("kind", "event", "order_id", "side", "flags")
_LEVELS: Final = "tradebyte_columns"
_ORDERS: Final = "tradebyte_single_orders"
_NO_ROWS: Final = SCHEMA.empty_table()
_ABOUT_ORDERS: Final = "Single orders of Kraken's level 3, a row an order's change or a mark; see docs/data.md"
_ABOUT: Final = "Market data of Kraken, a row a level, a trade or a mark; TradeByte's docs/data.md explains it"


def day_files(folder: Place, symbol: str, day: str, columns: Columns) -> list[tuple[Place, Columns]]:
    """Return the files of a pair's day (``2026-07-24``) below a folder, each with its part of the rows."""
    files = []
    stem = f"{symbol.replace('/', '-')}/{day}"
    if columns.table.num_rows:
        files.append((folder.below(f"{stem}{SUFFIX}"), dataclasses.replace(columns, orders=None)))
    if columns.orders is not None:
        files.append((folder.below(f"{stem}{ORDERS_SUFFIX}"), dataclasses.replace(columns, table=_NO_ROWS)))
    return files


def write(file: Place, columns: Columns, source: str, tally: dict[str, object]) -> int:
    """Write a day's rows of one file; return its bytes. Raises DataError."""
    orders = columns.orders
    table, depth = (columns.table, columns.depth) if orders is None else (orders.table, orders.depth)
    metadata = {
        _LEVELS if orders is None else _ORDERS: FORMAT,
        "about": _ABOUT if orders is None else _ABOUT_ORDERS,
        "pair": msgspec.json.encode(columns.pair).decode(),
        "depth": str(depth),
        "source": source,
        "tally": json.dumps(tally),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(
        _dated(table).replace_schema_metadata(metadata),
        sink,
        compression="zstd",
        compression_level=9,
        use_dictionary=[name for name in _DICTIONARIES if name in table.schema.names],
        column_encoding={name: code for name, code in _ENCODINGS.items() if name in table.schema.names},
    )
    content = sink.getvalue()
    try:
        file.system.create_dir(file.path.rpartition("/")[0], recursive=True)
        with file.system.open_output_stream(file.path) as out:
            out.write(content)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file.text}: {error}") from error
    return int(content.size)


def read(file: Place) -> Columns:
    """Return a day's columns. Raises DataError."""
    try:
        with file.source() as source:
            table = pq.read_table(source)
        about, names = table.schema.metadata or {}, table.schema.names
        has_orders = _ORDERS.encode() in about and names == ORDERS_SCHEMA.names
        if not has_orders and (_LEVELS.encode() not in about or names != SCHEMA.names):
            raise DataError(f"{file.text}: no columns of 'tradebyte extract'")
        pair, depth = msgspec.json.decode(about[b"pair"], type=Pair), int(about[b"depth"])
        if has_orders:
            return Columns(pair, 0, _NO_ROWS, SingleOrders(depth, _undated(table, ORDERS_SCHEMA)))
        return Columns(pair, depth, _undated(table, SCHEMA))
    # A damaged file fails anywhere: its names are no text, its metadata no JSON, its times no times.
    except (OSError, pa.ArrowException, KeyError, ValueError, OverflowError) as error:
        raise DataError(f"{file.text}: {error}; extract it again") from error


def _dated(table: pa.Table) -> pa.Table:
    """Return rows with their times as timestamps: in us where that loses nothing, which takes a third less room."""
    for name in _TIMES:
        if name not in table.schema.names:
            continue
        place, ns = table.schema.get_field_index(name), table[name]
        if pc.all(pc.equal(pc.multiply(pc.divide(ns, _US), _US), ns)).as_py():
            times = pc.divide(ns, _US).cast(pa.timestamp("us", "UTC"))
        else:
            times = ns.cast(pa.timestamp("ns", "UTC"))
        table = table.set_column(place, pa.field(name, times.type, nullable=False), times)
    return table


def _undated(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows with their times in ns since the epoch."""
    for name in _TIMES:
        if name in schema.names:
            times = table[name].cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
            table = table.set_column(schema.get_field_index(name), schema.field(name), times)
    return table.replace_schema_metadata(None).cast(schema)
