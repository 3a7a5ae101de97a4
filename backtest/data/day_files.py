"""A pair's columns as Parquet, a file a day (UTC): ``DIR/BTC-USD/2026-07-24.parquet``.

The metadata says the pair, the depth, the sources and what was counted while reading them, so that a file is complete
in itself.
"""

from __future__ import annotations

import json
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from backtest.data.columns import SCHEMA, Columns
from backtest.data.places import Place
from backtest.errors import DataError
from shared.messages import Pair

FORMAT: Final = "1"
SUFFIX: Final = ".parquet"
_ABOUT: Final = "Market data of Kraken, a row a level, a trade or a mark; TradeByte's docs/data.md explains it"


def day_file(folder: Place, symbol: str, day: str) -> Place:
    """Return the file of a pair's day (``2026-07-24``) below a folder."""
    return folder.below(f"{symbol.replace('/', '-')}/{day}{SUFFIX}")


def write(file: Place, columns: Columns, source: str, tally: dict[str, object]) -> int:
    """Write a day's rows; return the bytes of the file. Raises DataError.

    The encodings are those that were measured as the smallest (docs/data.md).
    """
    metadata = {
        "tradebyte_columns": FORMAT,
        "about": _ABOUT,
        "pair": msgspec.json.encode(columns.pair).decode(),
        "depth": str(columns.depth),
        "source": source,
        "tally": json.dumps(tally),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(
        columns.table.replace_schema_metadata(metadata),
        sink,
        compression="zstd",
        compression_level=9,
        use_dictionary=["kind", "side", "flags", "heard_ts", "exchange_ts"],
        column_encoding={"ticks": "DELTA_BINARY_PACKED", "lots": "DELTA_BINARY_PACKED"},
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
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file.text}: {error}") from error
    about = table.schema.metadata or {}
    if b"tradebyte_columns" not in about or not table.schema.remove_metadata().equals(SCHEMA):
        raise DataError(f"{file.text}: no columns of 'tradebyte extract'")
    pair = msgspec.json.decode(about[b"pair"], type=Pair)
    return Columns(pair, int(about[b"depth"]), table.replace_schema_metadata(None))
