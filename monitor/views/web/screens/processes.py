"""Processes and restarts."""

from __future__ import annotations

import streamlit as st

from monitor.views.web import here, machine


def page() -> None:
    """Each process's word on itself, and its memory over time."""
    here.every_second(_now)
    st.subheader("Memory over time")
    window = here.choose("Time shown", list(here.WINDOWS), "memory-window")

    def memory() -> None:
        names = here.config().process_names
        here.chart(
            machine.memory(here.history([f"rss_mb.{name}" for name in names], window), names), f"memory-{window}"
        )

    here.every_second(memory)


def _now() -> None:
    answer = here.section("/api/processes")
    if answer:
        here.table("processes", machine.processes(answer))
