"""The page's frame: what must be seen on every page, and the way from one to another. Streamlit runs this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from monitor.model.troubles import troubles
from monitor.web import common, sections, staleness
from monitor.web.drawing import markup, style
from monitor.web.screens import controls, latency, logs, market, orders, overview, pnl, processes
from shared.clock import wall_ns

PAGES: Final[dict[str, Callable[[], None]]] = {
    "Overview": overview.page,
    "Market": market.page,
    "Orders": orders.page,
    "P&L": pnl.page,
    "Latency": latency.page,
    "Processes": processes.page,
    "Logs": logs.page,
    "Controls": controls.page,
}


def line() -> None:
    """Show which money is at stake, halted or not, and how fresh the data is."""
    client = common.client()
    status = client.get(sections.STATUS)
    stale = staleness.freshness(status, client.now(), client.base)
    if stale.headline:
        # This class draws everything below in grey: old data must not look alive.
        st.html(f'<div class="tb-old">{markup.banner(stale.headline, stale.tone, stale.detail)}</div>')
    known = status.data
    if known is None:
        return
    stake, halt = staleness.money_at_stake(known), staleness.halt(known)
    if stake.tone == "real":
        st.html(markup.banner(stake.headline, "real", stake.detail))
    if halt.tone == "bad":
        st.html(markup.banner(halt.headline, "bad", halt.detail))
    for name, why in known.paused.items():
        st.html(markup.banner(f"{name} is paused", "warn", f"{why}; 'tradebyte resume {name}' ends it"))
    for is_bad, what, why in troubles(known, wall_ns()):
        st.html(markup.banner(what, "bad" if is_bad else "warn", why))
    said = [markup.badge(f"{stake.headline}: {stake.detail}", stake.tone), markup.badge(halt.headline, halt.tone)]
    if known.orders_known:
        count = known.open_orders
        said.append(markup.badge(f"{count} open order{'' if count == 1 else 's'}", "quiet"))
    st.html(f'<div class="tb-line" data-line="state">{"".join(said)}</div>')


def main() -> None:
    """Draw the frame and the page that was chosen."""
    st.set_page_config(page_title="TradeByte", layout="wide")
    st.html(style.CSS)
    # The page is named in the query, not in the path: below a path Streamlit looks for its server in two wrong places
    # first, which leaves errors in the browser's console.
    chosen = st.segmented_control(
        "Page",
        list(PAGES),
        default="Overview",
        key="page",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    with st.container(key="line"):
        common.every_second(line)
    with st.container(key=f"page-{list(PAGES).index(chosen)}"):
        PAGES[chosen]()


main()
