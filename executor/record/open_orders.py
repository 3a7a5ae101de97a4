"""``python -m executor.record.open_orders JOURNAL``: the orders that the journal knows as live, a JSON object a line.

A halt without an executor waits for this command, so it imports nothing but what reads the file.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path


def open_orders(journal: Path) -> list[dict[str, str]]:
    """Return ``cl_ord_id`` and ``order_id`` (empty if not known) of each live order. Raises sqlite3.Error."""
    db = sqlite3.connect(f"{journal.resolve().as_uri()}?mode=ro", uri=True, timeout=0.5)
    try:
        rows = db.execute("SELECT cl_ord_id, order_id FROM orders WHERE is_live AND strategy != 'account'")
        return [{"cl_ord_id": str(ours), "order_id": str(theirs or "")} for ours, theirs in rows]
    finally:
        db.close()


def main() -> None:
    """Print the live orders; exit 1 with the reason if the journal cannot be read."""
    try:
        lines = [json.dumps(order) for order in open_orders(Path(sys.argv[1]))]
    except (IndexError, sqlite3.Error) as error:
        raise SystemExit(f"open_orders: {error}") from None
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
