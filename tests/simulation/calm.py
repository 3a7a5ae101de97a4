"""After the storm: everything that must hold at rest does, wanted quotes come and go, and a flatten ends flat."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.clock import SECOND
from shared.messages import OrderState, Quote, Side
from shared.valuation import legs
from simulator.pairs.pairs import PAIRS

if TYPE_CHECKING:
    from tests.simulation.strategies import RandomStrategy
    from tests.simulation.world import World

SETTLES_S = 200.0
FLATTEN_S = 60.0


class Calm:
    """Ends a world's storm, and checks its end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.watch = world.watch

    def run(self) -> None:
        """The whole of it."""
        self._end_storm()
        self._settle("nothing of ours rests, nothing is in doubt", SETTLES_S, self._is_at_rest)
        self._run(8)  # reports of the last fills
        self.watch.at_rest()
        self._accept_all()
        self._progress()
        self._flatten()

    def _end_storm(self) -> None:
        world, kraken = self.world, self.world.kraken
        world.storm = False
        world.plan.stopped = True
        world.end_duel()
        kraken.refuse_share = kraken.internal_share = kraken.late_share = kraken.never_share = 0.0
        kraken.rest_fail_share = kraken.rest_lost_share = kraken.history_lag_s = kraken.snapshot_lag_s = 0.0
        for strategy in world.strategies:
            strategy.quiet = []
        for link in kraken.links:
            link.drop_reports = 0  # a gap shows at the next report, and at rest there may be none
        # What the plan began ends by itself within this time.
        self._run(32)
        world.resume()
        world.main.crash_in = -1
        world.main.start()
        # A report that was lost shows by the next one alone, and on a quiet account none may come.
        self._run(5)
        world.others.deposit(legs(world.market.traded[0])[1], 1.0)

    def _run(self, seconds: float) -> None:
        self.world.loop.run(self.world.loop.now + int(seconds * SECOND))

    def _settle(self, what: str, seconds: float, done: Callable[[], bool]) -> bool:
        for _ in range(int(seconds)):
            if done():
                return True
            self._run(1.0)
        self.watch.violate("progress", f"not within {seconds:.0f} s of calm: {what} ({self._why_not()})")
        return False

    def _why_not(self) -> str:
        host, now = self.world.main, self.world.loop.now
        if not host.running:
            return "the executor does not run"
        state, gates = host.state, host.executor.gates
        live = [(o.cl_ord_id, o.state.value, o.error, o.doomed) for o in state.registry.live()]
        closed = host.executor.closed_gate(now)
        symbols = {s: gate for s in self.world.market.traded if (gate := gates.quoting(s, now)) is not None}
        return (
            f"{closed!r}, {symbols}, difference {state.account.ledger.difference!r}, live {live}, "
            f"waits {host.executor.backoff.reasons()}, said {host.said}"
        )

    def _is_at_rest(self) -> bool:
        host = self.world.main
        if not host.running or self.watch.own_open():
            return False
        state = host.state
        ours = [o for o in state.registry.live() if o.strategy != "account"]
        return not ours and state.is_reconciled and state.session.is_view_valid(self.world.loop.now)

    def _accept_all(self) -> None:
        """Accept every held asset, as a person would."""
        self.world.files.accept += sorted(self.world.main.state.account.holds.held)
        self._settle("what is held is accepted", 5, lambda: not self.world.files.accept)

    # --- progress ------------------------------------------------------------------------------------------------

    def _progress(self) -> None:
        """Check that in calm weather wanted quotes rest at the exchange, and are gone once they are withdrawn."""
        self._run(6)
        for strategy in self.world.strategies:
            if strategy.name != "other":
                strategy.quiet = self._wanted(strategy)
        self._settle("what is wanted stands at the exchange", 60, self._stands)
        for strategy in self.world.strategies:
            strategy.quiet = []
        self._settle("what is not wanted is gone", 5, lambda: not self.watch.own_open())

    def _wanted(self, strategy: RandomStrategy) -> list[Quote]:
        """Return a quote for each side within all limits, of each pair where nothing else prevents it."""
        world, symbol = self.world, strategy.symbol
        base, quote = legs(symbol)
        foreign = [o for o in world.kraken.account.orders.values() if o.pair.symbol == symbol]
        if len(foreign) > 2 or world.config.trading.max_daily_loss < 100:
            return []  # limits or own crossings may stand in the way
        sides: list[Side] = ["buy", "sell"]
        for asset, up in ((base, "buy"), (quote, "sell")):
            lots = world.main.state.account.position_lots(asset, PAIRS[symbol].qty_precision)
            if asset in world.market.bases and lots:
                grows = up if lots > 0 else "sell" if up == "buy" else "buy"
                sides = [side for side in sides if side != grows]
        return strategy.sane(world.crowd.values.mid(symbol), world.crowd.values.usd(quote), sides)

    def _stands(self) -> bool:
        world = self.world
        wanted = {(s.symbol, q.side, q.price, q.qty) for s in world.strategies for q in s.quiet or []}
        stands = {(o.pair.symbol, o.side, o.price, o.remaining) for o in self.watch.own_open()}
        known = [o for o in world.main.state.registry.live() if o.strategy != "account"]
        if any(o.state is not OrderState.OPEN for o in known):
            return False
        # A small purse, a gross limit or a foreign order may prevent some, and then the executor says so.
        waits = world.main.executor.backoff.reasons()
        return wanted == stands or (stands <= wanted and bool(waits))

    # --- flatten -------------------------------------------------------------------------------------------------

    def _flatten(self) -> None:
        """Check that in calm weather a flatten closes each asset through one pair, and ends flat to dust."""
        world = self.world
        world.others.cancel_all()
        for asset in world.market.bases:  # so that there is something to close
            share = world.rng.choice([-0.6, 0.6])
            world.others.deposit(asset, share * float(world.config.trading.max_position_size))
        self._run(3)
        self.watch.flat.begin()
        world.files.flatten.append("a person")
        world.files.halt.clear()
        if self._settle("flatten is done", FLATTEN_S, lambda: not world.files.flatten):
            self._run(3)
            self.watch.flat.at_end(world.main)
