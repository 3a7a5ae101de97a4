"""Held assets: a position that no fill of ours explains is neither sold off nor bought back.

A deposit, a manual trade or the owner's triggered stop moves the balance of a traded base. Taken for a position of
ours, it would be quoted against, or flattened. So an asset is held when such a change takes it beyond its limit, or
when it is far beyond the limit at a start. It stays held until a person accepts the balance or moves it back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from executor.record.rows import MetaRow
from shared import limits
from shared.numbers import plain

ZERO = Decimal(0)


class Cause(StrEnum):
    """Why an asset is held."""

    START = "start"  # far beyond its limit when the executor started
    CHANGE = "change"  # a deposit, a withdrawal, a transfer or a manual trade took it beyond its limit


@dataclass(frozen=True, slots=True)
class Hold:
    """One held asset; ``position`` is what it was when the hold began, ``since`` ns of CLOCK_BOOTTIME."""

    cause: Cause
    position: Decimal
    since: int

    def text(self, asset: str) -> str:
        """Return the hold's reason for people, with what to do."""
        what = {
            Cause.START: f"{plain(self.position)} {asset} beyond inventory_base at the start",
            Cause.CHANGE: f"{plain(self.position)} {asset} beyond inventory_base, not by a fill of ours",
        }[self.cause]
        return f"{what}: left alone until 'tradebyte accept {asset}', or until you move it"


class Holds:
    """Keeps the traded bases that are held; ``limit`` is max_position_size."""

    def __init__(self, limit: Decimal) -> None:
        self.held: dict[str, Hold] = {}
        self._limit = limit
        self._changed: dict[str, Decimal] = {}
        self._started: set[str] = set()

    def restore(self, kept: str | None, moved: str | None, now: int) -> None:
        """Restore from the journal what is held, and the changes that were not judged yet."""
        for asset, (cause, position) in json.loads(kept or "{}").items():
            self.held[asset] = Hold(Cause(cause), Decimal(position), now)
        self._changed = {asset: Decimal(amount) for asset, amount in json.loads(moved or "{}").items()}

    def change(self, asset: str, amount: Decimal) -> MetaRow:
        """Note a change of a balance by no fill of ours; return its journal row, in case :meth:`look` never comes."""
        self._changed[asset] = self._changed.get(asset, ZERO) + amount
        return self.moved_row()

    def look(self, asset: str, position: Decimal, rate: Decimal, now: int) -> list[MetaRow]:
        """Hold or release an asset by its position, once its fills have their ledger entries; return journal rows."""
        worth = abs(position) * rate
        rows: list[MetaRow] = []
        change = self._changed.pop(asset, None)
        if change:
            rows.append(self.moved_row())
        is_start = asset not in self._started
        self._started.add(asset)
        if asset in self.held:
            if worth > self._limit:
                return rows
            del self.held[asset]
        elif change and worth > self._limit and abs(position) > abs(position - change):
            self.held[asset] = Hold(Cause.CHANGE, position, now)
        elif is_start and worth > self._limit * limits.START_POSITION_TIMES:
            self.held[asset] = Hold(Cause.START, position, now)
        else:
            return rows
        return [*rows, self.row()]

    def accept(self, asset: str) -> bool:
        """Release an asset whose balance a person accepted; return False if it was not held."""
        self._changed.pop(asset, None)
        return self.held.pop(asset, None) is not None

    def row(self) -> MetaRow:
        """Return the row for the journal."""
        return MetaRow("held", json.dumps({a: [h.cause.value, str(h.position)] for a, h in self.held.items()}))

    def moved_row(self) -> MetaRow:
        """Return the journal row of the changes that were not judged yet."""
        return MetaRow("moved", json.dumps({asset: str(amount) for asset, amount in self._changed.items()}))


@dataclass(frozen=True, slots=True)
class Accepted:
    """An inventory that a person accepted; it replaces the configured one until that is changed."""

    configured: Decimal
    inventory: Decimal


class Inventory:
    """Keeps the inventory by asset: ``inventory_base``, or a balance that was accepted after that was written."""

    def __init__(self, configured: dict[str, Decimal]) -> None:
        self._configured = configured
        self._accepted: dict[str, Accepted] = {}

    def restore(self, kept: str | None) -> None:
        """Restore accepted inventories from the journal, except where the configuration was changed since."""
        for asset, (configured, inventory) in json.loads(kept or "{}").items():
            if self._configured.get(asset, ZERO) == Decimal(configured):
                self._accepted[asset] = Accepted(Decimal(configured), Decimal(inventory))

    def of_asset(self, asset: str) -> Decimal:
        """Return the inventory of an asset, zero if none is configured or accepted."""
        accepted = self._accepted.get(asset)
        return accepted.inventory if accepted is not None else self._configured.get(asset, ZERO)

    def accept(self, asset: str, balance: Decimal) -> MetaRow:
        """Take a balance as the inventory from now on; return its journal row."""
        self._accepted[asset] = Accepted(self._configured.get(asset, ZERO), balance)
        state = {name: [str(a.configured), str(a.inventory)] for name, a in self._accepted.items()}
        return MetaRow("accepted", json.dumps(state))
