"""The exchange of a backtest: the simulator's accounts, orders, fees, counters and switch, in virtual time.

The market is whatever the venues' engines are: the simulator's own crowd, or a recorded book
(:mod:`backtest.venue.recorded`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backtest.venue.latency import Latency, UsedDelays
from backtest.venue.loop import Loop
from shared.config import Simulator
from simulator import errors
from simulator.errors import KrakenError
from simulator.exchange.database.store import Store
from simulator.exchange.engine import Side, load_engine
from simulator.exchange.orders import OPEN, Fill
from simulator.rest import private as rest_private, public as rest_public
from simulator.session import Request
from simulator.wire import Written
from simulator.world import Flow, World
from simulator.ws_v2.private import PrivateSession

CONNECTION = 2**54 + 1


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An own order from ``ts`` on: price in ticks, lots that remain in the book; 0 when it has left."""

    ts: int
    number: int
    symbol: str
    side: Side
    price: int
    remaining: int


class CrowdedWorld(World):
    """The simulator's world; it keeps the account's fills and what became of its orders."""

    def __init__(self, config: Simulator, now: int, seed: int) -> None:
        self.fills: list[Fill] = []
        self.order_changes: list[OrderChange] = []
        self.opened: dict[int, int] = {}
        self.new_orders: list[tuple[int, str]] = []
        super().__init__(config, Store(":memory:"), load_engine(), now, seed)

    def flush(self, now: int) -> None:
        """Note what changed, commit and report it."""
        journal = self.exchange.state.journal
        self.fills += journal.fills
        for number, order in journal.orders.items():
            if number not in self.opened:
                self.opened[number] = order.opened_ns
                self.new_orders.append((number, order.pair.symbol))
            remaining = order.remaining if order.status in OPEN else 0
            self.order_changes.append(
                OrderChange(now, number, order.pair.symbol, order.side, order.price or 0, remaining)
            )
        super().flush(now)


class QuietWorld(CrowdedWorld):
    """The same without the crowd."""

    def _open_markets(self, _regime: str, _now: int, _pace: float) -> Sequence[Flow]:
        return []


@dataclass(slots=True)
class Answer:
    """The outcome of a REST call: its result, or the exchange's error."""

    result: object
    error: str = ""


class Kraken:
    """One exchange and its private connection.

    ``boot_to_wall`` added to the loop's time gives the exchange's, ns since the epoch. ``on_frame`` takes each private
    frame as it arrives at the client; ``on_worked`` is called when the exchange has acted on a request.
    """

    def __init__(
        self, loop: Loop, config: Simulator, latency: Latency, boot_to_wall: int, *, crowded: bool, seed: int
    ) -> None:
        self.loop, self.latency, self.boot_to_wall = loop, latency, boot_to_wall
        self.world = (CrowdedWorld if crowded else QuietWorld)(config, self.ts, seed)
        self.account = next(iter(self.world.exchange.accounts.values()))
        self.key = config.accounts[0].keys[0].api_key
        self.on_frame: Callable[[str], None] = lambda _: None
        self.on_worked: Callable[[], None] = lambda: None
        self._session: PrivateSession | None = None
        self.delays = UsedDelays()
        # True while a request is acted on: what leaves then are its answers.
        self._is_acting = False
        # When the last of each direction arrives: a connection keeps its order.
        self._up = self._down = self._worked = 0

    @property
    def ts(self) -> int:
        """Return the exchange's time, ns since the epoch."""
        return self.loop.now + self.boot_to_wall

    # --- the private connection ----------------------------------------------------------------------------------

    def connect(self) -> None:
        """Open the private connection."""
        self._session = PrivateSession(self.world, CONNECTION, self._leave)
        self._session.open(self.ts)
        self.loop.every(1.0, self._beat)

    def send(self, text: str) -> None:
        """Take a request of the client's, which arrives later."""
        self._up = max(self._up, self.loop.now + self.latency.up())
        self.delays.to_exchange.append(self._up - self.loop.now)
        self.loop.at(self._up, self._arrive, text)

    def _arrive(self, text: str) -> None:
        assert self._session is not None
        request = self._session.read(text, self.ts)
        self._worked = max(self._worked, self.loop.now + self.latency.turnaround(request.method))
        self.delays.inside.append(self._worked - self.loop.now)
        self.loop.at(self._worked, self._work, request)

    def _work(self, request: Request) -> None:
        assert self._session is not None
        self._is_acting = True
        self._session.handle(request, self.ts)
        self.flush()
        self._is_acting = False
        self.on_worked()

    def _leave(self, text: str) -> None:
        self._down = max(self._down, self.loop.now + self.latency.down())
        if self._is_acting:
            self.delays.back.append(self._down - self.loop.now)
        self.loop.at(self._down, self._reach, text)

    def _reach(self, text: str) -> None:
        self.on_frame(text)

    def _beat(self) -> None:
        """Send the heartbeat, and fire what is due: the dead man's switch and the ends of orders."""
        assert self._session is not None
        self.world.exchange.tick(self.ts)
        self.flush()
        self._session.beat(self.ts)

    def take_new_orders(self) -> list[tuple[int, str]]:
        """Return number and symbol of the orders that were opened since the last call."""
        taken, self.world.new_orders = self.world.new_orders, []
        return taken

    def flush(self) -> None:
        """Commit what changed, and report it."""
        self.world.flush(self.ts)

    # --- REST ----------------------------------------------------------------------------------------------------

    def rest(self, method: str, fields: dict[str, str], nonce: int) -> Answer:
        """Make a call now; a private one costs its points."""
        if public := rest_public.METHODS.get(method):
            return Answer(_as_read(public(self.world, fields, self.ts)))
        key, call = self.world.keys[self.key], rest_private.METHODS[method]
        if nonce <= key.nonce:
            return Answer(None, errors.INVALID_NONCE)
        key.nonce = nonce
        try:
            if points := call.cost(self.world):
                self.world.charge(key, points, self.ts)
            result = call.run(self.world, key, fields, self.ts, self.ts)
        except KrakenError as error:
            return Answer(None, str(error))
        self.flush()
        return Answer(_as_read(result))


def _as_read(result: Written | bytes) -> object:
    """Return a result as a client reads it."""
    return json.loads(json.dumps(result))
