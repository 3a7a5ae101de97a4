"""The configuration's schema: every section as a typed struct, with its defaults, which trade in the sandbox only."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from shared.alert_settings import Alerts, Webhook
from shared.unconfirmed import Unconfirmed

Level = Literal["debug", "info", "warning", "error"]
LIVE_REST = "https://api.kraken.com"
LIVE_WS = "wss://ws.kraken.com/v2"
LIVE_WS_1 = "wss://ws.kraken.com"
LIVE_WS_AUTH = "wss://ws-auth.kraken.com/v2"
SANDBOX_PAIRS = ["BTC/USD", "ETH/USD", "SOL/USD"]
# What the sandbox's account begins with, and what is kept of it where the file does not say.
SANDBOX_INVENTORY = {"BTC": Decimal(1), "ETH": Decimal(20), "SOL": Decimal(400)}
# Made up and well formed; they open nothing but the simulator.
SANDBOX_KEYS = (
    ("TRADEBYTE-SANDBOX-EXECUTOR-KEY-0000000000000000000000000", "c2FuZGJveC1leGVjdXRvci1zZWNyZXQ="),
    ("TRADEBYTE-SANDBOX-PEOPLE-KEY-000000000000000000000000000", "c2FuZGJveC1wZW9wbGUtc2VjcmV0"),
    ("TRADEBYTE-SANDBOX-HALT-KEY-00000000000000000000000000000", "c2FuZGJveC1oYWx0LXNlY3JldA=="),
)
VISITOR_KEYS = (("TRADEBYTE-SANDBOX-VISITOR-KEY-00000000000000000000000000", "c2FuZGJveC12aXNpdG9yLXNlY3JldA=="),)


class Kraken(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where Kraken is and the keys to it.

    ``websocket_version`` is the public feed's; trading is always by version 2. An empty URL means the embedded
    simulator in the sandbox and Kraken's own address otherwise; in the sandbox every URL must be loopback.
    """

    sandbox: bool = True
    api_key: str = SANDBOX_KEYS[0][0]
    api_secret: str = SANDBOX_KEYS[0][1]
    halt_key: str = SANDBOX_KEYS[2][0]
    halt_secret: str = SANDBOX_KEYS[2][1]
    rest_url: str = ""
    ws_url: str = ""
    websocket_version: Literal[1, 2] = 2
    ws_auth_url: str = ""


