"""Read-only look-ups in a journal or an archive, while the executor runs or when it does not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from executor.orders import ids
from executor.record.rows import EventRow, FillRow, OrderRow, columns, order_row


class Lookup:
    """One file, read-only. Every method may raise :class:`sqlite3.Error`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2)

    def orders(self, word: str) -> list[OrderRow]:
        """Return the orders whose client id begins with ``word``, or whose Kraken id is ``word``."""
        named = "substr(cl_ord_id, 1, length(?1)) = ?1 OR (order_id = ?1 AND order_id != '')"
        query = f"SELECT {columns(OrderRow)} FROM orders WHERE {named}"
        return [order_row(row) for row in self._db.execute(query, (word,))]

    def events(self, cl_ord_id: str) -> list[EventRow]:
        """Return an order's events, oldest first; none from a file that is older than events."""
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
            return []
        query = f"SELECT {columns(EventRow)} FROM events WHERE cl_ord_id = ? ORDER BY n"
        return [EventRow(*row) for row in self._db.execute(query, (cl_ord_id,))]

    def fills_of(self, cl_ord_id: str, order_id: str) -> list[FillRow]:
        """Return an order's fills, oldest first."""
        mine = "cl_ord_id = ? OR (order_id = ? AND order_id != '')"
        query = f"SELECT {columns(FillRow)} FROM fills WHERE {mine} ORDER BY n"
        return [FillRow(*row) for row in self._db.execute(query, (cl_ord_id, order_id))]

    def newest_names(self, most: int) -> list[str]:
        """Return the ids of the orders that changed last."""
        rows = self._db.execute("SELECT cl_ord_id, order_id FROM orders ORDER BY changed_ts DESC LIMIT ?", (most,))
        return [name for row in rows for name in row if name]

    def oldest_name(self) -> str:
        """Return the lowest of our own client ids, which begin with the epoch; empty without orders."""
        query = "SELECT min(cl_ord_id) FROM orders WHERE cl_ord_id GLOB 'T*' AND length(cl_ord_id) = ?"
        return str(self._db.execute(query, (ids.LENGTH,)).fetchone()[0] or "")

    def close(self) -> None:
        """End the connection."""
        self._db.close()
