"""The faults of a run, and when they come: drawn from the seed before the run, each fault by name."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from shared.clock import SECOND

if TYPE_CHECKING:
    from tests.simulation.world import World

# How often each is drawn, relative to the others.
WEIGHTS = {
    "crash inside an outbox": 6,
    "kill": 2,
    "kill for longer than the switch": 1,
    "connection cut, requests lost": 3,
    "connection cut, answers lost": 3,
    "connection dead without a word": 3,
    "way up stalls": 2,
    "way down stalls": 2,
    "network away": 2,
    "answers late or never": 4,
    "requests refused": 4,
    "internal error after the work": 3,
    "switch not answered": 2,
    "reports late": 2,
    "reports lost (a gap)": 3,
    "reports repeated": 2,
    "exchange restarts": 2,
    "exchange in another mode": 1,
    "targets lost": 2,
    "targets late": 2,
    "targets repeated": 1,
    "book not live": 3,
    "feed silent": 2,
    "books silent": 2,
    "halt": 3,
    "halt and resume at once": 2,
    "disk full or locked": 3,
    "disk slow": 2,
    "restarts within a second": 2,
    "foreign orders of every kind": 4,
    "rows that cannot be read": 3,
    "deposit or withdrawal": 3,
    "deposit beyond the limit": 2,
    "moved to or from earn": 2,
    "flatten": 2,
    "REST fails": 2,
    "history lags": 1,
    "price jumps": 3,
    "process frozen": 2,
    "second executor": 1,
}
OFTEN = 80
SETTLES_S = 8.0  # after lost answers: deadline, late answer, snapshot


class Plan:
    """Draws faults and carries them out in a world; ``counts`` has how many of each there were.

    The fault named by ``often`` is drawn half of the time.
    """

    def __init__(self, world: World, seed: int, mean_gap_s: float, often: str = "") -> None:
        self.world = world
        self.rng = Random(f"faults {seed}")
        self.mean_gap_s = mean_gap_s
        self._weights = [OFTEN if kind == often else weight for kind, weight in WEIGHTS.items()]
        self.counts: dict[str, int] = dict.fromkeys(WEIGHTS, 0)
        self.log: list[tuple[float, str]] = []
        self.stopped = False
        self._quick_due = 0  # when the process may be killed several times in a row again
        self._kinds: dict[str, Callable[[], None]] = {
            "crash inside an outbox": self._crash,
            "kill": lambda: self.world.main.crash(self.rng.choice([0.1, 0.3, 1.0, 4.0])),
            "kill for longer than the switch": lambda: self.world.main.crash(self.rng.uniform(16, 30)),
            "connection cut, requests lost": self._cut_up,
            "connection cut, answers lost": self._cut_down,
            "connection dead without a word": self._half_open,
            "way up stalls": lambda: self._stall("up"),
            "way down stalls": lambda: self._stall("down"),
            "network away": self._network,
            "answers late or never": self._answers,
            "requests refused": lambda: self._share("refuse_share"),
            "internal error after the work": lambda: self._share("internal_share"),
            "switch not answered": self._switch,
            "reports late": self._reports_late,
            "reports lost (a gap)": self._reports_lost,
            "reports repeated": self._reports_repeated,
            "exchange restarts": self._exchange,
            "exchange in another mode": self._mode,
            "targets lost": lambda: self._bus("targets_lost"),
            "targets late": lambda: self._bus("targets_late"),
            "targets repeated": lambda: self._bus("targets_repeated"),
            "book not live": self._book,
            "feed silent": lambda: self._bus("feed_silent"),
            "books silent": lambda: self._bus("books_silent"),
            "halt": lambda: self._halt(self.rng.uniform(1, 9)),
            "halt and resume at once": lambda: self._halt(self.rng.uniform(0.01, 1.0)),
            "disk full or locked": self._disk,
            "disk slow": self._slow_disk,
            "restarts within a second": self._begin_quick_restarts,
            "foreign orders of every kind": self._foreign,
            "rows that cannot be read": self._odd_rows,
            "deposit or withdrawal": self._deposit,
            "deposit beyond the limit": self._deposit_beyond,
            "moved to or from earn": self._earn,
            "flatten": self._flatten,
            "REST fails": self._rest,
            "history lags": self._lag,
            "price jumps": self._jump,
            "process frozen": self._freeze,
            "second executor": self._duel,
        }
        assert self._kinds.keys() == WEIGHTS.keys()

    def start(self) -> None:
        """Begin with the faults."""
        self.world.loop.after(self.rng.expovariate(1 / self.mean_gap_s), self._next)

    def _next(self) -> None:
        if self.stopped:
            return
        self.start()
        kind = self.rng.choices(list(WEIGHTS), self._weights)[0]
        self.counts[kind] += 1
        self.log.append((self.world.elapsed_s, kind))
        self._kinds[kind]()

    def _any_pair(self) -> str:
        return self.rng.choice(self.world.market.listed)

    def _until(self, seconds: float, undo: Callable[[], None], settles: float = 0.0) -> None:
        self.world.trouble(seconds + settles)
        self.world.loop.after(seconds, undo)

    # --- the executor's process ----------------------------------------------------------------------------------

    def _crash(self) -> None:
        host = self.world.main
        host.crash_in = self.rng.randrange(1, 9)
        self.world.trouble(3)

    def _freeze(self) -> None:
        seconds = self.rng.choice([0.3, 1.0, 4.0, 12.0])
        self.world.main.freeze(seconds)
        self.world.trouble(seconds + 1.5)

    def _disk(self) -> None:
        # No excuse for cancels: they wait for no disk (T9).
        host = self.world.main
        host.disk_full = True

        def room() -> None:
            host.disk_full = False

        self.world.loop.after(self.rng.uniform(0.2, 8), room)

    def _slow_disk(self) -> None:
        host = self.world.main
        host.write_s = self.rng.choice([0.02, 0.1, 0.4])

        def fast() -> None:
            host.write_s = 0.0

        self._until(self.rng.uniform(1, 6), fast, SETTLES_S)

    def _begin_quick_restarts(self) -> None:
        # Each start costs a token of the key's REST counter; more of them in a row the process shell would not allow.
        times = self.rng.randrange(2, 5)
        if self.world.loop.now >= self._quick_due:
            self._quick_due = self.world.loop.now + int(30 * SECOND)
            self._quick_restarts(times)

    def _quick_restarts(self, times: int) -> None:
        """Kill the process again and again within a second: each life needs an epoch of its own."""
        self.world.trouble(4)
        self.world.main.crash(0.05)
        if times:
            self.world.loop.after(self.rng.uniform(0.2, 0.6), self._quick_restarts, times - 1)

    def _foreign(self) -> None:
        kraken = self.world.kraken
        if kraken.world is None or len(kraken.others.rows) > 8:
            return
        symbol = self._any_pair()
        order_id = kraken.others.place_row(symbol)
        self.world.loop.after(self.rng.uniform(1, 30), kraken.others.end_row, order_id)

    def _odd_rows(self) -> None:
        self.world.kraken.others.send_odd_row(self._any_pair())

    def _duel(self) -> None:
        self.world.duel(self.rng.uniform(4, 12))

    def _halt(self, seconds: float) -> None:
        world = self.world
        if not world.files.halt:
            world.halt("a person said so")
            world.loop.after(seconds, world.files.halt.clear)

    def _flatten(self) -> None:
        """Flatten, as a person would who gives up if it takes long."""
        world = self.world
        if not world.files.flatten and not world.files.halt:
            world.files.flatten.append("a person said so")
            world.loop.after(self.rng.uniform(15, 25), world.files.flatten.clear)

    # --- the owner's money ---------------------------------------------------------------------------------------

    def _deposit(self) -> None:
        """Deposit or withdraw a little, compared with the limits."""
        asset = self.rng.choice(self.world.market.assets)
        dollars = self.rng.choice([-1, 1]) * self.rng.choice([0.01, 3.0, 40.0])
        if self._watches_money():
            self.world.others.deposit(asset, dollars)

    def _deposit_beyond(self) -> None:
        """Move a traded base beyond its limit; after a while the owner accepts that, or moves it back."""
        world = self.world
        asset = self.rng.choice(world.market.bases)
        if not self._watches_money() or asset in world.files.accept:
            return
        times = self.rng.choice([-1, 1]) * self.rng.uniform(1.5, 5)
        if move := world.others.deposit(asset, times * float(world.config.trading.max_position_size)):
            world.watch.held.moved(move)
            back = -float(move.amount) * world.crowd.values.usd(asset)
            world.loop.after(self.rng.uniform(4, 20), self._settle_held, asset, back if self.rng.random() < 0.4 else 0)

    def _settle_held(self, asset: str, back: float) -> None:
        world = self.world
        if back:
            world.others.deposit(asset, back)
        elif world.main.running and asset in world.main.state.account.holds.held:
            world.files.accept.append(asset)

    def _earn(self) -> None:
        """Move some of an asset to a wallet that cannot be traded with, or back."""
        if self._watches_money():
            self.world.others.to_earn(self.rng.choice(self.world.market.assets), self.rng.uniform(-60, 60))

    def _watches_money(self) -> bool:
        """True once the journal has opened: what moved before is part of its opening."""
        host = self.world.main
        return host.running and host.state.account.ledger.is_open and self.world.kraken.world is not None

    # --- the way to the exchange ---------------------------------------------------------------------------------

    def _cut_up(self) -> None:
        if self.world.main.link is not None:
            self.world.trouble(SETTLES_S)
            self.world.main.link.close_server()
            self.world.main.link.close_client()

    def _cut_down(self) -> None:
        if self.world.main.link is not None:
            self.world.trouble(SETTLES_S)
            self.world.main.link.close_client()

    def _half_open(self) -> None:
        # Neither end hears anything any more; the client has to find out by itself.
        if self.world.main.link is not None:
            self.world.trouble(SETTLES_S + 8)
            self.world.main.link.close_server()

    def _stall(self, way: str) -> None:
        link = self.world.main.link
        if link is not None:
            seconds = self.rng.uniform(0.3, 5)
            pipe = link.up if way == "up" else link.down
            pipe.stalled_until = self.world.loop.now + int(seconds * SECOND)
            self.world.trouble(seconds + SETTLES_S)

    def _network(self) -> None:
        host = self.world.main
        host.network = False
        if host.link is not None:
            host.link.close_server()
            host.link.close_client()

        def back() -> None:
            host.network = True

        self._until(self.rng.choice([0.5, 2.0, 5.0, 18.0]), back, SETTLES_S)

    def _rest(self) -> None:
        kraken = self.world.kraken
        kraken.rest_fail_share, kraken.rest_lost_share = 0.4, 0.4

        def mend() -> None:
            kraken.rest_fail_share = kraken.rest_lost_share = 0.0

        self._until(self.rng.uniform(2, 8), mend, 2)

    # --- the exchange --------------------------------------------------------------------------------------------

    def _answers(self) -> None:
        kraken = self.world.kraken
        kraken.late_share, kraken.never_share = 0.2, 0.2

        def mend() -> None:
            kraken.late_share = kraken.never_share = 0.0

        self._until(self.rng.uniform(1, 5), mend, SETTLES_S)

    def _share(self, name: str) -> None:
        kraken = self.world.kraken
        setattr(kraken, name, 0.3)
        self._until(self.rng.uniform(1, 5), lambda: setattr(kraken, name, 0.0), SETTLES_S)

    def _switch(self) -> None:
        kraken = self.world.kraken
        kraken.switch_unanswered = True
        self.world.loop.after(self.rng.uniform(4, 20), lambda: setattr(kraken, "switch_unanswered", False))

    def _reports_late(self) -> None:
        link = self.world.main.link
        if link is not None:
            seconds = self.rng.uniform(1, 4)
            link.reports_late_until = self.world.loop.now + int(seconds * SECOND)
            self.world.trouble(seconds + 3)

    def _reports_lost(self) -> None:
        if self.world.main.link is not None:
            self.world.main.link.drop_reports = self.rng.choice([1, 1, 2, 5])
            self.world.trouble(SETTLES_S + 4)

    def _reports_repeated(self) -> None:
        if self.world.main.link is not None:
            self.world.main.link.repeat_reports = self.rng.choice([1, 3, 8])

    def _exchange(self) -> None:
        kraken = self.world.kraken
        if kraken.world is not None:
            kraken.stop()
            self._until(self.rng.choice([0.3, 1.0, 5.0, 20.0]), kraken.start, SETTLES_S)

    def _mode(self) -> None:
        kraken = self.world.kraken
        if kraken.system == "online":
            kraken.mode(self.rng.choice(["cancel_only", "post_only", "maintenance"]))
            self._until(self.rng.uniform(1, 8), lambda: kraken.mode("online"), 3)

    def _lag(self) -> None:
        kraken = self.world.kraken
        kraken.history_lag_s = 55.0
        self.world.loop.after(10, lambda: setattr(kraken, "history_lag_s", 0.0))

    def _jump(self) -> None:
        symbol = self._any_pair()
        self.world.kraken.crowd.move(symbol, self.rng.choice([-1, 1]) * self.rng.uniform(5, 60))

    # --- the bus -------------------------------------------------------------------------------------------------

    def _bus(self, name: str) -> None:
        world = self.world
        setattr(world, name, True)
        world.loop.after(self.rng.choice([0.5, 1.5, 4.0, 8.0]), lambda: setattr(world, name, False))

    def _book(self) -> None:
        world = self.world
        symbol = self._any_pair()
        if self.rng.random() < 0.4:  # what values others has no quotes of its own to show that it is gone
            symbol = self.rng.choice([*world.market.references, symbol])
        state = self.rng.choice(["resyncing", "silent", "syncing"])
        world.book_states[symbol] = state

        def live() -> None:
            world.book_states.pop(symbol, None)

        world.loop.after(self.rng.choice([0.2, 0.6, 2.0, 6.0, 15.0]), live)
