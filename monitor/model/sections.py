"""Sections that people look at, as typed structs: the API's answers and their description are made from them.

Prices, quantities and money are decimal text; ``*_ts`` are float seconds since the epoch, ``*_ms`` are ms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from monitor.model.status_object import AssetShown, RateShown, Shown, StatusProcess
from shared.messages import Side


class Process(StatusProcess, frozen=True, kw_only=True):
    """A process: its state in its own words (``dead`` when unheard for 3 s) and its figures."""

    messages_in: int | None
    messages_out: int | None
    version: str | None


class BookShown(Shown, frozen=True, kw_only=True):
    """A book; both sides are empty and mid and spread null unless it is live. Best levels first."""

    state: str
    why: str
    stale: bool
    age_ms: int | None
    mid: str | None
    spread_bps: float | None
    price_precision: int | None
    qty_precision: int | None
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    checksums_ok: int
    checksums_failed: int


class OrderFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an own order in commands and views alike; ``qty`` is the total, ``filled`` of it done."""

    cl_ord_id: str
    order_id: str
    strategy: str
    symbol: str
    slot: str
    side: Side
    price: str
    qty: str
    filled: str
    state: str
    error: str


class OrderShown(OrderFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An own order; ``is_live`` while it may still trade."""

    is_live: bool
    created_ts: float
    changed_ts: float


class OrdersShown(Shown, frozen=True, kw_only=True):
    """Own live orders and those ended in the last minute; ``known`` is false until reconciled with the exchange."""

    known: bool
    orders: list[OrderShown]


class FillFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an own fill on the bus, in the journal and in the API alike; the fee is in quote currency."""

    exec_id: str
    cl_ord_id: str
    order_id: str
    strategy: str
    symbol: str
    side: Side
    price: str
    qty: str
    fee: str


class FillShown(FillFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One own fill."""

    ts: float


class FillsShown(Shown, frozen=True, kw_only=True):
    """Own fills, oldest first."""

    fills: list[FillShown]


class TradeShown(Shown, frozen=True, kw_only=True):
    """One market trade; ``side`` is the taker's."""

    side: Side
    price: str
    qty: str
    ts: float


class StrategyPosition(Shown, frozen=True, kw_only=True):
    """The sum of one strategy's fills on a symbol, beside the account's position there."""

    strategy: str
    symbol: str
    valid: bool
    position: str
    account_position: str
    fills: int


class PositionsShown(Shown, frozen=True, kw_only=True):
    """The sum of the fills on each pair, positions and balances by asset, and each strategy's share.

    ``known`` is false where the executor has published nothing, or is not heard any more (``why``): then this is its
    last state.
    """

    known: bool
    why: str
    account: dict[str, str]
    balances: dict[str, str]
    assets: dict[str, AssetShown] = {}
    currency: str = ""
    rates: dict[str, RateShown] = {}
    strategies: list[StrategyPosition]


class Total(Shown, frozen=True, kw_only=True):
    """All pairs together, in the trading currency: profit = realised + unrealised - fees, and
    equity = profit + transfers + rounding + fx. ``today`` is the profit since midnight UTC, to the cent."""

    profit: str
    today: str
    equity: str
    realised: str
    unrealised: str
    fees: str
    transfers: str
    rounding: str
    fx: str = "0"


class QuoteProfitShown(Shown, frozen=True, kw_only=True):
    """Profit of all pairs of a quote asset, in that asset."""

    realised: str
    unrealised: str
    fees: str
    transfers: str
    rounding: str
    equity: str


class PairProfit(Shown, frozen=True, kw_only=True):
    """One pair's profit by weighted-average cost, marked to its last good mid, in its quote asset."""

    realised: str
    unrealised: str
    fees: str
    qty: str
    average_price: str | None
    mid: str | None
    is_stale: bool


class PartsShown(Shown, frozen=True, kw_only=True):
    """The parts of the profit, in the trading currency (docs/attribution.md); ``unexplained`` is what is left."""

    spread: str
    adverse: str
    drift: str
    fees: str
    fx: str
    rounding: str
    unmarked: str
    unexplained: str


class MarkoutShown(Shown, frozen=True, kw_only=True):
    """The mean move of the mid from fills' prices in our favour, bp, with its standard error; null without fills."""

    fills: int
    mean_bps: float | None
    error_bps: float | None


class ProfitShown(Shown, frozen=True, kw_only=True):
    """Profit in total, by pair and by quote; ``valid`` is false until reconciled, and ``why`` says what is missing.

    ``attribution`` is where it comes from, null before the first mids; ``unmarked_fills`` counts the fills that it
    cannot take apart. ``markouts`` are by horizon in s.
    """

    valid: bool
    why: str
    currency: str
    total: Total
    pairs: dict[str, PairProfit]
    quotes: dict[str, QuoteProfitShown] = {}
    attribution: PartsShown | None = None
    unmarked_fills: int = 0
    markouts: dict[str, MarkoutShown] = {}


class Hop(Shown, frozen=True, kw_only=True):
    """One hop's histogram since ``since_ts``; ``buckets`` are (upper bound in ms, count)."""

    hop: str
    about: str
    count: int
    since_ts: float | None
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    min_ms: float | None
    max_ms: float | None
    average_ms: float | None
    buckets: list[tuple[float, int]]


class LatencyShown(Shown, frozen=True, kw_only=True):
    """Every hop, in the order of the data's way."""

    hops: list[Hop]


class ActiveAlert(Shown, frozen=True, kw_only=True):
    """A condition that holds now and has been alerted; ``name`` is unique among its kind."""

    kind: str
    name: str
    level: str
    text: str
    since_ts: float


class RecentAlert(Shown, frozen=True, kw_only=True):
    """An alert as it was published."""

    ts: float
    src: str
    level: str
    kind: str
    text: str


class AlertsShown(Shown, frozen=True, kw_only=True):
    """Alerts that hold now, and those of late, newest last."""

    active: list[ActiveAlert]
    recent: list[RecentAlert]


class LogShown(Shown, frozen=True, kw_only=True):
    """One warning or worse of a process."""

    ts: float
    process: str
    level: str
    event: str
    fields: dict[str, str | int | float | bool | None]


class LogsShown(Shown, frozen=True, kw_only=True):
    """Log lines, newest last."""

    lines: list[LogShown]


# A pair as an array of two: generators of clients know that better than a tuple inside of a map.
PointShown = Annotated[Sequence[float], msgspec.Meta(min_length=2, max_length=2)]


class HistoryShown(Shown, frozen=True, kw_only=True):
    """Points of the wanted series, as (time, value) for charts; without a wish for any, the names of all."""

    names: list[str]
    series: Mapping[str, Sequence[PointShown]]


class ControlShown(Shown, frozen=True, kw_only=True):
    """The switches that are on."""

    halted: bool
    why: str
    flattening: bool
    sandbox: bool
    dry_run: bool
    paused: dict[str, str] = {}


LEVELS: Final = ("debug", "info", "warning", "error", "critical")
