"""Colours for each tone, on light and on dark desktops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from monitor.ui.text import Tone


@dataclass(frozen=True, slots=True)
class Look:
    """Colours as ``#rrggbb``; a tone that is not named has the palette's own."""

    tones: dict[Tone, str]
    buy: str
    sell: str
    mid: str
    soft: str


LIGHT: Final = Look(
    {
        Tone.QUIET: "#566372", Tone.GOOD: "#0b6b53", Tone.WARN: "#8a5200",
        Tone.BAD: "#b3261e", Tone.OWN: "#1f5fa8", Tone.ALARM: "#b3261e",
    },
    buy="#1f7a4d", sell="#b3261e", mid="#1f5fa8", soft="#dde8f5",
)  # fmt: skip
DARK: Final = Look(
    {
        Tone.QUIET: "#9aa7b5", Tone.GOOD: "#5fd0b0", Tone.WARN: "#f0b25a",
        Tone.BAD: "#ff8f83", Tone.OWN: "#6cb2f2", Tone.ALARM: "#ff8f83",
    },
    buy="#5fd0b0", sell="#ff8f83", mid="#6cb2f2", soft="#1d3145",
)  # fmt: skip


def badge(look: Look, tone: Tone) -> str:
    """Return the style sheet of a badge: white on red for what must be seen, a coloured word otherwise."""
    if tone is Tone.ALARM:
        return "color: #ffffff; background: #b3261e; font-weight: bold; padding: 2px 8px; border-radius: 4px;"
    colour = f"color: {look.tones[tone]};" if tone in look.tones else ""
    return f"{colour} padding: 2px 4px;{' font-weight: bold;' if tone in (Tone.GOOD, Tone.STRONG) else ''}"
