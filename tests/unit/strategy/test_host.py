"""The host: valid views only, targets said again, a strategy's mistake withdraws."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.clock import SECOND
from shared.config import Config, Strategy, check
from shared.errors import ConfigError
from shared.messages import (
    Account,
    Book,
    BookState,
    BookStatus,
    FeedStatus,
    Fees,
    Instruments,
    Message,
    Position,
    Rate,
    Target,
)
from strategy.host import Host, load_strategy
from tests.kit.pairs import BTC


class World:
    def __init__(self) -> None:
        config = Config()
        config.trading = msgspec.structs.replace(config.trading, pairs=["BTC/USD"])
        check(config, str)
        self.host = Host(config, "market_maker", "this boot")
        self.now = 10 * SECOND
        self.problems: list[str] = []

    def tell(self, *messages: Message) -> list[Target]:
        for message in messages:
            self.host.message(message, self.now)
        return self.said()

    def said(self) -> list[Target]:
        wanted = self.host.take()
        self.problems += [entry.text for entry in wanted.log]
        return [message for _, message in wanted.messages if isinstance(message, Target)]

    def turn(self, seconds: float, *, path: bool = True) -> list[Target]:
        self.now += int(seconds * SECOND)
        if path:
            self.path()
        self.host.turn(self.now)
        return self.said()

    def path(self) -> None:
        self.tell(FeedStatus(connected=True, connection=1, last_byte=self.now, system="online"), BookStatus())

    def ready(self) -> list[Target]:
        self.path()
        self.tell(Instruments(pairs={"BTC/USD": BTC}), position(0), account())
        return self.tell(book())


def book(state: BookState = BookState.LIVE, bid: int = 840_000) -> Book:
    live = state is BookState.LIVE
    return Book(
        symbol="BTC/USD",
        state=state,
        price_precision=1,
        qty_precision=8,
        bids=[(bid, 10**8)] if live else [],
        asks=[(bid + 1, 10**8)] if live else [],
    )


def position(fills: int, *, valid: bool = True) -> Position:
    return Position(strategy="market_maker", symbol="BTC/USD", valid=valid, qty_precision=8, fills=fills)


def account(*, valid: bool = True) -> Account:
    rates = {"USD": Rate(rate="1", valid=True), "BTC": Rate(rate="84000", valid=True, way=["BTC/USD"])}
    return Account(valid=valid, fees={"BTC/USD": Fees(maker="0.00", taker="0.10")}, rates=rates)


def test_a_target_carries_what_it_was_decided_on() -> None:
    world = World()
    target = world.ready()[0]
    assert (target.strategy, target.symbol, target.ttl_ms, target.fills) == ("market_maker", "BTC/USD", 3000, 0)
    assert (target.decided, target.clock, target.event) == (world.now, "this boot", "book")
    assert len(target.quotes) == 4


@pytest.mark.parametrize("missing", ["instrument", "position", "account", "book", "path"])
def test_a_new_boot_says_nothing_until_its_view_is_valid(missing: str) -> None:
    world = World()
    parts: dict[str, Message] = {
        "instrument": Instruments(pairs={"BTC/USD": BTC}),
        "position": position(0, valid=missing != "position"),
        "account": account(valid=missing != "account"),
        "book": book(),
    }
    if missing != "path":
        world.path()
    for name, message in parts.items():
        if name != missing or name in ("position", "account"):
            world.tell(message)
    assert world.said() == []
    assert world.turn(0.1, path=missing != "path") == []


def test_what_is_still_meant_is_said_again_newly_decided_every_second() -> None:
    world = World()
    first = world.ready()[0]
    assert world.turn(0.5) == []
    again = world.turn(0.6)
    assert [target.quotes for target in again] == [first.quotes]
    assert again[0].decided == world.now


@pytest.mark.parametrize("state", [BookState.SYNCING, BookState.RESYNCING, BookState.SILENT])
def test_a_book_that_is_not_live_withdraws_once(state: BookState) -> None:
    world = World()
    world.ready()
    assert [target.quotes for target in world.tell(book(state))] == [[]]
    assert world.tell(book(state)) == []


@pytest.mark.parametrize("path", ["feed.status", "book.status", "disconnected"])
def test_a_path_that_is_not_heard_for_a_second_withdraws(path: str) -> None:
    world = World()
    world.ready()
    world.now += int(1.1 * SECOND)
    if path != "feed.status":
        world.tell(FeedStatus(connected=path != "disconnected", connection=1, last_byte=world.now, system="online"))
    if path != "book.status":
        world.tell(BookStatus())
    world.host.turn(world.now)
    assert [target.quotes for target in world.said()] == [[]]


def test_an_executor_that_restarts_does_not_make_it_withdraw() -> None:
    world = World()
    world.ready()
    assert world.tell(position(0, valid=False), account(valid=False)) == []
    assert world.turn(1.1) == []
    assert len(world.tell(position(0), account(), book(bid=840_001))[0].quotes) == 4


def test_a_fill_is_answered_at_once_with_the_new_count() -> None:
    world = World()
    world.ready()
    assert [target.fills for target in world.tell(position(1))] == [1]


def test_another_pair_status_withdraws() -> None:
    world = World()
    world.ready()
    halted = msgspec.structs.replace(BTC, status="cancel_only")
    world.tell(Instruments(pairs={"BTC/USD": halted}))
    assert [target.quotes for target in world.turn(0.1)] == [[]]


def test_a_strategy_that_raises_is_withdrawn_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.ready()

    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("strategy.market_maker.MarketMaker.on_book", fail)
    assert [target.quotes for target in world.tell(book(bid=840_500))] == [[]]
    assert "ZeroDivisionError" in world.problems[0]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (Strategy(class_="no.such:Thing"), "cannot import no.such"),
        (Strategy(class_="strategy.market_maker:Nothing"), "has no Nothing"),
        (Strategy(class_="strategy.market_maker:Settings"), "is not a strategy.interface.Strategy"),
        (Strategy(settings={"levls": 2}), "levls"),
        (Strategy(settings={"levels": 0}), "levels must be 1 to 20"),
    ],
)
def test_a_strategy_that_cannot_run_is_refused_at_start(section: Strategy, said: str) -> None:
    config = Config(strategies={"m": section})
    with pytest.raises(ConfigError, match=said):
        load_strategy(config, "m")
