"""Latency: how long each hop takes, from the frame's arrival to the exchange's answer."""

from __future__ import annotations

import streamlit as st

from monitor.web import common, machine, sections


def page() -> None:
    """Show percentiles of all hops, and the histogram of the chosen one."""
    common.every_second(_hops)
    answer = common.client().get(sections.LATENCY)
    names = [hop.hop for hop in answer.data.hops] if answer.data is not None else []
    if not names:
        return
    st.subheader("How many took how long")
    chosen = common.choose("Hop", names, "hop")

    def histogram() -> None:
        newest = common.section(sections.LATENCY)
        for hop in newest.hops if newest else []:
            if hop.hop == chosen:
                common.chart(machine.histogram(hop), f"hop-{chosen}")

    common.every_second(histogram)


def _hops() -> None:
    answer = common.section(sections.LATENCY)
    if answer:
        common.table("hops", machine.hops(answer))
