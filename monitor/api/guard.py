"""Who may ask. A page of a stranger in somebody's browser may not, whatever name it gave this address.

Without this a web page could point a host name of its own at 127.0.0.1 and read (DNS rebinding), or post
across sites. A name is foreign unless it is this machine's or the configured one; an address typed as digits cannot be
rebound. What changes state takes the token besides.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from monitor.errors import Problem

BEARER: Final = "bearer"


def require_known_host(host: str | None, configured: str) -> None:
    """Raise :class:`Problem` unless the Host header names this machine."""
    name = _name_of(f"//{host or ''}")
    if name not in {"localhost", configured.lower(), socket.gethostname().lower()} and not _is_address(name):
        raise Problem(
            403,
            "foreign_host",
            f"the Host header names {host!r}, which is not this machine",
            "ask by 127.0.0.1, localhost or the address in monitor.host",
        )


def require_own_origin(origin: str | None, host: str | None) -> None:
    """Raise :class:`Problem` when a page of another site asks; programs send no Origin."""
    if origin is not None and origin.partition("://")[2].lower() != (host or "").lower():
        raise Problem(
            403,
            "foreign_origin",
            f"a page of {origin!r} may not ask here",
            "ask from a program, or from the server that serves the page",
        )


def require_token(header: str | None, token: str) -> None:
    """Raise :class:`Problem` unless the Authorization header carries the token."""
    scheme, _, given = (header or "").partition(" ")
    is_it = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != BEARER or not is_it:
        raise Problem(
            401,
            "token_wrong" if header else "token_missing",
            "what changes state takes the token" if not header else "this is not the token",
            "send 'Authorization: Bearer TOKEN' with the content of run/api-token",
        )


def _name_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
