"""Market: one pair's book and trades, with what is ours in it."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from monitor.model.sections import BookShown
from monitor.web import common, market, sections
from monitor.web.drawing import markup
from monitor.web.drawing.markup import Card

Own = dict[tuple[str, Decimal], Decimal]


def page() -> None:
    """Show the chosen pair over the chosen window: ladder, depth, and its past."""
    left, right = st.columns(2)
    with left:
        symbol = common.choose("Pair", common.config().trading.pairs, "pair")
    with right:
        window = common.choose("Time shown", list(common.WINDOWS), "market-window")

    common.every_second(lambda: _figures(symbol))
    left, right = st.columns([2, 3])
    with left:
        common.every_second(lambda: _ladder(symbol))
    with right:
        common.every_second(lambda: _charts(symbol, window))


def _book(symbol: str) -> tuple[BookShown, Own] | None:
    """Return the pair's book and the own quotes in it."""
    books, orders = common.section(sections.BOOKS), common.section(sections.ORDERS)
    if not books or not orders:
        return None
    if symbol not in books:
        st.html(markup.note(f"the monitor does not know {symbol}: it runs with another configuration"))
        return None
    return books[symbol], market.own_quotes(orders.orders, symbol)


def _figures(symbol: str) -> None:
    known = _book(symbol)
    if known is None:
        return
    book, own = known
    word = book.state
    st.html(
        markup.cards(
            [
                Card("Mid", markup.number(book.mid)),
                Card("Spread", market.spread(book.spread_bps), "basis points"),
                Card("Book", word, book.why, markup.TONES.get(word, "quiet")),
                Card("Own quotes", str(len(own))),
            ]
        )
    )


def _ladder(symbol: str) -> None:
    known = _book(symbol)
    if known is not None:
        common.table("ladder", market.ladder(*known))


def _charts(symbol: str, window: str) -> None:
    known = _book(symbol)
    if known is not None:
        common.chart(market.depth(*known, symbol), f"depth-{symbol}")
    series = common.history([f"mid.{symbol}", f"bid.{symbol}", f"ask.{symbol}"], window)
    trades = common.section(sections.TRADES) or {}
    fills = common.section(sections.FILLS, symbol=symbol, limit="500")
    drawn = market.over_time(series, trades.get(symbol, []), fills.fills if fills else [], symbol, window)
    common.chart(drawn, f"market-{symbol}-{window}")
