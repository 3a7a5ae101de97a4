"""The strategy that is measured: it joins the bid, so that each order's price names the frame that called for it."""

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
        if not view.book.bids:
            return view.withdraw("no bid")
        units = int(ORDER_WORTH / view.worth(Decimal(0)) * 10**view.pair.qty_precision)
        qty = max(units, view.pair.qty_min)
        return view.target([Quote(slot="b0", side="buy", price=view.book.bids[0][0], qty=qty)])
