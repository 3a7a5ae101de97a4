"""Profit, positions and inventory: cards, tables and charts. A core."""

from __future__ import annotations

from typing import Any, Final

from monitor.views.text import money as cents
from monitor.views.web import figures, markup
from monitor.views.web.figures import Figure, Points
from monitor.views.web.markup import Card, Cell, Column

PAIRS: Final = (
    Column("pair"),
    Column("position", True),
    Column("average price", True),
    Column("mid", True),
    Column("unrealised", True),
    Column("realised", True),
    Column("fees", True),
    Column(""),
)
STRATEGIES: Final = (
    Column("strategy"),
    Column("pair"),
    Column("position", True),
    Column("account's", True),
    Column("fills", True),
    Column("known"),
)


def today(pnl: dict[str, Any]) -> Card:
    """What was made since midnight UTC, as the loss limit of the day counts it."""
    made, currency = pnl["total"]["today"], pnl["currency"]
    return Card("P&L today", cents(made), f"{currency}, since 00:00 UTC", markup.money(made).tone)


def totals(pnl: dict[str, Any]) -> list[Card]:
    """The profit and what it is made of, and what else changed the equity."""
    total, currency = pnl["total"], pnl["currency"]
    since = "since the journal began"
    note = f"{currency}, {since}" if pnl["valid"] else f"{currency}, not sure: {pnl['why'] or 'not reconciled'}"
    cards = [Card("P&L", cents(total["profit"]), note, markup.money(total["profit"]).tone if pnl["valid"] else "warn")]
    for name in ("realised", "unrealised", "fees", "transfers", "rounding"):
        tone = "" if name in ("fees", "transfers") else markup.money(total[name]).tone
        cards.append(Card(name.capitalize(), cents(total[name]), currency, tone))
    return cards


def pairs(pnl: dict[str, Any], positions: dict[str, Any]) -> str:
    """Each pair's position, what it cost and what came of it."""
    account = positions.get("account", {})
    rows: list[list[Cell | str]] = [
        [
            symbol,
            markup.number(account.get(symbol, pair["qty"])),
            markup.number(pair["average_price"]),
            markup.number(pair["mid"]),
            markup.money(pair["unrealised"]),
            markup.money(pair["realised"]),
            pair["fees"],
            Cell("stale mid", "warn", is_badge=True) if pair["is_stale"] else "",
        ]
        for symbol, pair in pnl["pairs"].items()
    ]
    return markup.table("positions", PAIRS, rows, "the executor has not told its positions yet")


def strategies(positions: dict[str, Any]) -> str:
    """Each strategy's share of the account."""
    rows: list[list[Cell | str]] = [
        [
            entry["strategy"],
            entry["symbol"],
            markup.number(entry["position"]),
            markup.number(entry["account_position"]),
            str(entry["fills"]),
            "yes" if entry["valid"] else "not reconciled",
        ]
        for entry in positions["strategies"]
    ]
    return markup.table("strategies", STRATEGIES, rows, "the executor has not told its positions yet")


def balances(positions: dict[str, Any]) -> str:
    """What the account holds."""
    rows = [[asset, amount] for asset, amount in positions["balances"].items()]
    return markup.table("balances", (Column("asset"), Column("balance", True)), rows, "not known yet")


def profit(series: dict[str, Points], currency: str, window: str) -> Figure:
    """The profit, realised and unrealised over time, and the fees paid."""
    traces = [
        figures.line("P&L", series.get("profit", []), figures.BLUE, width=2.2),
        figures.line("realised", series.get("realised", []), figures.GREEN, dash="dash"),
        figures.line("unrealised", series.get("unrealised", []), figures.ORANGE, dash="dot"),
        figures.line("fees", series.get("fees", []), figures.GREY, dash="dashdot", step=True),
    ]
    return figures.over_time(traces, f"profit {window}", 340, currency)


def profit_by_pair(series: dict[str, Points], symbols: list[str], currency: str, window: str) -> Figure:
    """Each pair's profit over time."""
    dashes = ("solid", "dash", "dot", "dashdot")
    traces = [
        figures.line(
            symbol,
            series.get(f"pnl.{symbol}", []),
            figures.CYCLE[place % len(figures.CYCLE)],
            dash=dashes[place % len(dashes)],
        )
        for place, symbol in enumerate(symbols)
    ]
    return figures.over_time(traces, f"pairs {window}", 300, currency)


def inventory(series: dict[str, Points], symbol: str, window: str) -> Figure:
    """One pair's position over time, in base currency."""
    base = symbol.partition("/")[0]
    traces = [figures.line(f"position, {base}", series.get(f"position.{symbol}", []), figures.BLUE, step=True)]
    made = figures.over_time(traces, f"inventory {symbol} {window}", 220, base)
    made["layout"]["shapes"] = [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": 0,
            "y1": 0,
            "line": {"color": figures.GREY, "width": 1},
        }
    ]
    return made
