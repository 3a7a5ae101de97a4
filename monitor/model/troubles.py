"""Troubles that every view shows: what is configured or wanted and is not so (invariant 12)."""

from __future__ import annotations

from typing import NamedTuple

from monitor.model.status_object import EmptySlotShown, Status, UnwantedShown
from shared.clock import SECOND
from shared.kraken.errors import explained


class Trouble(NamedTuple):
    """One trouble for people: ``is_bad`` if more than our own limits cause it, what is not so, and why."""

    is_bad: bool
    what: str
    why: str


def not_trading(status: Status, wall: int) -> list[Trouble]:
    """Return the wanted slots that are empty, and the open orders that nobody wants."""
    rows = []
    for slot in status.empty_slots:
        why = f"Kraken refuses it: {explained([slot.error or slot.why])}" if slot.refused else slot.why
        text = f"wanted and empty for {_age_s(slot, wall)} s; {why}"
        rows.append(Trouble(slot.refused, f"{slot.strategy} {slot.symbol} {slot.slot}", text))
    for order in status.unwanted:
        text = f"{order.cl_ord_id} is open for {_age_s(order, wall)} s, and unwanted: {order.why}"
        rows.append(Trouble(True, f"{order.strategy} {order.symbol} {order.slot}", text))
    return rows


def held_and_rates(status: Status) -> list[Trouble]:
    """Return the assets that are held, and those whose rate is not valid."""
    rows = [Trouble(True, f"{asset} is held", row.held) for asset, row in status.assets.items() if row.held]
    for asset, rate in status.asset_rates.items():
        if not rate.valid:
            what = f"the rate of {asset} is {'stale' if rate.rate else 'not known'}"
            why = f"it goes by {', '.join(rate.way)}; what is valued by it is not quoted until those books are live"
            rows.append(Trouble(False, what, why))
    return rows


def troubles(status: Status, wall: int) -> list[Trouble]:
    """Return every trouble; ``wall`` is ns since the epoch."""
    out = "the exchange does not list it; the other pairs are quoted"
    unlisted = [Trouble(True, f"{symbol} is out", out) for symbol in status.unlisted]
    return [*held_and_rates(status), *unlisted, *not_trading(status, wall)]


def _age_s(row: EmptySlotShown | UnwantedShown, wall: int) -> int:
    return max(0, int(wall / SECOND - row.since_ts))
