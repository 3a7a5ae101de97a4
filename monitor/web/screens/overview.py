"""Overview: what one looks at first."""

from __future__ import annotations

import streamlit as st

from monitor.web import common, market, money, news, records, sections
from monitor.web.drawing import markup
from monitor.web.drawing.markup import Card
from shared.messages import ProcessState


def page() -> None:
    """Show figures, positions, books, open orders, alerts."""
    common.every_second(_figures)
    left, right = st.columns([5, 4])
    with left:
        common.every_second(_money)
    with right:
        common.every_second(_books)
    common.every_second(_orders)


def _figures() -> None:
    pnl, status = common.section(sections.PROFIT), common.section(sections.STATUS)
    alerts = common.section(sections.ALERTS)
    if pnl:
        st.html(markup.cards([money.today(pnl), *money.totals(pnl)[:4]]))
    made: list[Card] = []
    if status:
        ready = sum(process.state == ProcessState.READY for process in status.processes.values())
        every = len(status.processes)
        known = status.orders_known
        made.append(Card("Open orders", str(status.open_orders) if known else "-", "" if known else records.UNKNOWN))
        made.append(Card("Processes ready", f"{ready} of {every}", "", "" if ready == every else "warn"))
    if alerts:
        count = len(alerts.active)
        made.append(Card("Alerts", str(count), "active now", "bad" if count else ""))
    st.html(markup.cards(made))


def _money() -> None:
    st.subheader("Positions")
    pnl, positions = common.section(sections.PROFIT), common.section(sections.POSITIONS)
    if pnl and positions:
        common.table("assets", money.assets(positions))
        common.table("positions", money.pairs(pnl, positions))
    st.subheader("Alerts")
    alerts = common.section(sections.ALERTS)
    if alerts:
        common.table("active", news.active(alerts))


def _books() -> None:
    st.subheader("Books")
    books = common.section(sections.BOOKS)
    if books:
        common.table("books", market.books(books))


def _orders() -> None:
    st.subheader("Open orders")
    answer = common.section(sections.ORDERS)
    if answer:
        live = [order for order in answer.orders if order.is_live]
        common.table("open", records.orders(live, known=answer.known, empty="nothing is open"))
