"""Why one of our own rules denies an add or an amend: a rule for the code, a sentence for people."""

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


# Denials that pass by themselves, as orders move and counters decay: the slot waits briefly, and no denied order is
# recorded.
PATIENT = frozenset({Rule.RATE_BUDGET, Rule.CROSSES_OWN, Rule.ORDER_RATE})


@dataclass(frozen=True, slots=True)
class Denial:
    """The rule that denied, with its figures in ``text``; the same rule with other figures is the same reason."""

    rule: Rule
    text: str

    @property
    def is_patient(self) -> bool:
        """True if it passes by itself within moments."""
        return self.rule in PATIENT


BUDGET = Denial(Rule.RATE_BUDGET, "rate budget")
