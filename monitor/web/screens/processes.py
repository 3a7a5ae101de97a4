"""Processes and restarts."""

from __future__ import annotations

import streamlit as st

from monitor.web import common, machine, sections


def page() -> None:
    """Show each process, and its memory over time."""
    common.every_second(_now)
    st.subheader("Memory over time")
    window = common.choose("Time shown", list(common.WINDOWS), "memory-window")

    def memory() -> None:
        names = common.config().process_names
        common.chart(
            machine.memory(common.history([f"rss_mb.{name}" for name in names], window), names), f"memory-{window}"
        )

    common.every_second(memory)


def _now() -> None:
    answer = common.section(sections.PROCESSES)
    if answer:
        common.table("processes", machine.processes(answer))
