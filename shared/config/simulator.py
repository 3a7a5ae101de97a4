"""The section ``simulator``: the embedded Kraken and its accounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from shared.config.sandbox import SANDBOX_DATA_KEY, SANDBOX_INVENTORY, SANDBOX_KEYS, VISITOR_KEYS
from shared.config.unconfirmed import Unconfirmed


class Key(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A key of a simulated account; it has all permissions if none are named. ``query`` is everything that reads."""

    api_key: str
    api_secret: str
    permissions: (
        list[
            Literal[
                "query",
                "query-funds",
                "query-open-trades",
                "query-closed-trades",
                "query-ledger",
                "trade",
                "cancel",
                "websocket",
                "withdraw",
                "deposit",
                "earn",
                "export",
            ]
        ]
        | None
    ) = None


class SimAccount(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A simulated account; balances in the assets' new names (BTC, USD).

    ``wallets`` are balances outside the spot wallet, which cannot be traded: asset to wallet (``earn/flex``,
    ``earn/bonded``) to amount.
    """

    name: str
    keys: list[Key]
    balances: dict[str, Decimal]
    wallets: dict[str, dict[str, Decimal]] = msgspec.field(default_factory=dict)
    volume_30d_usd: Decimal = Decimal(0)
    tier: Literal["starter", "intermediate", "pro"] = "intermediate"


def _default_accounts() -> list[SimAccount]:
    rich = {"USD": Decimal(100_000), **SANDBOX_INVENTORY}
    executor, people, halt = SANDBOX_KEYS
    return [
        SimAccount(
            name="maker",
            keys=[
                Key(
                    api_key=executor[0],
                    api_secret=executor[1],
                    permissions=["query", "trade", "cancel", "websocket"],
                ),
                Key(api_key=people[0], api_secret=people[1]),
                Key(api_key=halt[0], api_secret=halt[1], permissions=["cancel"]),
                Key(api_key=SANDBOX_DATA_KEY[0], api_secret=SANDBOX_DATA_KEY[1], permissions=["websocket"]),
            ],
            balances=rich,
            volume_30d_usd=Decimal(10_000_000),
        ),
        SimAccount(
            name="visitor",
            keys=[Key(api_key=key, api_secret=secret) for key, secret in VISITOR_KEYS],
            balances=rich,
        ),
    ]


class Simulator(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The embedded Kraken: its address, seed, delays in ms, accounts, and switches for unconfirmed behaviour.

    ``pairs`` are those that it lists, by any of their names; by default the traded ones and those that value them.
    ``asset_pairs`` is a file of further pairs in the form of Kraken's AssetPairs answer; ``*`` in ``pairs`` is all of
    them. ``beyond_loopback`` lets ``host`` be another address than loopback: anybody who reaches it may then trade the
    made-up accounts, whose keys the configuration shows.
    """

    host: str = "127.0.0.1"
    beyond_loopback: bool = False
    port: int = 8180
    seed: int = 1
    pairs: list[str] | None = None
    asset_pairs: str = ""
    regime: Literal["calm", "trending", "volatile", "thin", "flash_crash", "halted", "flood"] = "calm"
    one_way_delay_ms: float = 10.0
    history_lag_s: tuple[float, float] = (1.0, 5.0)
    faults: list[Literal["first_day"]] = msgspec.field(default_factory=list)
    database: str = "data/simulator.sqlite"
    accounts: list[SimAccount] = msgspec.field(default_factory=_default_accounts)
    unconfirmed: Unconfirmed = msgspec.field(default_factory=Unconfirmed)
