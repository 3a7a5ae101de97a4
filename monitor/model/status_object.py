"""The status object and its parts, as typed structs: what ``status --json`` and ``/api/status`` print.

Amounts are decimal text; ``*_ts`` are float seconds since the epoch, ``*_ms`` are ms; null is what nobody has said.
"""

from __future__ import annotations

import msgspec


class Shown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that is shown."""


class StatusProcess(Shown, frozen=True, kw_only=True):
    """A process in the status object; null where it was never heard."""

    state: str
    why: str
    pid: int | None = None
    boot: int | None = None
    uptime_s: float | None = None
    heartbeat_age_s: float | None = None
    rss_mb: float | None = None
    gaps: int | None = None
    drops: int | None = None
    loop_lag_ms: float | None = None
    restarts: int
    memory_percent: float | None = None


class StatusBook(Shown, frozen=True, kw_only=True):
    """A book in the status object; bid, ask and coverage are null unless it is live.

    ``coverage_bps`` is how far from the mid the last levels are that the book follows.
    """

    state: str
    why: str
    stale: bool
    age_ms: int | None
    bid: str | None
    ask: str | None
    checksums_ok: int
    checksums_failed: int
    coverage_bps: float | None = None


class AssetShown(Shown, frozen=True, kw_only=True):
    """A traded base: its position over all pairs, what that is worth in the currency, what is kept, and why it is held.

    ``wallets`` are the balances outside the spot wallet.
    """

    position: str
    worth: str
    inventory: str = "0"
    least: str = "0"
    wallets: dict[str, str] = {}
    held: str = ""


class RateShown(Shown, frozen=True, kw_only=True):
    """The worth of one unit of an asset in the currency; not ``valid`` it is stale, or empty before the first.

    ``way`` are the pairs that it goes by.
    """

    rate: str
    valid: bool
    way: list[str]


class EmptySlotShown(Shown, frozen=True, kw_only=True):
    """A slot that is wanted and has been empty for 20 s (invariant 12); ``refused`` with Kraken's text in ``error``."""

    strategy: str
    symbol: str
    slot: str
    since_ts: float
    why: str
    refused: bool
    error: str


class UnwantedShown(Shown, frozen=True, kw_only=True):
    """An own order that has been open for 20 s although nobody wants it (invariant 12)."""

    strategy: str
    symbol: str
    slot: str
    cl_ord_id: str
    order_id: str
    since_ts: float
    why: str


class Level3Shown(Shown, frozen=True, kw_only=True):
    """The connection for single orders, of the collector's heartbeat; there is none while nobody reads them."""

    connected: bool
    is_read: bool = True
    problem: str
    symbols: dict[str, str]
    checksums_ok: int
    checksums_failed: int
    frames: int
    attempts: int


class Connection(Shown, frozen=True, kw_only=True):
    """The connections to Kraken, null where nothing was heard; ``refused`` maps a symbol to Kraken's refusal."""

    connected: bool | None
    system: str | None
    reconnects: int | None
    private_connected: bool | None
    private_problem: str
    attempts: int | None
    private_attempts: int | None
    attempts_10_min_max: int
    refused: dict[str, str]
    level3: Level3Shown | None = None


class RateCounter(Shown, frozen=True, kw_only=True):
    """One of Kraken's rate counters, in points: what is used, what it must not pass, what is left."""

    counter: float
    threshold: float
    left: float


class RateCounters(Shown, frozen=True, kw_only=True):
    """Kraken's counters: one a pair for orders, and the key's for REST calls, null where it is not known."""

    pairs: dict[str, RateCounter]
    rest: RateCounter | None


class FeesShown(Shown, frozen=True, kw_only=True):
    """Maker and taker fee in percent, and the half-spread in basis points that earns the maker fee back."""

    maker: str
    taker: str
    break_even_bps: str | None


class MachineFigures(Shown, frozen=True, kw_only=True):
    """The machine: CPU in percent since the last look, load, memory, and the disk that holds the journal."""

    cpu_percent: float
    cpus: int
    load_1_min: float
    memory_percent: float
    memory_free_mb: int
    disk_percent: float
    disk_free_mb: int


class WebhookFigures(Shown, frozen=True, kw_only=True):
    """A webhook in the monitor's heartbeat: alerts sent, dropped and waiting, and why the last one did not go."""

    host: str | None
    sent: int
    dropped: int
    waiting: int
    trouble: str


class SlowOperation(Shown, frozen=True, kw_only=True):
    """An operation of a process that once took longer than ``monitor.slow_operation_s``; times in ms."""

    process: str
    operation: str
    count: int
    sum: float
    average: float
    min: float
    max: float
    p50: float
    p95: float
    p99: float


class Status(Shown, frozen=True, kw_only=True):
    """The status object, as ``tradebyte status --json`` prints it."""

    halted: bool
    halted_why: str
    sandbox: bool
    dry_run: bool
    processes: dict[str, StatusProcess]
    books: dict[str, StatusBook]
    open_orders: int
    orders_known: bool
    positions: dict[str, str]
    assets: dict[str, AssetShown]
    stale: list[str]
    paused: dict[str, str]
    empty_slots: list[EmptySlotShown]
    unwanted: list[UnwantedShown]
    currency: str
    asset_rates: dict[str, RateShown]
    unlisted: list[str]
    connection: Connection
    rates: RateCounters
    fees: dict[str, FeesShown]
    machine: MachineFigures | None
    slow: list[SlowOperation]


class Health(Shown, frozen=True, kw_only=True):
    """Up or not, for machines."""

    healthy: bool
    not_ready: list[str]
    refused: list[str]
    halted: bool
    processes: dict[str, str]
    books: dict[str, str]
