"""Latency: how long each hop takes, from the frame's arrival to the exchange's answer."""

from __future__ import annotations

import streamlit as st

from monitor.views.web import here, machine


def page() -> None:
    """Percentiles of all hops, and the histogram of the one chosen."""
    here.every_second(_hops)
    answer = here.client().get("/api/latency")
    names = [hop["hop"] for hop in answer.data["hops"]] if answer.at is not None else []
    if not names:
        return
    st.subheader("How many took how long")
    chosen = here.choose("Hop", names, "hop")

    def histogram() -> None:
        found = here.section("/api/latency")
        for hop in found["hops"] if found else []:
            if hop["hop"] == chosen:
                here.chart(machine.histogram(hop), f"hop-{chosen}")

    here.every_second(histogram)


def _hops() -> None:
    answer = here.section("/api/latency")
    if answer:
        here.table("hops", machine.hops(answer))
