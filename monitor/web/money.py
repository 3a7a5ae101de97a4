"""Profit, positions and inventory: cards, tables and charts."""

from __future__ import annotations

from typing import Any, Final

from monitor.ui.amounts import in_quote
from monitor.ui.text import money as cents
from monitor.ui.text import price
from monitor.web.drawing import figures, markup
from monitor.web.drawing.figures import Figure, Points
from monitor.web.drawing.markup import Card, Cell, Column
from shared.valuation import legs

ASSETS: Final = (
    Column("asset"),
    Column("position", True),
    Column("worth", True),
    Column("kept", True),
    Column("rate", True),
    Column("other wallets"),
    Column(""),
)
QUOTES: Final = (
    Column("quote"),
    Column("realised", True),
    Column("unrealised", True),
    Column("fees", True),
    Column("transfers", True),
    Column("rounding", True),
    Column("equity", True),
)
PAIRS: Final = (
    Column("pair"),
    Column("fills add up to", True),
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
    """Return what was made since midnight UTC, as the loss limit of the day counts it."""
    made, currency = pnl["total"]["today"], pnl["currency"]
    return Card("P&L today", cents(made), f"{currency}, since 00:00 UTC", markup.money(made).tone)


def totals(pnl: dict[str, Any]) -> list[Card]:
    """Return cards of the profit, its parts, and what else changed the equity."""
    total, currency = pnl["total"], pnl["currency"]
    since = "since the journal began"
    note = f"{currency}, {since}" if pnl["valid"] else f"{currency}, not sure: {pnl['why'] or 'not reconciled'}"
    cards = [Card("P&L", cents(total["profit"]), note, markup.money(total["profit"]).tone if pnl["valid"] else "warn")]
    for name in ("realised", "unrealised", "fees", "transfers", "rounding"):
        tone = "" if name in ("fees", "transfers") else markup.money(total[name]).tone
        cards.append(Card(name.capitalize(), cents(total[name]), currency, tone))
    fx = total.get("fx", "0")
    if cents(fx) != "0.00":
        cards.append(Card("Fx", cents(fx), f"{currency}, by moves of the rates", markup.money(fx).tone))
    return cards


def assets(positions: dict[str, Any]) -> str:
    """Return the table of traded bases over all pairs: position, worth, and why one is left alone."""
    currency, rates = positions.get("currency", ""), positions.get("rates", {})
    rows: list[list[Cell | str]] = []
    for asset, row in positions.get("assets", {}).items():
        rate = rates.get(asset, {"rate": "", "valid": True})
        worth = f"{cents(row['worth'])} {currency}" if row["worth"] else "-"
        mark: Cell | str = "" if rate["valid"] else Cell("stale rate", "warn", is_badge=True)
        if row.get("held"):
            mark = Cell("held", "bad", is_badge=True)
        wallets = ", ".join(f"{amount} in {wallet}" for wallet, amount in row.get("wallets", {}).items())
        figures = [row["position"], worth, row.get("inventory", ""), markup.number(rate["rate"])]
        rows.append([asset, *figures, wallets, mark])
    return markup.table("assets", ASSETS, rows, "the executor has not told its positions yet")


def rates(positions: dict[str, Any]) -> str:
    """Return what each quote that is no traded base is worth, in a line; empty where there is none but the currency."""
    worths = [
        f"1 {asset} = {rate['rate'] or '?'} {positions['currency']}{'' if rate['valid'] else ' (stale)'}"
        for asset, rate in positions.get("rates", {}).items()
        if rate["way"] and asset not in positions.get("assets", {})
    ]
    return ", ".join(worths)


def quotes(pnl: dict[str, Any]) -> str:
    """Return the table of profit by quote asset, exact in each; empty if all of it is in the currency."""
    made = pnl.get("quotes", {})
    if set(made) <= {pnl["currency"]}:
        return ""
    names = ("realised", "unrealised", "fees", "transfers", "rounding", "equity")
    rows: list[list[Cell | str]] = [
        [quote, *(markup.money(amounts[name]) for name in names)] for quote, amounts in made.items()
    ]
    return markup.table("quotes", QUOTES, rows, "nothing was made yet")


def pairs(pnl: dict[str, Any], positions: dict[str, Any]) -> str:
    """Return what each pair's fills add up to, what that cost and what came of it, in the pair's quote."""
    currency, rates = pnl["currency"], positions.get("rates", {})
    rows: list[list[Cell | str]] = []
    for symbol, pair in pnl["pairs"].items():
        rate = rates.get(legs(symbol)[1], {}).get("rate")
        unrealised, realised, fees = (
            in_quote(pair[name], symbol, currency, rate) for name in ("unrealised", "realised", "fees")
        )
        average = price(pair["average_price"], pair["mid"])
        row: list[Cell | str] = [symbol, markup.number(pair["qty"]), average, markup.number(pair["mid"])]
        stale: Cell | str = Cell("stale mid", "warn", is_badge=True) if pair["is_stale"] else ""
        rows.append([*row, markup.money(unrealised), markup.money(realised), fees, stale])
    return markup.table("positions", PAIRS, rows, "the executor has not told its positions yet")


def strategies(positions: dict[str, Any]) -> str:
    """Return the table of each strategy's share of the account."""
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
    """Return what the account holds."""
    rows = [[asset, amount] for asset, amount in positions["balances"].items()]
    return markup.table("balances", (Column("asset"), Column("balance", True)), rows, "not known yet")


def profit(series: dict[str, Points], currency: str, window: str) -> Figure:
    """Return the chart of profit, realised and unrealised, and of fees over time."""
    traces = [
        figures.line("P&L", series.get("profit", []), figures.BLUE, width=2.2),
        figures.line("realised", series.get("realised", []), figures.GREEN, dash="dash"),
        figures.line("unrealised", series.get("unrealised", []), figures.ORANGE, dash="dot"),
        figures.line("fees", series.get("fees", []), figures.GREY, dash="dashdot", step=True),
    ]
    return figures.over_time(traces, f"profit {window}", 340, currency)


def profit_by_pair(series: dict[str, Points], symbols: list[str], currency: str, window: str) -> Figure:
    """Return the chart of each pair's profit over time."""
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


def inventory(series: dict[str, Points], base: str, window: str) -> Figure:
    """Return the chart of one base's position over time, over all its pairs."""
    traces = [figures.line(f"position, {base}", series.get(f"asset.{base}", []), figures.BLUE, step=True)]
    made = figures.over_time(traces, f"inventory {base} {window}", 220, base)
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
