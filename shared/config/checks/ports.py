"""Checks of ports and endpoints: within range, and no two of them the same."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from shared.config.schema import PROCESSES, RELAY, Config
from shared.network.hosts import is_loopback

Wrong = Callable[[str, str], Exception]
PORT_MAX = 65_535


def check_ports(config: Config, wrong: Wrong) -> None:
    """Raise ``wrong(key, text)`` for a port or endpoint that cannot be used; fill in endpoints that are left out."""
    ports = {"monitor.port": config.monitor.port, "monitor.web_port": config.monitor.web_port}
    if config.kraken.sandbox:
        ports["simulator.port"] = config.simulator.port
    for key, port in {**ports, "simulator.port": config.simulator.port}.items():
        if not 1 <= port <= PORT_MAX:
            raise wrong(key, f"must be 1 to {PORT_MAX}, found {port}")
    names = [*PROCESSES, *config.strategy_processes]
    for name in config.bus:
        if name not in (*names, RELAY, "curve"):
            close = difflib.get_close_matches(name, [*names, RELAY], 1)
            raise wrong(f"bus.{name}", f"no such process{f'; did you mean {close[0]}?' if close else ''}")
    endpoints: dict[str, str] = {}
    for name in (*names, *([RELAY] if RELAY in config.bus else [])):
        endpoint = config.bus.setdefault(name, f"ipc://{config.logging.run}/bus/{name}")
        if not isinstance(endpoint, str):
            raise wrong(f"bus.{name}", "must be ipc://PATH or tcp://HOST:PORT")
        port = _check_endpoint(config, f"bus.{name}", endpoint, wrong)
        if endpoint in endpoints:
            raise wrong(f"bus.{name}", f"{endpoint} is the endpoint of {endpoints[endpoint]} too; give each its own")
        endpoints[endpoint] = f"bus.{name}"
        if port:
            ports[f"bus.{name}"] = port
    taken: dict[int, str] = {}
    for key, port in ports.items():
        if port in taken:
            raise wrong(key, f"port {port} is {taken[port]} too; give each a port of its own")
        taken[port] = key


def _check_endpoint(config: Config, key: str, endpoint: str, wrong: Wrong) -> int:
    """Refuse an endpoint that cannot be bound; return its TCP port, 0 where it has none."""
    if endpoint.startswith("ipc://") and endpoint != "ipc://":
        return 0
    if not endpoint.startswith("tcp://"):
        raise wrong(key, f"must be ipc://PATH or tcp://HOST:PORT, found {endpoint!r}")
    parts = urlsplit(endpoint)
    port = port_of(parts)
    if not parts.hostname or not port:
        raise wrong(key, f"must be tcp://HOST:PORT with a port from 1 to {PORT_MAX}, found {endpoint!r}")
    if not is_loopback(parts.hostname) and config.curve is None:
        raise wrong(key, "tcp beyond loopback needs bus.curve with keys and an allow-list")
    return port


def port_of(parts: SplitResult) -> int | None:
    """Return a URL's port: 0 if it is invalid, None if there is none."""
    try:
        return parts.port
    except ValueError:
        return 0
