"""CURVE keys of the section ``bus``."""

from __future__ import annotations

import msgspec


class Curve(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """CURVE keys (Z85 text) for ``tcp://`` endpoints beyond loopback, and the client keys that are let in."""

    public_key: str
    secret_key: str
    allow: dict[str, str]
