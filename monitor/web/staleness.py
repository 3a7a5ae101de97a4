"""The age of the data on the page, and what to do about it, in sentences."""

from __future__ import annotations

import time
from dataclasses import dataclass

from monitor.model.ages import age
from monitor.model.status_object import Status
from monitor.web.client import Answer
from monitor.web.drawing.markup import Tone
from shared import limits


@dataclass(frozen=True, slots=True)
class Condition:
    """A message to a person: a headline, its detail, a tone; an empty headline says nothing."""

    headline: str = ""
    detail: str = ""
    tone: Tone = ""


def freshness(status: Answer[object], now: float, base: str) -> Condition:
    """Return a headline when the API is down or has not answered for :data:`limits.WEB_STALE_S`, else an empty one."""
    age_s = status.age_s(now)
    if age_s is None and status.trouble and status.is_refused:
        return Condition("The system is down", f"Nothing listens at {base}. Start it: make run. {GOES_ON}", "bad")
    if age_s is None and status.trouble:
        return Condition("No answer yet", f"{base}: {status.trouble}. {GOES_ON}", "bad")
    if age_s is None or age_s < limits.WEB_STALE_S:
        return Condition()
    how_old = f"What is shown is {age(age_s)} old."
    if status.is_refused:
        return Condition("The system is down", f"{how_old} Start it: make run. {GOES_ON}", "bad")
    why = f" ({status.trouble})" if status.trouble else ""
    return Condition(
        "Stale", f"{how_old} The monitor does not answer{why}; trading may go on without it. {GOES_ON}", "warn"
    )


GOES_ON = "This page goes on by itself."


def money_at_stake(status: Status | None) -> Condition:
    """Return whose money it is: made-up, none that is sent, or real, which it is taken for while nothing is known."""
    if status is not None and status.sandbox:
        return Condition("Sandbox", "made-up money on this machine", "quiet")
    if status is not None and status.dry_run:
        return Condition("Dry run", "Kraken's live market; nothing is sent", "warn")
    return Condition("REAL MONEY", "orders go to Kraken", "real")


def halt(status: Status) -> Condition:
    """Return the state of the halt switch."""
    if status.halted:
        return Condition("Halted", status.halted_why or "nothing is placed until resume", "bad")
    return Condition("Not halted", "", "good")


def clock(ts: float | None) -> str:
    """Return seconds since the epoch as the time of day, UTC, to the millisecond."""
    if not ts:
        return "-"
    return f"{time.strftime('%H:%M:%S', time.gmtime(ts))}.{int(ts * 1000) % 1000:03d}"


def day_and_clock(ts: float | None) -> str:
    """Return seconds since the epoch as day and time, UTC."""
    return f"{time.strftime('%Y-%m-%d', time.gmtime(ts))} {clock(ts)}" if ts else "-"
