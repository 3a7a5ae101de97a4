"""The crowd: a seeded flow of makers and takers on one pair (MARKET.md). No clock, no socket, its own randomness.

A fair price moves by news and by trades (part of a trade's impact stays, part decays). Makers keep a touch around it:
when it moves they pull what would be picked off, takers sweep whatever others left behind, and makers quote anew.
Everything goes through the venue's engine, so an account's order fills only in price-time priority.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable

from simulator.exchange.engine import Side, opposite
from simulator.exchange.exchange import Exchange
from simulator.exchange.venue.venue import Venue
from simulator.market.crowd import SIDES, Crowd, Resting, sign_of
from simulator.market.makers import Makers
from simulator.market.schedule import Schedule
from simulator.market.style import Style
from simulator.wire import NS

STEP_EVENTS_MAX = 400
LATE_MAX_NS = NS
# Of the levels that makers add: how many are shown for a moment only, for how long (ms, mean), and how many of those
# are then moved in one go.
FLEETING, FLEETING_MS, MOVED = 0.43, 195.0, 0.45
# Of a maker's changes of mind: how many add a level and how many take one away, in a book as full as it should be.
ADDED, TAKEN = 0.315, 0.135
# Takers that take the whole touch and reach beyond it, when their order is larger; the others leave a share of it.
EAGER, LEFT = 0.04, 0.9
# How soon makers change their minds after a taker's order (ms; at first, and on average after that).
ECHO_FROM_MS, ECHO_MS = 0.2, 43.0
FOLLOW_EVERY_S = 0.25
CRASH_FIRST_S, CRASH_EVERY_S, CRASH_STEPS = 30.0, 600.0, 40


class Market:
    """The crowd of one venue and its moods. ``pace`` speeds everything up, for tests."""

    def __init__(self, exchange: Exchange, venue: Venue, style: Style, seed: str, pace: float = 1.0) -> None:
        self.venue = venue
        self.style = style
        self._pace = pace
        self.crowd = Crowd(exchange, venue, style, seed)
        self._schedule = Schedule()
        self.makers = Makers(self.crowd, self._schedule, pace)
        # The worth of a unit that other pairs imply, in the quote asset, and the time constant of following it.
        self._implied: Callable[[], float] | None = None
        self._follow_s = 1.0
        # A step of the tick in units of the quote asset.
        self._step = self.crowd.tick / 10.0**venue.pair.price_precision
        self._sign = 1
        self._trend = 1
        self._mood = 0.0
        self._offset = 0

    def open(self, now: int, own: Iterable[tuple[Side, int]] = ()) -> None:
        """Seed the book around the last price and start the flow.

        ``own`` are (side, price) of orders about to be restored: the book leaves them uncrossed, and stands ahead of
        them at their prices.
        """
        self.crowd.now = now
        standing = [(side, price // self.crowd.tick) for side, price in own]
        bids = [price for side, price in standing if side == "buy"]
        asks = [price for side, price in standing if side == "sell"]
        middle = max(1, self.venue.last_price // self.crowd.tick)
        if asks:
            middle = min(middle, min(asks) - 1)
        if bids:
            middle = max(middle, max(bids))
        self.makers.fair = middle + 0.5
        touch: dict[Side, int] = {"buy": middle, "sell": middle + self.makers.width}
        for side in SIDES:
            self.crowd.insert(side, touch[side], self.crowd.touch_size(side))
            for _ in range(self.style.near_levels):
                self.crowd.insert(side, self.crowd.near_price(side, touch[side]), self.crowd.size())
            for _ in range(self.style.deep_levels):
                self.crowd.insert(side, self.crowd.deep_price(side, touch[side]), self.crowd.size())
        for side, price in standing:
            if abs(price - middle) * self.crowd.tick_bp < 200:
                self.crowd.insert(side, price, self.crowd.size())
        if self.style.halted:
            self._schedule.later(now, self._idle)
            return
        for first, rate in ((self._news, 1.0), (self._cluster, 1.0), (self._quiet, 2.0), (self._tend, 2.0)):
            self._schedule.later(now + int(self.crowd.rng.expovariate(rate) * NS / self._pace), first)
        self._schedule.later(now, self._weather)
        self._schedule.later(now + NS // 4, self._react)
        if self.style.crash_bp:
            self._schedule.later(now + int(CRASH_FIRST_S * NS / self._pace), self._crash)

    def step(self, now: int) -> int:
        """Do what is due; return when to come back. A long absence is skipped, not caught up with."""
        self.crowd.now = now
        late = now - self._offset - self._schedule.due_ns
        if late > LATE_MAX_NS:
            self._offset += late
        for _ in range(STEP_EVENTS_MAX):
            if self._schedule.due_ns + self._offset > now:
                break
            self._schedule.run_next()
        return self._schedule.due_ns + self._offset

    def shift(self, by: int) -> None:
        """Keep every due time at its distance when the clock is moved by so many ns."""
        self.crowd.now += by
        self._offset += by

    @property
    def worth(self) -> float:
        """Return what the crowd thinks a unit of the base is worth just now, in the quote asset."""
        return (self.makers.fair + self.makers.push) * self._step

    def follow(self, implied: Callable[[], float], seconds: float, now: int) -> None:
        """Make the crowd pull the fair price to what ``implied`` says, ``seconds`` being the time constant."""
        begins = self._implied is None and not self.style.halted
        self._implied, self._follow_s = implied, seconds
        if begins:
            self._schedule.later(now - self._offset, self._arbitrage)

    def _gap(self, rate: float) -> int:
        """Return ns until the next event of a flow that the mood speeds up or slows down."""
        return int(self.crowd.rng.expovariate(rate * math.exp(self._mood)) * NS / self._pace)

    def _idle(self, t: int) -> None:
        self._schedule.later(t + NS, self._idle)

    def _weather(self, t: int) -> None:
        # Activity drifts over tens of seconds: this is what makes busy and quiet minutes.
        spread, keep = 0.75, math.exp(-1 / 15)
        drawn = self.crowd.rng.gauss(0, 1) * spread * math.sqrt(1 - keep * keep)
        self._mood = (self._mood + spread**2 / 2) * keep + drawn - spread**2 / 2
        if self.style.drift_bp:
            if self.crowd.rng.random() < 1 / self.style.trend_s:
                self._trend = -self._trend
            self.makers.fair += self._trend * self.style.drift_bp / self.crowd.tick_bp
            self.makers.align_soon(t)
        self._schedule.later(t + int(NS / self._pace), self._weather)

    def _arbitrage(self, t: int) -> None:
        """Take part of the gap to the price that other pairs imply, as arbitrage does."""
        if self._implied is not None:
            target = self._implied() / self._step
            keep = math.exp(-FOLLOW_EVERY_S * self._pace / self._follow_s)
            self.makers.fair = target + (self.makers.fair - target) * keep
            self.makers.align_soon(t)
        self._schedule.later(t + int(FOLLOW_EVERY_S * NS), self._arbitrage)

    def _news(self, t: int) -> None:
        self.makers.fair += self.crowd.rng.gauss(0, self.style.news_bp) / self.crowd.tick_bp
        self.makers.align_soon(t)
        self._schedule.later(t + self._gap(self.style.news_rate), self._news)

    def _crash(self, t: int) -> None:
        """Sell through the book for seconds while makers stand back, then buy most of it back."""
        for number in range(CRASH_STEPS):
            down = t + int(number * 0.2 * NS / self._pace)
            self._schedule.later(down, self._slide, -self.style.crash_bp / CRASH_STEPS, True)
            up = t + int((15 + number * 1.2) * NS / self._pace)
            self._schedule.later(up, self._slide, 0.6 * self.style.crash_bp / CRASH_STEPS, False)
        self._schedule.later(t + int(CRASH_EVERY_S * NS / self._pace), self._crash)

    def _slide(self, t: int, bp: float, sold: bool) -> None:
        self.makers.fair += bp / self.crowd.tick_bp
        best = self.crowd.best("buy")
        if sold and best is not None:
            self.crowd.send("sell", best - round(5 / self.crowd.tick_bp), self.crowd.lots(self.style.take_size * 40))
            for side in SIDES:
                resting = self.crowd.pick(side, self.style.near_levels, spare_touch=True)
                if resting is not None:
                    self.crowd.withdraw(resting)
        self.makers.align_soon(t)

    def _cluster(self, t: int) -> None:
        rng = self.crowd.rng
        if rng.random() > 0.55:
            self._sign = -self._sign
        sign, when = self._sign, t
        if self.style.drift_bp and rng.random() < 0.3:
            sign = self._trend
        stop = 1 / self.style.cluster_mean
        while True:
            self._schedule.later(when, self._take, sign)
            if rng.random() < stop:
                break
            if rng.random() > 0.72:
                sign = -sign
            when += self.crowd.pause(2, 60)
        self._schedule.later(t + self._gap(self.style.cluster_rate), self._cluster)

    def _take(self, t: int, sign: int) -> None:
        """Hit the touch as a taker, up to a little beyond it, and move the fair price."""
        side: Side = "buy" if sign > 0 else "sell"
        other = opposite(side)
        best = self.crowd.best(other)
        if best is None:
            self.makers.align_soon(t)
            return
        # Log-normal with this sigma has a mean of 2.05 medians.
        size = self.crowd.rng.lognormvariate(math.log(self.style.take_size / 2.05), 1.2)
        qty = max(self.crowd.lots(size), self.venue.pair.qty_min)
        if self.crowd.rng.random() > EAGER:
            # Most takers take what is shown at the touch and leave a little of it standing.
            standing = self.venue.book.side(other).qty[best * self.crowd.tick]
            qty = max(min(qty, round(standing * LEFT)), self.venue.pair.qty_min)
        reach = max(1, round(0.5 * self.style.near_bp / self.crowd.tick_bp))
        self.crowd.send(side, best + sign * reach, qty)
        self.makers.fair += sign * self.style.stay_bp / self.crowd.tick_bp
        self.makers.decay(t)
        self.makers.push += sign * self.style.decay_bp / self.crowd.tick_bp
        self.makers.align_soon(t)
        if self.style.echo:
            for _ in range(int(self.crowd.rng.expovariate(1 / self.style.echo))):
                self._schedule.later(t + self.crowd.pause(ECHO_FROM_MS, ECHO_MS), self._change_mind)

    def _quiet(self, t: int) -> None:
        self._change_mind(t)
        self._schedule.later(t + self._gap(self.style.quiet_rate), self._quiet)

    def _change_mind(self, t: int) -> None:
        """Change one maker's size, add a level, or take one away, all near the touch."""
        rng = self.crowd.rng
        side = rng.choice(SIDES)
        keys = self.crowd.keys[side]
        best = self.crowd.best(side)
        if not keys or best is None:
            self.makers.align_soon(t)
            return
        zone = 4 * self.crowd.near_ticks()
        near = bisect_left(keys, best * sign_of(side) + zone)
        fullness = near / self.style.near_levels
        drawn = rng.random()
        insert = ADDED * min(2.5, max(0.1, 2 - fullness))
        if drawn < insert:
            self._show(t, side, self.crowd.reused_size(t))
        elif drawn < insert + TAKEN * min(6.0, max(0.0, 2 * fullness - 1)):
            resting = self.crowd.pick(side, min(near, len(keys)) or 1, spare_touch=True)
            if resting is not None:
                self.crowd.deleted.append((t, resting.remaining))
                self.crowd.withdraw(resting)
        else:
            resting = self.crowd.pick(side, min(self.style.near_levels, near, len(keys)) or 1)
            if resting is not None:
                at_touch = resting.price == best
                self.crowd.resize(resting, self.crowd.touch_size(side) if at_touch else self.crowd.size())

    def _show(self, t: int, side: Side, size: int) -> None:
        """Add a maker's level; many of these are taken back or moved at once."""
        best = self.crowd.best(side)
        if best is None or not self.crowd.insert(side, self.crowd.near_price(side, best), size):
            return
        if self.crowd.rng.random() < FLEETING:
            self._schedule.later(t + self.crowd.pause(4, FLEETING_MS), self._flee, self.crowd.number)

    def _flee(self, t: int, number: int) -> None:
        """Move a fleeting level in one go, or withdraw it and perhaps add it at another price."""
        resting = self.crowd.orders.get(number)
        best = self.crowd.best(resting.side) if resting is not None else None
        if resting is None or best is None or resting.price == best:
            return
        if self.crowd.rng.random() < MOVED:
            self.crowd.move(resting, self.crowd.near_price(resting.side, best))
            if self.crowd.rng.random() < FLEETING:
                self._schedule.later(t + self.crowd.pause(4, FLEETING_MS), self._flee, number)
            return
        self.crowd.deleted.append((t, resting.remaining))
        self.crowd.withdraw(resting)
        if self.crowd.rng.random() < 0.3:
            self._schedule.later(t + self.crowd.pause(1, 40), self._show, resting.side, resting.remaining)

    def _tend(self, t: int) -> None:
        """Keep the deep book at its size, one order at a time."""
        side = self.crowd.rng.choice(SIDES)
        keys = self.crowd.keys[side]
        best = self.crowd.best(side)
        if best is not None and keys:
            if len(keys) > self.style.deep_levels + self.style.near_levels:
                self.crowd.withdraw(self.crowd.by_price[side][keys[-1] * sign_of(side)])
            else:
                self.crowd.insert(side, self.crowd.deep_price(side, best), self.crowd.size())
        self._schedule.later(t + self._gap(4.0), self._tend)

    def _react(self, t: int) -> None:
        """React to an account that improves the touch: takers hit it, and the makers behind it stand back."""
        for side, sign in zip(SIDES, (-1, 1), strict=True):
            best, mine = self.crowd.best(side), self.crowd.keys[side]
            if best is None or not mine or best in self.crowd.by_price[side] or best * sign_of(side) >= mine[0]:
                continue
            if self.crowd.rng.random() < self.style.draw:
                self._take(t, sign)
            if self.crowd.rng.random() < self.style.leave:
                resting: Resting = self.crowd.by_price[side][mine[0] * sign_of(side)]
                self.crowd.withdraw(resting)
        self._schedule.later(t + int(NS / 4 / self._pace), self._react)
