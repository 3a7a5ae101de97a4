"""Rows of text in tones, and tables that fit: a number is shown whole or not at all.

Widths are in cells of a terminal. What strangers put on the bus is made printable here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import Enum
from typing import Final

from rich.cells import cell_len, set_cell_size


class Tone(Enum):
    """The meaning of a piece. Its colour is the screen's business, and no tone says what the text does not."""

    PLAIN = "plain"
    QUIET = "quiet"
    STRONG = "strong"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    OWN = "own"
    HEAD = "head"
    ALARM = "alarm"


Piece = tuple[str, Tone]
Row = tuple[Piece, ...]
MORE: Final = "…"
# Columns of this rank and above are shown only where there is room left.
SPARE: Final = 8
DASH: Final[Piece] = ("-", Tone.QUIET)


def plain(text: str, tone: Tone = Tone.PLAIN) -> Piece:
    """Return one line of printable text, whatever came."""
    return "".join(char if char.isprintable() else " " for char in text), tone


def text_of(row: Row) -> str:
    """Return a row without its tones."""
    return "".join(text for text, _ in row)


def width_of(row: Row) -> int:
    """Return how many cells a row takes."""
    return cell_len(text_of(row))


def cut(text: str, width: int) -> str:
    """Return words within a width, with an ellipsis if cut. For words only, never for numbers."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + MORE if width > 0 else ""


def fill(row: Row, width: int) -> Row:
    """Return a row of exactly this width, cut or padded in the last piece's tone."""
    pieces: list[Piece] = []
    left = width
    for text, tone in row:
        kept = cut(text, left)
        pieces.append((kept, tone))
        left -= cell_len(kept)
        if kept != text:
            break
    tone = row[-1][1] if row and row[-1][1] is Tone.HEAD else Tone.PLAIN
    return (*pieces, (" " * left, tone)) if left > 0 else tuple(pieces)


def fitting(pieces: Iterable[Piece], width: int, gap: int = 2) -> Row:
    """Return as many whole pieces, with gaps between, as fit; the first is cut where even it does not."""
    kept: list[Piece] = []
    left = width
    for text, tone in pieces:
        need = cell_len(text) + (gap if kept else 0)
        if need > left:
            if not kept:
                kept.append((cut(text, left), tone))
                left = 0
            continue
        if kept:
            kept.append((" " * gap, Tone.HEAD if tone is Tone.HEAD else Tone.PLAIN))
        kept.append((text, tone))
        left -= need
    return tuple(kept)


def wrapped(text: str, width: int, tone: Tone = Tone.PLAIN, most: int = 20) -> list[Row]:
    """Return a text in as many rows as it takes, up to a bound."""
    lines = textwrap.wrap(plain(text)[0], max(10, width)) or [""]
    if len(lines) > most:
        lines = [*lines[: most - 1], cut(lines[most - 1] + " " + MORE, width)]
    return [((line, tone),) for line in lines]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; of those that do not fit, the one with the highest ``rank`` goes first.

    ``shrinks_to`` is the least width of words, which may be cut; numbers have none, and are never cut. ``least`` is a
    width that is kept free, so that columns stay where they are while numbers grow. A column of nothing is left out.
    """

    head: str
    rank: int
    right: bool = True
    shrinks_to: int | None = None
    least: int = 0


def table(columns: Sequence[Column], rows: Sequence[Sequence[Piece]], width: int) -> list[Row]:
    """Return the heading and the rows, all within a width."""
    cells = [[cell_len(row[at][0]) for row in rows] for at in range(len(columns))]
    needs = [max([cell_len(column.head), column.least, *cells[at]]) for at, column in enumerate(columns)]
    used, widths = _chosen(columns, needs, [at for at in range(len(columns)) if any(cells[at]) or not rows], width)
    head = tuple((_aligned(columns[at].head, widths[at], columns[at].right), Tone.HEAD) for at in used)
    lines = [_joined(head, Tone.HEAD)]
    for row in rows:
        pieces = tuple((_aligned(row[at][0], widths[at], columns[at].right), row[at][1]) for at in used)
        lines.append(_joined(pieces, Tone.PLAIN))
    return lines


def _chosen(columns: Sequence[Column], needs: list[int], used: list[int], width: int) -> tuple[list[int], list[int]]:
    """Return which columns are shown of those that could be, and how wide each is."""
    while True:
        widths = list(needs)
        spare = max(used, key=lambda at: columns[at].rank, default=0)
        over = sum(widths[at] for at in used) + len(used) - 1 - width
        if over > 0 and len(used) > 1 and columns[spare].rank >= SPARE:
            used.remove(spare)
            continue
        # The least important words give way first.
        for at in sorted(used, key=lambda at: -columns[at].rank):
            least = columns[at].shrinks_to
            if over > 0 and least is not None and widths[at] > least:
                given = min(over, widths[at] - least)
                widths[at] -= given
                over -= given
        if over <= 0:
            return used, widths
        if len(used) < 2:
            widths = [min(need, width) for need in widths]
            return used, widths
        used.remove(spare)


def _aligned(text: str, width: int, right: bool) -> str:
    kept = cut(text, width)
    space = " " * (width - cell_len(kept))
    return space + kept if right else kept + space


def _joined(pieces: Row, tone: Tone) -> Row:
    joined: list[Piece] = []
    for piece in pieces:
        if joined:
            joined.append((" ", tone))
        joined.append(piece)
    return tuple(joined)


def count(number: int | None) -> str:
    """Return a count in at most five cells; its letter says that it is rounded: ``9999``, ``12k``, ``3M``."""
    if number is None:
        return "-"
    for limit, divisor, unit in ((10_000, 1, ""), (10_000_000, 1000, "k")):
        if abs(number) < limit:
            return f"{number // divisor}{unit}"
    return f"{number // 1_000_000}M"


def milliseconds(value: float | None) -> str:
    """Return milliseconds with the digits that matter: ``0.04``, ``12.3``, ``250``."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def money(value: str | Decimal | None, *, signed: bool = False) -> str:
    """Return decimal text to the cent, rounded half to even; ``?`` for what is no number."""
    if value is None:
        return "-"
    try:
        cents = Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    except InvalidOperation:
        return "?"
    if not cents:
        return "0.00"
    return format(cents, "+,f" if signed else ",f")


def price(value: str | None, like: str | None) -> str:
    """Return a price with the decimals of ``like``, two at least, rounded half to even; ``?`` for no number."""
    if value is None:
        return "-"
    decimals = max(2, len((like or "").partition(".")[2]))
    try:
        return format(Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN), ",f")
    except InvalidOperation:
        return "?"


def toned(value: str) -> Tone:
    """Return the tone of an amount with its sign."""
    return Tone.GOOD if value.startswith("+") else Tone.BAD if value.startswith("-") and value != "-" else Tone.PLAIN
