"""A small world around the executor's core: messages of the bus and of Kraken, and a clock that the test moves."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

from executor.account.account import Account
from executor.decide.budget import Budget
from executor.dispatch import Dispatcher, Hands
from executor.effects import Effects, Request, RestCall
from executor.exchange.session import Session
from executor.executor import Executor
from executor.life import Life
from executor.record.journal import Journal
from executor.record.rows import EventRow
from executor.state import State
from shared.clock import SECOND, rfc3339
from shared.config import Config, check
from shared.halt import Halt
from shared.kraken.counters import TIERS, Counter
from shared.kraken.rest_names import RestNames
from shared.messages import Book, BookState, BookStatus, FeedStatus, Fees, Instruments, Quote, Target
from shared.process import effects
from shared.process.effects import LogEntry
from tests.kit.pairs import BTC

# A second pair at the same price, to see what one does to the other.
ETH = msgspec.structs.replace(BTC, symbol="ETH/USD", base="ETH")
EXCHANGE_AHEAD = 5 * SECOND  # the exchange's clock against the wall's, to see that it is the exchange's that counts
BOOT_TO_WALL = 1_800_000_000 * SECOND
# As REST lists them: names that follow no rule.
NAMES = RestNames(
    {
        "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD"},
        "XETHZUSD": {"altname": "ETHUSD", "wsname": "ETH/USD"},
        "XXBTZEUR": {"altname": "XBTEUR", "wsname": "XBT/EUR"},
        "XETHXXBT": {"altname": "ETHXBT", "wsname": "ETH/XBT"},
        "ZEURZUSD": {"altname": "EURUSD", "wsname": "EUR/USD"},
        "USDTZUSD": {"altname": "USDTUSD", "wsname": "USDT/USD"},
        "USDCHF": {"altname": "USDCHF", "wsname": "USD/CHF"},
        "SOLUSD": {"altname": "SOLUSD", "wsname": "SOL/USD"},
    },
    {
        "ZUSD": {"altname": "USD"},
        "XXBT": {"altname": "XBT"},
        "XETH": {"altname": "ETH"},
        "ZEUR": {"altname": "EUR"},
        "USDT": {"altname": "USDT"},
        "SOL": {"altname": "SOL"},
        "XBT.F": {"altname": "XBT.F"},
    },
)


def configuration(**trading: Any) -> Config:
    """The sandbox's configuration, with some of ``trading`` changed."""
    config = Config()
    config.trading = msgspec.structs.replace(config.trading, **{"pairs": ["BTC/USD"], **trading})
    check(config, str)
    return config


def params_of(request: Request) -> dict[str, Any]:
    """Return a request's members, without their types."""
    return dict(request.params)


