"""Checks of an order before it reaches the engine, with Kraken's refusals (KRAKEN.md 3.5, 4.5)."""

from __future__ import annotations

from decimal import Decimal

from simulator import errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.engine import Side
from simulator.exchange.orders import Account, Order
from simulator.exchange.state import SystemStatus
from simulator.exchange.venue.venue import Venue
from simulator.pairs.instrument import PairStatus
from simulator.pairs.pairs import Pair
from simulator.wire import units

# Above any order here, and low enough that sums of many stay within the engines' 63 bits.
QTY_MAX = 10**17
PRICE_MAX = 10**12


def to_ticks(pair: Pair, price: Decimal, too_fine: str = "invalid_price") -> int:
    """Return a price in ticks, or refuse it (KrakenError); ``too_fine`` chooses the refusal of too many decimals."""
    if not price.is_finite() or price <= 0 or price.adjusted() > 15:
        raise KrakenError(errors.INVALID_PRICE)
    ticks = units(price, pair.price_precision)
    if ticks is None and too_fine == "tick_size":
        raise KrakenError(errors.TICK_SIZE)
    if ticks is None:
        raise errors.price_decimals(pair.wsname, pair.price_precision)
    if ticks % pair.tick:
        raise KrakenError(errors.TICK_SIZE)
    if ticks > PRICE_MAX:
        raise KrakenError(errors.INVALID_PRICE)
    return ticks


def to_lots(pair: Pair, qty: Decimal) -> int:
    """Return a quantity in lots, or Kraken's refusal of it."""
    if not qty.is_finite() or qty <= 0:
        raise invalid("volume")
    lots = units(qty, pair.qty_precision)
    if lots is None or lots > QTY_MAX:
        raise invalid("volume")
    return lots


def check_system(system: SystemStatus, post_only: bool) -> None:
    """Refuse (KrakenError) an add or amend that this state of the exchange does not allow (KRAKEN.md 1.2)."""
    if system == SystemStatus.CANCEL_ONLY:
        raise KrakenError(errors.CANCEL_ONLY)
    if system == SystemStatus.POST_ONLY and not post_only:
        raise KrakenError(errors.POST_ONLY_MODE)
    if system == SystemStatus.MAINTENANCE:
        raise KrakenError(errors.UNAVAILABLE)


def check_pair(status: str, kind: str, post_only: bool, reduces: bool = False) -> None:
    """Refuse (KrakenError) a kind of order that this state of its pair does not allow (KRAKEN.md 1.9)."""
    if status == PairStatus.CANCEL_ONLY:
        raise KrakenError(errors.CANCEL_ONLY)
    if status == PairStatus.POST_ONLY and not post_only:
        raise KrakenError(errors.POST_ONLY_MODE)
    if status == PairStatus.LIMIT_ONLY and kind != "limit":
        raise KrakenError(errors.LIMIT_ONLY_MODE)
    if status == PairStatus.REDUCE_ONLY and not reduces:
        raise KrakenError(errors.REDUCE_ONLY)
    if status in (PairStatus.MAINTENANCE, PairStatus.DELISTED, PairStatus.WORK_IN_PROGRESS):
        raise KrakenError(errors.UNAVAILABLE)


def check_size(venue: Venue, qty: int, price: int | None) -> None:
    """Refuse (KrakenError) an order below the pair's minimums; one without a price counts at the last one."""
    pair = venue.pair
    if qty < pair.qty_min:
        raise KrakenError(errors.ORDER_MINIMUM)
    if pair.exact_cost_below(venue.last_price if price is None else price, qty, pair.cost_min):
        raise KrakenError(errors.COST_MINIMUM)


def check_funds(
    account: Account,
    venue: Venue,
    side: Side,
    qty: int,
    price: int | None,
    post_only: bool,
    replacing: Order | None = None,
    *,
    waits: bool = False,
) -> None:
    """Refuse (KrakenError) an order that may cost more than is free; ``replacing`` is the one it replaces.

    One that ``waits`` for its trigger may take from the book when that is reached.
    """
    asset, needed = needs(account, venue, side, qty, price, post_only, waits)
    if needed > account.free(asset, replacing):
        raise KrakenError(errors.INSUFFICIENT_FUNDS)


def needs(
    account: Account, venue: Venue, side: Side, qty: int, price: int | None, post_only: bool, waits: bool
) -> tuple[str, int]:
    """Return the asset that the order may cost, and how many units of it."""
    pair = venue.pair
    if side == "sell":
        return pair.base.name, pair.base_units(qty, "up")
    return pair.quote.name, buy_cost(account, venue, qty, price, post_only, waits)


def buy_cost(account: Account, venue: Venue, qty: int, price: int | None, post_only: bool, waits: bool) -> int:
    """Return units of the quote asset that a buy may cost, fee included: the taker's where it would or might take."""
    pair = venue.pair
    taker = 1_000_000 + account.taker_rate
    if price is not None:
        _, ask = venue.touch()
        takes = (waits or (ask is not None and price >= ask)) and not post_only
        return pair.quote_units_up(price, qty, taker if takes else 1_000_000 + account.maker_rate)
    total, left = 0, qty
    for level, size in venue.engine.levels("sell", 1000):
        part = min(left, size)
        # One unit a level for the rounding of its fills.
        total += pair.quote_units_up(level, part, taker) + 1
        left -= part
        if not left:
            break
    return total


def lots_for(venue: Venue, cash: Decimal) -> int:
    """Return the lots that an amount of the quote asset buys at market now, without fees."""
    pair = venue.pair
    left, lots = int(cash.scaleb(pair.price_precision + pair.qty_precision)), 0
    for price, qty in venue.engine.levels("sell", 1000):
        part = min(qty, left // price)
        lots += part
        left -= part * price
        if part < qty:
            break
    return lots


def would_take(venue: Venue, side: Side, price: int | None) -> bool:
    """True if an order at a price (ticks; None at market) would trade as it comes."""
    bid, ask = venue.touch()
    if price is None:
        return True
    return ask is not None and price >= ask if side == "buy" else bid is not None and price <= bid
