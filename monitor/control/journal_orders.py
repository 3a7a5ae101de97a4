"""The journal's live orders, for a halt without an executor."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from monitor import children
from shared import limits
from shared.config import Config


class OrderIds(msgspec.Struct, frozen=True):
    """An order by our id and by Kraken's, which is empty where it is not known."""

    cl_ord_id: str
    order_id: str


class Journal:
    """The journal's live orders, read by a process of the executor's code while something else is waited for."""

    def __init__(self, config: Config) -> None:
        file = config.data / "journal.sqlite"
        self._reading: subprocess.Popen[bytes] | None = None
        if file.exists():
            self._reading = subprocess.Popen(
                [sys.executable, "-m", "executor.record.open_orders", str(file)],
                env=children.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def orders(self) -> list[OrderIds] | None:
        """Return them, or None where there is no journal that can be read in time."""
        if self._reading is None:
            return None
        try:
            out, _ = self._reading.communicate(timeout=limits.JOURNAL_ORDERS_S)
            return None if self._reading.returncode else msgspec.json.Decoder(OrderIds).decode_lines(out)
        except (subprocess.TimeoutExpired, msgspec.DecodeError):
            return None

    def close(self) -> None:
        """End the process if it still reads."""
        if self._reading is not None:
            self._reading.kill()
            self._reading.communicate()