class Trading(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is traded and every limit; amounts in ``currency``, ``inventory_base`` in units of each traded base.

    Other quote currencies are valued through a pair of ``pairs`` or of ``reference_pairs``, which are subscribed to and
    never traded; left out, they are found in what the exchange lists.
    """

    currency: str = "USD"
    default_pair: str = ""
    reference_pairs: list[str] | None = None
    pairs: list[str] = msgspec.field(default_factory=lambda: list(SANDBOX_PAIRS))
    book_depth: Literal[10, 25, 100, 500, 1000] = 10
    max_position_size: Decimal = Decimal(1000)
    min_order_size: Decimal = Decimal(10)
    max_order_size: Decimal = Decimal(250)
    max_gross_position: Decimal = Decimal(3000)
    max_daily_loss: Decimal = Decimal(50)
    max_open_orders: int = 20
    max_orders_per_minute: int = 600
    price_band_percent: Decimal = Decimal(1)
    inventory_base: dict[str, Decimal] | None = None
    tier: Literal["starter", "intermediate", "pro"] = "intermediate"
    dry_run: bool = False

    @property
    def bases(self) -> frozenset[str]:
        """The traded bases: each has one position, over all pairs that move it."""
        return frozenset(pair.partition("/")[0] for pair in self.pairs)


class Strategy(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One strategy: the class as ``module:Class``, its pairs, how long a target holds, and its own settings."""

    class_: str = msgspec.field(name="class", default="strategy.market_maker:MarketMaker")
    pairs: list[str] = msgspec.field(default_factory=list)
    ttl_ms: int = 3000
    max_position_size: Decimal | None = None
    max_open_orders: int | None = None
    settings: dict[str, Any] = msgspec.field(default_factory=dict)


class Key(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A key of a simulated account; all permissions when none are named. ``query`` is everything that reads."""

    api_key: str
    api_secret: str
    permissions: (
        list[
            Literal[
                "query",
                "query-funds",
                "query-open-trades",
                "query-closed-trades",
                "query-ledger",
                "trade",
                "cancel",
                "websocket",
                "withdraw",
                "deposit",
                "earn",
                "export",
            ]
        ]
        | None
    ) = None


class SimAccount(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A simulated account; balances in the assets' new names (BTC, USD).

    ``wallets`` is what lies elsewhere than in the spot wallet and cannot be traded: asset to wallet
    (``earn/flex``, ``earn/bonded``) to amount.
    """

    name: str
    keys: list[Key]
    balances: dict[str, Decimal]
    wallets: dict[str, dict[str, Decimal]] = msgspec.field(default_factory=dict)
    volume_30d_usd: Decimal = Decimal(0)
    tier: Literal["starter", "intermediate", "pro"] = "intermediate"


def _default_accounts() -> list[SimAccount]:
    rich = {"USD": Decimal(100_000), **SANDBOX_INVENTORY}
    executor, people, halt = SANDBOX_KEYS
    return [
        SimAccount(
            name="maker",
            keys=[
                Key(
                    api_key=executor[0],
                    api_secret=executor[1],
                    permissions=["query", "trade", "cancel", "websocket"],
                ),
                Key(api_key=people[0], api_secret=people[1]),
                Key(api_key=halt[0], api_secret=halt[1], permissions=["cancel"]),
            ],
            balances=rich,
            volume_30d_usd=Decimal(10_000_000),
        ),
        SimAccount(
            name="visitor",
            keys=[Key(api_key=key, api_secret=secret) for key, secret in VISITOR_KEYS],
            balances=rich,
        ),
    ]


class Simulator(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The embedded Kraken: where it listens, its seed, delays in ms, accounts, and what is not confirmed of Kraken.

    ``pairs`` are those it lists, by any of their names; left out, those that are traded and what valuing them needs.
    ``asset_pairs`` is a file of further pairs in the form of Kraken's AssetPairs answer; ``*`` in ``pairs`` is all of
    them.
    ``beyond_loopback`` lets ``host`` be another address than this machine's own: whoever reaches it may then trade the
    made-up accounts whose keys the configuration shows.
    """

    host: str = "127.0.0.1"
    beyond_loopback: bool = False
    port: int = 8180
    seed: int = 1
    pairs: list[str] | None = None
    asset_pairs: str = ""
    regime: Literal["calm", "trending", "volatile", "thin", "flash_crash", "halted", "flood"] = "calm"
    one_way_delay_ms: float = 10.0
    history_lag_s: tuple[float, float] = (1.0, 5.0)
    faults: list[Literal["first_day"]] = msgspec.field(default_factory=list)
    database: str = "data/simulator.sqlite"
    accounts: list[SimAccount] = msgspec.field(default_factory=_default_accounts)
    unconfirmed: Unconfirmed = msgspec.field(default_factory=Unconfirmed)


class Monitor(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The monitor's HTTP address, supervisord's socket, and what is warned of.

    A process above ``memory_threshold_mb`` collects garbage and warns; above ``memory_limit_mb`` it restarts in order.
    ``cpu_percent`` and ``memory_percent`` are of the machine, ``disk_free_mb`` of the disk that holds ``data/``,
    ``rate_free_percent`` of a pair's order counter. ``alerts`` says how each kind of trouble is told, and ``webhooks``
    to whom besides.
    """

    host: str = "127.0.0.1"
    port: int = 8181
    web_port: int = 8501
    supervisor: str = "run/supervisor.sock"
    slow_operation_s: float = 1.0
    memory_threshold_mb: float = 512
    memory_limit_mb: float = 1024
    cpu_percent: float = 90
    memory_percent: float = 90
    disk_free_mb: float = 500
    rate_free_percent: float = 20
    alerts: Alerts = msgspec.field(default_factory=Alerts)
    webhooks: list[Webhook] = msgspec.field(default_factory=list)


class Logging(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The log level (the environment's ``LOG_LEVEL`` wins), and the folders of everything a run writes.

    ``levels`` gives single modules their own: a process's name, or a library's such as ``aiohttp``.
    """

    level: Level = "info"
    levels: dict[str, Level] = msgspec.field(default_factory=dict)
    logs: str = "logs"
    run: str = "run"
    data: str = "data"


class Curve(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """CURVE keys (Z85 text) for ``tcp://`` endpoints beyond loopback, and the client keys let in."""

    public_key: str
    secret_key: str
    allow: dict[str, str]


NOT_FROM_THE_FILE = ("root", "source")
PROCESSES = ("simulator", "collector", "book", "executor", "monitor")


class Config(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The whole configuration; ``bus`` maps a process to its endpoint."""

    kraken: Kraken = msgspec.field(default_factory=Kraken)
    trading: Trading = msgspec.field(default_factory=Trading)
    strategies: dict[str, Strategy] = msgspec.field(default_factory=lambda: {"market_maker": Strategy()})
    bus: dict[str, str | Curve] = msgspec.field(default_factory=dict)
    simulator: Simulator = msgspec.field(default_factory=Simulator)
    monitor: Monitor = msgspec.field(default_factory=Monitor)
    logging: Logging = msgspec.field(default_factory=Logging)
    # Not from the file: where relative paths count from, and the file itself (None: defaults).
    root: Path = msgspec.field(default_factory=Path.cwd)
    source: Path | None = None

    @property
    def run(self) -> Path:
        """The folder of locks, sockets and tokens."""
        return self.root / self.logging.run

    @property
    def data(self) -> Path:
        """The folder of what must survive: the journal, HALT, the simulator's database."""
        return self.root / self.logging.data

    @property
    def logs(self) -> Path:
        """The folder of log files."""
        return self.root / self.logging.logs

    @property
    def halt_file(self) -> Path:
        """The halt switch: while this file is there nothing is placed (T10)."""
        return self.data / "HALT"

    @property
    def flatten_file(self) -> Path:
        """The wish to close every position (T11): there until that is done."""
        return self.data / "FLATTEN"

    @property
    def accept_file(self) -> Path:
        """The assets that a person takes as they are: there until the executor did."""
        return self.data / "ACCEPT"

    @property
    def curve(self) -> Curve | None:
        """The CURVE keys, when there are any."""
        found = self.bus.get("curve")
        return found if isinstance(found, Curve) else None

    @property
    def process_names(self) -> list[str]:
        """Every process that the configuration makes run, in the order of the data's way."""
        simulator = ["simulator"] if self.kraken.sandbox else []
        return [*simulator, "collector", "book", *self.strategy_processes, "executor", "monitor"]

    @property
    def strategy_processes(self) -> list[str]:
        """``strategy.<name>`` for every configured strategy."""
        return [f"strategy.{name}" for name in self.strategies]

    def strategy_pairs(self, name: str) -> list[str]:
        """The pairs a strategy trades: its own list, else all of them."""
        return self.strategies[name].pairs or self.trading.pairs
