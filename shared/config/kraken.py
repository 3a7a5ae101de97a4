"""The section ``kraken``: addresses and keys."""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.config.sandbox import SANDBOX_KEYS

LIVE_REST = "https://api.kraken.com"
LIVE_WS = "wss://ws.kraken.com/v2"
LIVE_WS_1 = "wss://ws.kraken.com"
LIVE_WS_AUTH = "wss://ws-auth.kraken.com/v2"
LIVE_WS_LEVEL3 = "wss://ws-l3.kraken.com/v2"


class Kraken(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Addresses of Kraken, and the keys for them.

    ``websocket_version`` is the public feed's; trading is always by version 2. An empty URL means the embedded
    simulator in the sandbox and Kraken's own address otherwise; in the sandbox every URL must be loopback.
    """

    sandbox: bool = True
    api_key: str = SANDBOX_KEYS[0][0]
    api_secret: str = SANDBOX_KEYS[0][1]
    halt_key: str = SANDBOX_KEYS[2][0]
    halt_secret: str = SANDBOX_KEYS[2][1]
    data_key: str = ""
    data_secret: str = ""
    rest_url: str = ""
    ws_url: str = ""
    websocket_version: Literal[1, 2] = 2
    ws_auth_url: str = ""
    ws_level3_url: str = ""
