"""State that all sessions of this server share, and helpers that put tables and charts on a page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TypeVar

import streamlit as st

from monitor.api import loopback
from monitor.web.client import Answer, Client
from monitor.web.drawing import figures, markup, plot
from monitor.web.sections import HISTORY, Section
from shared import config as configuration, limits
from shared.config import Config

WINDOWS = {"5 min": 300.0, "30 min": 1800.0, "4 h": 14_400.0, "24 h": 86_400.0}
POINTS = "600"
T = TypeVar("T")


@functools.cache
def config() -> Config:
    """Return the configuration that the command was given."""
    return configuration.load(None, required=True)


@functools.cache
def client() -> Client:
    """Return this server's one client of the API."""
    return Client(loopback.api(config()), config().run / "api-token")


def every_second(show: Callable[[], None]) -> None:
    """Show a part of the page now, and again every second without the rest."""
    st.fragment(show, run_every=limits.WEB_UPDATE_S)()


def data(answer: Answer[T], name: str) -> T | None:
    """Return a section's data; None, with the reason on the page, if there never was any."""
    if answer.at is None:
        st.html(markup.note(f"{name}: not known{f' ({answer.trouble})' if answer.trouble else ''}"))
        return None
    return answer.data


def section(wanted: Section[T], *, window_s: float = 0.0, **params: str) -> T | None:
    """Return a section's data as :func:`data` has it."""
    return data(client().get(wanted, window_s=window_s, **params), wanted.name)


def history(names: list[str], window: str) -> Mapping[str, figures.Points]:
    """Return series over the chosen window."""
    answer = section(HISTORY, series=",".join(names), points=POINTS, window_s=WINDOWS[window])
    return answer.series if answer else {}


def table(name: str, html: str, *, is_long: bool = False) -> None:
    """Show a table in a box of its own, which keeps its scroll position while the rows are renewed."""
    with st.container(key=f"scroll-{'tall-' if is_long else ''}{name}"):
        st.html(html)


def chart(figure: figures.Figure, key: str) -> None:
    """Show a chart that keeps a person's zoom while the data moves on."""
    plot.show(figure, figures.CONFIG, key)


def choose(label: str, options: list[str], key: str) -> str:
    """Return a person's choice of a few, remembered while the page is open."""
    kept = f"kept-{key}"
    known = st.session_state.get(kept)
    chosen = st.segmented_control(
        label, options, default=known if known in options else options[0], key=key, required=True
    )
    st.session_state[kept] = chosen or options[0]
    return chosen or options[0]
