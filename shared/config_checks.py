"""What the configuration's types cannot say: limits against each other, addresses, credentials, endpoints."""

from __future__ import annotations

import difflib
import hashlib
import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shared.alert_checks import check_alerts
from shared.hosts import is_loopback
from shared.settings import (
    LIVE_REST,
    LIVE_WS,
    LIVE_WS_1,
    LIVE_WS_AUTH,
    PROCESSES,
    SANDBOX_KEYS,
    VISITOR_KEYS,
    Config,
)


class ConfigError(Exception):
    """The configuration cannot be used; the text names file, line, key and mend."""


def check(config: Config, where: Any) -> None:
    """What types cannot say; raises :class:`ConfigError`, fills in default endpoints and inventory."""
    _fill_urls(config)
    kraken, trading = config.kraken, config.trading

    def wrong(key: str, text: str) -> ConfigError:
        return ConfigError(f"{where(key)}: {key}: {text}")

    if not is_loopback(config.simulator.host) and not config.simulator.beyond_loopback:
        raise wrong(
            "simulator.host",
            f"{config.simulator.host} is not loopback: whoever reaches it could trade the made-up accounts; "
            "use 127.0.0.1, or say simulator.beyond_loopback: true",
        )
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
    if kraken.ws_url.rstrip("/").endswith("/v2") == (kraken.websocket_version == 1):
        raise wrong("kraken.ws_url", f"{kraken.ws_url} is not for websocket_version {kraken.websocket_version}")
    monitor = config.monitor
    for key in ("slow_operation_s", "memory_threshold_mb", "memory_limit_mb", "disk_free_mb"):
        if not getattr(monitor, key) > 0:
            raise wrong(f"monitor.{key}", f"must be above 0, found {getattr(monitor, key)}")
    for key in ("cpu_percent", "memory_percent", "rate_free_percent"):
        if not 0 < getattr(monitor, key) <= 100:
            raise wrong(f"monitor.{key}", f"must be above 0 and 100 at most, found {getattr(monitor, key)}")
    check_alerts(monitor, wrong)
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
    for key in ("max_open_orders", "max_orders_per_minute"):
        if getattr(trading, key) < 1:
            raise wrong(f"trading.{key}", f"must be 1 or more, found {getattr(trading, key)}")
    if not trading.pairs:
        raise wrong("trading.pairs", "name at least one pair, such as BTC/USD")
    if not trading.default_pair:
        trading = config.trading = msgspec.structs.replace(trading, default_pair=trading.pairs[0])
    for pair in [*trading.pairs, *(trading.reference_pairs or []), trading.default_pair]:
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
        if strategy.max_position_size is not None and not strategy.max_position_size > 0:
            raise wrong(f"strategies.{name}.max_position_size", f"must be above 0, found {strategy.max_position_size}")
        if strategy.max_open_orders is not None and strategy.max_open_orders < 1:
            raise wrong(f"strategies.{name}.max_open_orders", f"must be 1 or more, found {strategy.max_open_orders}")
        if name in ("account", "flatten"):
            raise wrong(f"strategies.{name}", "this name is taken: it stands for what is not a strategy's")
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
    # Wherever else it listens, this machine's own processes reach it by loopback.
    host = config.simulator.host if is_loopback(config.simulator.host) else "127.0.0.1"
    here = f"{host}:{config.simulator.port}"
    old = config.kraken.websocket_version == 1
    if config.kraken.sandbox:
        urls = {
            "rest_url": f"http://{here}",
            "ws_url": f"ws://{here}/" if old else f"ws://{here}/v2",
            "ws_auth_url": f"ws://{here}/auth/v2",
        }
    else:
        urls = {"rest_url": LIVE_REST, "ws_url": LIVE_WS_1 if old else LIVE_WS, "ws_auth_url": LIVE_WS_AUTH}
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
