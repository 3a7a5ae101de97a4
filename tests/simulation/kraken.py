"""The exchange's side: the simulator's own core, a thin crowd, and connections that lose, delay and repeat."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from shared.clock import MS, SECOND
from shared.config import Simulator
from simulator import errors, rest_private, rest_public
from simulator.engine import load_engine
from simulator.errors import KrakenError
from simulator.orders import Account, OrderRequest
from simulator.pairs import PAIRS
from simulator.session import Request
from simulator.store import Store
from simulator.venue import CROWD_FROM
from simulator.websocket import TURNAROUND_MS
from simulator.world import World
from tests.simulation.loop import Loop
from tests.simulation.oddities import FOREIGN, OddSession, foreign_row, hold_until, odd_row

CANCELS = frozenset({"cancel_order", "batch_cancel"})
ORDER_METHODS = frozenset({"add_order", "batch_add", "amend_order", *CANCELS})
PLACING = frozenset({"add_order", "batch_add", "amend_order"})
# What Kraken also answers for what it did.
AFTER = (
    "EGeneral:Internal error",
    "EService:Unavailable",
    "EService:Timeout",
    "EService:Busy",
    "EDatabase:Internal error",
)


class QuietWorld(World):
    """The simulator's world without its crowd: the simulation has its own, small and in its hand."""

    def _open_markets(self, regime: str, now: int, pace: float) -> list[Any]:
        return []


class Pipe:
    """One direction of a connection: in order as TCP has it, late at times, and at times stalled."""

    def __init__(self, kraken: Kraken, arrive: Callable[..., None]) -> None:
        self.stalled_until = 0
        self._kraken, self._arrive = kraken, arrive
        self._queue: deque[tuple[int, tuple[Any, ...]]] = deque()
        self._last = 0

    def send(self, *item: Any) -> None:
        """Takes something in; it arrives later."""
        self._last = max(self._last, self._kraken.loop.now + self._kraken.delay())
        self._queue.append((self._last, item))
        self._kraken.loop.at(self._last, self._pump)

    def clear(self) -> None:
        """What is on the way is lost."""
        self._queue.clear()

    def drop(self, wanted: Callable[[tuple[Any, ...]], bool]) -> None:
        """Some of what is on the way is lost."""
        self._queue = deque(entry for entry in self._queue if not wanted(entry[1]))

    def _pump(self) -> None:
        now = self._kraken.loop.now
        if now < self.stalled_until:
            self._kraken.loop.at(self.stalled_until, self._pump)
            return
        while self._queue and self._queue[0][0] <= now:
            self._arrive(*self._queue.popleft()[1])


