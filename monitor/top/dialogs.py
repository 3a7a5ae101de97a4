"""Dialogs before the screen: a question, the choice of a process, help. Keyboard only."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList

from monitor.top import notices
from monitor.top.canvas import Canvas
from monitor.ui.text import Piece, Row, Tone, wrapped

BOX = 64


class Ask(ModalScreen[bool]):
    """A question before an action; only ``y`` agrees."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,Y", "answer(True)", "yes"),
        Binding("n,N,escape,q", "answer(False)", "no"),
    ]

    def __init__(self, stake: Piece, lines: list[str]) -> None:
        super().__init__()
        rows: list[Row] = [(stake,), ()]
        for at, line in enumerate(lines):
            rows += wrapped(line, BOX - 4, Tone.STRONG if at == 0 else Tone.PLAIN)
        self.rows: list[Row] = [
            *rows,
            (),
            (("y", Tone.STRONG), (" yes    ", Tone.PLAIN), ("n", Tone.STRONG), (" no", Tone.PLAIN)),
        ]

    def compose(self) -> ComposeResult:
        """Yield the dialog's box."""
        yield box(self.rows)

    def action_answer(self, agreed: bool) -> None:
        """Close with the answer."""
        self.dismiss(agreed)


class Choose(ModalScreen[str | None]):
    """The choice of a process, with the arrows and Enter."""

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,n,q", "leave", "none")]

    def __init__(self, processes: list[str]) -> None:
        super().__init__()
        self._processes = processes

    def compose(self) -> ComposeResult:
        """Yield the dialog's box."""
        head = Canvas()
        head.styles.height = 2
        head.put([(("Restart which process? ", Tone.STRONG), ("arrows and Enter, Esc for none", Tone.QUIET))])
        with Vertical(classes="box"):
            yield head
            yield OptionList(*self._processes, compact=True, markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the chosen process; the next dialog asks whether it is meant."""
        self.dismiss(self._processes[event.option_index])

    def action_leave(self) -> None:
        """Close without a choice."""
        self.dismiss(None)


class Help(ModalScreen[None]):
    """Every key; any key ends it."""

    def compose(self) -> ComposeResult:
        """Yield the dialog's box."""
        yield box(notices.help_rows(BOX - 4))

    def on_key(self, event: events.Key) -> None:
        """Close at any key, which does nothing else."""
        event.stop()
        event.prevent_default()
        self.dismiss(None)


def box(rows: list[Row]) -> Vertical:
    """Return rows in a frame."""
    canvas = Canvas()
    canvas.styles.height = len(rows)
    canvas.put(rows)
    return Vertical(canvas, classes="box")
