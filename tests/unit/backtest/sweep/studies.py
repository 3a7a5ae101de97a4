"""Made-up days on disk, and a study of them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from backtest.data.columns import SCHEMA, Columns
from backtest.data.formats import day_files
from backtest.data.places import place
from shared.clock import SECOND
from tests.kit.backtest.market import walk

DAY_NS = 86_400 * SECOND
DATES = ("2026-05-28", "2026-05-29", "2026-05-30", "2026-05-31", "2026-06-01")
STUDY = """\
data: {{paths: ["{data}"]}}
ranges:
  edge_bps: {{kind: float, low: 0.05, high: 3.5, log: true}}
  levels: {{kind: int, low: 1, high: 3}}
  sides: {{kind: choice, values: [both, buy]}}
objective: pnl
sampler: random
trials: 12
finalists: 2
slice_minutes: 0.1
{more}"""


def write_days(folder: Path, days: int, seconds: float = 40) -> Path:
    """Write so many days of BTC/USD; return the folder."""
    for number in range(days):
        made = walk(number + 1, seconds)
        day_files.write(place(str(folder / "BTC-USD" / f"{DATES[number]}.parquet")), shifted(made, number), "made", {})
    return folder


def shifted(columns: Columns, days: int) -> Columns:
    """Return columns so many days later."""
    table = columns.table
    for name in ("exchange_ts", "heard_ts"):
        times = pa.array(table[name].to_numpy() + days * DAY_NS)
        table = table.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), times)
    return Columns(columns.pair, columns.depth, table)


def write_study(folder: Path, data: Path, more: str = "") -> Path:
    """Write a study of the days in a folder; return its file."""
    file = folder / "study.yaml"
    file.write_text(STUDY.format(data=data, more=more))
    return file
