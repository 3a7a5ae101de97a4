"""Logs and alerts."""

from __future__ import annotations

import streamlit as st

from monitor.views.web import here, news
from monitor.views.web.news import LogFilter

ALL = "all"


def page() -> None:
    """What is wrong now, what was told, and the warnings of all processes."""
    here.every_second(_alerts)
    st.subheader("Log: warnings and errors")
    whose, text = st.columns(2)
    with whose:
        process = st.selectbox("Process", [ALL, *here.config().process_names], key="log-process")
    with text:
        wanted = st.text_input("Containing", key="log-text", placeholder="event, level, field")
    chosen = LogFilter("" if process == ALL else process, wanted)

    def lines() -> None:
        answer = here.section("/api/logs", limit="500")
        if answer:
            here.table("log", news.lines(chosen.leaves(answer["lines"])), is_long=True)

    here.every_second(lines)


def _alerts() -> None:
    answer = here.section("/api/alerts")
    if answer:
        st.subheader("Wrong now")
        here.table("active", news.active(answer))
        st.subheader("Alerts, the newest first")
        here.table("recent", news.recent(answer), is_long=True)
