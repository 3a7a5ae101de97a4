"""Curves, tables and texts of the window, without a window."""

from __future__ import annotations

from array import array
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, strategies as st

from monitor.desktop import header, tables
from monitor.desktop.curve import Curve
from monitor.desktop.frame import Framer
from monitor.ui.text import Tone
from shared.clock import SECOND
from shared.messages import BookState
from tests.kit.monitor_world import World, order


def numbers(packed: bytes) -> list[float]:
    return list(array("d", packed))


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(-10, 10)), max_size=60))
def test_a_curve_keeps_the_newest_points_in_order_within_its_size(points: list[tuple[float, float]]) -> None:
    curve = Curve(points=8, step_s=1.0)
    for ts, value in points:
        curve.add(ts, value)
    line = curve.line()
    times, values = numbers(line.times), numbers(line.values)
    assert len(times) == len(values) == len(curve) <= 8 == curve.capacity
    assert times == sorted(times)
    assert len({ts // 1.0 for ts in times}) == len(times)
    if points:
        assert values[-1] == points[-1][1]


def test_every_buffer_keeps_its_size_through_many_thousands_of_updates() -> None:
    world = World().whole()
    framer = Framer(world.config)
    sizes = set()
    for number in range(20_000):
        world.wall += SECOND // 4
        if number % 500 == 0:
            world.book("BTC/USD")
            world.books()
            world.fill(number)
            frame = framer.frame(world.watch, world.snapshot())
        for curve in framer.curves.values():
            curve.add(world.wall / SECOND, number)
        if number >= 10_000:
            sizes.add(tuple((curve.capacity, len(curve), len(curve.line().times)) for curve in framer.curves.values()))
    assert len(sizes) == 1
    assert len(frame.snapshot.fills.fills) <= 500


def test_the_ladder_has_own_orders_in_place_and_the_mid_between() -> None:
    rows = tables.ladder(World().whole().snapshot(), "BTC/USD")
    text = [[cell for cell, _ in row] for row in rows]
    sides = [row[0] for row in text]
    assert sides == ["ask"] * 11 + ["mid"] + ["bid"] * 11
    prices = [float(row[2]) for row in text]
    assert prices == sorted(prices, reverse=True)
    own = [row for row in rows if row[4][0]]
    assert [row[2][0] for row in own] == ["84004.1", "84000.7", "83999.4", "83996.0"]
    assert all(row[4][1] is Tone.OWN for row in own)
    assert own[0][3][0] == "-"  # beyond the published depth


def test_own_orders_are_told_where_the_book_is_not_known() -> None:
    world = World().whole()
    world.books(BookState.SYNCING, "waits for a snapshot")
    rows = tables.ladder(world.snapshot(), "BTC/USD")
    assert [row[0][0] for row in rows] == ["ask", "ask", "book syncing", "bid", "bid"]


def test_profit_by_pair_and_in_total_and_nothing_invented() -> None:
    world = World().whole()
    rows = tables.profit(world.snapshot())
    assert [cell for cell, _ in rows[0]] == ["BTC/USD", "-0.00237842", "-200.00", "+1.15", "+1.50", "-0.25", "0.10"]
    assert [cell for cell, _ in rows[-1]] == ["total USD", "", "", "+3.46", "+4.51", "-0.75", "0.30"]
    world.account(valid=False)
    assert {cell for row in tables.profit(world.snapshot()) for cell, _ in row[3:]} == {"-"}


def test_the_badges_say_whose_money_it_is_and_whether_it_is_halted() -> None:
    world = World().whole()
    assert header.badges(world.snapshot())[:4] == [
        ("SANDBOX", Tone.GOOD),
        ("not halted", Tone.PLAIN),
        ("6/6 ready", Tone.GOOD),
        ("12 open", Tone.PLAIN),
    ]
    world.halted = "lunch"
    snapshot = world.snapshot()
    real = replace(snapshot, control=msgspec.structs.replace(snapshot.control, sandbox=False))
    assert header.badges(real)[:2] == [("REAL MONEY", Tone.ALARM), ("HALTED", Tone.ALARM)]
    world.is_flattening = True
    assert header.badges(world.snapshot())[1][0] == "FLATTENING"


def test_a_system_that_fell_silent_is_told_with_its_age_and_what_to_type() -> None:
    world = World().whole()
    assert header.banner(world.snapshot(), "there") == ""
    world.now += 40 * SECOND
    world.halted = "lunch"
    snapshot = world.snapshot()
    said = header.banner(snapshot, "there")
    for part in ("no process was heard for 40s", "make run", "12 orders were open", "halted: lunch"):
        assert part in said
    assert header.badges(snapshot)[2] == ("SYSTEM DOWN", Tone.ALARM)
    assert "listening" in header.banner(World(began=1000 * SECOND).snapshot(), "there").lower()


@pytest.mark.parametrize(("halted", "said"), [(None, "nothing is wrong now"), ("lunch", "halted: lunch")])
def test_the_alerts_line_has_the_worst_first(halted: str | None, said: str) -> None:
    world = World().whole()
    world.halted = halted
    assert said in header.alerts(world.snapshot())[0]
    world.beat("book", "degraded", why="slow")
    world.orders("BTC/USD", order("BTC/USD", "b0", 1))
    assert "slow" in header.alerts(world.snapshot())[0] or "more" in header.alerts(world.snapshot())[0]
