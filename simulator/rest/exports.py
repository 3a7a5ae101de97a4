"""Private REST calls about export files: ask for one, see how far it is, fetch it, remove it."""

from __future__ import annotations

import calendar
import time

from simulator import arguments
from simulator.errors import invalid
from simulator.exchange.database import exports
from simulator.exchange.database.exports import COLUMNS, Export
from simulator.keys import KeyState
from simulator.wire import NS, Fields, Written, make_id
from simulator.world import World

DESCRIPTION_MAX = 200
EXPORTS_MAX = 50


def add(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``AddExport``."""
    report, form = fields.get("report"), str(fields.get("format") or "CSV").upper()
    if not isinstance(report, str) or report not in COLUMNS:
        raise invalid("report")
    if form not in ("CSV", "TSV"):
        raise invalid("format")
    description = fields.get("description")
    if not isinstance(description, str) or not 0 < len(description) <= DESCRIPTION_MAX:
        raise invalid("description")
    month = time.gmtime(now // NS)
    first = calendar.timegm((month.tm_year, month.tm_mon, 1, 0, 0, 0))
    start, end = (_second(fields, name, default) for name, default in (("starttm", first), ("endtm", now // NS)))
    if len(world.store.history.exports(key.account.index)) >= EXPORTS_MAX:
        raise invalid("report")
    columns = _columns(fields, report)
    # Four letters and digits in the documented sample.
    name = make_id("", world.exchange.state.next_serial(), now)[:4]
    export = Export(name, key.account.index, report, description, form, columns, start * NS, end * NS + NS - 1, now)
    world.store.add_export(export)
    return {"id": name}


def _columns(fields: Fields, report: str) -> str:
    given = fields.get("fields") or "all"
    names = [str(name).strip() for name in (given if isinstance(given, list) else str(given).split(","))]
    if names != ["all"] and not set(names) <= set(COLUMNS[report]):
        raise invalid("fields")
    return ",".join(names)


def _second(fields: Fields, name: str, default: int) -> int:
    given = arguments.decimal_text(fields, name)
    if given is not None and not 0 <= given < 2**33:
        raise invalid(name)
    return default if given is None else int(given)


def status(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``ExportStatus`` of all exports of trades or of the ledger."""
    report = fields.get("report")
    if report not in COLUMNS:
        raise invalid("report")
    return [_row(export, now) for export in _kept(world, key, now) if export.report == report]


def _row(export: Export, now: int) -> dict[str, str]:
    done = export.status(now) == "Processed"
    start, end, created = (str(ns // NS) for ns in (export.start_ns, export.end_ns, export.created_ns))
    return {
        "id": export.export_id,
        "descr": export.description,
        "format": export.form,
        "report": export.report,
        "subtype": "all",
        "status": export.status(now),
        "flags": "0",
        "fields": export.columns,
        "createdtm": created,
        "expiretm": str((export.created_ns + exports.KEPT_NS) // NS),
        "starttm": start,
        "completedtm": str((export.created_ns + exports.PROCESSED_NS) // NS) if done else "0",
        "datastarttm": start,
        "dataendtm": end,
        "aclass": "currency",
        "asset": "all",
    }


def _kept(world: World, key: KeyState, now: int) -> list[Export]:
    return [e for e in world.store.history.exports(key.account.index) if now < e.created_ns + exports.KEPT_NS]


def _named(world: World, key: KeyState, fields: Fields, now: int) -> Export:
    for export in _kept(world, key, now):
        if export.export_id == fields.get("id"):
            return export
    raise invalid("id")


def retrieve(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> bytes:
    """Answer ``RetrieveExport``: the zip file itself."""
    export = _named(world, key, fields, now)
    if export.status(now) != "Processed":
        raise invalid("id")
    store, account = world.store, key.account.index
    if export.report == "trades":
        fills = store.history.every_fill(account, export.start_ns, export.end_ns)
        return exports.archive(export, (exports.trade_row(fill, store.history.ledger_ids) for fill in fills))
    entries = store.history.every_entry(account, export.start_ns, export.end_ns)
    return exports.archive(export, (exports.ledger_row(entry) for entry in entries))


def remove(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``RemoveExport``: ``delete`` is for those that are ready, ``cancel`` for the others."""
    export, kind = _named(world, key, fields, now), fields.get("type")
    if kind != ("delete" if export.status(now) == "Processed" else "cancel"):
        raise invalid("type")
    world.store.remove_export(key.account.index, export.export_id)
    return {str(kind): True}
