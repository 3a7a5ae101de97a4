"""Controls: each says what will happen, and asks."""

from __future__ import annotations

import functools
from collections.abc import Callable

import streamlit as st

from monitor.model.status_object import Status
from monitor.web import common, controls, sections
from monitor.web.client import Acted
from monitor.web.controls import Question
from monitor.web.drawing import markup
from shared import pausing

SAID = "said"


def page() -> None:
    """Show halt, resume, flatten, pause, accept, restart, and the outcome of the last one."""
    said: tuple[str, Acted] | None = st.session_state.get(SAID)
    if said is not None:
        what, acted = said
        st.html(
            markup.banner(
                f"{what}: {'done' if acted.ok else 'it did not work'}", "good" if acted.ok else "bad", acted.text
            )
        )
    st.subheader("Trading")
    with st.container(horizontal=True):
        _button("Halt", "halt", controls.halt, "primary")
        _button("Resume", "resume", controls.resume)
        _button("Flatten", "flatten", controls.flatten)
    st.html(
        markup.note(
            "Halt pulls every order and places nothing more until resume. Flatten pulls every order, closes every "
            "position, and halts. The terminal does the same: tradebyte halt, resume, flatten."
        )
    )
    st.subheader("Pause one pair or strategy")
    status = common.client().get(sections.STATUS).data
    paused = status.paused if status else {}
    chosen = st.selectbox("Pair or strategy", pausing.names(common.config()), key="pause-name")
    if chosen in paused:
        _button("Resume it", "go-on", lambda known: controls.go_on(chosen, known))
    else:
        _button("Pause it", "pause", lambda _status: controls.pause(chosen))
    for asset, row in status.assets.items() if status else ():
        if row.held:
            st.subheader(f"{asset} is held")
            st.html(markup.note(row.held))
            _button(f"Accept {asset}", f"accept-{asset}", functools.partial(controls.accept, asset))
    st.subheader("Restart a process")
    name = st.selectbox("Process", common.config().process_names, key="restart-name")
    keep = name == "executor" and st.checkbox("Leave its orders to its next start", key="restart-keep")
    _button("Restart", "restart", lambda _status: controls.restart(name, keep=keep))


def _button(label: str, key: str, question: Callable[[Status | None], Question], kind: str = "secondary") -> None:
    if st.button(f"{label}...", key=f"ask-{key}", type="primary" if kind == "primary" else "secondary"):
        ask(label, question(common.client().get(sections.STATUS).data))


def ask(label: str, question: Question) -> None:
    """Ask, and say what will happen; nothing is done without the button."""

    def body() -> None:
        for sentence in question.happens:
            st.write(sentence)
        with st.container(horizontal=True):
            if st.button(question.yes, key="confirm", type="primary"):
                st.session_state[SAID] = label, common.client().act(question.path, **question.body)
                st.rerun()
            if st.button("Leave it", key="leave"):
                st.rerun()

    st.dialog(question.title)(body)()
