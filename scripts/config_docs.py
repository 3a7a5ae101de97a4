"""The configuration's reference page, made from the schema: types, what is allowed, and defaults are the code's own."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal

import msgspec

from shared.config import unconfirmed
from shared.config.alerts import Alerts, Rule, Webhook
from shared.config.bus import Curve
from shared.config.schema import NOT_FROM_THE_FILE, Config
from shared.config.simulator import Key, SimAccount
from shared.config.strategies import Strategy
from shared.config.unconfirmed import Unconfirmed

# What the schema cannot say: what a key is for. A key that is missing here fails the check.
ABOUT: Final[dict[str, str]] = {
    "kraken.sandbox": "true: everything talks to the simulator on this machine. false: real money",
    "kraken.api_key": "the executor's key; nothing else may use it",
    "kraken.api_secret": "its secret, base64 as Kraken gives it",
    "kraken.halt_key": "a key that may only cancel; `halt` uses it when the executor does not answer",
    "kraken.halt_secret": "its secret",
    "kraken.data_key": "a key that may only use WebSockets, to record `level3` (each order); empty: none live",
    "kraken.data_secret": "its secret",
    "kraken.rest_url": "empty: the simulator in the sandbox, Kraken's own address otherwise",
    "kraken.ws_url": "the public WebSocket; empty as above",
    "kraken.websocket_version": "the version of the public feed; orders always use version 2",
    "kraken.ws_auth_url": "the private WebSocket; empty as above",
    "kraken.ws_level3_url": "the WebSocket of single orders, used with `data_key`; empty as above",
    "trading.currency": "the currency of all money in the settings, the strategies' sizes and the profit",
    "trading.default_pair": "the pair for commands that name none; the first of `pairs` when left out",
    "trading.reference_pairs": "pairs that value other quote currencies; chosen automatically when left out",
    "trading.pairs": "the traded pairs, named as in WebSocket v2",
    "trading.book_depth": "levels a side that strategies and views see",
    "trading.record_depth": "levels a side to subscribe to, where that is more: recordings have them",
    "trading.max_position_size": "of one asset, in `currency`; a position is the base balance less `inventory_base`",
    "trading.min_order_size": "the smallest order, in `currency`; Kraken's own minimums apply on top",
    "trading.max_order_size": "the largest order, in `currency`",
    "trading.max_gross_position": "the sum of all positions, in `currency`",
    "trading.max_daily_loss": "in `currency`, since midnight UTC; at this loss everything is pulled and trading halts",
    "trading.max_open_orders": "open orders of all strategies together",
    "trading.max_orders_per_minute": "adds and amends of all strategies together",
    "trading.price_band_percent": "no order is placed further than this from the mid",
    "trading.inventory_base": "what you hold and want to keep, by asset; name every traded base",
    "trading.tier": "your Kraken tier, which decides the rate limits",
    "trading.dry_run": "true: plan, check and journal on live data, and send nothing",
    "strategies": "each strategy is a process, `strategy.NAME`",
    "strategies.NAME.class": "the strategy's code, as `module:Class`",
    "strategies.NAME.pairs": "empty: all of `trading.pairs`",
    "strategies.NAME.ttl_ms": "how long the executor keeps quotes that the strategy does not repeat; 1000 to 60000",
    "strategies.NAME.max_position_size": "this strategy's limit, below `trading.max_position_size`",
    "strategies.NAME.max_open_orders": "this strategy's limit, below `trading.max_open_orders`",
    "strategies.NAME.settings": "the strategy's own settings: see [strategies.md](strategies.md)",
    "bus": "process to endpoint, `ipc://PATH` or `tcp://HOST:PORT`; `run/bus/NAME` for a process left out; without "
    "`relay` there is none",
    "bus.curve.public_key": "CURVE keys (Z85), needed for `tcp://` beyond this machine",
    "bus.curve.secret_key": "the secret key of the pair",
    "bus.curve.allow": "name to public key of each client that may connect",
    "simulator.host": "loopback, unless `beyond_loopback` is true",
    "simulator.beyond_loopback": "true lets other machines reach the simulator and trade its made-up accounts",
    "simulator.port": "the port of REST and WebSocket",
    "simulator.seed": "the same seed draws the same market",
    "simulator.pairs": "its pairs, by any name of the table; left out: `trading.pairs` and the reference pairs",
    "simulator.asset_pairs": "a file of further pairs in the form of Kraken's AssetPairs answer",
    "simulator.regime": "how the market moves",
    "simulator.one_way_delay_ms": "the delay between a client and the exchange, each way",
    "simulator.history_lag_s": "least and most: how far TradesHistory, ClosedOrders and Ledgers lag behind the engine",
    "simulator.faults": "`first_day` draws a mix of a real exchange's faults from the seed",
    "simulator.database": "the file of its accounts and orders",
    "simulator.unconfirmed": "unconfirmed behaviour of Kraken: see [the simulator](simulator.md)",
    **{f"simulator.unconfirmed.{name}": assumption.about for name, _, assumption in unconfirmed.assumptions()},
    "simulator.accounts": "made-up accounts; the first is the executor's",
    "simulator.accounts[].name": "the name of the account",
    "simulator.accounts[].keys": "the first is the executor's, the second for people, the third only cancels",
    "simulator.accounts[].balances": "asset to amount, in new names (BTC, USD)",
    "simulator.accounts[].wallets": "asset to wallet (`earn/flex`) to amount: what is not in the spot wallet",
    "simulator.accounts[].volume_30d_usd": "30-day volume in addition to its own fills; their sum decides the fees",
    "simulator.accounts[].tier": "decides the rate limits",
    "simulator.accounts[].keys[].api_key": "works with the simulator only",
    "simulator.accounts[].keys[].api_secret": "base64",
    "simulator.accounts[].keys[].permissions": "all when left out; `query` stands for all that read",
    "monitor.host": "the address of HTTP and `/stream`; loopback",
    "monitor.port": "the port of `/health`, `/metrics`, `/api/...` and `/stream`",
    "monitor.web_port": "the port of `tradebyte web`, on loopback; if it is taken, a free one is used",
    "monitor.supervisor": "supervisord's socket, as in supervisord.conf",
    "monitor.slow_operation_s": "warn of each operation that takes longer",
    "monitor.memory_threshold_mb": "a process above it collects garbage and warns",
    "monitor.memory_limit_mb": "a process above it restarts in order",
    "monitor.cpu_percent": "an alert when the machine's CPU is busier for 30 s",
    "monitor.memory_percent": "an alert when the machine's memory is fuller",
    "monitor.disk_free_mb": "an alert when the disk of `data/` has less left",
    "monitor.rate_free_percent": "an alert when a pair's order counter has less of its threshold left",
    "monitor.alerts": "the alert of each kind of trouble: see [alerts](alerts.md)",
    "monitor.alerts.stale": "no update of a pair for 60 s",
    "monitor.alerts.book_invalid": "a pair's book is not live, so nothing is quoted on it",
    "monitor.alerts.halted": "trading is halted",
    "monitor.alerts.reconcile": "the fills do not explain the balances",
    "monitor.alerts.refused": "Kraken refuses a wanted quote, and its slot has been empty for 20 s",
    "monitor.alerts.loss": "`percent` of `trading.max_daily_loss` is used up",
    "monitor.alerts.rate_low": "less than `rate_free_percent` of a pair's order counter is left",
    "monitor.alerts.process": "a process died, or is not heard",
    "monitor.alerts.process_memory": "a process holds more than `memory_threshold_mb`",
    "monitor.alerts.machine_cpu": "the CPU is busier than `cpu_percent`",
    "monitor.alerts.machine_memory": "the memory is fuller than `memory_percent`",
    "monitor.alerts.machine_disk": "the disk of `data/` has less than `disk_free_mb` left",
    "monitor.alerts.latency": "a hop's `percentile` over the last minute is above its bound in `above_ms`",
    "monitor.alerts.webhook": "a webhook does not accept alerts",
    "monitor.alerts.RULE.level": "how bad it is; `none`: no alert",
    "monitor.alerts.RULE.lasts_s": "how long it must last before the alert",
    "monitor.alerts.RULE.again_s": "how often the alert is repeated while it lasts; 0: never",
    "monitor.alerts.RULE.over_s": "it is over when it has been gone for this long; until then it is the same trouble",
    "monitor.webhooks": "where alerts are sent besides the log, the bus and the views",
    "monitor.webhooks[].url": '`https://...`; a secret, so best `"${NAME}"`. `http://` is for this machine only',
    "monitor.webhooks[].level": "send alerts of this level and worse, and their ends",
    "monitor.webhooks[].template": "the JSON that is sent, with `{level}`, `{kind}`, `{text}`, `{process}`, `{time}`, "
    "`{host}` in its texts",
    "performance.spin": "true: collector, book, strategy and executor stay awake for a while after each message, each "
    "on a core of its own; see [performance](performance.md)",
    "logging.level": "the level of all logs; the environment's `LOG_LEVEL` wins",
    "logging.levels": "level of a single process or library, such as `aiohttp`",
    "logging.logs": "the folder of log files",
    "logging.run": "the folder of locks and sockets",
    "logging.data": "the folder that must survive: journal, HALT, the simulator's database",
}
SECRET_ENDINGS: Final = ("_key", "_secret")
HEAD: Final = """# The configuration's keys

