"""The CURVE allow-list of clients beyond loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zmq

from shared.config import Config

if TYPE_CHECKING:
    from zmq.auth.thread import ThreadAuthenticator


def start_auth(context: zmq.Context[zmq.Socket[bytes]], configuration: Config) -> ThreadAuthenticator | None:
    """Start the CURVE allow-list, for endpoints beyond loopback; return None without keys."""
    curve = configuration.curve
    if curve is None:
        return None
    from zmq.auth.thread import ThreadAuthenticator

    allowed = {key.encode() for key in (*curve.allow.values(), curve.public_key)}

    class Allowed:
        def callback(self, _domain: str, key: bytes) -> bool:
            return key in allowed

    auth = ThreadAuthenticator(context)
    auth.start()
    auth.configure_curve_callback("*", credentials_provider=Allowed())
    return auth
