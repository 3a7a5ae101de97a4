"""The account's first connection, step by step."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from shared.clock import rfc3339
from tests.kit.executor_world import World


def old_fill(n: int, at_ts: int, **more: Any) -> dict[str, Any]:
    row = {"order_id": f"OOLD{n}", "exec_id": f"TOLD{n}", "exec_type": "trade", "symbol": "BTC/USD", "side": "buy"}
    price = {"last_qty": Decimal("0.01"), "last_price": Decimal(80_000), "order_status": "filled"}
    return {**row, **price, "timestamp": rfc3339(at_ts), "fees": [], **more}


def open_connection(world: World) -> None:
    world.executor.token_requested(world.now)
    world.executor.opened("TOKEN", world.now)
    world.collect()
    world.sequences = {"executions": 0, "balances": 0}
    for request in world.taken("subscribe"):
        world.answer(request, {"channel": request.params["channel"]})
