"""Fills from before the monitor's start, by the executor's own command from its journal and archives.

A process of its own reads: the journal's form is the executor's business, its file is opened read-only, and neither
the monitor's loop nor the executor's writes wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import msgspec

from monitor import children
from monitor.model.picture import Picture
from monitor.model.recent import fill_shown, seconds
from monitor.model.sections import FillFields, FillShown
from shared import limits
from shared.bus import Received
from shared.clock import SECOND, parse_rfc3339
from shared.config import Config
from shared.messages import Fill, Heartbeat
from shared.process.logs import logger
from shared.valuation import legs


class Line(FillFields, frozen=True, kw_only=True):
    """A line of ``python -m executor fills --json --profit``."""

    ts: str
    realised: str
    fees_paid: str
    profit: str

    def as_fill(self) -> FillShown:
        """Return the fill as the views show it."""
        return fill_shown(self, seconds(parse_rfc3339(self.ts)))


def fill_in(picture: Picture, lines: list[Line], currency: str) -> None:
    """Put the journal's fills, oldest first, into a picture: each fill once, and the past of the profit.

    What was made in another quote than the currency has no past here: its rates of then are not known.
    """
    points: dict[str, list[tuple[float, float]]] = {"realised": [], "fees": []}
    is_one_quote = all(legs(line.symbol)[1] == currency for line in lines)
    for line in lines:
        fill = line.as_fill()
        picture.fills.add(fill)
        if legs(line.symbol)[1] == currency:
            points.setdefault(f"pnl.{line.symbol}", []).append((fill.ts, float(line.profit)))
        if not is_one_quote:
            continue
        points["realised"].append((fill.ts, float(line.realised)))
        points["fees"].append((fill.ts, float(line.fees_paid)))
    for name, past in points.items():
        picture.history.begin(name, past)


class Reader:
    """Reads when the monitor starts, and again when the bus missed a fill or the executor started anew."""

    def __init__(self, config: Config, picture: Picture, spawn: Callable[[Coroutine[None, None, None]], None]) -> None:
        self._config, self._picture, self._spawn = config, picture, spawn
        self._wanted = True
        self._reading = False
        self._due = 0
        self._boot = 0

    def take(self, received: Received) -> None:
        """Note a message that shows fills which only the journal knows."""
        message = received.message
        if isinstance(message, Fill):
            self._wanted = self._wanted or received.missed > 0
        elif isinstance(message, Heartbeat) and message.process == "executor" and message.boot != self._boot:
            self._boot, self._wanted = message.boot, True

    def turn(self, now: int) -> None:
        """Begin to read when it is due."""
        if self._wanted and not self._reading and now >= self._due:
            self._wanted, self._reading = False, True
            self._due = now + int(limits.JOURNAL_AGAIN_S * SECOND)
            self._spawn(self._read())

    async def _read(self) -> None:
        try:
            lines = await asyncio.wait_for(self._lines(), limits.JOURNAL_READ_S)
            fill_in(self._picture, lines, self._config.trading.currency)
        except (OSError, TimeoutError, ValueError) as error:
            log = logger("monitor")
            log.warning(
                "fills from before the start are not shown",
                why=str(error)[:500] or "the executor's command is too slow",
            )
        finally:
            self._reading = False

    async def _lines(self) -> list[Line]:
        arguments = ("fills", "--json", "--profit", "--count", str(limits.FILLS_SHOWN))
        process = await asyncio.create_subprocess_exec(
            *children.command(self._config, "executor", *arguments),
            env=children.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise ValueError(err.decode(errors="replace").strip()[-300:])
        return await asyncio.to_thread(_decoded, out)


def _decoded(out: bytes) -> list[Line]:
    return msgspec.json.Decoder(Line).decode_lines(out)
