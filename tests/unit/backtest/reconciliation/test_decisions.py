"""Recorded targets, each when it was acted on, with the count of fills that the played executor understands."""

from __future__ import annotations

from backtest.reconciliation.bus import Bus, Said
from backtest.reconciliation.decisions import Decisions
from backtest.venue.loop import FAR
from shared.clock import MS, SECOND
from shared.messages import Fill, Position, Target

SYMBOL = "BTC/USD"
WALL = 1_000_000 * SECOND


def target(decided: int, fills: int) -> Target:
    return Target(
        strategy="s",
        symbol=SYMBOL,
        price_precision=1,
        qty_precision=8,
        quotes=[],
        decided=decided,
        ttl_ms=3000,
        fills=fills,
        clock="another",
    )


def position(fills: int) -> Position:
    return Position(strategy="s", symbol=SYMBOL, valid=True, fills=fills)


def recorded(*fills: tuple[int, int]) -> Bus:
    """Fifty fills were known at the start; others as (happened, known)."""
    bus = Bus(boot_to_wall=WALL)
    bus.take(0, position(50))
    for number, (happened, known) in enumerate(fills):
        fill = Fill(
            exec_id=f"{number}", cl_ord_id="c", order_id="o", strategy="s", symbol=SYMBOL, side="buy", price="1",
            qty="1", fee="0", fill_ts=WALL + happened, ts=WALL + known,
        )  # fmt: skip
        bus.take(known, fill)
        bus.take(known, position(51 + number))
    return bus


def given(decisions: Decisions, now: int) -> list[tuple[int, int]]:
    """Return what is handed out at a time: (decided, fills)."""
    decisions.turn(now)
    messages = [message for _, message in decisions.take().messages]
    assert all(isinstance(message, Target) and not message.clock for message in messages)
    return [(message.decided, message.fills) for message in messages if isinstance(message, Target)]


def test_targets_are_due_when_they_were_acted_on() -> None:
    decisions = Decisions([(5, target(3, 50)), (9, target(7, 50))], recorded(), "s", lambda _: [])
    assert decisions.next_due(0) == 5
    assert given(decisions, 4) == []
    assert given(decisions, 5) == [(3, 0)]
    assert given(decisions, 20) == [(7, 0)]
    assert decisions.next_due(20) == FAR


def test_a_fill_that_the_strategy_knew_is_known_though_its_report_comes_later() -> None:
    bus = recorded((10 * MS, 20 * MS))
    due = [(22 * MS, target(19 * MS, 50)), (23 * MS, target(21 * MS, 51))]
    decisions = Decisions(due, bus, "s", lambda _: [WALL + 10 * MS])
    decisions.message(position(0), 0)
    assert given(decisions, 23 * MS) == [(19 * MS, 0), (21 * MS, 1)]


def test_a_fill_that_the_strategy_did_not_know_is_not_known() -> None:
    bus = recorded((10 * MS, 20 * MS))
    decisions = Decisions([(23 * MS, target(21 * MS, 50))], bus, "s", lambda _: [WALL + 10 * MS])
    decisions.message(position(0), 0)
    decisions.message(position(1), 18 * MS)
    assert given(decisions, 23 * MS) == [(21 * MS, 0)]


def test_of_two_fills_of_one_moment_only_the_first_may_be_known() -> None:
    bus = recorded((10 * MS, 20 * MS), (10 * MS, 25 * MS))
    due = [(23 * MS, target(21 * MS, 51)), (30 * MS, target(26 * MS, 52))]
    decisions = Decisions(due, bus, "s", lambda _: [WALL + 10 * MS] * 2)
    assert given(decisions, 30 * MS) == [(21 * MS, 1), (26 * MS, 2)]


def test_a_fill_that_the_played_executor_reported_sooner_is_known_no_sooner() -> None:
    bus = recorded((10 * MS, 20 * MS))
    due = [(20 * MS, target(19 * MS, 50)), (23 * MS, target(21 * MS, 51))]
    decisions = Decisions(due, bus, "s", lambda _: [WALL + 10 * MS])
    decisions.message(position(1), 18 * MS)
    assert given(decisions, 23 * MS) == [(19 * MS, 0), (21 * MS, 1)]


def test_a_fill_that_only_the_recorded_executor_had_takes_none_of_the_others() -> None:
    bus = recorded((10 * MS, 20 * MS))
    decisions = Decisions([(20 * MS, target(19 * MS, 50))], bus, "s", lambda _: [WALL + 5 * MS])
    decisions.message(position(1), 8 * MS)
    assert given(decisions, 20 * MS) == [(19 * MS, 1)]


def test_fills_that_only_the_played_executor_had_count() -> None:
    decisions = Decisions([(30 * MS, target(26 * MS, 50))], recorded(), "s", lambda _: [WALL + 10 * MS])
    decisions.message(position(1), 20 * MS)
    assert given(decisions, 30 * MS) == [(26 * MS, 1)]


def test_what_the_played_executor_says_is_kept() -> None:
    decisions = Decisions([], recorded(), "s", lambda _: [])
    decisions.message(position(1), 20 * MS)
    decisions.message(target(0, 0), 21 * MS)
    assert decisions.heard.positions["s", SYMBOL] == [Said(20 * MS, position(1))]
