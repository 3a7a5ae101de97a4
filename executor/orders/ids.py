"""Client order ids: 18 characters that name the strategy, its slot and the executor's epoch.

``T``, epoch (6 digits of base 36), strategy (3, registered in the journal), slot (2), counter (6).
"""

from __future__ import annotations

from dataclasses import dataclass

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LENGTH = 18
EPOCH_DIGITS = 6
EPOCH_MAX = 36**6 - 1  # in the year 2038
_EPOCH_LEAST = 1_577_836_800  # 2020: no writer is older
_DAY_S = 86_400


def base36(number: int, width: int) -> str:
    """Return ``number`` in base 36, padded. Raises ValueError when it does not fit."""
    text = ""
    rest = number
    while rest:
        rest, digit = divmod(rest, 36)
        text = _DIGITS[digit] + text
    if number < 0 or len(text) > width:
        raise ValueError(f"{number} does not fit {width} digits of base 36")
    return text.rjust(width, "0")


@dataclass(frozen=True, slots=True)
class OrderId:
    """A client order id, taken apart; ``slot`` is in lower case as targets write it."""

    epoch: int
    strategy: str
    slot: str
    counter: int

    def __str__(self) -> str:
        return f"T{base36(self.epoch, EPOCH_DIGITS)}{self.strategy}{self.slot.upper()}{base36(self.counter, 6)}"


def parse(text: str | None) -> OrderId | None:
    """Return the parts of an id of ours, or None for anything else."""
    if text is None:  # an order without a client id, as REST returns it
        return None
    if len(text) != LENGTH or text[0] != "T" or any(char not in _DIGITS for char in text):
        return None
    return OrderId(int(text[1:7], 36), text[7:10], text[10:12].lower(), int(text[12:], 36))


def is_writers(epoch: int, unix_s: int) -> bool:
    """True if an executor can have had this epoch: plausible as unix seconds, and not after tomorrow.

    Somebody else's ids may look like ours; one that names the far future must not push our own epoch there.
    """
    return _EPOCH_LEAST <= epoch <= min(unix_s + _DAY_S, EPOCH_MAX - 1)
