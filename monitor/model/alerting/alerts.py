"""Troubles that last: an alert when one has lasted, again while it does, and once when it is over.

What holds now and the time come in, alerts come out. The rules are the configuration's
(:mod:`shared.config.alerts`): a level, how long it must last, how often it is repeated, and how long it must be
away to be over. Times are ns of CLOCK_BOOTTIME.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from monitor.model.ages import TO_HOURS, age
from monitor.model.sections import ActiveAlert
from shared.clock import SECOND
from shared.config import alerts as alert_settings
from shared.config.alerts import AlertLevel as Level, Rule

# The kind of an alert that ends a trouble, where it is not the trouble's kind with "-over".
ENDS: Final = {"halted": "resumed", "process": "process-back"}


@dataclass(frozen=True, slots=True)
class Say:
    """An alert to publish."""

    level: Level
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A trouble by its rule, and the text for its end; ``kind`` where it is not the rule's name."""

    rule: str
    text: str
    over: str
    kind: str = ""

    @property
    def alert_kind(self) -> str:
        """Return the alert's kind."""
        return self.kind or kind_of(self.rule)

    @property
    def end(self) -> str:
        """Return the kind of the alert that it is over."""
        return ENDS.get(self.rule) or f"{self.alert_kind}-over"


@dataclass(frozen=True, slots=True)
class Begin:
    """A trouble begins, which lasts until :class:`End` of the same name."""

    name: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class End:
    """It is over; ``over`` says so, where the condition could not know."""

    name: str
    over: str = ""


def kind_of(rule: str) -> str:
    """Return a rule's name as alerts have it."""
    return rule.replace("_", "-")


def rule_of_end(kind: str) -> str | None:
    """Return the rule whose trouble this kind of alert ends; None for any other."""
    for rule, end in ENDS.items():
        if kind == end:
            return rule
    if re.fullmatch(r"webhook-\d+-over", kind):
        return "webhook"
    rule = kind.removesuffix("-over").replace("-", "_")
    return rule if kind.endswith("-over") and rule in alert_settings.Alerts.__struct_fields__ else None


@dataclass(slots=True)
class _Standing:
    condition: Condition
    since: int
    seen: int
    # Held from Begin to End; others end once a turn does not name them.
    held: bool
    alerted_at: int | None = None
    alert_kind: str = ""


class Alerts:
    """Alerts each trouble by its rule."""

    def __init__(self, rules: alert_settings.Alerts) -> None:
        self._rules = rules
        self._standing: dict[str, _Standing] = {}

    def turn(self, holds: Mapping[str, Condition], now: int) -> list[Say]:
        """Return the alerts that are due.

        ``holds`` is all that holds now, each by its own name, besides what was begun.
        """
        for name, condition in holds.items():
            self._take(name, condition, now, held=False)
        said: list[Say] = []
        for name, standing in list(self._standing.items()):
            if standing.held or name in holds:
                standing.seen = now
                said += self._due(standing, now)
            else:
                said += self._away(name, standing, now)
        return said

    def begin(self, begun: Begin, now: int) -> list[Say]:
        """Begin a trouble; a standing one takes the new text, and is published anew when its kind changes."""
        return self._due(self._take(begun.name, begun.condition, now, held=True), now)

    def end(self, ended: End, now: int) -> list[Say]:
        """End a trouble that was begun; do nothing where it never began."""
        standing = self._standing.get(ended.name)
        if standing is None or not standing.held:
            return []
        standing.held, standing.seen = False, now
        if ended.over:
            was = standing.condition
            standing.condition = Condition(was.rule, was.text, ended.over, was.kind)
        return self._away(ended.name, standing, now)

    def active(self, now: int, wall: int) -> list[ActiveAlert]:
        """Return the troubles that hold and were alerted, oldest first; ``wall`` is ``now`` in ns since the epoch."""
        announced = [(each.since, name, each) for name, each in self._standing.items() if each.alerted_at is not None]
        return [
            ActiveAlert(
                kind=standing.condition.alert_kind,
                name=name,
                level=self._rules.rule(standing.condition.rule).level,
                text=standing.condition.text,
                since_ts=(wall - now + since) / SECOND,
            )
            for since, name, standing in sorted(announced, key=lambda each: each[:2])
        ]

    def _take(self, name: str, condition: Condition, now: int, *, held: bool) -> _Standing:
        standing = self._standing.get(name)
        if standing is None:
            standing = self._standing[name] = _Standing(condition, now, now, held)
        standing.condition, standing.seen, standing.held = condition, now, held
        return standing

    def _due(self, standing: _Standing, now: int) -> list[Say]:
        """Return the alert of a trouble that has lasted long enough, or is due again."""
        condition = standing.condition
        rule = self._rules.rule(condition.rule)
        if rule.level == "none":
            return []
        if standing.alerted_at is None:
            if now - standing.since < rule.lasts_s * SECOND:
                return []
            text = condition.text
        elif standing.alert_kind != condition.alert_kind:
            text = condition.text
        elif _is_again(rule, now - standing.alerted_at):
            text = f"{condition.text} (for {age((now - standing.since) / SECOND, TO_HOURS)} now)"
        else:
            return []
        standing.alerted_at, standing.alert_kind = now, condition.alert_kind
        return [Say(rule.level, condition.alert_kind, text)]

    def _away(self, name: str, standing: _Standing, now: int) -> list[Say]:
        """Return the alert that a trouble is over, once it was away for long enough."""
        condition = standing.condition
        if standing.alerted_at is None:
            del self._standing[name]
            return []
        if now - standing.seen < self._rules.rule(condition.rule).over_s * SECOND:
            return []
        del self._standing[name]
        return [Say("info", condition.end, condition.over)]


def _is_again(rule: Rule, waited: int) -> bool:
    return rule.again_s > 0 and waited >= rule.again_s * SECOND
