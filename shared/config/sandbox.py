"""Pairs, inventory and keys of the sandbox. The keys are made up and open nothing but the simulator."""

from __future__ import annotations

from decimal import Decimal

SANDBOX_PAIRS = ["BTC/USD", "ETH/USD", "SOL/USD"]
# What the sandbox's account begins with; also the default of ``inventory_base``.
SANDBOX_INVENTORY = {"BTC": Decimal(1), "ETH": Decimal(20), "SOL": Decimal(400)}
# Made up and well formed; they open nothing but the simulator.
SANDBOX_KEYS = (
    ("TRADEBYTE-SANDBOX-EXECUTOR-KEY-0000000000000000000000000", "c2FuZGJveC1leGVjdXRvci1zZWNyZXQ="),
    ("TRADEBYTE-SANDBOX-PEOPLE-KEY-000000000000000000000000000", "c2FuZGJveC1wZW9wbGUtc2VjcmV0"),
    ("TRADEBYTE-SANDBOX-HALT-KEY-00000000000000000000000000000", "c2FuZGJveC1oYWx0LXNlY3JldA=="),
)
# May only use WebSockets: it reads single orders.
SANDBOX_DATA_KEY = ("TRADEBYTE-SANDBOX-DATA-KEY-00000000000000000000000000000", "c2FuZGJveC1kYXRhLXNlY3JldA==")
VISITOR_KEYS = (("TRADEBYTE-SANDBOX-VISITOR-KEY-00000000000000000000000000", "c2FuZGJveC12aXNpdG9yLXNlY3JldA=="),)
