"""Why one of our own rules denies an add or an amend: a rule for the code, words for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Rule(Enum):
    """The rule that denied."""

    NO_MID = auto()
    PAIR = auto()  # the pair's status, steps and minimums
    RATE = auto()  # nothing values the quote asset
    ORDER_SIZE = auto()
    PRICE_BAND = auto()
    CROSSES_OWN = auto()
    OPEN_ORDERS = auto()
    POSITION = auto()
    GROSS = auto()
    FUNDS = auto()
    ORDER_RATE = auto()  # adds and amends a minute
    RATE_BUDGET = auto()  # Kraken's counter of the pair
    DRY_RUN = auto()


# What passes by itself, as orders move and counters decay: worth a short wait, and no order that shows the denial.
PATIENT = frozenset({Rule.RATE_BUDGET, Rule.CROSSES_OWN, Rule.ORDER_RATE})


@dataclass(frozen=True, slots=True)
class Denial:
    """A rule that denies a wish, with its figures in ``words``; the same rule with other figures is the same reason."""

    rule: Rule
    text: str

    @property
    def is_patient(self) -> bool:
        """True if it passes by itself within moments."""
        return self.rule in PATIENT


BUDGET = Denial(Rule.RATE_BUDGET, "rate budget")
