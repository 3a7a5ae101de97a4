"""The exchange's side: the simulator's own core, a thin crowd, and connections that lose, delay and repeat."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from backtest.venue.loop import Loop
from shared.clock import MS, SECOND
from shared.config import Simulator
from simulator import errors
from simulator.errors import KrakenError
from simulator.exchange.database.store import Store
from simulator.exchange.engine import load_engine
from simulator.exchange.orders import Account
from simulator.exchange.state import SystemStatus
from simulator.rest import private as rest_private, public as rest_public
from simulator.session import Request
from simulator.websocket import TURNAROUND_MS
from simulator.world import World
from tests.simulation.crowd import Crowd, Others
from tests.simulation.link import Link
from tests.simulation.markets import Market
from tests.simulation.orders import ORDER_METHODS, PLACING, is_ours

# Errors that Kraken also returns for requests that it carried out.
AFTER = (
    "EGeneral:Internal error",
    "EService:Unavailable",
    "EService:Timeout",
    "EService:Busy",
    "EDatabase:Internal error",
)


class QuietWorld(World):
    """The simulator's world without its crowd: the simulation has a small one of its own."""

    def _open_markets(self, regime: str, now: int, pace: float) -> list[Any]:
        return []


class Kraken:
    """The exchange as a machine: it runs or is down, and its clock is not ours."""

    def __init__(self, loop: Loop, seed: int, config: Simulator, boot_to_wall: int, market: Market) -> None:
        self.loop, self.config = loop, config
        self.rng = Random(f"kraken {seed}")
        self._delays = Random(f"delays {seed}")
        # Of the exchange's clock against ours: some seconds, either way.
        self.offset = boot_to_wall + int(self.rng.uniform(-3, 3) * SECOND)
        # Kraken does not order unacknowledged amends and cancels (KRAKEN.md 3.4).
        self.reorders = self.rng.random() < 0.5
        # Not consistent: snapshots that lag by up to so many seconds, channels that come in any order.
        self.is_odd = self.rng.random() < 0.7
        self.snapshot_lag_s = self.rng.choice([0.0, 1.0, 4.5]) if self.is_odd else 0.0
        self._lagged: set[str] = set()
        self.store = Store(":memory:")
        self.world: QuietWorld | None = None
        self.links: dict[Link, None] = {}
        self.system = "online"
        self.online_at = 0  # when it last came back to online, by our clock
        self.history_lag_s = 0.0
        # Faults, set by the plan: shares of requests.
        self.refuse_share = self.internal_share = self.late_share = self.never_share = 0.0
        self.switch_unanswered = False
        self.rest_fail_share = self.rest_lost_share = 0.0
        # True if the process knows an order without a report of it; set by the world.
        self.is_known: Callable[[str], bool] = is_ours
        # Watchers, set by the invariants.
        self.on_handle: Callable[[Link, Request, dict[str, Any]], None] = lambda *_: None
        self.on_refused: Callable[[str, str, bool], None] = lambda *_: None
        self.injected: Counter[str] = Counter()
        self.crowd = Crowd(self, seed, market)
        self.others = Others(self, self.crowd)
        self.start()

    # --- time ----------------------------------------------------------------------------------------------------

    @property
    def ts(self) -> int:
        """The exchange's time, ns since the epoch."""
        return self.loop.now + self.offset

    def delay(self) -> int:
        """One way between a client and the exchange: 10 ms, with a tail."""
        if self._delays.random() < 0.01:
            return int(self._delays.expovariate(1 / 0.15) * SECOND)
        return int(self._delays.lognormvariate(2.3, 0.3) * MS)

    def turnaround(self, method: str) -> int:
        """Return how long a request takes inside the exchange."""
        return int(TURNAROUND_MS.get(method, 0.2) * self._delays.lognormvariate(0, 0.45) * MS)

    # --- running -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the exchange from what its database holds."""
        self.world = QuietWorld(self.config, self.store, load_engine(), self.ts)
        self.world.exchange.state.system = SystemStatus(self.system)
        lag = self.world.exchange.state.lag
        self.world.exchange.state.lag = lambda: max(int(self.history_lag_s * SECOND), lag())
        self.crowd.restart()
        self.flush()

    def stop(self) -> None:
        """It is killed: every connection goes with it, its tokens too."""
        for link in list(self.links):
            link.close_server()
            self.loop.after(self.delay() / SECOND, link.close_client)
        self.world = None

    @property
    def account(self) -> Account:
        """The executor's account, as last known."""
        if self.world is not None:
            self._account = self.world.exchange.accounts[1]
        return self._account

    def mode(self, system: str) -> None:
        """The engine's mode changes, and every connection hears of it."""
        if system == "online":
            self.online_at = self.loop.now
        self.system = system
        if self.world is not None:
            self.world.exchange.state.system = SystemStatus(system)
            for link in list(self.links):
                link.session.send(link.session.status())

    def flush(self) -> None:
        """Commits what changed, and reports it."""
        assert self.world is not None
        self.world.flush(self.ts)

    def tick(self) -> None:
        """Switches that are due fire."""
        if self.world is not None:
            self.world.exchange.tick(self.ts)
            self.flush()

    def beat(self) -> None:
        """Heartbeats."""
        for link in list(self.links):
            link.beat()

    def connect(
        self, owner: str, to_client: Callable[[Link, str, int], None], on_end: Callable[[Link], None]
    ) -> Link | None:
        """A new private connection, or None while the exchange is down."""
        if self.world is None:
            return None
        link = Link(self, owner, to_client, on_end)
        self.links[link] = None
        return link

    # --- faults in answers ---------------------------------------------------------------------------------------

    def refusal(self, request: Request) -> str:
        """An injected error; ``after:`` when the work is done all the same."""
        if request.method not in ORDER_METHODS:
            return ""
        drawn = self.rng.random()
        if drawn < self.internal_share:
            self.injected["internal error after the work"] += 1
            return f"after:{self.rng.choice(AFTER)}"
        if drawn < self.internal_share + self.refuse_share:
            texts = [errors.ORDER_RATE_LIMIT, "EGeneral:Internal error", "EService:Busy"]
            if request.method in PLACING:
                texts += [errors.INSUFFICIENT_FUNDS, errors.POST_ONLY, "EService:Unavailable"]
            self.injected["random refusal"] += 1
            return self.rng.choice(texts)
        return ""

    def answer_delay(self, request: Request) -> float | None:
        """Seconds until the answer leaves; None for never."""
        drawn = self.rng.random()
        if self.switch_unanswered and request.method == "cancel_all_orders_after":
            return None
        if drawn < self.never_share:
            self.injected["answer never"] += 1
            return None
        if drawn < self.never_share + self.late_share:
            self.injected["answer late"] += 1
            return self.rng.uniform(0.5, 6.0)
        return self.rng.random() * 0.01

    def note_answer(self, request: Request, text: str, injected: bool) -> None:
        """Check every rejection on its way out."""
        if '"error":' not in text:
            return
        answer = json.loads(text)
        errors = [answer["error"]] if "error" in answer else []
        if isinstance(answer.get("result"), list):
            errors = [row["error"] for row in answer["result"] if "error" in row]
        for error in errors:
            self.on_refused(request.method, error, injected)

    # --- REST ----------------------------------------------------------------------------------------------------

    def rest(self, api_key: str, method: str, fields: dict[str, str], nonce: int) -> tuple[Any, str]:
        """A private call's result, or its error; raises ConnectionError where no answer comes."""
        if self.world is None or self.rng.random() < self.rest_fail_share:
            raise ConnectionError("no answer")
        if public := rest_public.METHODS.get(method):
            return json.loads(json.dumps(public(self.world, fields, self.ts))), ""
        key = self.world.keys[api_key]
        call = rest_private.METHODS[method]
        if nonce <= key.nonce:
            return None, errors.INVALID_NONCE
        key.nonce = nonce
        self.store.nonce(api_key, nonce)
        try:
            if points := call.cost(self.world):
                self.world.charge(key, points, self.ts)
            result = call.run(self.world, key, fields, self.ts, self.ts)
        except KrakenError as error:
            self.on_refused(method, str(error), False)
            return None, str(error)
        self.flush()
        if self.rng.random() < self.rest_lost_share:
            raise ConnectionError("the answer was lost")
        return json.loads(json.dumps(result)), ""

    # --- rows that the engine here does not have -----------------------------------------------------------------

    def lags(self, order_id: str) -> bool:
        """True if a snapshot asked for now leaves this order out; the next one has it."""
        order = self.account.orders.get(order_id)
        if order is None or not self.is_known(order.cl_ord_id or ""):
            return False  # of somebody else's, another executor's included, nobody here could know
        if order_id in self._lagged or self.ts - order.opened_ns > self.snapshot_lag_s * SECOND:
            return False
        self._lagged.add(order_id)
        self.injected["order left out of a snapshot"] += 1
        return True

    def inject(self, channel: str, row: str) -> None:
        """Send one more element of a channel to every connection that has it."""
        for link in list(self.links):
            link.session.inject(channel, row)
