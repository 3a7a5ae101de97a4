"""Logs and alerts."""

from __future__ import annotations

import streamlit as st

from monitor.web import common, news, sections
from monitor.web.news import LogFilter

ALL = "all"


def page() -> None:
    """Show current troubles, recent alerts, and the warnings of all processes."""
    common.every_second(_alerts)
    st.subheader("Log: warnings and errors")
    whose, text = st.columns(2)
    with whose:
        process = st.selectbox("Process", [ALL, *common.config().process_names], key="log-process")
    with text:
        wanted = st.text_input("Containing", key="log-text", placeholder="event, level, field")
    chosen = LogFilter("" if process == ALL else process, wanted)

    def lines() -> None:
        answer = common.section(sections.LOGS, limit="500")
        if answer:
            common.table("log", news.lines(chosen.leaves(answer.lines)), is_long=True)

    common.every_second(lines)


def _alerts() -> None:
    answer = common.section(sections.ALERTS)
    if answer:
        st.subheader("Wrong now")
        common.table("active", news.active(answer))
        st.subheader("Alerts, the newest first")
        common.table("recent", news.recent(answer), is_long=True)
