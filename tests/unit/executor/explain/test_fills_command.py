"""``python -m executor fills --profit``: what the fills of the journal made, as they came."""

from __future__ import annotations

from decimal import Decimal

from executor.explain.fills import as_json, profits
from executor.record.rows import FillRow


def row(side: str, qty: str, price: str, fee: str, symbol: str = "BTC/USD") -> FillRow:
    return FillRow(
        exec_id=f"{side}{qty}",
        cl_ord_id="C",
        order_id="O",
        strategy="market_maker",
        symbol=symbol,
        side=side,
        price=price,
        qty=qty,
        cost="0",
        fee=fee,
        fee_asset=symbol.partition("/")[2],
        fill_ts=0,
    )


def test_each_fill_has_what_all_realised_and_paid_so_far_and_what_its_pair_made() -> None:
    rows = [
        row("buy", "1", "100", "0.1"),
        row("sell", "0.5", "110", "0.1"),
        row("buy", "1", "50", "0.2", "ETH/USD"),
    ]
    assert list(profits(rows)) == [
        {"realised": "0", "fees_paid": "0.1", "profit": "-0.1"},
        {"realised": "5", "fees_paid": "0.2", "profit": "9.8"},
        {"realised": "5", "fees_paid": "0.4", "profit": "-0.2"},
    ]


def test_a_pair_that_is_closed_has_made_what_it_realised_less_fees() -> None:
    made = list(profits([row("buy", "0.3", "100.01", "0.03"), row("sell", "0.3", "99.5", "0.02")]))[-1]
    assert Decimal(made["profit"]) == Decimal(made["realised"]) - Decimal(made["fees_paid"]) == Decimal("-0.203")


def test_without_profit_a_line_is_as_ever() -> None:
    assert "realised" not in as_json(row("buy", "1", "100", "0.1"), {})


def test_amounts_of_different_quotes_are_never_added_up() -> None:
    rows = [
        row("buy", "1", "100", "0.1"),
        row("sell", "1", "110", "0.1"),
        row("buy", "1", "90", "0.3", "BTC/EUR"),
    ]
    made = list(profits(rows))
    assert (made[1]["realised"], made[2]["realised"]) == ("10", "0")
    assert (made[1]["fees_paid"], made[2]["fees_paid"]) == ("0.2", "0.3")
