"""Invariant 4, computed again: by the exchange's balances and orders, and the books as the process heard them.

By asset, over all pairs that move it. Rates are taken once a second by the executor; what was valued a moment ago by
other mids is no fault, so each value here is a range, and only what is too much at its lowest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shared.valuation import legs
from simulator.pairs.pairs import ASSETS, PAIRS
from tests.simulation.host import Host
from tests.simulation.mids import Range
from tests.simulation.orders import Open, is_alive, is_flatten, is_ours, resting, with_request

if TYPE_CHECKING:
    from tests.simulation.invariants import Watch

ZERO, ONE = Decimal(0), Decimal(1)
UP, DOWN = 1, -1
Leg = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Case:
    """The worst case of each traded base in each direction, in dollars, each at its lowest."""

    by_leg: dict[Leg, Decimal]

    @property
    def gross(self) -> Decimal:
        """Of all bases, each in its worse direction."""
        assets = {asset for asset, _ in self.by_leg}
        return sum((max(self.by_leg[asset, UP], self.by_leg[asset, DOWN], ZERO) for asset in assets), ZERO)


class WorstCase:
    """Judges each add and amend as it leaves."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.world = watch, watch.world
        self.market = watch.world.market

    def check(self, host: Host, body: dict[str, Any]) -> None:
        """Within every limit whenever something is sent that does not reduce it."""
        rules = self.world.config.trading
        before = standing = self.standing(host)
        if is_flatten(body):  # it only reduces: the worst case of foreign orders does not hold it up
            before = {name: order for name, order in before.items() if order.ours}
        after = with_request(before, self.world.kraken.account, body)
        changed = [order for name, order in after.items() if before.get(name) != order]
        what = f"{host.name} {body['method']} {[(o.symbol, o.side, o.price, o.lots) for o in changed]}"
        if any(self.unit(host, order.symbol, Decimal(0)) is None for order in changed):
            if not is_flatten(body):  # which may go by what the process before it valued by
                self.watch.violate("rate", f"{what} without a mid and a rate")
            return
        legs_changed = list(dict.fromkeys(leg for order in changed for leg in self._moves(order)))
        self.watch.checks["4"] += len(legs_changed)
        # It is a fault only if it is one whatever of the account's changes the process had been told.
        closes = is_flatten(body)
        wrong = [
            self._wrong(host, before, after, legs_changed, until, closes=closes) for until in self._told_until(host)
        ]
        if all(wrong):
            self.watch.violate("4", f"{what}: {wrong[0]}")
        if (
            body["method"] != "amend_order"
            and len(with_request(standing, self.world.kraken.account, body)) > rules.max_open_orders
        ):
            self.watch.violate("4", f"{what}: too many orders open, max_open_orders is {rules.max_open_orders}")
        for order in changed:
            if self._worth(host, order) > rules.max_order_size:
                self.watch.violate("4", f"{what}: above max_order_size")

    def _wrong(
        self,
        host: Host,
        before: dict[str, Open],
        after: dict[str, Open],
        changed: list[Leg],
        until: int,
        *,
        closes: bool,
    ) -> str:
        """Return the limit that is passed, if the process knew the changes before ``until``; empty if none is."""
        rules = self.world.config.trading
        was, now = self.case(host, before.values(), until), self.case(host, after.values(), until)
        for leg in changed:
            if now.by_leg[leg] > rules.max_position_size and now.by_leg[leg] > was.by_leg[leg]:
                return f"worst case {leg} {now.by_leg[leg]:.2f} (was {was.by_leg[leg]:.2f}) above max_position_size"
        # A flatten closes one base, if into another (T11 has its own check): together they come to no more.
        if now.gross > rules.max_gross_position and now.gross > was.gross and not closes:
            return f"gross {now.gross:.2f} (was {was.gross:.2f}) above max_gross_position"
        return ""

    def standing(self, host: Host) -> dict[str, Open]:
        """Return everything that rests or is in flight, at its worst; foreign orders only if the process knows them."""
        kraken = self.world.kraken
        result = resting(kraken.account.orders.values(), host.known_ts)
        for link in kraken.links:
            for _, body in link.in_flight.values():
                if is_alive(body, kraken.ts):
                    result = with_request(result, kraken.account, body)
        return result

    # --- values --------------------------------------------------------------------------------------------------

    def rate(self, host: Host, asset: str) -> Range | None:
        """Return what one unit of a quote asset is worth in dollars."""
        low, high = ONE, ONE
        for symbol in self.market.ways[asset]:
            span = host.mids.span(symbol, self.world.loop.now)
            if span is None:
                return None
            if asset == legs(symbol)[0]:
                low, high, asset = low * span[0], high * span[1], legs(symbol)[1]
            else:
                low, high, asset = low / span[1], high / span[0], legs(symbol)[0]
        return low, high

    def unit(self, host: Host, symbol: str, price: Decimal) -> Decimal | None:
        """Return what one unit of a pair's base is worth at the worse of a price and the mid, at its lowest."""
        mid, quote = host.mids.last(symbol), legs(symbol)[1]
        rate = self.rate(host, quote) if quote in self.market.ways else None
        return None if mid is None or rate is None else max(price, mid) * rate[0]

    def base(self, host: Host, asset: str) -> Range | None:
        """Return what one unit of a traded base is worth, by all of its pairs."""
        lows, highs = [], []
        for symbol in self.market.traded:
            base, quote = legs(symbol)
            span, rate = host.mids.span(symbol, self.world.loop.now), self.rate(host, quote)
            if base == asset and span is not None and rate is not None:
                lows.append(span[0] * rate[0])
                highs.append(span[1] * rate[1])
        return (min(lows), max(highs)) if lows else None

    def position(self, asset: str, host: Host | None = None) -> Decimal:
        """Return an asset's balance at the exchange, in all wallets, less its inventory."""
        account, decimals = self.world.kraken.account, ASSETS[asset].decimals
        units = account.balances.get(asset, 0) + sum(account.wallets.get(asset, {}).values())
        return Decimal(units).scaleb(-decimals) - self.watch.inventory(asset, host)

    def unknown(self, host: Host, asset: str) -> Iterator[Decimal]:
        """Changes of a balance, by nothing of ours, that no report has told the process yet."""
        return (amount for _, amount in self._untold(host, asset))

    def _told_until(self, host: Host) -> list[int]:
        """The moments up to which the process may have been told: none of what is untold, and after each of it."""
        return [0, *sorted({ns + 1 for asset in self.market.bases for ns, _ in self._untold(host, asset)})]

    def _untold(self, host: Host, asset: str) -> Iterator[tuple[int, Decimal]]:
        for move in self.world.kraken.others.moves:
            if move.asset == asset and move.ns >= host.balances_ts:
                yield move.ns, move.amount
        for fill in self.world.kraken.account.fills:
            if is_ours(fill.cl_ord_id) or fill.ns < host.known_ts:
                continue
            sign = 1 if fill.side == "buy" else -1
            if fill.pair.base.name == asset:
                yield fill.ns, sign * Decimal(fill.pair.qty(fill.qty))
            if fill.pair.quote.name == asset:
                yield fill.ns, -sign * Decimal(fill.pair.price(fill.price)) * Decimal(fill.pair.qty(fill.qty))

    def case(self, host: Host, orders: Iterable[Open], until: int = 0) -> Case:
        """The worst case of every traded base, with those of the untold changes that came before ``until``."""
        by_leg: dict[Leg, Decimal] = {}
        for asset in self.market.bases:
            value = self.base(host, asset) or (ZERO, ZERO)
            untold = sum((change for ns, change in self._untold(host, asset) if ns >= until), ZERO)
            held = self.position(asset, host) - untold
            for way in (UP, DOWN):
                signed = way * held
                by_leg[asset, way] = signed * value[0 if signed > 0 else 1]
        for order in orders:
            for leg in self._moves(order):
                by_leg[leg] += self._worth(host, order)
        return Case(by_leg)

    def _worth(self, host: Host, order: Open) -> Decimal:
        pair = PAIRS[order.symbol]
        unit = self.unit(host, order.symbol, Decimal(order.price).scaleb(-pair.price_precision))
        return (unit or ZERO) * Decimal(order.lots).scaleb(-pair.qty_precision)

    def _moves(self, order: Open) -> list[Leg]:
        base, quote = legs(order.symbol)
        way = UP if order.side == "buy" else DOWN
        return [leg for leg in ((base, way), (quote, -way)) if leg[0] in self.market.bases]
