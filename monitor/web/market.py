"""The market of one pair: ladder and depth with own quotes in place, mid and trades over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from monitor.model.sections import BookShown, FillShown, OrderShown, TradeShown
from monitor.web.drawing import figures, markup
from monitor.web.drawing.figures import Figure
from monitor.web.drawing.markup import Cell, Column
from shared.messages import BookState

LADDER: Final = (Column("own", True), Column("size", True), Column("price", True), Column("side"))
BOOKS: Final = (
    Column("pair"),
    Column("state"),
    Column("bid", True),
    Column("ask", True),
    Column("spread, bps", True),
    Column("age, ms", True),
    Column("why"),
)


def own_quotes(orders: Iterable[OrderShown], symbol: str) -> dict[tuple[str, Decimal], Decimal]:
    """Return what is left of own live orders, by side and price."""
    left: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for order in orders:
        if order.symbol == symbol and order.is_live:
            left[order.side, Decimal(order.price)] += Decimal(order.qty) - Decimal(order.filled)
    return dict(left)


def ladder(book: BookShown, own: dict[tuple[str, Decimal], Decimal]) -> str:
    """Return the book's levels, asks above bids, with own quotes in place, also beyond the levels shown."""
    rows = [*reversed(_levels("sell", book.asks, own)), *_levels("buy", book.bids, own)]
    return markup.table("ladder", LADDER, rows, f"no levels: the book is {book.state} {book.why}".strip())


def _levels(
    side: str, levels: Sequence[Sequence[str]], own: dict[tuple[str, Decimal], Decimal]
) -> list[list[Cell | str]]:
    """Return rows of one side, best first."""
    sizes = {Decimal(price): (price, qty) for price, qty in levels}
    mine = {price: qty for (quote_side, price), qty in own.items() if quote_side == side and sizes}
    rows: list[list[Cell | str]] = []
    for price in sorted(sizes.keys() | mine.keys(), reverse=side == "buy"):
        text, qty = sizes.get(price, (format(price, "f"), ""))
        ours = Cell(format(mine[price], "f"), "own") if price in mine else ""
        rows.append([ours, qty, text, markup.side(side)])
    return rows


def depth(book: BookShown, own: dict[tuple[str, Decimal], Decimal], symbol: str) -> Figure:
    """Return the chart of the quantity on offer up to each price, with own quotes marked."""
    traces: list[figures.Trace] = []
    for side, levels, name in (("buy", book.bids, "bids"), ("sell", book.asks, "asks")):
        prices, sums, total = [], [], Decimal(0)
        for price, qty in levels:
            total += Decimal(qty)
            prices.append(float(price))
            sums.append(float(total))
        color = figures.SIDES[side]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": prices,
                "y": sums,
                "fill": "tozeroy",
                "line": {"color": color, "shape": "hv", "width": 1.6, "dash": "solid" if side == "buy" else "dot"},
                "hovertemplate": f"{name} up to %{{x}}: %{{y}}<extra></extra>",
            }
        )
        mine = [(price, qty) for (quote_side, price), qty in own.items() if quote_side == side and prices]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"own {name}",
                "x": [float(price) for price, _ in mine],
                "y": [float(qty) for _, qty in mine],
                "marker": {"color": color, "size": 11, "symbol": "triangle-up" if side == "buy" else "triangle-down"},
                "hovertemplate": f"own {side} %{{y}} at %{{x}}<extra></extra>",
            }
        )
    axis = {"title": {"text": "price"}, "tickformat": ",~f"}
    return figures.figure(traces, f"depth {symbol}", 280, xaxis=axis, yaxis={"title": {"text": "quantity"}})


def over_time(
    series: Mapping[str, figures.Points],
    trades: Sequence[TradeShown],
    fills: Sequence[FillShown],
    symbol: str,
    window: str,
) -> Figure:
    """Return the chart of bid, mid and ask with the market's trades (outlines) and own fills (filled)."""
    points = series.get(f"mid.{symbol}", [])
    first = min((point[0] for point in points), default=0.0)
    traces = [
        figures.line("bid", series.get(f"bid.{symbol}", []), figures.BLUE, dash="dot", width=1),
        figures.line("mid", points, figures.GREY),
        figures.line("ask", series.get(f"ask.{symbol}", []), figures.ORANGE, dash="dot", width=1),
    ]
    for side, symbol_of in (("buy", "triangle-up"), ("sell", "triangle-down")):
        market = [trade for trade in trades if trade.side == side and trade.ts >= first]
        own = [fill for fill in fills if fill.side == side and fill.symbol == symbol and fill.ts >= first]
        traces.append(figures.dots(f"market {side}", market, side, symbol_of, 6, own=False))
        traces.append(figures.dots(f"own {side}", own, side, symbol_of, 10, own=True))
    return figures.over_time(traces, f"market {symbol} {window}", 380)


def spread(bps: float | None) -> str:
    """Return basis points with two decimals; a dash where the book is not live."""
    return "-" if bps is None else f"{bps:.2f}"


def _why(book: BookShown) -> str:
    failed = book.checksums_failed
    said = [book.why, f"{failed} failed checksum{'' if failed == 1 else 's'}" if failed else ""]
    return "; ".join(text for text in said if text)


def books(answer: dict[str, BookShown]) -> str:
    """Return the table of books: each one's touch, age, and why it is not live or was not."""
    rows: list[list[Cell | str]] = [
        [
            symbol,
            markup.state("stale" if book.stale and book.state == BookState.LIVE else book.state),
            _touch(book.bids),
            _touch(book.asks),
            spread(book.spread_bps),
            markup.number(book.age_ms),
            _why(book),
        ]
        for symbol, book in answer.items()
    ]
    return markup.table("books", BOOKS, rows, "no pair is configured")


def _touch(levels: Sequence[Sequence[str]]) -> str:
    return levels[0][0] if levels else "-"
