"""A world in virtual time for tests: no clock, no socket, an in-memory database."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from shared.config import Key, SimAccount, Simulator
from simulator.exchange.database.store import Store
from simulator.exchange.engine import Side, load_engine
from simulator.exchange.orders import Account, OrderRequest
from simulator.market.market import Market
from simulator.pairs.pairs import PAIRS
from simulator.rest import private as rest_private, public as rest_public
from simulator.session import Session
from simulator.wire import NS, read_json
from simulator.world import World
from simulator.ws_v1.private import PrivateSessionV1
from simulator.ws_v1.public import PublicSessionV1
from simulator.ws_v2.private import PrivateSession
from simulator.ws_v2.public import PublicSession

START = 1_790_000_000 * NS
RICH = {"USD": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(20), "SOL": Decimal(400)}


def settings(**changes: Any) -> Simulator:
    """Return two accounts: a market maker without maker fee, and a visitor at the entry fees."""
    accounts = [
        SimAccount(
            name="maker",
            keys=[Key(api_key="M1", api_secret="bTE="), Key(api_key="M2", api_secret="bTI=", permissions=["cancel"])],
            balances=RICH,
            volume_30d_usd=Decimal(10_000_000),
        ),
        SimAccount(name="visitor", keys=[Key(api_key="V1", api_secret="djE=")], balances=RICH),
    ]
    return Simulator(**{"accounts": accounts, **changes})


class TestWorld:
    """A world whose time moves when told to; its crowd is quiet until ``run``."""

    __test__ = False

    def __init__(self, path: Path | None = None, now: int = START, seed: int = 7, **changes: Any) -> None:
        self.now = now
        self.store = Store(path if path is not None else ":memory:")
        self.world = World(settings(**changes), self.store, load_engine(), now, seed)
        self.exchange = self.world.exchange

    def account(self, name: str = "maker") -> Account:
        return next(a for a in self.exchange.accounts.values() if a.name == name)

    def touch(self, symbol: str = "BTC/USD") -> tuple[int, int]:
        bid, ask = self.exchange.venues[symbol].touch()
        assert bid is not None
        assert ask is not None
        return bid, ask

    def empty(self, symbol: str = "BTC/USD") -> None:
        """Take the crowd out of the book."""
        venue = self.exchange.venues[symbol]
        for number in tuple(crowd_market(self, symbol).crowd.orders):
            venue.cancel(number, self.now)

    def after(self, seconds: float) -> int:
        """Let only the exchange's own timers run."""
        self.now += int(seconds * NS)
        self.exchange.tick(self.now)
        self.world.flush(self.now)
        return self.now

    def run(self, seconds: float) -> None:
        """Let the market live."""
        end = self.now + int(seconds * NS)
        while self.now < end:
            self.now = min(end, max(self.world.step(self.now), self.now + 100_000))

    def private(self, key: str = "M1") -> Client:
        state = self.world.keys[key]
        return Client(self, PrivateSession, self.world.make_token(state, self.now))

    def private_v1(self, key: str = "M1") -> Client:
        return Client(self, PrivateSessionV1, self.world.make_token(self.world.keys[key], self.now))

    def public(self) -> Client:
        return Client(self, PublicSession, "")

    def public_v1(self) -> Client:
        return Client(self, PublicSessionV1, "")


def call(world: TestWorld, method: str, key: str = "V1", /, **fields: Any) -> Any:
    """Return the result of a REST call, of the account of ``key`` where it is private. Any: JSON."""
    given = read_json(json.dumps(fields))
    assert isinstance(given, dict)
    if method in rest_public.METHODS:
        return rest_public.METHODS[method](world.world, given, world.now)
    return rest_private.METHODS[method].run(world.world, world.world.keys[key], given, world.now, world.now)


def crowd_market(world: TestWorld, symbol: str = "BTC/USD") -> Market:
    """Return the crowd of a pair."""
    (one,) = (m for m in world.world.markets if m.venue.pair.symbol == symbol and isinstance(m, Market))
    return one


def tape_of(world: TestWorld, symbol: str) -> list[tuple[int, str, int, int]]:
    """Return the trades of a pair."""
    return [(t.trade_id, t.side, t.price, t.qty) for t in world.exchange.venues[symbol].tape]


class Client:
    """A client of a session: what it was sent is in ``frames``, as text."""

    def __init__(self, world: TestWorld, kind: Callable[..., Session], token: str) -> None:
        self.world = world
        self.token = token
        self.frames: list[str] = []
        self.session = kind(world.world, 2**60, self.frames.append)
        self.session.open(world.now)

    def call(self, method: str, **params: Any) -> list[dict[str, Any]]:
        """Send a request with the token and return what came because of it."""
        if self.token and "token" not in params:
            params["token"] = self.token
        return self.raw({"method": method, "params": params, "req_id": 9})

    def event(self, name: str, **members: Any) -> list[Any]:
        """Send an event of version 1; return what came because of it."""
        return self.raw({"event": name, "token": self.token, **members})

    def raw(self, message: Any) -> list[Any]:
        before = len(self.frames)
        text = message if isinstance(message, str) else json.dumps(message)
        self.session.handle(self.session.read(text, self.world.now), self.world.now)
        self.world.world.flush(self.world.now)
        return self.since(before)

    def since(self, index: int) -> list[Any]:
        return [json.loads(frame, parse_float=Decimal) for frame in self.frames[index:]]

    def reports(self) -> list[dict[str, Any]]:
        """Return every execution told so far, in order, snapshots left out."""
        updates = [f for f in self.since(0) if f.get("channel") == "executions" and f["type"] == "update"]
        return [row for frame in updates for row in frame["data"]]


def _side(name: str) -> Side:
    return "buy" if name == "buy" else "sell"


def limit(side: str = "buy", qty: str = "0.001", price: str = "80000", symbol: str = "BTC/USD", **more: Any) -> Any:
    """Return a limit order as the exchange takes it."""
    return OrderRequest(PAIRS[symbol], _side(side), "limit", Decimal(qty), Decimal(price), **more)


def market(side: str, qty: str, symbol: str = "BTC/USD") -> OrderRequest:
    """Return a market order as the exchange takes it."""
    return OrderRequest(PAIRS[symbol], _side(side), "market", Decimal(qty))