<!-- Made by 'make docs-pages' from shared/config/; do not edit. -->

The configuration is one YAML file: `--config PATH`, else `TRADEBYTE_CONFIG`, else `config/config.yaml` in the current
folder. Any text may take an environment variable, `"${NAME}"`. A key that is left out has its default. A key that is
unknown, misspelt or out of range stops the process with exit code 78. The message names file, line, key, value, what is
allowed and the key that was probably meant. `tradebyte config show` prints the configuration in force. After a change:
`tradebyte restart all`.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for title, rows in sections():
        parts.append(f"\n## {title}\n\n| key | value | default | about |\n| --- | --- | --- | --- |\n")
        parts += [f"| `{key}` | {kind} | {default} | {about} |\n" for key, kind, default, about in rows]
    return "".join(parts)


def sections() -> Iterator[tuple[str, list[tuple[str, str, str, str]]]]:
    """Yield each section's title and rows: key, what it takes, default, what it is for."""
    for field in msgspec.structs.fields(Config):
        if field.name in NOT_FROM_THE_FILE:
            continue
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield field.name, list(_rows(field.type, field.name))
    yield "strategies", [_row("strategies", "name to settings", "`market_maker`"), *_rows(Strategy, "strategies.NAME")]
    yield "bus", [_row("bus", "name to text", "`ipc://` endpoints"), *_rows(Curve, "bus.curve")]
    yield "monitor.alerts", [*_rules(), *_rows(Rule, "monitor.alerts.RULE")]
    yield "monitor.webhooks[]", list(_rows(Webhook, "monitor.webhooks[]"))
    yield "simulator.unconfirmed", list(_rows(Unconfirmed, "simulator.unconfirmed"))
    accounts = "simulator.accounts[]"
    yield accounts, [*_rows(SimAccount, accounts), *_rows(Key, f"{accounts}.keys[]")]


