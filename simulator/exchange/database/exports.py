"""Export files: what an account requested, and the CSV of its trades or its ledger in Kraken's columns, zipped."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simulator.exchange.orders import Fill, LedgerEntry
from simulator.pairs.pairs import ASSETS
from simulator.wire import NS, fixed

# An export waits, is worked on, and is ready; then it is kept for two weeks.
QUEUED_NS, PROCESSED_NS = NS, 3 * NS
KEPT_NS = 14 * 86_400 * NS
TRADES = (
    "txid", "ordertxid", "pair", "time", "type", "ordertype", "price", "cost", "fee", "vol", "margin", "misc",
    "ledgers",
)  # fmt: skip
LEDGERS = (
    "txid", "refid", "time", "type", "subtype", "aclass", "subclass", "asset", "wallet", "amount", "fee", "balance",
)  # fmt: skip
COLUMNS = {"trades": TRADES, "ledgers": LEDGERS}
# Columns whose values stand without quotes.
_NUMBERS = frozenset({"price", "cost", "fee", "vol", "margin", "amount", "balance"})
_STABLE = frozenset({"USDT", "USDC", "DAI", "PYUSD", "EURT"})


@dataclass(frozen=True, slots=True)
class Export:
    """A requested export; ``columns`` are names with commas or ``all``, times in ns since the epoch."""

    export_id: str
    account: int
    report: str
    description: str
    form: str
    columns: str
    start_ns: int
    end_ns: int
    created_ns: int

    def status(self, now: int) -> str:
        """Return ``Queued``, ``Processing`` or ``Processed``."""
        age = now - self.created_ns
        return "Queued" if age < QUEUED_NS else "Processing" if age < PROCESSED_NS else "Processed"

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the columns of the file; the id is always the first."""
        every = COLUMNS[self.report]
        if self.columns == "all":
            return every
        names = self.columns.split(",")
        return tuple(name for name in every if name == "txid" or name in names)


def archive(export: Export, rows: Iterable[dict[str, str]]) -> bytes:
    """Return the zip file of an export."""
    separator = "\t" if export.form == "TSV" else ","
    lines = [separator.join(f'"{name}"' for name in export.chosen)]
    lines += [separator.join(_cell(name, row[name]) for name in export.chosen) for row in rows]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        moment = time.gmtime(export.created_ns // NS)[:6]
        packed.writestr(
            zipfile.ZipInfo(f"{export.report}.{export.form.lower()}", moment), "\n".join(lines) + "\n",
            zipfile.ZIP_DEFLATED,
        )  # fmt: skip
    return target.getvalue()


def _cell(name: str, value: str) -> str:
    if name in _NUMBERS:
        return value
    escaped = value.replace('"', '""')
    return f'"{escaped}"'


def trade_row(fill: Fill, ledgers_of: Callable[[str], list[str]]) -> dict[str, str]:
    """Return a trade by column."""
    pair = fill.pair
    return {
        "txid": fill.exec_id,
        "ordertxid": fill.order_id,
        "pair": pair.rest_id,
        "time": _moment(fill.ns, 4),
        "type": fill.side,
        "ordertype": fill.kind,
        "price": pair.padded_price(fill.price),
        "cost": pair.cost(fill.cost),
        "fee": pair.cost(fill.fee),
        "vol": pair.qty(fill.qty),
        "margin": pair.cost(fill.margin),
        "misc": "closing" if fill.closing else "",
        "ledgers": ",".join(ledgers_of(fill.exec_id)),
    }


def ledger_row(entry: LedgerEntry) -> dict[str, str]:
    """Return a ledger entry by column."""
    asset = ASSETS[entry.asset]
    return {
        "txid": entry.ledger_id,
        "refid": entry.ref_id,
        "time": _moment(entry.ns, 0),
        "type": entry.kind,
        "subtype": entry.subtype,
        "aclass": asset.asset_class,
        "subclass": "fiat" if asset.is_fiat else "stable_coin" if asset.name in _STABLE else "crypto",
        "asset": asset.name,
        "wallet": entry.wallet.replace("/", " / "),
        "amount": fixed(entry.amount, asset.decimals),
        "fee": fixed(entry.fee, asset.decimals),
        "balance": fixed(entry.balance, asset.decimals),
    }


def _moment(ns: int, decimals: int) -> str:
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ns // NS))
    return f"{text}.{ns % NS // 10 ** (9 - decimals):0{decimals}d}" if decimals else text
