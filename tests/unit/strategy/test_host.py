"""The host: valid views only, targets said again, a strategy's mistake withdraws."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from shared.clock import SECOND
from shared.config import Config, Strategy as Section, check
from shared.errors import ConfigError
from shared.messages import (
    Account,
    Book,
    BookState,
    BookStatus,
    FeedStatus,
    FeedTrades,
    Fees,
    Instruments,
    Message,
    Position,
    Quote,
    Rate,
    Target,
    Trade,
)
from strategy.host import Host
from strategy.interface import Strategy, Trigger, View
from strategy.loading import load_strategy
from strategy.signals.values import Needs
from tests.kit.pairs import BTC


class World:
    def __init__(self, kind: str = "strategy.market_maker:MarketMaker") -> None:
        config = Config(strategies={"market_maker": Section(class_=kind)})
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

    def ready(self, bid: int = 840_000) -> list[Target]:
        self.path()
        self.tell(Instruments(pairs={"BTC/USD": BTC}), position(0), account())
        return self.tell(book(bid=bid))


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
        (Section(class_="no.such:Thing"), "cannot import no.such"),
        (Section(class_="strategy.market_maker:Nothing"), "has no Nothing"),
        (Section(class_="strategy.market_maker:Settings"), "is not a strategy.interface.Strategy"),
        (Section(settings={"levls": 2}), "levls"),
        (Section(settings={"levels": 0}), "levels must be 1 to 20"),
    ],
)
def test_a_strategy_that_cannot_run_is_refused_at_start(section: Section, said: str) -> None:
    config = Config(strategies={"m": section})
    with pytest.raises(ConfigError, match=said):
        load_strategy(config, "m")


class ProbeSettings(msgspec.Struct):
    """None."""


class Probe(Strategy):
    """Counts its decisions and quotes one bid."""

    Settings = ProbeSettings

    def __init__(self, settings: msgspec.Struct) -> None:
        self.views: list[View] = []

    def on_book(self, view: View) -> Target | None:
        self.views.append(view)
        return view.target([Quote(slot="b0", side="buy", price=view.book.bids[0][0], qty=100_000)])


class TouchProbe(Probe):
    trigger = Trigger.TOUCH


class Listener(TouchProbe):
    needs = Needs(trades=True, microprice=True)


def probing(kind: type[Probe]) -> tuple[World, Probe]:
    world = World(f"{__name__}:{kind.__name__}")
    world.ready()
    probe = world.host._symbols["BTC/USD"].strategy
    assert isinstance(probe, Probe)
    probe.views.clear()
    return world, probe


def thicker(bid: int = 840_000) -> Book:
    seen = book(bid=bid)
    return msgspec.structs.replace(seen, bids=[(bid, 5), (bid - 1, 7)], received=111, booked=222)


def test_a_strategy_of_the_whole_book_decides_on_every_message() -> None:
    world, probe = probing(Probe)
    world.tell(book(), thicker())
    assert len(probe.views) == 2
    assert world.host.trigger("BTC/USD") is Trigger.BOOK


def test_a_strategy_of_the_touch_decides_when_a_price_of_it_changed() -> None:
    world, probe = probing(TouchProbe)
    world.tell(book(), thicker())
    assert probe.views == []
    assert world.host.trigger("BTC/USD") is Trigger.TOUCH
    target = world.tell(thicker(840_001))[0]
    assert (len(probe.views), target.received, target.booked) == (1, 111, 222)


def test_a_decision_at_another_event_counts_for_the_touch() -> None:
    world, probe = probing(TouchProbe)
    world.tell(position(1))
    assert len(probe.views) == 1
    world.tell(book())
    assert len(probe.views) == 1


def test_the_second_s_decision_is_on_the_newest_book_though_its_touch_is_the_same() -> None:
    world, probe = probing(TouchProbe)
    world.tell(thicker())
    target = world.turn(1.1)[0]
    assert (len(probe.views), target.event, target.received, target.booked) == (1, "time", 111, 222)


def test_after_a_view_that_was_not_valid_the_same_touch_is_decided_on() -> None:
    world, probe = probing(TouchProbe)
    assert [target.quotes for target in world.tell(book(BookState.RESYNCING))] == [[]]
    assert len(world.tell(book())[0].quotes) == 1
    world.tell(position(0, valid=False))
    world.tell(position(0))
    assert len(probe.views) == 2
    world.tell(book())
    assert len(probe.views) == 2


def test_public_trades_reach_only_a_strategy_that_needs_them() -> None:
    trades = FeedTrades(
        symbol="BTC/USD",
        price_precision=1,
        qty_precision=8,
        trades=[Trade(side="sell", price=840_000, qty=5)],
        received=1,
    )
    assert probing(Listener)[0].host.trigger("BTC/USD") is Trigger.BOOK  # for its microprice
    for kind in (Probe, Listener):
        world, probe = probing(kind)
        assert world.host.wants_trades("BTC/USD") == (kind is Listener)
        world.tell(trades, book(bid=840_007))
        assert len(probe.views) == 1
        assert len(probe.views[0].trades) == (kind is Listener)
        assert probe.views[0].signals.microprice.is_valid == (kind is Listener)


class Follower(TouchProbe):
    needs = Needs(price_source="ETH/USD")


def test_another_pairs_book_reaches_a_strategy_that_takes_its_price_from_it() -> None:
    world, probe = probing(Follower)
    other = msgspec.structs.replace(book(), symbol="ETH/USD")
    world.tell(other)
    assert [view.source for view in probe.views] == [other]
    world.tell(other)
    assert len(probe.views) == 1
    world.tell(msgspec.structs.replace(book(BookState.SILENT), symbol="ETH/USD"))
    assert probe.views[-1].source is None


@given(st.lists(st.tuples(st.integers(-6, 6), st.integers(1, 9), st.integers(1, 500)), max_size=60))
def test_the_market_maker_quotes_the_same_on_touches_as_on_every_book(steps: list[tuple[int, int, int]]) -> None:
    def run(trigger: Trigger) -> list[list[Quote]]:
        world = World()
        world.ready()
        world.host._symbols["BTC/USD"].strategy.trigger = trigger
        targets: list[Target] = []
        for away, lots, wait_ms in steps:
            # Half of the steps leave the touch.
            bid = 840_000 + (away * 20 if away > 0 else 0)
            message = msgspec.structs.replace(book(bid=bid), bids=[(bid, lots), (bid - 1, lots)])
            targets += world.turn(wait_ms / 1000) + world.tell(message)
        return [quotes for quotes, _ in itertools.groupby(target.quotes for target in targets)]

    assert run(Trigger.TOUCH) == run(Trigger.BOOK)


def test_what_is_only_heard_is_decided_on_when_that_is_wanted() -> None:
    world = World()
    world.ready()
    due = world.host.hear(book(bid=841_000), world.now)
    assert [(each.symbol, each.event) for each in due] == [("BTC/USD", "on_book")]
    assert not world.said()
    world.host.decide("BTC/USD", world.now, "on_book")
    assert [target.bid for target in world.said()] == [841_000]


def test_a_host_goes_on_from_a_target_that_another_published() -> None:
    first = World().ready()[0]
    world = World()
    world.host.resume(first)
    prices = [quote.price for quote in first.quotes]
    assert [quote.price for quote in world.ready(840_030)[0].quotes] == prices
    assert [quote.price for quote in World().ready(840_030)[0].quotes] != prices
