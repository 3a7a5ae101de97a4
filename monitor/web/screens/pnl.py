"""P&L and inventory, now and over time."""

from __future__ import annotations

import streamlit as st

from monitor.web import common, money, sections
from monitor.web.drawing import markup
from shared.config.checks.names import bases


def page() -> None:
    """Show totals, each pair, charts."""
    common.every_second(_now)
    window = common.choose("Time shown", list(common.WINDOWS), "pnl-window")

    def over_time() -> None:
        _over_time(window)

    common.every_second(over_time)
    common.every_second(_held)


def _now() -> None:
    pnl, positions = common.section(sections.PROFIT), common.section(sections.POSITIONS)
    if pnl and positions:
        st.html(markup.cards(money.totals(pnl)))
        if cards := money.parts(pnl):
            st.subheader("Where it comes from")
            st.html(markup.cards(cards))
            common.table("markouts", money.markouts(pnl))
        st.subheader("By asset")
        common.table("assets", money.assets(positions))
        if worths := money.rates(positions):
            st.html(markup.note(f"Rates: {worths}"))
        st.subheader("By pair")
        common.table("positions", money.pairs(pnl, positions))
        if by_quote := money.quotes(pnl):
            st.subheader("By quote")
            common.table("quotes", by_quote)


def _over_time(window: str) -> None:
    symbols = common.config().trading.pairs
    names = ["profit", "realised", "unrealised", "fees"]
    held = bases(symbols)
    names += [*(f"pnl.{symbol}" for symbol in symbols), *(f"asset.{base}" for base in held)]
    series = common.history(names, window)
    pnl = common.client().get(sections.PROFIT)
    currency = pnl.data.currency if pnl.data is not None else ""
    left, right = st.columns(2)
    with left:
        st.subheader("P&L over time")
        common.chart(money.profit(series, currency, window), f"profit-{window}")
        st.subheader("P&L by pair over time")
        common.chart(money.profit_by_pair(series, symbols, currency, window), f"pairs-{window}")
    with right:
        st.subheader("Inventory over time")
        for base in held:
            common.chart(money.inventory(series, base, window), f"inventory-{base}-{window}")


def _held() -> None:
    positions = common.section(sections.POSITIONS)
    if not positions:
        return
    left, right = st.columns(2)
    with left:
        st.subheader("By strategy")
        common.table("strategies", money.strategies(positions))
    with right:
        st.subheader("Balances")
        common.table("balances", money.balances(positions))
