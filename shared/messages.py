"""Every message on the bus, as typed structs: members have the same names in code and on the wire.

All carry the header of :class:`Message`. Prices are integers in ticks of ``10 ** -price_precision``, quantities
integers in lots of ``10 ** -qty_precision``; money is decimal text. Stamps named ``received``, ``booked``,
``decided``, ``sent`` and ``acked`` are ns of CLOCK_BOOTTIME, zero where the step has not happened; ``ts`` and other
times named ``*_ts`` are ns since the epoch.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal  # Any: details and fields for people, which differ by process

import msgspec

from shared.account_parts import (
    AssetPosition as AssetPosition,
    EmptySlot as EmptySlot,
    Fees as Fees,
    MarkoutMean as MarkoutMean,
    Parts as Parts,
    Profit as Profit,
    QuoteProfit as QuoteProfit,
    Rate as Rate,
    UnwantedOrder as UnwantedOrder,
)

VERSION = 1

Side = Literal["buy", "sell"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The header of every message; the bus fills it when publishing.

    ``boot`` identifies the publisher's start and rises with each; ``seq`` counts per topic from 1.
    """

    v: int = VERSION
    src: str = ""
    boot: int = 0
    seq: int = 0
    ts: int = 0


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One tradable pair: precisions in decimals, increments in ticks and lots, minimums as Kraken states them."""

    symbol: str
    base: str
    quote: str
    status: str
    price_precision: int
    qty_precision: int
    price_increment: int
    qty_increment: int
    qty_min: int
    cost_min: str
    cost_precision: int = 5


class Instruments(Message, frozen=True, kw_only=True):
    """``feed.instrument``: the subscribed pairs and the decimals of their assets.

    ``references`` are those of ``pairs`` that are subscribed to for valuing only, and never traded. ``unknown`` are
    configured pairs that the exchange does not list; they are left out until it does.
    """

    pairs: dict[str, Pair] = {}
    assets: dict[str, int] = {}
    references: list[str] = []
    unknown: list[str] = []


class FeedStatus(Message, frozen=True, kw_only=True):
    """``feed.status``: whether the path from Kraken is alive.

    ``connection`` counts the connections of this boot; ``last_byte`` is when anything last came from Kraken.
    ``system`` is Kraken's status word; ``online_since`` is when it last *changed back* to online, zero if it
    has been online since the connection began. ``symbols`` maps each to ``pending``, ``subscribed`` or
    ``refused: why``, ``refused`` those of the last kind to the reason, ``resyncs`` each to the number of the newest
    resync request obeyed. ``exchange_offset`` added to CLOCK_BOOTTIME gives the exchange's time (ns), to within
    ``offset_uncertain_ms``, which is -1 while unknown.
    """

    connected: bool
    connection: int
    last_byte: int
    system: str = "unknown"
    online_since: int = 0
    symbols: dict[str, str] = {}
    refused: dict[str, str] = {}
    resyncs: dict[str, int] = {}
    replay: bool = False
    reconnects: int = 0
    exchange_offset: int = 0
    offset_uncertain_ms: float = -1.0


class Resync(Message, frozen=True, kw_only=True):
    """``resync``: symbols whose book needs a new snapshot, each with a request number, until it has come."""

    symbols: dict[str, int] = {}


class FeedFrame(Message, frozen=True, kw_only=True):
    """``feed.book.<symbol>``, ``feed.level3.<symbol>``, ``feed.ticker.<symbol>``: the raw frame, byte for byte."""

    symbol: str
    frame: bytes
    connection: int
    received: int


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One public trade; ``side`` is the taker's."""

    side: Side
    price: int
    qty: int
    trade_id: int = 0
    trade_ts: int = 0


class FeedTrades(Message, frozen=True, kw_only=True):
    """``feed.trade.<symbol>``: the trades of one frame, oldest first."""

    symbol: str
    price_precision: int
    qty_precision: int
    trades: list[Trade]
    received: int


class BookState(StrEnum):
    """The state of a book; only ``live`` is quoted on."""

    SYNCING = "syncing"
    LIVE = "live"
    RESYNCING = "resyncing"
    SILENT = "silent"


class Book(Message, frozen=True, kw_only=True):
    """``book.<symbol>``: the published depth, best first, empty unless ``live``; ``exchange_ts`` is 0 if unknown."""

    symbol: str
    state: BookState
    price_precision: int
    qty_precision: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    checksum: int = 0
    exchange_ts: int = 0
    received: int = 0
    booked: int = 0


class BookInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One book in ``book.status``: ``why`` it is not live, and how far from the mid its levels reach (0: unknown)."""

    state: BookState
    age_ms: int
    checksums_ok: int
    checksums_failed: int
    stale: bool = False
    why: str = ""
    coverage_bps: float = 0.0


class BookStatus(Message, frozen=True, kw_only=True):
    """``book.status``: every book's state, every 200 ms; ``rust`` says which implementation runs."""

    books: dict[str, BookInfo] = {}
    rust: bool = False


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """One wanted quote; ``qty`` is the remaining quantity wanted; ``slot`` is two characters, ``b0``, ``a1``."""

    slot: str
    side: Side
    price: int
    qty: int


