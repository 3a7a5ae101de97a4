"""Profit, positions and inventory: cards, tables and charts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from monitor.model.sections import PositionsShown, ProfitShown
from monitor.ui.amounts import in_quote
from monitor.ui.text import money as cents, price
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
MARKOUTS: Final = (
    Column("after the fill"),
    Column("the mid moved for us, bp", True),
    Column("standard error", True),
    Column("fills", True),
)
STRATEGIES: Final = (
    Column("strategy"),
    Column("pair"),
    Column("position", True),
    Column("account's", True),
    Column("fills", True),
    Column("known"),
)


def today(pnl: ProfitShown) -> Card:
    """Return what was made since midnight UTC, as the loss limit of the day counts it."""
    made, currency = pnl.total.today, pnl.currency
    return Card("P&L today", cents(made), f"{currency}, since 00:00 UTC", markup.money(made).tone)


def totals(pnl: ProfitShown) -> list[Card]:
    """Return cards of the profit, its parts, and what else changed the equity."""
    total, currency = pnl.total, pnl.currency
    since = "since the journal began"
    note = f"{currency}, {since}" if pnl.valid else f"{currency}, not sure: {pnl.why or 'not reconciled'}"
    cards = [Card("P&L", cents(total.profit), note, markup.money(total.profit).tone if pnl.valid else "warn")]
    for name, amount, is_toned in (
        ("Realised", total.realised, True),
        ("Unrealised", total.unrealised, True),
        ("Fees", total.fees, False),
        ("Transfers", total.transfers, False),
        ("Rounding", total.rounding, True),
    ):
        cards.append(Card(name, cents(amount), currency, markup.money(amount).tone if is_toned else ""))
    if cents(total.fx) != "0.00":
        cards.append(Card("Fx", cents(total.fx), f"{currency}, by moves of the rates", markup.money(total.fx).tone))
    return cards


def parts(pnl: ProfitShown) -> list[Card]:
    """Return cards of where the profit comes from; none before the first mids."""
    made_of, currency = pnl.attribution, pnl.currency
    if made_of is None:
        return []
    cards = [
        Card(name, cents(amount), f"{currency}, {about}", markup.money(amount).tone)
        for name, amount, about in (
            ("Spread captured", made_of.spread, "fills against the mid"),
            ("Adverse selection", made_of.adverse, "the mid's move in 10 s"),
            ("Drift", made_of.drift, "the inventory after that"),
            ("Fees", made_of.fees, "paid"),
        )
    ]
    if cents(made_of.unmarked) != "0.00":
        fills = f"{currency}, of {pnl.unmarked_fills} fills whose mids were not heard"
        cards.append(Card("Unmarked", cents(made_of.unmarked), fills, markup.money(made_of.unmarked).tone))
    if cents(made_of.unexplained) != "0.00":
        cards.append(Card("Unexplained", cents(made_of.unexplained), currency, "warn"))
    return cards


def markouts(pnl: ProfitShown) -> str:
    """Return the table of mean markouts by horizon."""
    rows: list[list[Cell | str]] = [
        [f"{horizon} s", _bps(mean.mean_bps, "+.2f"), _bps(mean.error_bps, ".2f"), str(mean.fills)]
        for horizon, mean in pnl.markouts.items()
        if mean.fills
    ]
    return markup.table("markouts", MARKOUTS, rows, "no fill is older than a minute yet")


def _bps(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def assets(positions: PositionsShown) -> str:
    """Return the table of traded bases over all pairs: position, worth, and why one is left alone."""
    currency, rates = positions.currency, positions.rates
    rows: list[list[Cell | str]] = []
    for asset, row in positions.assets.items():
        rate = rates.get(asset)
        worth = f"{cents(row.worth)} {currency}" if row.worth else "-"
        mark: Cell | str = "" if rate is None or rate.valid else Cell("stale rate", "warn", is_badge=True)
        if row.held:
            mark = Cell("held", "bad", is_badge=True)
        wallets = ", ".join(f"{amount} in {wallet}" for wallet, amount in row.wallets.items())
        figures = [row.position, worth, row.inventory, markup.number(rate.rate if rate else "")]
        rows.append([asset, *figures, wallets, mark])
    return markup.table("assets", ASSETS, rows, "the executor has not published its positions yet")


def rates(positions: PositionsShown) -> str:
    """Return what each quote that is no traded base is worth, in a line; empty where there is none but the currency."""
    worths = [
        f"1 {asset} = {rate.rate or '?'} {positions.currency}{'' if rate.valid else ' (stale)'}"
        for asset, rate in positions.rates.items()
        if rate.way and asset not in positions.assets
    ]
    return ", ".join(worths)


def quotes(pnl: ProfitShown) -> str:
    """Return the table of profit by quote asset, exact in each; empty if all of it is in the currency."""
    made = pnl.quotes
    if set(made) <= {pnl.currency}:
        return ""
    rows: list[list[Cell | str]] = [
        [quote, *map(markup.money, (q.realised, q.unrealised, q.fees, q.transfers, q.rounding, q.equity))]
        for quote, q in made.items()
    ]
    return markup.table("quotes", QUOTES, rows, "nothing was made yet")


def pairs(pnl: ProfitShown, positions: PositionsShown) -> str:
    """Return what each pair's fills add up to, what that cost and what came of it, in the pair's quote."""
    currency, rates = pnl.currency, positions.rates
    rows: list[list[Cell | str]] = []
    for symbol, pair in pnl.pairs.items():
        rate = rates.get(legs(symbol)[1])
        known = rate.rate if rate else None
        unrealised, realised, fees = (
            in_quote(amount, symbol, currency, known) for amount in (pair.unrealised, pair.realised, pair.fees)
        )
        average = price(pair.average_price, pair.mid)
        row: list[Cell | str] = [symbol, markup.number(pair.qty), average, markup.number(pair.mid)]
        stale: Cell | str = Cell("stale mid", "warn", is_badge=True) if pair.is_stale else ""
        rows.append([*row, markup.money(unrealised), markup.money(realised), fees, stale])
    return markup.table("positions", PAIRS, rows, "the executor has not published its positions yet")


def strategies(positions: PositionsShown) -> str:
    """Return the table of each strategy's share of the account."""
    rows: list[list[Cell | str]] = [
        [
            entry.strategy,
            entry.symbol,
            markup.number(entry.position),
            markup.number(entry.account_position),
            str(entry.fills),
            "yes" if entry.valid else "not reconciled",
        ]
        for entry in positions.strategies
    ]
    return markup.table("strategies", STRATEGIES, rows, "the executor has not published its positions yet")


def balances(positions: PositionsShown) -> str:
    """Return what the account holds."""
    rows = [[asset, amount] for asset, amount in positions.balances.items()]
    return markup.table("balances", (Column("asset"), Column("balance", True)), rows, "not known yet")


def profit(series: Mapping[str, Points], currency: str, window: str) -> Figure:
    """Return the chart of profit, realised and unrealised, and of fees over time."""
    traces = [
        figures.line("P&L", series.get("profit", []), figures.BLUE, width=2.2),
        figures.line("realised", series.get("realised", []), figures.GREEN, dash="dash"),
        figures.line("unrealised", series.get("unrealised", []), figures.ORANGE, dash="dot"),
        figures.line("fees", series.get("fees", []), figures.GREY, dash="dashdot", step=True),
    ]
    return figures.over_time(traces, f"profit {window}", 340, currency)


def profit_by_pair(series: Mapping[str, Points], symbols: list[str], currency: str, window: str) -> Figure:
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


def inventory(series: Mapping[str, Points], base: str, window: str) -> Figure:
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