class Link:
    """One private connection. ``to_client`` takes frames, ``on_end`` hears that it is gone."""

    def __init__(
        self, kraken: Kraken, owner: str, to_client: Callable[[Link, str, int], None], on_end: Callable[[Link], None]
    ) -> None:
        assert kraken.world is not None
        self.kraken, self.owner = kraken, owner
        self.client_open = self.server_open = True
        self.server_gone_at = 0
        self.reached_at = 0  # when the client last got a frame, one that a stall had held up included
        # Requests that the exchange has not acted on: when each was sent, and what it says.
        self.in_flight: dict[int, tuple[int, dict[str, Any]]] = {}
        self.up, self.down = Pipe(kraken, self._arrive), Pipe(kraken, self._reach)
        self.drop_reports = self.repeat_reports = 0
        self.reports_late_until = 0
        self._to_client, self._on_end = to_client, on_end
        self._number = 0
        self._work_last = 0
        self._push_last: dict[str, int] = {}
        self._answers: list[str] | None = None
        self._held = hold_until(kraken.rng, kraken.loop.now) if kraken.is_odd else {}
        self.session = OddSession(kraken, kraken.rng.randrange(2**54, 2**64), self._from_exchange)
        self.session.open(kraken.ts)

    # --- to the exchange -----------------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        """The client hands over a frame."""
        self._number += 1
        self.in_flight[self._number] = (self.kraken.loop.now, json.loads(text, parse_float=Decimal))
        self.up.send(self._number, text)

    def _arrive(self, number: int, text: str) -> None:
        if not self.server_open:
            self.in_flight.pop(number, None)
            return
        loop = self.kraken.loop
        request = self.session.read(text, self.kraken.ts)
        due = loop.now + self.kraken.turnaround(request.method)
        if not self.kraken.reorders or request.method not in ORDER_METHODS:
            due = self._work_last = max(self._work_last, due)
        loop.at(due, self._work, number, request)

    def _work(self, number: int, request: Request) -> None:
        kraken = self.kraken
        _, body = self.in_flight.pop(number, (0, {}))
        if self.session.world is not kraken.world:  # the exchange was down in between
            return
        kraken.on_handle(self, request, body)
        refusal = kraken.refusal(request)
        self._answers = []
        if refusal and not refusal.startswith("after:"):
            self.session.refuse(request, refusal, kraken.ts)
        else:
            self.session.handle(request, kraken.ts)
            if refusal:
                self._answers = []
                self.session.refuse(request, refusal.removeprefix("after:"), kraken.ts)
        answers, self._answers = self._answers, None
        late = kraken.answer_delay(request)
        for text in answers if late is not None else []:
            kraken.note_answer(request, text, bool(refusal))
            kraken.loop.after(late or 0.0, self._down, text, kraken.ts)
        kraken.flush()

    # --- to the client -------------------------------------------------------------------------------------------

    def _from_exchange(self, text: str) -> None:
        if self._answers is not None and not text.startswith('{"channel"'):
            self._answers.append(text)
            return
        kraken = self.kraken
        late, times = kraken.rng.random() * 0.02, 1
        if text.startswith(('{"channel":"executions"', '{"channel":"balances"')):
            if kraken.loop.now < self.reports_late_until:
                late += kraken.rng.uniform(0.3, 1.0)
            if '"type":"update"' in text and self.drop_reports:
                self.drop_reports -= 1
                return
            if '"type":"update"' in text and self.repeat_reports:
                self.repeat_reports -= 1
                times = 2
        # Each channel's messages leave in order; an answer may overtake them or be overtaken.
        channel = text.split('"', 4)[3]
        due = max(self._push_last.get(channel, 0), kraken.loop.now + int(late * SECOND), self._held.get(channel, 0))
        self._push_last[channel] = due
        for _ in range(times):
            kraken.loop.at(due, self._down, text, kraken.ts)

    def _down(self, text: str, sent_ts: int) -> None:
        if self.server_open:
            self.down.send(text, sent_ts)

    def _reach(self, text: str, sent_ts: int) -> None:
        if self.client_open:
            self.reached_at = self.kraken.loop.now
            self._to_client(self, text, sent_ts)

    def beat(self) -> None:
        """The exchange's second."""
        if self.server_open:
            self.session.beat(self.kraken.ts)

    # --- the end -------------------------------------------------------------------------------------------------

    def close_server(self) -> None:
        """The exchange's end is gone; what had not arrived never will."""
        if self.server_open:
            self.server_open = False
            self.server_gone_at = self.kraken.loop.now
            self.session.close()
            self.kraken.links.pop(self, None)
            self.up.clear()
            self.in_flight.clear()

    def close_client(self) -> None:
        """The client's end is gone; what it had sent may still arrive."""
        if self.client_open:
            self.client_open = False
            self.down.clear()
            self._on_end(self)

    def lose_sent(self, since: int) -> None:
        """What the client sent since then never left its machine."""
        gone = {number for number, (sent, _) in self.in_flight.items() if sent >= since}
        self.up.drop(lambda item: item[0] in gone)
        for number in gone:
            del self.in_flight[number]


