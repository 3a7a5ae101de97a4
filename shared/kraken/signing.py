"""Signing of private REST calls (KRAKEN.md 4.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from shared.errors import SecretError


def sign(secret: str, path: str, nonce: str, body: bytes) -> str:
    """Return the ``API-Sign`` header. ``path`` begins at ``/0/private``; ``nonce`` is the one in ``body``, as sent."""
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raise SecretError("the API secret is not base64; copy it again from Kraken") from None
    digest = hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.new(key, path.encode() + digest, hashlib.sha512).digest()).decode()
