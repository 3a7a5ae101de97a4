"""Fills as reports and ledger entries."""

from __future__ import annotations

from decimal import Decimal

from tests.kit.executor_world import World


def trade(world: World, order: object, lots: int, exec_id: str = "T1") -> None:
    """A fill of an order, and its ledger entries."""
    price, qty = Decimal(order.price).scaleb(-1), Decimal(lots).scaleb(-8)  # type: ignore[attr-defined]
    side = order.side  # type: ignore[attr-defined]
    world.report("trade", order, exec_id=exec_id, symbol="BTC/USD", side=side, last_qty=qty, last_price=price, fees=[])
    sign = 1 if side == "buy" else -1
    cost = (price * qty).quantize(Decimal("0.0001"))
    holdings = world.state.account.ledger.holdings
    for asset, amount in (("BTC", sign * qty), ("USD", -sign * cost)):
        entry = {"asset": asset, "balance": holdings[asset].balance + amount, "ledger_id": f"L{exec_id}{asset}"}
        world.push("balances", [{**entry, "ref_id": exec_id, "type": "trade", "amount": amount, "fee": Decimal(0)}])
