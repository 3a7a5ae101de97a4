"""Conditions that a person should know of while they last: told once, and once more when they are over.

A core: what holds now and the time come in, alerts come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from monitor import facts, machine
from monitor.health import Level, Say
from monitor.sections import ActiveAlert
from monitor.view import View
from shared.clock import SECOND
from shared.config import Config

LEVEL: Final[Level] = "warning"
# A CPU is busy now and then, and a counter is full for a moment after a burst.
CPU_LASTS_S: Final = 30.0
RATE_LASTS_S: Final = 2.0
OVER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Condition:
    """What is wrong, what to say when it is over, and for how long it must last to be told."""

    kind: str
    text: str
    over: str
    lasts_s: float = 0.0


@dataclass(slots=True)
class _Standing:
    condition: Condition
    since: int
    seen: int
    told: bool = False


class Alerts:
    """Tells each condition once. Times are ns of CLOCK_BOOTTIME."""

    def __init__(self) -> None:
        self._standing: dict[str, _Standing] = {}

    def turn(self, holds: Mapping[str, Condition], now: int) -> list[Say]:
        """What holds now, by a name of its own each."""
        said: list[Say] = []
        for name, condition in holds.items():
            standing = self._standing.setdefault(name, _Standing(condition, now, now))
            standing.seen = now
            if not standing.told and now - standing.since >= condition.lasts_s * SECOND:
                standing.told = True
                said.append(Say(LEVEL, condition.kind, condition.text))
        for name, standing in list(self._standing.items()):
            if name in holds:
                continue
            if not standing.told:
                del self._standing[name]
            elif now - standing.seen >= OVER_S * SECOND:
                del self._standing[name]
                said.append(Say("info", f"{standing.condition.kind}-over", standing.condition.over))
        return said

    def active(self, now: int, wall: int) -> list[ActiveAlert]:
        """What holds and was told, the oldest first; ``wall`` is ``now`` in ns since the epoch."""
        told = [(standing.since, name, standing) for name, standing in self._standing.items() if standing.told]
        return [
            ActiveAlert(
                kind=standing.condition.kind,
                name=name,
                level=LEVEL,
                text=standing.condition.text,
                since_ts=(wall - now + since) / SECOND,
            )
            for since, name, standing in sorted(told, key=lambda each: each[:2])
        ]


def conditions(view: View, config: Config, figures: dict[str, Any], wall: int) -> dict[str, Condition]:
    """Everything worth an alert that holds now."""
    found: dict[str, Condition] = {}
    for symbol in facts.stale(view, config, wall):
        text = f"{symbol} is stale: no update for 60 s; quiet pairs are healthy, see 'tradebyte status'"
        found[f"stale {symbol}"] = Condition("stale", text, f"{symbol} has updates again")
    for symbol, rate in facts.rates(view)["pairs"].items():
        if rate["threshold"] and rate["left"] * 100 < config.monitor.rate_free_percent * rate["threshold"]:
            text = (
                f"{symbol}: {rate['left']:g} of {rate['threshold']:g} points are left of the order rate; adds and "
                "amends wait, cancels do not; fewer levels or a larger tolerance_bps cost less"
            )
            found[f"rate {symbol}"] = Condition(
                "rate-low", text, f"{symbol}: the order rate has room again", RATE_LASTS_S
            )
    for name, text in machine.troubles(figures, config.monitor).items():
        lasts_s = CPU_LASTS_S if name == "cpu" else 0.0
        found[name] = Condition(f"machine-{name}", text, f"the machine's {name} is within its threshold again", lasts_s)
    return found
