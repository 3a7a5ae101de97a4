"""Rows of text on a terminal; only lines that changed are drawn again."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from monitor.ui.text import Row, Tone

# The terminal's own sixteen colours, so that its theme holds; reverse and bold say the same without any.
STYLES: Final = {
    Tone.PLAIN: Style(),
    Tone.QUIET: Style(dim=True),
    Tone.STRONG: Style(bold=True),
    Tone.GOOD: Style(color="green"),
    Tone.WARN: Style(color="yellow"),
    Tone.BAD: Style(color="red", bold=True),
    Tone.OWN: Style(color="cyan", bold=True),
    Tone.HEAD: Style(reverse=True),
    Tone.ALARM: Style(color="red", bold=True, reverse=True),
}


class Canvas(Widget):
    """Shows rows from the top."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = []

    def put(self, rows: list[Row]) -> None:
        """Show these rows instead."""
        before, self._rows = self._rows, rows
        for at in range(max(len(before), len(rows))):
            if before[at : at + 1] != rows[at : at + 1]:
                self.refresh(Region(0, at, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Return one line, as Textual asks for it."""
        row = self._rows[y] if y < len(self._rows) else ()
        segments = [Segment(text, STYLES[tone]) for text, tone in row if text]
        return Strip(segments).adjust_cell_length(self.size.width, Style())
