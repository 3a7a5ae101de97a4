"""Hosts: which are this machine, and how they are written in an address."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit


def is_loopback(host: str) -> bool:
    """True if this host name or address is this machine's own loopback."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bracketed(host: str) -> str:
    """Return a host as addresses take it: an IPv6 address in brackets."""
    return f"[{host.strip('[]')}]" if ":" in host else host


def split_url(url: str) -> SplitResult | None:
    """Return the parts of an address, or None for text that is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return None
