"""Checks beyond the configuration's types: limits against each other, addresses, credentials, endpoints."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec

from shared.config.checks.alerts import check_alerts
from shared.config.checks.keys import check_keys, fill_data_key
from shared.config.checks.names import check_inventory, check_names
from shared.config.checks.ports import PORT_MAX, check_ports, port_of
from shared.config.kraken import LIVE_REST, LIVE_WS, LIVE_WS_1, LIVE_WS_AUTH, LIVE_WS_LEVEL3
from shared.config.schema import Config
from shared.config.strategies import Strategy
from shared.config.trading import Trading
from shared.errors import ConfigError
from shared.network.hosts import bracketed, is_loopback, split_url

Wrong = Callable[[str, str], ConfigError]


def check(config: Config, where: Callable[[str], str]) -> None:
    """Raise :class:`ConfigError` for what types cannot say; fill in default endpoints, pair and inventory."""

    def wrong(key: str, text: str) -> ConfigError:
        return ConfigError(f"{where(key)}: {key}: {text}")

    _fill_urls(config)
    fill_data_key(config)
    check_ports(config, wrong)
    _check_addresses(config, wrong)
    _check_monitor(config, wrong)
    _check_limits(config.trading, wrong)
    if not config.strategies:
        raise wrong("strategies", "name at least one strategy")
    for name, strategy in config.strategies.items():
        _check_strategy(name, strategy, wrong)
    check_names(config, wrong)
    check_keys(config, wrong)
    check_inventory(config, wrong)


def _check_addresses(config: Config, wrong: Wrong) -> None:
    kraken = config.kraken
    if not is_loopback(config.simulator.host) and not config.simulator.beyond_loopback:
        raise wrong(
            "simulator.host",
            f"{config.simulator.host} is not loopback: anybody who reaches it could trade the made-up accounts; "
            "use 127.0.0.1, or say simulator.beyond_loopback: true",
        )
    if not is_loopback(config.monitor.host):
        raise wrong("monitor.host", "the monitor binds to loopback only")
    for name in ("rest_url", "ws_url", "ws_auth_url", "ws_level3_url"):
        schemes = ("http", "https") if name == "rest_url" else ("ws", "wss")
        key, url = f"kraken.{name}", getattr(kraken, name)
        parts = split_url(url)
        if parts is None or parts.scheme not in schemes or not parts.hostname or port_of(parts) == 0:
            raise wrong(key, f"must be {schemes[1]}://HOST with a port up to {PORT_MAX} if any, found {url!r}")
        if kraken.sandbox and not is_loopback(parts.hostname):
            text = f"sandbox is true but {parts.hostname} is not loopback; use 127.0.0.1, or sandbox: false"
            raise wrong(key, text)
        if not kraken.sandbox and is_loopback(parts.hostname):
            text = f"sandbox is false but {parts.hostname} is loopback; set Kraken's address, or sandbox: true"
            raise wrong(key, text)
    if kraken.ws_url.rstrip("/").endswith("/v2") == (kraken.websocket_version == 1):
        raise wrong("kraken.ws_url", f"{kraken.ws_url} is not for websocket_version {kraken.websocket_version}")


def _check_monitor(config: Config, wrong: Wrong) -> None:
    monitor = config.monitor
    for key in ("slow_operation_s", "memory_threshold_mb", "memory_limit_mb", "disk_free_mb"):
        if not 0 < getattr(monitor, key) < float("inf"):
            raise wrong(f"monitor.{key}", f"must be above 0, found {getattr(monitor, key)}")
    for key in ("cpu_percent", "memory_percent", "rate_free_percent"):
        if not 0 < getattr(monitor, key) <= 100:
            raise wrong(f"monitor.{key}", f"must be above 0 and 100 at most, found {getattr(monitor, key)}")
    check_alerts(monitor, wrong)
    if monitor.memory_limit_mb < monitor.memory_threshold_mb:
        raise wrong("monitor.memory_limit_mb", f"is below memory_threshold_mb {monitor.memory_threshold_mb:g}")


def _check_limits(trading: Trading, wrong: Wrong) -> None:
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
        text = f"{trading.min_order_size} is above max_order_size {trading.max_order_size}"
        raise wrong("trading.min_order_size", text)
    for key in ("max_open_orders", "max_orders_per_minute"):
        if getattr(trading, key) < 1:
            raise wrong(f"trading.{key}", f"must be 1 or more, found {getattr(trading, key)}")


def _check_strategy(name: str, strategy: Strategy, wrong: Wrong) -> None:
    key = f"strategies.{name}"
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
        raise wrong(key, "a strategy's name is lower case letters, digits and _, 32 at most")
    if name in ("account", "flatten"):
        raise wrong(key, "this name is reserved: it stands for orders that no strategy placed")
    if not re.fullmatch(r"[\w.]+:\w+", strategy.class_):
        raise wrong(f"{key}.class", f"must be module:Class, found {strategy.class_!r}")
    if not 1000 <= strategy.ttl_ms <= 60_000:
        raise wrong(f"{key}.ttl_ms", f"must be 1000 to 60000, found {strategy.ttl_ms}")
    most = strategy.max_position_size
    if most is not None and not (most.is_finite() and most > 0):
        raise wrong(f"{key}.max_position_size", f"must be above 0, found {most}")
    if strategy.max_open_orders is not None and strategy.max_open_orders < 1:
        raise wrong(f"{key}.max_open_orders", f"must be 1 or more, found {strategy.max_open_orders}")


def _fill_urls(config: Config) -> None:
    # Even if it listens elsewhere, this machine's own processes reach it by loopback.
    host = config.simulator.host if is_loopback(config.simulator.host) else "127.0.0.1"
    address = f"{bracketed(host)}:{config.simulator.port}"
    old = config.kraken.websocket_version == 1
    if config.kraken.sandbox:
        urls = {
            "rest_url": f"http://{address}",
            "ws_url": f"ws://{address}/" if old else f"ws://{address}/v2",
            "ws_auth_url": f"ws://{address}/auth/v2",
            "ws_level3_url": f"ws://{address}/auth/v2",
        }
    else:
        urls = {
            "rest_url": LIVE_REST,
            "ws_url": LIVE_WS_1 if old else LIVE_WS,
            "ws_auth_url": LIVE_WS_AUTH,
            "ws_level3_url": LIVE_WS_LEVEL3,
        }
    missing = {name: url for name, url in urls.items() if not getattr(config.kraken, name)}
    config.kraken = msgspec.structs.replace(config.kraken, **missing)


def consent_file(config: Config) -> Path:
    """Return the file in which ``tradebyte doctor --go-live`` stores a person's consent for this key."""
    return config.data / "go-live" / hashlib.sha256(config.kraken.api_key.encode()).hexdigest()[:16]


def require_consent(config: Config) -> None:
    """Refuse live trading (:class:`ConfigError`) until a person has consented for this key."""
    if not config.kraken.sandbox and not consent_file(config).is_file():
        raise ConfigError(
            f"{config.source}: kraken.sandbox is false, but nobody consented to trade live with this key; "
            "run 'tradebyte doctor --go-live', or set sandbox: true"
        )
