"""Tables, cards and badges as HTML. Everything from outside the page is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

Tone = Literal["", "good", "warn", "bad", "buy", "sell", "quiet", "own", "real"]

TONES: Final[dict[str, Tone]] = {
    "ready": "good",
    "live": "good",
    "open": "good",
    "filled": "good",
    "starting": "warn",
    "stopping": "warn",
    "degraded": "warn",
    "syncing": "warn",
    "resyncing": "warn",
    "stale": "warn",
    "sent": "warn",
    "unknown": "warn",
    "cancelling": "warn",
    "warning": "warn",
    "halted": "bad",
    "dead": "bad",
    "silent": "bad",
    "error": "bad",
    "critical": "bad",
    "refused": "bad",
    "buy": "buy",
    "sell": "sell",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell: text, its tone, and whether it stands out as a badge."""

    text: str
    tone: Tone = ""
    is_badge: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column; numbers go to the right."""

    title: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One figure with its name and what is to be known about it."""

    name: str
    value: str
    note: str = ""
    tone: Tone = ""


Row = Sequence[Cell | str]


def number(text: object) -> str:
    """Return a number as the API wrote it; a dash where there is none."""
    return "-" if text is None or text == "" else str(text)


def state(word: str) -> Cell:
    """Return a state as a badge: the word carries the meaning, the colour only helps."""
    return Cell(word, TONES.get(word, "quiet"), is_badge=True)


def side(word: str) -> Cell:
    """Return buy or sell as a word with an arrow."""
    return Cell({"buy": "▲ buy", "sell": "▼ sell"}.get(word, word), TONES.get(word, ""))


def money(text: object) -> Cell:
    """Return an amount; a loss is marked by its minus and its tone."""
    amount = number(text)
    return Cell(amount, "bad" if amount.startswith("-") and amount.strip("-0.") else "")


def table(name: str, columns: Sequence[Column], rows: Iterable[Row], empty: str) -> str:
    """Return a table with a name for styles and tests, or ``empty`` where there is no row."""
    body = "".join(f"<tr>{_cells(columns, row)}</tr>" for row in rows)
    if not body:
        return f'<p class="tb-empty" data-table="{escape(name)}">{escape(empty)}</p>'
    head = "".join(f'<th scope="col"{_number(column)}>{escape(column.title)}</th>' for column in columns)
    head = f"<thead><tr>{head}</tr></thead>"
    return f'<table class="tb-table" data-table="{escape(name)}">{head}<tbody>{body}</tbody></table>'


def cards(made: Iterable[Card]) -> str:
    """Return figures side by side, as many a row as fit."""
    return f'<div class="tb-cards">{"".join(map(_card, made))}</div>'


def banner(text: str, tone: Tone, detail: str = "") -> str:
    """Return a line across the page that is not to be overlooked."""
    more = f" <span>{escape(detail)}</span>" if detail else ""
    return f'<div class="tb-banner tb-{tone}" role="status"><strong>{escape(text)}</strong>{more}</div>'


def badge(text: str, tone: Tone) -> str:
    """Return a word in a frame."""
    return f'<span class="tb-badge tb-{tone}">{escape(text)}</span>'


def note(text: str) -> str:
    """Return a quiet line."""
    return f'<p class="tb-empty">{escape(text)}</p>'


def _card(card: Card) -> str:
    tone = f" tb-{card.tone}" if card.tone else ""
    return (
        f'<div class="tb-card" data-card="{escape(card.name)}"><div class="tb-name">{escape(card.name)}</div>'
        f'<div class="tb-value{tone}">{escape(card.value)}</div><div class="tb-note">{escape(card.note)}</div></div>'
    )


def _cells(columns: Sequence[Column], row: Row) -> str:
    return "".join(f"<td{_number(column)}>{_cell(cell)}</td>" for column, cell in zip(columns, row, strict=True))


def _cell(cell: Cell | str) -> str:
    if isinstance(cell, str):
        return escape(cell)
    if cell.is_badge:
        return badge(cell.text, cell.tone)
    return f'<span class="tb-{cell.tone}">{escape(cell.text)}</span>' if cell.tone else escape(cell.text)


def _number(column: Column) -> str:
    return ' class="tb-number"' if column.is_number else ""
