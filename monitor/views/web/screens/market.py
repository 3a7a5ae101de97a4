"""Market: one pair's book and trades, with what is ours in it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import streamlit as st

from monitor.views.web import here, market, markup
from monitor.views.web.markup import Card


def page() -> None:
    """Pair and window chosen by a person; ladder, depth, and the way there."""
    left, right = st.columns(2)
    with left:
        symbol = here.choose("Pair", here.config().trading.pairs, "pair")
    with right:
        window = here.choose("Time shown", list(here.WINDOWS), "market-window")

    def now() -> None:
        _now(symbol)

    def over_time() -> None:
        _over_time(symbol, window)

    here.every_second(now)
    here.every_second(over_time)


def _now(symbol: str) -> None:
    books, orders = here.section("/api/books"), here.section("/api/orders")
    if not books or not orders:
        return
    book = books.get(symbol)
    if book is None:
        st.html(markup.note(f"the monitor does not know {symbol}: it runs with another configuration"))
        return
    own = market.own_quotes(orders["orders"], symbol)
    st.html(markup.cards(_figures(book, own)))
    left, right = st.columns([2, 3])
    with left:
        here.table("ladder", market.ladder(book, own))
    with right:
        here.chart(market.depth(book, own, symbol), f"depth-{symbol}")


def _figures(book: dict[str, Any], own: dict[tuple[str, Decimal], Decimal]) -> list[Card]:
    word = str(book["state"])
    return [
        Card("Mid", markup.number(book["mid"])),
        Card("Spread", market.spread(book["spread_bps"]), "basis points"),
        Card("Book", word, str(book["why"] or ""), markup.TONES.get(word, "quiet")),
        Card("Own quotes", str(len(own))),
    ]


def _over_time(symbol: str, window: str) -> None:
    series = here.history([f"mid.{symbol}", f"bid.{symbol}", f"ask.{symbol}"], window)
    trades = here.section("/api/trades") or {}
    fills = here.section("/api/fills", symbol=symbol, limit="500") or {"fills": []}
    here.chart(
        market.over_time(series, trades.get(symbol, []), fills["fills"], symbol, window), f"market-{symbol}-{window}"
    )
