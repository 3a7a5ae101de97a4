"""Orders and fills: looked through, and taken away as CSV."""

from __future__ import annotations

import streamlit as st

from monitor.web import common, records, sections
from monitor.web.records import Filter

ALL = "all"
MOST = "5000"


def page() -> None:
    """Show orders and fills. The filter is outside of what is renewed, so that typing is never interrupted."""
    pair, side, text = st.columns([3, 2, 3])
    with pair:
        symbol = common.choose("Pair", [ALL, *common.config().trading.pairs], "orders-pair")
    with side:
        way = common.choose("Side", [ALL, "buy", "sell"], "orders-side")
    with text:
        wanted = st.text_input("Containing", key="orders-text", placeholder="id, strategy, state, error")
    chosen = Filter("" if symbol == ALL else symbol, "" if way == ALL else way, wanted)

    def orders() -> None:
        answer = common.section(sections.ORDERS)
        if answer:
            kept = chosen.leaves(answer.orders)
            common.table("orders", records.orders(kept, known=answer.known), is_long=True)

    def fills() -> None:
        answer = common.section(sections.FILLS, limit=MOST)
        if answer:
            common.table("fills", records.fills(chosen.leaves(answer.fills)), is_long=True)

    st.subheader("Orders: live, and ended in the last minute")
    common.every_second(orders)
    _export("orders", lambda: _orders_csv(chosen))
    st.subheader("Fills, the newest first")
    common.every_second(fills)
    _export("fills", lambda: _fills_csv(chosen))


def _export(name: str, made: object) -> None:
    st.download_button(
        f"Export {name} as CSV",
        made,  # type: ignore[arg-type]
        file_name=f"tradebyte-{name}.csv",
        mime="text/csv",
        on_click="ignore",
        key=f"export-{name}",
    )


def _orders_csv(chosen: Filter) -> bytes:
    answer = common.client().get(sections.ORDERS)
    return records.to_csv(records.ORDER_FIELDS, chosen.leaves(answer.data.orders if answer.data is not None else []))


def _fills_csv(chosen: Filter) -> bytes:
    answer = common.client().get(sections.FILLS, limit=MOST)
    return records.to_csv(records.FILL_FIELDS, chosen.leaves(answer.data.fills if answer.data is not None else []))
