"""Counts, positions and profit that journaled fills add up to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from executor.account.fill_counts import Tally, add_fill
from executor.account.pnl import Pnl
from executor.record.rows import FillRow


def row(**changed: Any) -> FillRow:
    values: dict[str, Any] = {
        name: "" if kind == "str" else 0 if kind == "int" else False for name, kind in FillRow.__annotations__.items()
    }
    values |= {"strategy": "m", "symbol": "BTC/USD", "side": "buy", "qty": "2", "price": "10", "fee": "0.5"}
    return msgspec.convert({**values, "fee_asset": "USD", **changed}, FillRow)


def test_a_fill_counts_with_its_side_and_moves_the_position_its_way() -> None:
    tally = Tally()
    for side, qty in (("buy", "2"), ("sell", "0.5"), ("sell", "0.25")):
        tally.add(side, Decimal(qty))
    assert (tally.count, tally.position, tally.last) == (3, Decimal("1.25"), {"buy": 1, "sell": 3})


def test_fills_are_kept_apart_by_strategy_and_symbol_and_profit_by_symbol() -> None:
    tallies: dict[tuple[str, str], Tally] = {}
    profits: dict[str, Pnl] = {}
    for strategy, symbol, side in (("m", "BTC/USD", "buy"), ("m", "BTC/USD", "sell"), ("n", "BTC/USD", "buy")):
        add_fill(tallies, profits, row(strategy=strategy, symbol=symbol, side=side))
    add_fill(tallies, profits, row(symbol="ETH/EUR", side="sell", price="3", fee_asset="EUR"))
    assert {key: (t.count, t.position) for key, t in tallies.items()} == {
        ("m", "BTC/USD"): (2, Decimal(0)),
        ("n", "BTC/USD"): (1, Decimal(2)),
        ("m", "ETH/EUR"): (1, Decimal(-2)),
    }
    assert {symbol: (pnl.qty, pnl.cost, pnl.fees) for symbol, pnl in profits.items()} == {
        "BTC/USD": (Decimal(2), Decimal(20), Decimal("1.5")),
        "ETH/EUR": (Decimal(-2), Decimal(-6), Decimal("0.5")),
    }


def test_a_fee_in_another_asset_than_the_quote_is_no_cost_in_the_quote() -> None:
    profits: dict[str, Pnl] = {}
    for asset in ("BTC", "KFEE", "", "USD"):
        add_fill({}, profits, row(fee_asset=asset))
    assert profits["BTC/USD"].fees == Decimal("0.5")


def test_a_symbol_without_a_quote_has_no_fee_in_it() -> None:
    profits: dict[str, Pnl] = {}
    add_fill({}, profits, row(symbol="BTC", fee_asset="BTC"))
    assert profits["BTC"].fees == 0