class World:
    """An executor whose effects are kept for the test; time is ns of CLOCK_BOOTTIME from ``now``."""

    def __init__(self, config: Config | None = None, started: int = 100 * SECOND) -> None:
        self.config = config or configuration()
        self.now = started
        self.known: set[str] = set()
        self.entries: set[str] = set()
        self.past: dict[str, tuple[str, str]] = {}
        account = Account(
            self.config.trading.inventory_base or {},
            self.known.__contains__,
            self.entries.__contains__,
            lambda _: set(),
        )
        account.fees["BTC/USD"] = Fees(maker="0.00", taker="0.10")
        budget = Budget(TIERS[self.config.trading.tier])
        codes = {"market_maker": "001", "other": "002", "flatten": "003"}
        life = Life(1_795_000_000, started, BOOT_TO_WALL)
        self.state = State(self.config, codes, life, Session(Counter(20, 0.5)), account, budget)
        self._wanted = Effects()
        self.executor = Executor(self.state, lambda cl, oid: self.past.get(cl) or self.past.get(oid))
        self.executor.backfill.fees_at = started + 10**18  # no call for fees unless a test wants it
        self.executor.backfill.names = NAMES
        self.sent: list[Request] = []
        self.halt = ""
        self.sequences = {"executions": 0, "balances": 0}
        self.bid, self.ask = 840_000, 840_001
        self.pairs = {"BTC/USD": BTC}
        self.touches: dict[str, tuple[int, int]] = {}
        self.system = "online"

    # --- the bus -------------------------------------------------------------------------------------------------

    def hear_bus(self, state: BookState = BookState.LIVE, *, feed: bool = True, books: bool = True) -> None:
        """Send instruments, feed and books as they are now; every pair has the same touch."""
        tell = self.executor.message
        assets = {"USD": 4, **{pair.base: 10 for pair in self.pairs.values()}}
        tell(Instruments(pairs=self.pairs, assets=assets), self.now)
        if feed:
            tell(FeedStatus(connected=True, connection=1, last_byte=self.now, system=self.system), self.now)
        if books:
            tell(BookStatus(), self.now)
        for symbol in self.pairs:
            self.hear_book(symbol, state)

    def hear_book(self, symbol: str, state: BookState = BookState.LIVE, waited: int = 0) -> None:
        """Send a pair's book as it is now, received so many ns ago."""
        live, pair = state is BookState.LIVE, self.pairs[symbol]
        bid, ask = self.touches.get(symbol, (self.bid, self.ask))
        book = Book(
            symbol=symbol,
            state=state,
            price_precision=pair.price_precision,
            qty_precision=pair.qty_precision,
            bids=[(bid, 10**8)] if live else [],
            asks=[(ask, 10**8)] if live else [],
            received=self.now - waited,
        )
        self.executor.message(book, self.now)

    def target(
        self,
        *quotes: Quote,
        fills: int = 0,
        strategy: str = "market_maker",
        ttl_ms: int = 3000,
        symbol: str = "BTC/USD",
    ) -> None:
        """Send a target with these quotes, decided now."""
        pair = self.pairs.get(symbol, BTC)
        message = Target(
            strategy=strategy,
            symbol=symbol,
            price_precision=pair.price_precision,
            qty_precision=pair.qty_precision,
            quotes=list(quotes),
            decided=self.now,
            ttl_ms=ttl_ms,
            fills=fills,
        )
        self.executor.message(message, self.now)

    # --- the exchange --------------------------------------------------------------------------------------------

    @property
    def exchange_ts(self) -> int:
        return self.now + BOOT_TO_WALL + EXCHANGE_AHEAD

    def connect(self, orders: list[dict[str, Any]] | None = None, fills: list[dict[str, Any]] | None = None) -> None:
        """Open the private connection, and send both snapshots."""
        self.executor.token_requested(self.now)
        self.executor.opened("TOKEN", self.now)
        self.collect()
        self.sequences = {"executions": 0, "balances": 0}
        for request in [r for r in self.sent if r.method == "subscribe"]:
            self.answer(request, {"channel": request.params["channel"]})
        self.push("executions", [*(fills or []), *(orders or [])], "snapshot")
        self.push("balances", self.balances(), "snapshot")

    def balances(self, **changed: str) -> list[dict[str, Any]]:
        quotes = {symbol.partition("/")[2] for symbol in self.config.trading.pairs} - self.config.trading.bases
        bases = {pair.base: "1.0000000000" for pair in self.pairs.values() if pair.base not in quotes}
        bases |= {pair.quote: "100000.0000" for pair in self.pairs.values() if pair.quote not in bases}
        amounts = {"USD": "100000.0000", **bases, **changed}
        return [{"asset": asset, "balance": Decimal(value)} for asset, value in amounts.items()]

    def push(self, channel: str, data: list[dict[str, Any]], kind: str = "update") -> None:
        self.sequences[channel] = 1 if kind == "snapshot" else self.sequences[channel] + 1
        body = {"channel": channel, "type": kind, "data": data, "sequence": self.sequences[channel]}
        self.raw(body)

    def raw(self, body: Any) -> None:
        text = msgspec.json.Encoder(decimal_format="number").encode(body)
        self.executor.frame(text, self.now)

    def report(self, kind: str, order: Any, **more: Any) -> None:
        """Send an executions report of an order (by its client id)."""
        body = {"order_id": f"O{order.cl_ord_id[-6:]}", "cl_ord_id": order.cl_ord_id, "exec_type": kind, **more}
        self.push("executions", [body])

    def answer(self, request: Request, result: Any = None, error: str = "") -> None:
        """Send the exchange's answer, taken in and sent out at its time now."""
        at = rfc3339(self.exchange_ts)
        body: dict[str, Any] = {"method": request.method, "req_id": request.req_id, "time_in": at, "time_out": at}
        body |= {"success": False, "error": error} if error else {"success": True, "result": result or {}}
        self.raw(body)

    def armed(self) -> None:
        """Answer every arming of the switch: it fires in 15 s."""
        for request in self.taken("cancel_all_orders_after"):
            timeout = request.params["timeout"]
            assert isinstance(timeout, int)
            at = self.exchange_ts // SECOND * SECOND + timeout * SECOND
            trigger = rfc3339(at)[:19] + "Z" if timeout else "0"
            self.answer(request, {"currentTime": rfc3339(self.exchange_ts), "triggerTime": trigger})

    # --- time ----------------------------------------------------------------------------------------------------

    def turn(self, seconds: float = 0.0) -> None:
        """Let time pass, then make one pass; its requests count as sent."""
        self.now += int(seconds * SECOND)
        self.gather(self.executor.decide(self.now))
        self.gather(self.executor.tell(self.now))
        self.collect()

    def wait(self, seconds: float, state: BookState = BookState.LIVE) -> None:
        """Let time pass in a healthy system: everything is heard, the switch is armed, the last target is repeated."""
        until = self.now + int(seconds * SECOND)
        while self.now < until:
            self.now += SECOND // 2
            self.raw({"channel": "heartbeat"})
            self.hear_bus(state)
            for (strategy, symbol), last in list(self.state.market.targets.items()):
                if strategy == "market_maker":
                    self.target(*last.quotes, fills=last.fills, symbol=symbol)
            self.turn()
            self.armed()

    @property
    def out(self) -> Effects:
        """Return all effects so far; a test may take things out of them."""
        self.gather(self.state.out.take())
        return self._wanted

    @property
    def event_rows(self) -> list[EventRow]:
        """Return the events so far, as the journal has them."""
        return [event.row() for event in self.out.events]

    def take(self) -> Effects:
        """Return all effects so far, and forget them."""
        wanted, self._wanted = self.out, Effects()
        return wanted

    def dispatcher(self, journal: Journal, hands: Hands | None = None) -> Dispatcher:
        """Return a dispatcher that carries out this world's effects from now on, and keeps the earlier ones."""
        made = Dispatcher(self.state, self.executor, journal, hands or KeepingHands(self))
        made.keep(self.take())
        return made

    def write(self, dispatcher: Dispatcher, *, even_events: bool = False) -> None:
        """Write the rows that came up outside of a pass."""
        dispatcher.keep(self.take())
        dispatcher.write(even_events=even_events)

    def gather(self, more: Effects) -> None:
        """Merge effects into the earlier ones: lists grow, a new value replaces the old one."""
        for name in ("messages", "log", "rows", "events", "requests", "calls"):
            getattr(self._wanted, name).extend(getattr(more, name))
        for name in ("reconnect", "halt", "flattened", "newer_writer", "epoch"):
            if getattr(more, name):
                setattr(self._wanted, name, getattr(more, name))

    def collect(self) -> None:
        out = self.out
        for request in out.requests:
            json.loads(msgspec.json.encode(request.params))
            self.executor.stream.in_flight.left(request, self.now)
            self.sent.append(request)
        self.halt = out.halt.words if out.halt is not None else self.halt
        out.requests.clear()
        self.state.registry.changed.clear()

    def taken(self, method: str) -> list[Request]:
        """Return the requests of a method since the last call."""
        taken = [request for request in self.sent if request.method == method]
        self.sent = [request for request in self.sent if request.method != method]
        return taken

    def ready(self) -> World:
        """Connect, reconcile by a second snapshot too, arm the switch and hear the bus, so that adds may be sent."""
        self.hear_bus()
        self.connect()
        self.executor.stream.reconcile.is_complete = True
        self.turn()
        self.armed()
        self.hear_bus()
        return self

    def live(self) -> list[Any]:
        return self.state.registry.live()

    def place(self, *quotes: Quote) -> list[Any]:
        """Ask for quotes and let the exchange take them; return the open orders."""
        self.target(*quotes)
        self.turn()
        for request in [*self.taken("add_order"), *self.taken("batch_add")]:
            placed = [{"order_id": f"O{name[-6:]}", "cl_ord_id": name} for name in request.orders]
            self.answer(request, placed[0] if request.method == "add_order" else placed)
        return self.live()


class KeepingHands:
    """Hands that keep what they are given."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sent: list[str] = []
        self.log: list[LogEntry] = []

    def now(self) -> int:
        return self.world.now

    def send(self, text: str) -> bool:
        self.sent.append(text)
        return True

    def call(self, call: RestCall) -> None: ...

    def is_halted(self) -> bool:
        return False

    def halt(self, halt: Halt) -> None: ...

    def end_flatten(self) -> None: ...

    def dispatch(self, common: effects.Effects) -> None:
        self.log += common.log

    def reconnect(self, why: str) -> None: ...

    def end(self, newer_writer: str) -> None: ...


def buy(price: int = 839_900, qty: int = 119_047, slot: str = "b0") -> Quote:
    """Return a bid of about 100 USD."""
    return Quote(slot=slot, side="buy", price=price, qty=qty)


def sell(price: int = 840_100, qty: int = 119_047, slot: str = "a0") -> Quote:
    """Return an offer of about 100 USD."""
    return Quote(slot=slot, side="sell", price=price, qty=qty)
