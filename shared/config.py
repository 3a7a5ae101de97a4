"""The configuration: one YAML file, typed, checked whole before anything starts.

Found by ``--config``, else ``TRADEBYTE_CONFIG``, else ``config/config.yaml`` here. ``${NAME}`` takes an
environment variable. What is wrong raises :class:`ConfigError`, whose text names file, line and mend; a process
answers it with exit code 78. Relative paths count from the project's folder: the parent of the file's folder when
that is named ``config``, else the file's folder.
"""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
import yaml

DEFAULT_PATH = Path("config/config.yaml")
LIVE_REST = "https://api.kraken.com"
LIVE_WS = "wss://ws.kraken.com/v2"
LIVE_WS_AUTH = "wss://ws-auth.kraken.com/v2"
SANDBOX_PAIRS = ["BTC/USD", "ETH/USD", "SOL/USD"]
# Made up and well formed; they open nothing but the simulator.
SANDBOX_KEYS = (
    ("TRADEBYTE-SANDBOX-EXECUTOR-KEY-0000000000000000000000000", "c2FuZGJveC1leGVjdXRvci1zZWNyZXQ="),
    ("TRADEBYTE-SANDBOX-PEOPLE-KEY-000000000000000000000000000", "c2FuZGJveC1wZW9wbGUtc2VjcmV0"),
    ("TRADEBYTE-SANDBOX-HALT-KEY-00000000000000000000000000000", "c2FuZGJveC1oYWx0LXNlY3JldA=="),
)
VISITOR_KEYS = (("TRADEBYTE-SANDBOX-VISITOR-KEY-00000000000000000000000000", "c2FuZGJveC12aXNpdG9yLXNlY3JldA=="),)


class ConfigError(Exception):
    """The configuration cannot be used; the text names file, line, key and mend."""


