"""Ages as people say them."""

from __future__ import annotations

import math
from typing import Final, NamedTuple


class Step(NamedTuple):
    """The form of ages below a bound (s), in a unit of so many seconds."""

    below_s: float
    unit_s: float
    form: str


_LONG: Final = (Step(120, 1, "{:.0f} s"), Step(7200, 60, "{:.0f} min"))
_HOURS: Final = Step(172_800, 3600, "{:.0f} h")
# ``12 s``, ``3 min``, ``5 h``, ``2 d``.
SPOKEN: Final = (*_LONG, _HOURS, Step(math.inf, 86_400, "{:.0f} d"))
# The same without days.
TO_HOURS: Final = (*_LONG, _HOURS._replace(below_s=math.inf))
# The same with tenths of the first ten seconds: ``0.4 s``.
PRECISE: Final = (Step(10, 1, "{:.1f} s"), *SPOKEN)
# At most four cells: ``12s``, ``3m``, ``5h``, ``2d``.
SHORT: Final = (
    Step(100, 1, "{:.0f}s"),
    Step(6000, 60, "{:.0f}m"),
    Step(172_800, 3600, "{:.0f}h"),
    Step(math.inf, 86_400, "{:.0f}d"),
)


def age(seconds: float | None, steps: tuple[Step, ...] = SPOKEN) -> str:
    """Return an age in the first unit that is large enough; a dash for none."""
    if seconds is None:
        return "-"
    step = next(step for step in steps if seconds < step.below_s)
    return step.form.format(seconds / step.unit_s)