class Target(Message, frozen=True, kw_only=True):
    """``target.<strategy>.<symbol>``: all quotes wanted, and for how long.

    ``fills`` is the position message's count on which the quotes were decided (T1). An empty list withdraws all quotes.
    ``event`` is what led to the decision: ``book``, ``trade``, ``position``, ``order``, ``time``, or ``invalid`` if the
    view stopped being valid. ``received``, ``booked`` and ``exchange_ts`` are those of the book that it was decided on,
    ``bid`` and ``ask`` that book's touch in ticks, None for an empty side. ``clock`` is the id of the CLOCK_BOOTTIME
    that ``decided`` is read from (T2): one boot of one machine. ``signals`` holds each valid signal's value by name, of
    a markout its mean and standard error.
    """

    strategy: str
    symbol: str
    price_precision: int
    qty_precision: int
    quotes: list[Quote]
    decided: int
    ttl_ms: int
    fills: int
    received: int = 0
    booked: int = 0
    exchange_ts: int = 0
    bid: int | None = None
    ask: int | None = None
    event: str = ""
    clock: str = ""
    signals: dict[str, list[float]] = {}
    why: str = ""


class OrderState(StrEnum):
    """The state of an order; the first four are live, the others finished."""

    SENT = "sent"
    OPEN = "open"
    UNKNOWN = "unknown"
    CANCELLING = "cancelling"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"
    DENIED = "denied"
    NEVER_PLACED = "never_placed"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An own order as ``order.<symbol>`` shows it; ``qty`` is the total, ``filled`` of it done.

    ``received`` to ``planned`` stamp its last request; from ``heard`` to ``planned`` the target waited by rule.
    """

    cl_ord_id: str
    order_id: str
    strategy: str
    slot: str
    side: Side
    price: int
    qty: int
    filled: int
    state: OrderState
    error: str = ""
    amending: bool = False
    created_ts: int = 0
    changed_ts: int = 0
    received: int = 0
    booked: int = 0
    decided: int = 0
    sent: int = 0
    acked: int = 0
    heard: int = 0
    planned: int = 0


class Orders(Message, frozen=True, kw_only=True):
    """``order.<symbol>``: own live orders and those ended in the last minute."""

    symbol: str
    valid: bool
    price_precision: int = 0
    qty_precision: int = 0
    orders: list[Order] = []


class Fill(Message, frozen=True, kw_only=True):
    """``fill.<symbol>``: one own fill; numbers as decimal text, fee in quote currency.

    ``heard`` is when the executor took in its report, ns of CLOCK_BOOTTIME.
    """

    exec_id: str
    cl_ord_id: str
    order_id: str
    strategy: str
    symbol: str
    side: Side
    price: str
    qty: str
    fee: str
    fill_ts: int
    heard: int = 0


class Position(Message, frozen=True, kw_only=True):
    """``position.<strategy>.<symbol>``.

    ``position`` is what this strategy's fills add up to; ``account_position`` the base balance less
    ``inventory_base``, both in lots. ``fills`` counts this strategy's fills on the symbol since the journal began.
    """

    strategy: str
    symbol: str
    valid: bool
    qty_precision: int = 0
    position: int = 0
    account_position: int = 0
    fills: int = 0


class Account(Message, frozen=True, kw_only=True):
    """``account``: balances by asset, fees and rate counters by symbol, profit; all numbers decimal text.

    ``counters`` maps a symbol to its matching-engine counter now; ``threshold`` is what it must not pass.
    ``rates`` value every asset of the pairs in ``currency``, which ``equity`` (realised + unrealised - fees +
    transfers + rounding + fx) and its parts are in; ``assets`` has a row for each traded base.
    ``profits`` has every pair that was ever traded or is configured, in its quote asset, and adds up to ``quotes`` to
    the last digit; ``positions`` is what the fills on each configured pair add up to.
    ``day_loss`` is what was lost since midnight UTC, to the cent; negative for a gain. ``attribution`` is where the
    profit comes from, None before the first mids; ``unmarked_fills`` counts the fills that it cannot take apart.
    ``markouts`` are by horizon in s (``"10"``), over the fills older than a minute.
    """

    valid: bool
    balances: dict[str, str] = {}
    fees: dict[str, Fees] = {}
    positions: dict[str, str] = {}
    counters: dict[str, float] = {}
    threshold: float = 0.0
    equity: str = "0"
    realised: str = "0"
    unrealised: str = "0"
    fees_paid: str = "0"
    rounding: str = "0"
    transfers: str = "0"
    fx: str = "0"
    day_loss: str = "0"
    profits: dict[str, Profit] = {}
    quotes: dict[str, QuoteProfit] = {}
    currency: str = "USD"
    rates: dict[str, Rate] = {}
    assets: dict[str, AssetPosition] = {}
    attribution: Parts | None = None
    unmarked_fills: int = 0
    markouts: dict[str, MarkoutMean] = {}
    empty_slots: list[EmptySlot] = []
    unwanted: list[UnwantedOrder] = []
    why: str = ""


class Control(Message, frozen=True, kw_only=True):
    """``control``: the halt switch as the monitor sees it."""

    halted: bool
    why: str = ""


class Alert(Message, frozen=True, kw_only=True):
    """``alert``: ``level`` is ``info``, ``warning`` or ``critical``; ``kind`` names it for filters."""

    level: Literal["info", "warning", "critical"]
    kind: str
    text: str


class ProcessState(StrEnum):
    """The state that a process reports of itself."""

    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"
    HALTED = "halted"
    STOPPING = "stopping"


class Heartbeat(Message, frozen=True, kw_only=True):
    """``heartbeat.<process>``: each second, and at once when the state changes."""

    process: str
    pid: int
    host: str
    version: str
    state: ProcessState
    why: str
    uptime_s: float
    loop_lag_ms: float
    rss_mb: float
    messages_in: int
    messages_out: int
    gaps: int
    drops: int
    details: dict[str, Any] = {}


class LogLine(Message, frozen=True, kw_only=True):
    """``log.<process>``: one warning or worse."""

    level: str
    event: str
    fields: dict[str, Any] = {}
