"""The environment's proxy for an address, the same for REST and WebSocket; none for this machine itself."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import urllib.request
from typing import Any, Final  # Any: a connector of a package that need not be there
from urllib.parse import urlsplit

from shared.errors import ProxyUnusable
from shared.network.hosts import is_loopback

# What takes REST through a SOCKS proxy, which is not installed by default; WebSockets need nothing more.
SOCKS_PACKAGES: Final = {"aiohttp_socks": "aiohttp-socks"}


def proxy_for(url: str) -> str | None:
    """Return the address of the proxy for ``url``, or None. Raises :class:`ProxyUnusable`.

    ``https_proxy`` or ``http_proxy`` by the scheme, else ``all_proxy``; ``no_proxy`` names hosts that need none.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    named = urllib.request.getproxies_environment()
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    proxy = named.get(scheme) or named.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if is_socks(proxy):
        missing = [name for module, name in SOCKS_PACKAGES.items() if importlib.util.find_spec(module) is None]
        if missing:
            raise ProxyUnusable(
                f"the environment names a SOCKS proxy, which needs {' and '.join(missing)}: "
                f"'.venv/bin/pip install {' '.join(missing)}', or name an HTTP proxy in https_proxy"
            )
    return proxy


def is_socks(proxy: str) -> bool:
    """True if a proxy's address is that of a SOCKS proxy."""
    return urlsplit(proxy).scheme.startswith("socks")


def socks_connector(proxy: str) -> Any:  # of a package that need not be there
    """Return aiohttp's connector through a SOCKS proxy; the package of :data:`SOCKS_PACKAGES` must be there.

    The package does not know ``socks5h`` and ``socks4a``, whose last letter says that the proxy resolves host names.
    That becomes an option here, so that REST does the same as websockets.
    """
    scheme, _, rest = proxy.partition("://")
    resolves_there = scheme in ("socks5h", "socks4a")
    address = f"{scheme.rstrip('ah')}://{rest}"
    return importlib.import_module("aiohttp_socks").ProxyConnector.from_url(address, rdns=resolves_there)


def socks_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of a SOCKS proxy's refusal, which are not aiohttp's; none without the package."""
    loaded = sys.modules.get("aiohttp_socks")
    return (loaded.ProxyError,) if loaded is not None else ()


def without_password(proxy: str) -> str:
    """Return a proxy's address without the password that may be in it."""
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
