"""Assets that are left alone: a position that no fill of ours explains is nothing to sell off or buy back.

A deposit, a trade by hand or the owner's triggered stop moves the balance of a traded base. Taken for a position, it
would be quoted against, or flattened. An asset is held instead when such a change takes it beyond its limit, or when it
stands far beyond the limit at a start, until a person accepts it as wanted or moves it back.
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
    CHANGE = "change"  # a deposit, a withdrawal, a transfer, a trade by hand took it beyond its limit


@dataclass(frozen=True, slots=True)
class Hold:
    """One asset that is left alone; ``position`` is what it stood at, ``since`` ns of CLOCK_BOOTTIME."""

    cause: Cause
    position: Decimal
    since: int

    def text(self, asset: str) -> str:
        """Say it for people, with what to do."""
        what = {
            Cause.START: f"{plain(self.position)} {asset} beyond inventory_base at the start",
            Cause.CHANGE: f"{plain(self.position)} {asset} beyond inventory_base, not by a fill of ours",
        }[self.cause]
        return f"{what}: left alone until 'tradebyte accept {asset}', or you move it"


class Holds:
    """Keeps the traded bases that are left alone; ``limit`` is max_position_size."""

    def __init__(self, limit: Decimal) -> None:
        self.held: dict[str, Hold] = {}
        self._limit = limit
        self._changed: dict[str, Decimal] = {}
        self._started: set[str] = set()

    def restore(self, kept: str | None, moved: str | None, now: int) -> None:
        """Take up what the journal keeps: what is held, and changes that were not looked at yet."""
        for asset, (cause, position) in json.loads(kept or "{}").items():
            self.held[asset] = Hold(Cause(cause), Decimal(position), now)
        self._changed = {asset: Decimal(amount) for asset, amount in json.loads(moved or "{}").items()}

    def change(self, asset: str, amount: Decimal) -> MetaRow:
        """Note a change of a balance that is no fill of ours; returns the row to keep, for a start before the look."""
        self._changed[asset] = self._changed.get(asset, ZERO) + amount
        return self.moved_row()

    def look(self, asset: str, position: Decimal, rate: Decimal, now: int) -> list[MetaRow]:
        """Hold or release an asset by its position, once all entries of its fills are in; return journal rows."""
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
        """Release an asset that a person takes as wanted; return False when it was not held."""
        self._changed.pop(asset, None)
        return self.held.pop(asset, None) is not None

    def row(self) -> MetaRow:
        """Return the row for the journal."""
        return MetaRow("held", json.dumps({a: [h.cause.value, str(h.position)] for a, h in self.held.items()}))

    def moved_row(self) -> MetaRow:
        """Return the row, for the journal, of changes that were not looked at yet."""
        return MetaRow("moved", json.dumps({asset: str(amount) for asset, amount in self._changed.items()}))


@dataclass(frozen=True, slots=True)
class Accepted:
    """An inventory that a person accepted; it stands for the configured one while that stays the same."""

    configured: Decimal
    inventory: Decimal


class Inventory:
    """Keeps what is held and wanted kept, by asset: ``inventory_base``, or what was accepted since it was written."""

    def __init__(self, configured: dict[str, Decimal]) -> None:
        self._configured = configured
        self._accepted: dict[str, Accepted] = {}

    def restore(self, kept: str | None) -> None:
        """Take up what the journal keeps; a configuration changed since then is newer."""
        for asset, (configured, inventory) in json.loads(kept or "{}").items():
            if self._configured.get(asset, ZERO) == Decimal(configured):
                self._accepted[asset] = Accepted(Decimal(configured), Decimal(inventory))

    def of_asset(self, asset: str) -> Decimal:
        """Return the inventory of an asset, zero where none is named."""
        accepted = self._accepted.get(asset)
        return accepted.inventory if accepted is not None else self._configured.get(asset, ZERO)

    def accept(self, asset: str, balance: Decimal) -> MetaRow:
        """Take a balance as the inventory from now on; returns the row to keep."""
        self._accepted[asset] = Accepted(self._configured.get(asset, ZERO), balance)
        state = {name: [str(a.configured), str(a.inventory)] for name, a in self._accepted.items()}
        return MetaRow("accepted", json.dumps(state))
