"""State that all sessions of this server share, and helpers that put tables and charts on a page."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

from monitor.api import loopback
from monitor.web.client import Answer, Client
from monitor.web.drawing import figures, markup, plot
from shared import config as configuration
from shared import limits
from shared.config import Config

WINDOWS = {"5 min": 300.0, "30 min": 1800.0, "4 h": 14_400.0, "24 h": 86_400.0}
POINTS = "600"


@functools.cache
def config() -> Config:
    """The configuration that the command was given."""
    return configuration.load(None, required=True)


@functools.cache
def client() -> Client:
    """The one reader of the API in this server."""
    return Client(loopback.api(config()), config().run / "api-token")


def every_second(show: Callable[[], None]) -> None:
    """Shows a part of the page now, and again every second without the rest."""
    st.fragment(show, run_every=limits.WEB_UPDATE_S)()


def data(answer: Answer, name: str) -> Any:
    """A section's data; None, with the reason on the page, where there never was any."""
    if answer.at is None:
        st.html(markup.note(f"{name}: not known{f' ({answer.trouble})' if answer.trouble else ''}"))
        return None
    return answer.data


def section(path: str, **params: Any) -> Any:
    """A section's data as :func:`data` has it."""
    return data(client().get(path, **params), path.rpartition("/")[2])


def history(names: list[str], window: str) -> dict[str, figures.Points]:
    """Series over a window that a person chose."""
    answer = section("/api/history", series=",".join(names), points=POINTS, window_s=WINDOWS[window])
    return answer["series"] if answer else {}


def table(name: str, html: str, *, is_long: bool = False) -> None:
    """A table in a box of its own, which keeps its scroll place while the rows are renewed."""
    with st.container(key=f"scroll-{'tall-' if is_long else ''}{name}"):
        st.html(html)


def chart(figure: figures.Figure, key: str) -> None:
    """A chart that keeps a person's zoom while the data moves on."""
    plot.show(figure, figures.CONFIG, key)


def choose(label: str, options: list[str], key: str) -> str:
    """One of a few, remembered while the page is open."""
    kept = f"kept-{key}"
    known = st.session_state.get(kept)
    chosen = st.segmented_control(
        label, options, default=known if known in options else options[0], key=key, required=True
    )
    st.session_state[kept] = chosen or options[0]
    return chosen or options[0]
