"""``python -m executor export``: fills, orders and ledger of the journal and its archives, as CSV any program reads.

Tables are read with the columns that a file has, whatever version of TradeByte wrote it: for use before a downgrade, or
when a newer version's journal is refused. Amounts are the journal's decimal text, ``*_ts`` are ns since the epoch.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from executor.record.archive import files
from shared.process.command_line import EXIT_CONFIG, load_config, refuse

TABLES = ("fills", "orders", "ledger")
EXIT_FAILED = 1


def export(journal: Path, folder: Path) -> dict[str, int]:
    """Write a CSV file for each table into ``folder``; return their numbers of rows. Raises sqlite3.Error, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = [path for path in (*files(journal), journal) if path.exists()]
    return {table: _write(table, sources, folder / f"{table}.csv") for table in TABLES}


def _write(table: str, sources: list[Path], path: Path) -> int:
    """Write a table's rows with the columns of all files; an older file lacks some."""
    columns: list[str] = []
    for source in sources:
        with closing(opened(source)) as db:
            columns += [name for name in _columns(db, table) if name not in columns]
    part = path.with_suffix(".csv.part")
    count = 0
    with part.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, columns)
        out.writeheader()
        for row in _rows(table, sources):
            out.writerow(row)
            count += 1
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return count


def _rows(table: str, sources: list[Path]) -> Iterator[dict[str, object]]:
    for source in sources:
        with closing(opened(source)) as db:
            columns = _columns(db, table)
            if columns:
                for row in db.execute(f'SELECT * FROM "{table}" ORDER BY 1'):
                    yield dict(zip(columns, row, strict=True))


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in db.execute(f'PRAGMA table_info("{table}")')]


def opened(path: Path) -> sqlite3.Connection:
    """Return a journal or an archive, to read only."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2)


def new_folder(data: Path) -> Path:
    """Make and return a folder named by the time; of several in one second the later ones have a number behind it."""
    name = f"export-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    folder, number = data / name, 1
    while True:
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
            folder = data / f"{name}-{number}"
        else:
            return folder


def main(arguments: list[str]) -> None:
    """Export into ``--out``, or into a new folder in ``data/``."""
    options = argparse.ArgumentParser(prog="python -m executor export", description=__doc__)
    options.add_argument("--config", metavar="PATH")
    options.add_argument("--out", metavar="DIR", type=Path, help="a folder (else data/export-TIME)")
    options.add_argument("--json", action="store_true", help="one JSON object")
    chosen = options.parse_args(arguments)
    data = load_config("export", chosen.config).data
    journal = data / "journal.sqlite"
    if not journal.exists():
        refuse(EXIT_FAILED, "export", f"there is no journal at {journal}: no executor has run with this configuration")
    folder: Path = chosen.out or data
    try:
        folder = chosen.out or new_folder(data)
        counts = export(journal, folder)
    except sqlite3.Error as error:
        refuse(EXIT_CONFIG, "export", f"{journal} or an archive beside it cannot be read: {error}")
    except OSError as error:
        refuse(EXIT_FAILED, "export", f"{folder} cannot be written: {error.strerror}; name another --out")
    if chosen.json:
        print(json.dumps({"folder": str(folder), "rows": counts}))
    else:
        print("\n".join(f"{folder / table}.csv: {count} rows" for table, count in counts.items()))
