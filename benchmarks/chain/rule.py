"""The strategies that are measured: orders whose price names the frame that called for them, and cancels."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from shared.messages import Quote, Target
from strategy.interface import Strategy, Trigger, View

ORDER_WORTH = 20


class Join(Strategy):
    """One order a pair at the best bid."""

    trigger = Trigger.TOUCH

    class Settings(msgspec.Struct, forbid_unknown_fields=True):
        """It has none."""

    def __init__(self, settings: msgspec.Struct) -> None:
        """Begin on one symbol."""

    def on_book(self, view: View) -> Target | None:
        """Join the bid with a little more than the least quantity."""
        if not view.book.bids or not self.is_wanted(view.book.bids[0][0] // view.pair.price_increment):
            return view.withdraw("no bid")
        units = int(ORDER_WORTH / view.worth(Decimal(0)) * 10**view.pair.qty_precision)
        qty = max(units, view.pair.qty_min)
        return view.target([Quote(slot="b0", side="buy", price=view.book.bids[0][0], qty=qty)])

    def is_wanted(self, bid: int) -> bool:  # noqa: ARG002 - for those that do not always want one
        """True if an order is wanted at this bid, in increments."""
        return True


class Blink(Join):
    """One order a pair at every second bid, and none at the others: every second calling frame calls for a cancel."""

    def is_wanted(self, bid: int) -> bool:
        """True at even bids."""
        return bid % 2 == 0
