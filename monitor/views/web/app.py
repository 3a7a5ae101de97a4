"""The page's frame: what must be seen on every page, and the way from one to another. Streamlit runs this file."""

from __future__ import annotations

import streamlit as st

from monitor.views.web import here, markup, style, words
from monitor.views.web.pages import controls, latency, logs, market, orders, overview, pnl, processes


def line() -> None:
    """What money is at stake, halted or not, and how fresh all of it is."""
    client = here.client()
    status = client.get("/api/status")
    stale = words.freshness(status, client.now(), client.base)
    if stale.headline:
        st.html(markup.banner(stale.headline, stale.tone, stale.detail))
    if status.at is None:
        return
    stake, halt = words.money_at_stake(status.data), words.halt(status.data)
    if stake.tone == "real":
        st.html(markup.banner(stake.headline, "real", stake.detail))
    if halt.tone == "bad":
        st.html(markup.banner(halt.headline, "bad", halt.detail))
    badges = markup.badge(stake.headline, stake.tone) + markup.badge(halt.headline, halt.tone)
    detail = markup.badge(f"{status.data['open_orders']} open", "quiet") if status.data["orders_known"] else ""
    st.html(f'<div class="tb-line" data-line="state">{badges}{detail}</div>')


def main() -> None:
    """Draws the frame and the page that was chosen."""
    st.set_page_config(page_title="TradeByte", layout="wide")
    st.html(style.CSS)
    pages = [
        st.Page(overview.page, title="Overview", url_path="overview", default=True),
        st.Page(market.page, title="Market", url_path="market"),
        st.Page(orders.page, title="Orders and fills", url_path="orders"),
        st.Page(pnl.page, title="P&L", url_path="pnl"),
        st.Page(latency.page, title="Latency", url_path="latency"),
        st.Page(processes.page, title="Processes", url_path="processes"),
        st.Page(logs.page, title="Logs and alerts", url_path="logs"),
        st.Page(controls.page, title="Controls", url_path="controls"),
    ]
    chosen = st.navigation(pages, position="top")
    here.every_second(line)
    chosen.run()


main()