def _rows(struct: type[msgspec.Struct], path: str) -> Iterator[tuple[str, str, str, str]]:
    for field in msgspec.structs.fields(struct):
        key = f"{path}.{field.encode_name}"
        is_hidden = key.endswith(SECRET_ENDINGS) and not field.required
        yield _row(key, kind_of(field.type), "the sandbox's" if is_hidden else _default(field))


def _rules() -> Iterator[tuple[str, str, str, str]]:
    """Yield each rule with all its values, and the members it takes besides those of every rule."""
    for field in msgspec.structs.fields(Alerts):
        rule = msgspec.to_builtins(Alerts().rule(field.name))
        values = ", ".join(f"{name}: {_plain(value)}" for name, value in rule.items())
        yield _row(f"monitor.alerts.{field.name}", "settings of a RULE", f"`{{{values}}}`")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_plain(inner)}' for name, inner in value.items())}}}"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _row(key: str, kind: str, default: str) -> tuple[str, str, str, str]:
    return key, kind, default, ABOUT.get(key, "")


def kind_of(kind: object) -> str:
    """Return a type in words."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return kind_of(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(kind_of(part) for part in arguments if part is not type(None))
    if origin is list:
        return f"list of {kind_of(arguments[0])}"
    if origin is dict:
        return f"name to {kind_of(arguments[1])}"
    if origin is tuple:
        return f"[{', '.join(kind_of(part) for part in arguments)}]"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "settings, see below"
    names: dict[object, str] = {
        str: "text",
        bool: "`true` or `false`",
        int: "whole number",
        float: "number",
        Decimal: "number",
    }
    return names.get(kind, "anything")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "must be set"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value is None:
        return "none"
    if isinstance(value, list | tuple) and any(isinstance(item, msgspec.Struct) for item in value):
        return f"{len(value)} accounts"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    if isinstance(value, list | tuple):
        return f"`[{', '.join(f'{item:g}' if isinstance(item, float) else str(item) for item in value)}]`"
    if isinstance(value, Alerts | Unconfirmed):
        return "below"
    if isinstance(value, dict) and value:
        return f"`{_plain(value)}`"
    if value in ("", {}):
        return "empty"
    return f"`{value}`"