class Kraken:
    """The exchange as a machine: it runs or is down, and its clock is not ours."""

    def __init__(self, loop: Loop, seed: int, config: Simulator, boot_to_wall: int) -> None:
        self.loop, self.config = loop, config
        self.rng = Random(f"kraken {seed}")
        self._crowd = Random(f"crowd {seed}")
        self._delays = Random(f"delays {seed}")
        # Of the exchange's clock against ours: some seconds, either way.
        self.offset = boot_to_wall + int(self.rng.uniform(-3, 3) * SECOND)
        # Kraken does not order unacknowledged amends and cancels (KRAKEN.md 3.4).
        self.reorders = self.rng.random() < 0.5
        # Not consistent: snapshots that lag by up to so many seconds, channels that come in any order.
        self.is_odd = self.rng.random() < 0.7
        self.snapshot_lag_s = self.rng.choice([0.0, 1.0, 4.5]) if self.is_odd else 0.0
        self.foreign_rows: dict[str, str] = {}
        self._lagged: set[str] = set()
        self._foreign_number = 0
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
        # Watchers, set by the invariants.
        self.on_handle: Callable[[Link, Request, dict[str, Any]], None] = lambda *_: None
        self.on_refused: Callable[[str, str, bool], None] = lambda *_: None
        self.injected: Counter[str] = Counter()
        self.mids = {symbol: float(PAIRS[symbol].start_price) for symbol in ("BTC/USD", "ETH/USD")}
        self._touch: dict[str, list[int]] = {symbol: [] for symbol in self.mids}
        self._crowd_number = CROWD_FROM + 1
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
        """What a request takes inside the exchange."""
        return int(TURNAROUND_MS.get(method, 0.2) * self._delays.lognormvariate(0, 0.45) * MS)

    # --- running -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the exchange from what its database holds."""
        self.world = QuietWorld(self.config, self.store, load_engine(), self.ts)
        self.world.exchange.system = self.system
        lag = self.world.exchange._lag
        self.world.exchange._lag = lambda: max(int(self.history_lag_s * SECOND), lag())
        self._touch = {symbol: [] for symbol in self.mids}
        for symbol in self.mids:
            self.move(symbol, 0.0)
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
            self.world.exchange.system = system
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
        """Looks at every refusal on its way out."""
        if '"error":' not in text:
            return
        answer = json.loads(text)
        found = [answer["error"]] if "error" in answer else []
        if isinstance(answer.get("result"), list):
            found = [row["error"] for row in answer["result"] if "error" in row]
        for error in found:
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

    # --- the crowd and the foreign client ------------------------------------------------------------------------

    def move(self, symbol: str, bp: float) -> None:
        """The price moves by so many basis points: the crowd quotes anew around it, through whatever is in the way."""
        if self.world is None:
            return
        self.mids[symbol] *= 1 + bp / 1e4
        exchange, venue, rng = self.world.exchange, self.world.exchange.venues[symbol], self._crowd
        for number in self._touch[symbol]:
            exchange.settle(venue.cancel(number, self.ts), self.ts)
        self._touch[symbol] = []
        mid = int(self.mids[symbol])
        lots = int(400 / (mid * 10**-venue.pair.price_precision) * 10**venue.pair.qty_precision)
        for side, price in (("buy", mid), ("sell", mid + 1 + int(rng.random() * 3))):
            for deep in range(2):
                self._crowd_number += 1
                at = price - deep * 7 if side == "buy" else price + deep * 7
                size = 1 + int(lots * rng.expovariate(1.0))
                events = venue.submit(self._crowd_number, 0, side, at, size, self.ts)
                exchange.settle(events, self.ts)
                self._touch[symbol].append(self._crowd_number)
        self.flush()

    def take(self, symbol: str, dollars: float) -> None:
        """A taker of the crowd: sells into the bids or buys from the asks, whoever stands there."""
        if self.world is None or self.world.exchange.system != "online":
            return
        exchange, venue, rng = self.world.exchange, self.world.exchange.venues[symbol], self._crowd
        side = rng.choice(["buy", "sell"])
        lots = 1 + int(dollars / (self.mids[symbol] * 10**-venue.pair.price_precision) * 10**venue.pair.qty_precision)
        reach = int(self.mids[symbol] * (1 + (3e-4 if side == "buy" else -3e-4)))
        self._crowd_number += 1
        exchange.settle(venue.submit(self._crowd_number, 0, side, reach, lots, self.ts, "ioc"), self.ts)
        self.flush()

    def lags(self, order_id: str) -> bool:
        """True if a snapshot asked for now leaves this order out; the next one has it."""
        order = self.account.orders.get(order_id)
        if order is None or not is_ours(order.cl_ord_id):
            return False  # of somebody else's nobody here could know
        if order_id in self._lagged or self.ts - order.opened_ns > self.snapshot_lag_s * SECOND:
            return False
        self._lagged.add(order_id)
        self.injected["order left out of a snapshot"] += 1
        return True

    def place_foreign_row(self, symbol: str) -> str:
        """Somebody else's order of any kind, in snapshots and reports only; its id."""
        kind = self._crowd.choice(list(FOREIGN))
        self._foreign_number += 1
        order_id = f"OFORE{self._foreign_number}"
        row = foreign_row(self._crowd, kind, symbol, self.mids[symbol], order_id, self.ts)
        self.foreign_rows[order_id] = row
        self.injected[f"foreign order: {kind}"] += 1
        self._inject("executions", row)
        return order_id

    def end_foreign_row(self, order_id: str) -> None:
        """It is cancelled by whoever placed it."""
        self.foreign_rows.pop(order_id, None)
        row = {"order_id": order_id, "exec_type": "canceled", "order_status": "canceled", "reason": "User requested"}
        self._inject("executions", json.dumps(row))

    def tell_odd_row(self, symbol: str) -> None:
        """An element that nobody can read."""
        channel = self._crowd.choice(["executions", "balances"])
        self._foreign_number += 1
        self._inject(channel, odd_row(self._crowd, channel, symbol, self._foreign_number))

    def _inject(self, channel: str, row: str) -> None:
        for link in list(self.links):
            link.session.inject(channel, row)

    def foreign(self, symbol: str, how: str) -> None:
        """Somebody else's order on the executor's own account."""
        if self.world is None:
            return
        exchange, account, rng = self.world.exchange, self.account, self._crowd
        if how == "cancel":
            mine = [o for o in account.orders.values() if not is_ours(o.cl_ord_id) and o.pair.symbol == symbol]
            if mine and account.counter(symbol).now(self.ts) < 60 and self.system != "maintenance":
                exchange.cancel(account, rng.choice(mine), self.ts, forced=True)
                self.flush()
            return
        if account.counter(symbol).now(self.ts) > 60 or len(account.orders) > 15:
            return
        pair = PAIRS[symbol]
        side = rng.choice(["buy", "sell"])
        away = rng.uniform(0, 20) if how == "rest" else -3
        price = int(self.mids[symbol] * (1 - away / 1e4 if side == "buy" else 1 + away / 1e4))
        qty = Decimal(max(pair.qty_min, int(40 / (price * 10**-pair.price_precision) * 10**pair.qty_precision)))
        request = OrderRequest(
            pair,
            side,
            "limit",
            qty.scaleb(-pair.qty_precision),
            Decimal(price).scaleb(-pair.price_precision),
            tif="gtc" if how == "rest" else "ioc",
            userref=7,
        )
        try:
            exchange.add(account, request, self.ts)
        except KrakenError:
            self.injected["foreign order refused"] += 1
        self.flush()


def is_ours(cl_ord_id: str | None) -> bool:
    """Is it an executor's."""
    return cl_ord_id is not None and cl_ord_id.startswith("T") and len(cl_ord_id) == 18
