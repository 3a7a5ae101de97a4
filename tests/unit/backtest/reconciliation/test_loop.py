"""The loop closed in virtual time: what the exact engine did, recorded, is what it does again."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from backtest.data.sources import Dataset
from backtest.exact import setting
from backtest.reconciliation import bus as buses, run, targets
from backtest.reconciliation.bus import Bus, Said
from backtest.reconciliation.report import Report, lines
from backtest.reconciliation.targets import NEAR_NS
from shared.clock import SECOND
from shared.config import Config
from shared.messages import Book, Quote, Rate
from tests.kit.backtest.recorded_run import record

STRATEGY = "market_maker"
PAIRS = ["BTC/USD", "ETH/USD"]


def prepared() -> Config:
    config = Config()
    held = {"BTC": Decimal(1), "ETH": Decimal(20), "SOL": Decimal(400)}
    config.trading = msgspec.structs.replace(config.trading, inventory_base=held)
    # Near the mid, so that a minute has fills.
    near = msgspec.structs.replace(config.strategies[STRATEGY], settings={"edge_bps": 1.5})
    config.strategies = {STRATEGY: near}
    return setting.prepare(config, STRATEGY, PAIRS, PAIRS, 4)


def reconciled(bus: Bus, data: Dataset) -> Report:
    # Its timers are never late.
    return run.by_rule(run.prepare(prepared(), STRATEGY, bus, data, "run"), "pro_rata", 0)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bus, Dataset]:
    # Two minutes are heard before the compared time begins.
    return record(prepared(), STRATEGY, 250, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def made(recorded: tuple[Bus, Dataset]) -> Report:
    bus, data = recorded
    return reconciled(bus, data)


def test_every_target_is_decided_again(made: Report, recorded: tuple[Bus, Dataset]) -> None:
    assert made.targets.different == 0
    assert made.targets.unseen == {"first": len(PAIRS), "book": 0, "position": 0, "account": 0}
    assert made.targets.equal == len(recorded[0].targets) - len(PAIRS) > 50


def test_the_fills_match_and_the_rest_has_causes(made: Report) -> None:
    assert made.live_fills >= 10
    assert made.matched >= 0.95 * made.live_fills
    assert "unexplained" not in {*made.missed, *made.extra}


def test_where_every_order_is_recorded_the_fills_are_the_same(tmp_path: Path) -> None:
    bus, data = record(prepared(), STRATEGY, 250, tmp_path, by_order=True)
    by_order = reconciled(bus, data)
    assert by_order.queue == "level3"
    assert by_order.matched == by_order.live_fills == by_order.played_fills >= 10
    assert Decimal(by_order.difference) == 0
    for symbol, book in by_order.books.items():
        assert book.single_orders is not None
        assert book.single_orders > 2
        assert f"- {symbol}: {book.single_orders} own orders taken out of the single orders" in "\n".join(
            lines(by_order)
        )


def test_a_short_recording_is_compared_whole_and_its_beginning_is_a_cause(tmp_path: Path) -> None:
    bus, data = record(prepared(), STRATEGY, 60, tmp_path)
    short = reconciled(bus, data)
    assert short.live_fills >= 10
    assert "unexplained" not in {*short.missed, *short.extra}
    assert Decimal(short.unexplained) == 0


def test_the_difference_adds_up(made: Report) -> None:
    parts = sum((Decimal(amount) for amount in made.by_cause.values()), Decimal(0))
    assert Decimal(made.pnl_live) - Decimal(made.pnl_played) == Decimal(made.difference) == parts
    assert Decimal(made.unexplained) == 0


@pytest.fixture
def tried(made: Report, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], Report]:
    """Return what is shown of three rules that match so much, with or without single orders."""
    matched = {"pro_rata": 8, "front": 10, "back": 10}

    def by_rule(_: object, queue: str) -> Report:
        return msgspec.structs.replace(
            made, queue=queue, live_fills=10, matched=matched[queue], matched_share=matched[queue] / 10
        )

    def reconciled(by_order: bool) -> Report:
        part = SimpleNamespace(others=SimpleNamespace(orders=object() if by_order else None))
        monkeypatch.setattr(run, "prepare", lambda *_: SimpleNamespace(market={"BTC/USD": part}))
        return run.reconcile(prepared(), "run", STRATEGY, [*matched])

    monkeypatch.setattr(run, "by_rule", by_rule)
    monkeypatch.setattr(buses, "read", lambda _: None)
    monkeypatch.setattr(run, "read", lambda _: None)
    return reconciled


def test_of_several_queue_rules_the_first_with_the_most_matches_is_shown(
    made: Report, tried: Callable[[bool], Report]
) -> None:
    best = tried(False)
    assert best.queue == "front"
    assert best.queues == {"pro_rata": 0.8, "front": 1.0, "back": 1.0}
    assert "- queue rules that were tried: pro_rata 80.0%, front 100.0%, back 100.0%" in lines(best)
    assert not any("tried" in line for line in lines(made))


def test_no_queue_rule_is_tried_where_every_order_is_recorded(tried: Callable[[bool], Report]) -> None:
    assert tried(True).queues == {"pro_rata": 0.8}


def test_own_orders_are_found_in_the_books(made: Report) -> None:
    for book in made.books.values():
        assert book.exact >= 0.9 * (book.exact + book.within + book.unseen)


def test_the_same_recording_gives_the_same_report(made: Report, recorded: tuple[Bus, Dataset]) -> None:
    again = reconciled(*recorded)
    assert msgspec.structs.replace(again, wall_s=made.wall_s) == made


def test_prices_that_were_kept_before_the_recording_are_kept_in_it(tmp_path: Path) -> None:
    config = prepared()
    section = config.strategies[STRATEGY]
    config.strategies = {STRATEGY: msgspec.structs.replace(section, settings={"tolerance_bps": 20, "edge_bps": 6})}
    outcome = targets.decide_again(config, STRATEGY, record(config, STRATEGY, 5, tmp_path)[0])
    assert not outcome.different
    assert outcome.equal > 10


def test_a_target_that_the_strategy_would_not_decide_is_named(recorded: tuple[Bus, Dataset]) -> None:
    bus, _ = recorded
    place = len(bus.targets) // 2
    said = bus.targets[place]
    moved = [msgspec.structs.replace(quote, price=quote.price + 1) for quote in said.message.quotes]
    forged = dataclasses.replace(bus, targets=list(bus.targets))
    forged.targets[place] = Said(said.at, msgspec.structs.replace(said.message, quotes=moved))
    outcome = targets.decide_again(prepared(), STRATEGY, forged)
    assert [each.recorded.seq for each in outcome.different if each.recorded.quotes == moved] == [said.message.seq]
    assert outcome.equal >= len(bus.targets) - len(PAIRS) - 2


@pytest.fixture
def late(recorded: tuple[Bus, Dataset]) -> Bus:
    """Return what a recording has that begins 150 s later."""
    bus, _ = recorded
    begin = bus.targets[0].at + 150 * SECOND
    made = Bus(boot_to_wall=bus.boot_to_wall, instruments=bus.instruments)
    for name in ("books", "trades", "orders", "positions"):
        for key, said in getattr(bus, name).items():
            getattr(made, name)[key] = [each for each in said if each.at >= begin]
    for name in ("accounts", "feed", "book_status", "targets"):
        setattr(made, name, [each for each in getattr(bus, name) if each.at >= begin])
    return made


def test_a_target_that_was_decided_on_an_account_from_before_the_recording_is_not_judged(late: Bus) -> None:
    judged = targets.decide_again(prepared(), STRATEGY, late)
    first = next(said for said in late.targets if said.message.event == "position")
    # Every account that was heard by then is gone; the others value the base so that no decision comes out equal.
    dear = {name: Rate(rate="99999", valid=True, way=[]) for name in ("BTC", "ETH")}
    late.accounts = [
        Said(said.at, msgspec.structs.replace(said.message, rates={**said.message.rates, **dear}))
        for said in late.accounts
        if said.at > first.at - NEAR_NS
    ]
    outcome = targets.decide_again(prepared(), STRATEGY, late)
    assert outcome.unseen[targets.Unseen.ACCOUNT] >= 1 > judged.unseen[targets.Unseen.ACCOUNT]
    assert first.message not in [each.recorded for each in outcome.different]


def test_a_recording_that_begins_amid_a_life_decides_by_the_signals_of_its_targets(late: Bus) -> None:
    outcome = targets.decide_again(prepared(), STRATEGY, late)
    assert outcome.different == []
    assert outcome.equal > 100
    assert all({"volatility", "forecast"} == target.message.signals.keys() for target in late.targets)
    bare = [Said(said.at, msgspec.structs.replace(said.message, signals={})) for said in late.targets]
    without = dataclasses.replace(late, targets=bare)
    assert len(targets.decide_again(prepared(), STRATEGY, without).different) > 10


def test_other_settings_would_have_decided_otherwise(recorded: tuple[Bus, Dataset]) -> None:
    config = prepared()
    section = config.strategies[STRATEGY]
    settings = {**section.settings, "edge_bps": 2.5}
    config.strategies = {STRATEGY: msgspec.structs.replace(section, settings=settings)}
    outcome = targets.decide_again(config, STRATEGY, recorded[0])
    assert len(outcome.different) > outcome.equal
    assert all(isinstance(quote, Quote) for each in outcome.different for quote in each.recorded.quotes)


def test_a_target_on_a_book_that_was_not_recorded_is_counted(recorded: tuple[Bus, Dataset]) -> None:
    bus, _ = recorded
    said = bus.targets[-1]
    lacking = Bus(boot_to_wall=bus.boot_to_wall, instruments=bus.instruments)
    for name in ("trades", "orders", "positions", "accounts", "feed", "book_status", "targets"):
        setattr(lacking, name, getattr(bus, name))
    stamps = said.message.received, said.message.booked
    for symbol, books in bus.books.items():
        lacking.books[symbol] = [each for each in books if (each.message.received, each.message.booked) != stamps]
    outcome = targets.decide_again(prepared(), STRATEGY, lacking)
    assert outcome.unseen[targets.Unseen.BOOK] >= 1


def test_messages_that_could_not_be_read_are_said(made: Report) -> None:
    damaged = msgspec.structs.replace(made, unreadable=3)
    assert made.unreadable == 0
    assert lines(damaged) == [*lines(made), "", "3 messages of the recording could not be read, and are left out."]


def test_books_of_one_batch_share_their_stamps_and_are_told_apart(recorded: tuple[Bus, Dataset]) -> None:
    bus = copy.copy(recorded[0])
    bus.books = {
        symbol: [each for book in said for each in (book, _next_of_its_batch(book))]
        for symbol, said in bus.books.items()
    }
    outcome = targets.decide_again(prepared(), STRATEGY, bus)
    assert outcome.different == []
    assert outcome.equal == len(bus.targets) - len(PAIRS)


def _next_of_its_batch(book: Said[Book]) -> Said[Book]:
    """Return a book with another touch that was made by the same call."""
    message = book.message
    moved = [(price + 7, qty) for price, qty in message.asks]
    return Said(book.at, msgspec.structs.replace(message, asks=moved))