class Kraken(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where Kraken is and the keys to it.

    An empty URL means the embedded simulator in the sandbox and Kraken's own address otherwise; in the sandbox
    every URL must be loopback.
    """

    sandbox: bool = True
    api_key: str = SANDBOX_KEYS[0][0]
    api_secret: str = SANDBOX_KEYS[0][1]
    halt_key: str = SANDBOX_KEYS[2][0]
    halt_secret: str = SANDBOX_KEYS[2][1]
    rest_url: str = ""
    ws_url: str = ""
    ws_auth_url: str = ""


class Trading(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is traded and every limit; sizes in quote currency, ``inventory_base`` in base currency per asset."""

    default_pair: str = "BTC/USD"
    pairs: list[str] = msgspec.field(default_factory=lambda: list(SANDBOX_PAIRS))
    book_depth: Literal[10, 25, 100, 500, 1000] = 10
    max_position_size: Decimal = Decimal(1000)
    min_order_size: Decimal = Decimal(10)
    max_order_size: Decimal = Decimal(250)
    max_gross_position: Decimal = Decimal(3000)
    max_daily_loss: Decimal = Decimal(50)
    max_open_orders: int = 20
    price_band_percent: Decimal = Decimal(1)
    inventory_base: dict[str, Decimal] | None = None
    tier: Literal["starter", "intermediate", "pro"] = "intermediate"
    dry_run: bool = False


class Strategy(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One strategy: the class as ``module:Class``, its pairs, how long a target holds, and its own settings."""

    class_: str = msgspec.field(name="class", default="strategy.market_maker:MarketMaker")
    pairs: list[str] = msgspec.field(default_factory=list)
    ttl_ms: int = 3000
    settings: dict[str, Any] = msgspec.field(default_factory=dict)


class Key(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A key of a simulated account; all permissions when none are named."""

    api_key: str
    api_secret: str
    permissions: list[Literal["query", "trade", "cancel", "websocket", "withdraw"]] | None = None


class SimAccount(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A simulated account; balances in the assets' new names (BTC, USD)."""

    name: str
    keys: list[Key]
    balances: dict[str, Decimal]
    volume_30d_usd: Decimal = Decimal(0)
    tier: Literal["starter", "intermediate", "pro"] = "intermediate"


def _default_accounts() -> list[SimAccount]:
    rich = {"USD": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(20), "SOL": Decimal(400)}
    executor, people, halt = SANDBOX_KEYS
    return [
        SimAccount(
            name="maker",
            keys=[
                Key(api_key=executor[0], api_secret=executor[1]),
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
    """The embedded Kraken: where it listens, its seed, delays in ms, and accounts."""

    host: str = "127.0.0.1"
    port: int = 8180
    seed: int = 1
    regime: Literal["calm", "volatile"] = "calm"
    one_way_delay_ms: float = 10.0
    history_lag_s: tuple[float, float] = (1.0, 5.0)
    database: str = "data/simulator.sqlite"
    accounts: list[SimAccount] = msgspec.field(default_factory=_default_accounts)


class Monitor(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The monitor's HTTP address, supervisord's socket, and what every process warns of.

    A process above ``memory_threshold_mb`` collects garbage and warns; above ``memory_limit_mb`` it restarts in order.
    """

    host: str = "127.0.0.1"
    port: int = 8181
    supervisor: str = "run/supervisor.sock"
    slow_operation_s: float = 1.0
    memory_threshold_mb: float = 512
    memory_limit_mb: float = 1024


class Logging(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The log level and the folders of everything a run writes."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    logs: str = "logs"
    run: str = "run"
    data: str = "data"


class Curve(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """CURVE keys (Z85 text) for ``tcp://`` endpoints beyond loopback, and the client keys let in."""

    public_key: str
    secret_key: str
    allow: dict[str, str]


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


def load(path: str | Path | None = None, *, required: bool = False, environ: dict[str, str] | None = None) -> Config:
    """Reads, expands, validates. With no file anywhere: defaults, unless ``required`` (a command that acts)."""
    environment = dict(os.environ) if environ is None else environ
    named = path or environment.get("TRADEBYTE_CONFIG")
    source = Path(named) if named else DEFAULT_PATH
    if not source.is_file():
        if named or required:
            raise ConfigError(f"{source}: no such file; name one with --config or TRADEBYTE_CONFIG")
        config = Config(root=Path.cwd())
        check(config, lambda _key: "built-in defaults")
        return config
    source = source.resolve()
    root = source.parent.parent if source.parent.name == "config" else source.parent
    try:
        written = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: cannot be read ({error}); it must be UTF-8 text you may read") from error
    return parse(written, source, root, environment)


def parse(written: str, source: Path, root: Path, environ: dict[str, str]) -> Config:
    """A configuration from YAML text; errors name ``source`` and the line."""
    try:
        node = yaml.compose(written, Loader=yaml.SafeLoader)
        tree = yaml.safe_load(written)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}" if mark else str(source)
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{place}: not valid YAML: {problem}; mend the indentation or quoting there") from error
    if tree is None:
        raise ConfigError(f"{source}:1: the file is empty; take config/config.yaml of the project as a start")
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{source}:1: expected top keys such as 'kraken:' and 'trading:', found {type(tree).__name__}"
        )
    lines = _lines(node)

    def where(key: str) -> str:
        while key and key not in lines:
            key = re.sub(r"(\.|^)[^.\[]+$|\[[^\]]*\]$", "", key)
        return f"{source}:{lines.get(key, 1)}"

    for internal in ("root", "source"):
        if internal in tree:
            raise ConfigError(f"{where(internal)}: unknown key '{internal}'; remove it")
    tree = _expand(tree, "", where, environ)
    try:
        config = msgspec.convert(_texted(tree), Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(str(error), tree, where)) from error
    config.root, config.source = root, source
    check(config, where)
    return config


def _lines(node: yaml.Node | None, prefix: str = "") -> dict[str, int]:
    """Line (from 1) of every key path: ``trading.pairs[0]``."""
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = f"{prefix}.{key.value}" if prefix else str(key.value)
            found[path] = key.start_mark.line + 1
            found |= _lines(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found[f"{prefix}[{index}]"] = value.start_mark.line + 1
            found |= _lines(value, f"{prefix}[{index}]")
    return found


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _expand(value: Any, path: str, where: Any, environ: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {k: _expand(v, f"{path}.{k}" if path else str(k), where, environ) for k, v in value.items()}
    if isinstance(value, list):
        return [_expand(v, f"{path}[{i}]", where, environ) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def take(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environ:
            raise ConfigError(
                f"{where(path)}: {path}: environment variable {name} is not set; export {name}, or write the value here"
            )
        return environ[name]

    return _VARIABLE.sub(take, value)


def _texted(value: Any) -> Any:
    """Floats as their text, so that a Decimal is read as written (0.1, not 0.1000000000000000055)."""
    if isinstance(value, dict):
        return {str(k): _texted(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_texted(v) for v in value]
    return repr(value) if isinstance(value, float) else value


def _explain(problem: str, tree: Any, where: Any) -> str:
    """A validation error of msgspec in words that name the line, the key and the likely one meant."""
    text, _, raw_path = problem.partition(" - at `$")
    path = raw_path.rstrip("`").lstrip(".")
    unknown = re.match(r"Object contains unknown field `(.+)`", text)
    if unknown:
        name = unknown.group(1)
        key = f"{path}.{name}" if path else name
        allowed = _fields_at(path)
        close = difflib.get_close_matches(name, allowed, 1)
        mend = f"did you mean '{close[0]}'?" if close else f"allowed here: {', '.join(allowed)}"
        return f"{where(key)}: unknown key '{key}'; {mend}"
    shown = "" if _is_secret(path) else f", found {_value_at(tree, path)!r}"
    return f"{where(path)}: {path or 'the file'}: {text}{shown}"


def _is_secret(path: str) -> bool:
    return bool(re.search(r"(key|secret)", path))


def _fields_at(path: str) -> list[str]:
    kind: Any = Config
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        kind = _inner(kind, part)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return [name for name in names if name not in ("root", "source")]


def _inner(kind: Any, part: str) -> Any:
    import typing

    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            if field.encode_name == part:
                return field.type
        return None
    arguments = [a for a in typing.get_args(kind) if a is not type(None)]
    return arguments[-1] if arguments else None


def _value_at(tree: Any, path: str) -> Any:
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(tree, dict) and part in tree:
            tree = tree[part]
        elif isinstance(tree, list) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            break
    return tree


def is_loopback(host: str) -> bool:
    """Is this host name or address this machine's own loopback."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check(config: Config, where: Any) -> None:
    """What types cannot say; raises :class:`ConfigError`, fills in default endpoints and inventory."""
    _fill_urls(config)
    kraken, trading = config.kraken, config.trading

    def wrong(key: str, text: str) -> ConfigError:
        return ConfigError(f"{where(key)}: {key}: {text}")

    if not is_loopback(config.simulator.host):
        raise wrong("simulator.host", "the simulator binds to loopback only")
    if not is_loopback(config.monitor.host):
        raise wrong("monitor.host", "the monitor binds to loopback only")
    for key in ("rest_url", "ws_url", "ws_auth_url"):
        host = urlsplit(getattr(kraken, key)).hostname or ""
        if kraken.sandbox and not is_loopback(host):
            raise wrong(
                f"kraken.{key}",
                f"sandbox is true but {host or 'this'} is not loopback; use 127.0.0.1, or sandbox: false",
            )
        if not kraken.sandbox and is_loopback(host):
            raise wrong(
                f"kraken.{key}", f"sandbox is false but {host} is loopback; set Kraken's address, or sandbox: true"
            )
    monitor = config.monitor
    for key in ("slow_operation_s", "memory_threshold_mb", "memory_limit_mb"):
        if not getattr(monitor, key) > 0:
            raise wrong(f"monitor.{key}", f"must be above 0, found {getattr(monitor, key)}")
    if monitor.memory_limit_mb < monitor.memory_threshold_mb:
        raise wrong("monitor.memory_limit_mb", f"is below memory_threshold_mb {monitor.memory_threshold_mb:g}")
    for key in (
        "max_position_size",
        "min_order_size",
        "max_order_size",
        "max_gross_position",
        "max_daily_loss",
        "price_band_percent",
    ):
        value: Decimal = getattr(trading, key)
        if not value.is_finite() or value <= 0:
            raise wrong(f"trading.{key}", f"must be above 0, found {value}")
    if trading.min_order_size > trading.max_order_size:
        raise wrong(
            "trading.min_order_size", f"{trading.min_order_size} is above max_order_size {trading.max_order_size}"
        )
    if trading.max_open_orders < 1:
        raise wrong("trading.max_open_orders", f"must be 1 or more, found {trading.max_open_orders}")
    if not trading.pairs:
        raise wrong("trading.pairs", "name at least one pair, such as BTC/USD")
    for pair in [*trading.pairs, trading.default_pair]:
        if not re.fullmatch(r"[A-Z0-9.]{1,16}/[A-Z0-9.]{1,16}", pair):
            raise wrong("trading.pairs", f"{pair!r} is not a pair as Kraken's WebSocket v2 writes it, such as BTC/USD")
    if trading.default_pair not in trading.pairs:
        raise wrong("trading.default_pair", f"{trading.default_pair} is not one of trading.pairs")
    if not config.strategies:
        raise wrong("strategies", "name at least one strategy")
    for name, strategy in config.strategies.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
            raise wrong(f"strategies.{name}", "a strategy's name is lower case letters, digits and _, 32 at most")
        if not re.fullmatch(r"[\w.]+:\w+", strategy.class_):
            raise wrong(f"strategies.{name}.class", f"must be module:Class, found {strategy.class_!r}")
        if not 1000 <= strategy.ttl_ms <= 60_000:
            raise wrong(f"strategies.{name}.ttl_ms", f"must be 1000 to 60000, found {strategy.ttl_ms}")
        for pair in strategy.pairs:
            if pair not in trading.pairs:
                raise wrong(f"strategies.{name}.pairs", f"{pair} is not one of trading.pairs")
    if trading.inventory_base is None:
        if not kraken.sandbox:
            raise wrong(
                "trading.inventory_base",
                "must be set with sandbox: false (what you hold and want kept, per asset); flatten would sell it",
            )
        base = {"BTC": Decimal(1), "ETH": Decimal(20), "SOL": Decimal(400)}
        config.trading = msgspec.structs.replace(trading, inventory_base=base)
    _check_live(config, wrong)
    _check_bus(config, wrong)


def _fill_urls(config: Config) -> None:
    here = f"{config.simulator.host}:{config.simulator.port}"
    if config.kraken.sandbox:
        urls = {"rest_url": f"http://{here}", "ws_url": f"ws://{here}/v2", "ws_auth_url": f"ws://{here}/auth/v2"}
    else:
        urls = {"rest_url": LIVE_REST, "ws_url": LIVE_WS, "ws_auth_url": LIVE_WS_AUTH}
    missing = {name: url for name, url in urls.items() if not getattr(config.kraken, name)}
    config.kraken = msgspec.structs.replace(config.kraken, **missing)


def consent_file(config: Config) -> Path:
    """Where ``tradebyte doctor --go-live`` leaves a person's consent for this key."""
    return config.data / "go-live" / hashlib.sha256(config.kraken.api_key.encode()).hexdigest()[:16]


def require_consent(config: Config) -> None:
    """Refuses live trading (:class:`ConfigError`) until a person has consented for this key."""
    if not config.kraken.sandbox and not consent_file(config).is_file():
        raise ConfigError(
            f"{config.source}: kraken.sandbox is false, but nobody consented to trade live with this key; "
            "run 'tradebyte doctor --go-live', or set sandbox: true"
        )


def _check_live(config: Config, wrong: Any) -> None:
    kraken = config.kraken
    if kraken.sandbox:
        return
    made_up = {key for key, _ in (*SANDBOX_KEYS, *VISITOR_KEYS)}
    for name in ("api_key", "api_secret"):
        value = getattr(kraken, name)
        if not value or value in made_up or value in {secret for _, secret in SANDBOX_KEYS}:
            raise wrong(
                f"kraken.{name}",
                "sandbox is false but this is no Kraken credential; create a key at Kraken, set it here or by ${NAME}",
            )


def _check_bus(config: Config, wrong: Any) -> None:
    for name in config.bus:
        if name not in (*PROCESSES, *config.strategy_processes, "curve"):
            close = difflib.get_close_matches(name, [*PROCESSES, *config.strategy_processes], 1)
            raise wrong(f"bus.{name}", f"no such process{f'; did you mean {close[0]}?' if close else ''}")
    for name in (*PROCESSES, *config.strategy_processes):
        endpoint = config.bus.setdefault(name, f"ipc://{config.logging.run}/bus/{name}")
        if not isinstance(endpoint, str) or not endpoint.startswith(("ipc://", "tcp://")):
            raise wrong(f"bus.{name}", f"must be ipc://PATH or tcp://HOST:PORT, found {endpoint!r}")
        if (
            endpoint.startswith("tcp://")
            and not is_loopback(urlsplit(endpoint).hostname or "")
            and config.curve is None
        ):
            raise wrong(f"bus.{name}", "tcp beyond loopback needs bus.curve with keys and an allow-list")
