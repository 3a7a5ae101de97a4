"""Count what one pair's fills earned, with the exchange's rounding; fill the same requests on another market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from backtest.exact.history import Mids
from backtest.screen.played import ScreenFill
from backtest.venue.implementation import Market
from backtest.venue.recorded import Operation, Submitted, repeat
from shared.attribution import Attribution, MarkedFill, attribute
from shared.messages import Side
from shared.numbers import EXACT
from simulator.pairs.instrument import Pair

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Account:
    """One pair's result in its quote asset, the position valued at the last mid."""

    fills: list[MarkedFill]
    pnl: Decimal
    parts: Attribution


def account(
    pair: Pair, maker_rate: int, fills: Sequence[ScreenFill], mids: Mids, end_ts: int, last: Decimal
) -> Account:
    """Return what fills earned; ``maker_rate`` is in millionths, ``last`` the mid at the end."""
    base = quote = rounding = ZERO
    marked = []
    with localcontext(EXACT):
        for fill in fills:
            sign = 1 if fill.side == "buy" else -1
            fee_units = pair.quote_units_of(pair.cost_units(fill.price, fill.qty, maker_rate), "half_up")
            got = Decimal(pair.base_units(fill.qty)).scaleb(-pair.base.decimals)
            paid = Decimal(pair.quote_units(fill.price, fill.qty)).scaleb(-pair.quote.decimals)
            fee = Decimal(fee_units).scaleb(-pair.quote.decimals)
            each = _mark(pair, fill, fee, mids, end_ts)
            marked.append(each)
            base += sign * got
            quote -= sign * paid + fee
            # What the ledger's rounding of both legs made of it.
            rounding += sign * ((got - each.qty) * last - (paid - each.qty * each.price))
        pnl = base * last + quote
    return Account(marked, pnl, attribute(marked, {pair.symbol: last}, {pair.symbol: Decimal(1)}, rounding))


def _mark(pair: Pair, fill: ScreenFill, fee: Decimal, mids: Mids, end_ts: int) -> MarkedFill:
    price = Decimal(fill.price).scaleb(-pair.price_precision)
    mid, after = mids.around(fill.ts, end_ts, pair.price_precision)
    return MarkedFill(
        symbol=pair.symbol,
        ts=fill.ts,
        side=fill.side,
        price=price,
        qty=Decimal(fill.qty).scaleb(-pair.qty_precision),
        fee=fee,
        mid=mid or price,
        after=after,
    )


def fills_again(market: Market, operations: Sequence[Operation], end_ts: int) -> list[ScreenFill]:
    """Return the fills of the same requests at the same times on another market of the pair."""
    sides: dict[int, Side] = {}
    fills: list[ScreenFill] = []

    def advance(until_ts: int) -> None:
        while market.advance(until_ts, 0)[0]:
            for event in market.take_events(0):
                _, _, order_id, price, qty, *_ = event
                fills.append(ScreenFill(market.now(), order_id, sides[order_id], price, qty, None, 0, None))

    for request in operations:
        advance(request.ts)
        if isinstance(request, Submitted):
            sides[request.order_id] = "buy" if request.side == "buy" else "sell"
        repeat(market, request)
    advance(end_ts)
    return fills
