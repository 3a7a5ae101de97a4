"""The whole screen at every size: everything of importance at 80x24, and never a number cut."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import pytest

from monitor.top import page
from monitor.top.page import State
from monitor.ui.snapshot import counted
from monitor.ui.text import Tone, text_of, width_of
from shared import limits
from shared.clock import SECOND
from shared.messages import BookState, LogLine, OrderState
from tests.kit.monitor_world import NOW, World, order

SIZES = [(80, 24), (120, 40), (200, 60)]


def lines(world: World, state: State | None = None, width: int = 80, height: int = 24) -> list[str]:
    rows = page.screen(world.snapshot(), state or State(source="listening where X says"), width, height)
    assert [width_of(row) for row in rows] == [width] * height
    return [text_of(row) for row in rows]


def text(world: World, state: State | None = None, width: int = 80, height: int = 24) -> str:
    return "\n".join(lines(world, state, width, height))


@pytest.fixture
def world() -> World:
    return World().whole()


def test_everything_of_importance_is_there_at_80x24(world: World) -> None:
    screen = lines(world)
    assert " ".join(screen[0].split()) == "SANDBOX not halted 6/6 ready 12 open P&L +3.46 USD 22:13:20 UTC"
    assert screen[1].startswith("nothing is wrong")
    for process in ("simulator", "collector", "book", "strategy.mark", "executor", "monitor"):
        assert any(line.startswith(process) and "ready" in line for line in screen)
    head = next(line for line in screen if line.startswith("process"))
    assert head.split()[:8] == ["process", "state", "up", "MB", "lag", "rst", "gaps", "drop"]
    assert "p50" in head
    assert "p99" in head
    for hop in ("to collector", "to book", "to strategy", "to executor", "frame to order", "order to ack"):
        assert any(hop in line for line in screen)
    assert any(line.startswith("BTC/USD live mid 84000.05") for line in screen)
    ladder = [line[:37].split() for line in screen if line.startswith(("ask", "bid"))]
    assert ladder[0] == ["ask", "-", "84004.1", "-", "0.00119029"]
    assert ladder[-1] == ["bid", "-", "83996.0", "-", "0.00119029"]
    assert ["bid", "7", "83999.4", "1.00000006", "0.00119029"] in ladder
    assert ["ask", "7", "84000.7", "2.00000006", "0.00119029"] in ladder
    for pair in ("BTC/USD", "ETH/USD", "SOL/USD"):
        assert any(line.startswith(f"{pair} +1.15") for line in screen)
    assert any(line.startswith("total   +3.46") for line in screen)
    assert any("22:11:45 SOL/USD" in line for line in screen)
    assert screen[-1].split() == [
        "h",
        "halt",
        "r",
        "resume",
        "f",
        "flatten",
        "s",
        "restart",
        "/",
        "filter",
        "n",
        "next",
        "pair",
        "a",
        "alerts",
        "?",
        "help",
        "q",
        "quit",
    ]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_numbers_are_whole_at_every_size(world: World, width: int, height: int) -> None:
    quantities = {"0.00119029", "-0.00237842", "0.00000000"}
    for line in lines(world, width=width, height=height):
        assert not re.search(r"\d…", line), line
        for number in re.findall(r"-?\b\d+\.\d*", line):
            if number.startswith(("84", "83")):
                assert re.fullmatch(r"\d{5}\.\d{1,2}", number), line
            elif re.match(r"-?0\.00\d", number):
                assert number in quantities | {"0.00000"}, line


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_more_room_shows_more(world: World, width: int, height: int) -> None:
    screen = text(world, width=width, height=height)
    assert ("filled" in screen, "p99.9" in screen) == (width >= 120, width >= 120)
    assert screen.count("market_maker") >= (0 if width < 200 else 12)
    assert sum(line.startswith(("ask", "bid")) for line in screen.splitlines()) >= (8 if height == 24 else 16)


@pytest.mark.parametrize("width", range(60, 130, 7))
@pytest.mark.parametrize("height", [18, 20, 24, 29, 33, 50])
def test_any_size_is_filled_exactly(world: World, width: int, height: int) -> None:
    world.halted = "why"
    world.alert("something " * 30)
    for view in ("main", "orders", "fills", "latency", "alerts"):
        lines(world, State(view=view, notice="word " * 60, wanted="btc"), width, height)


def test_a_terminal_that_is_too_small_says_so(world: World) -> None:
    assert "This terminal is 50x20: make it larger" in text(world, width=50, height=20)


def test_the_first_seconds_are_quiet() -> None:
    world = World(began=NOW - SECOND)
    world.beat("book")
    screen = text(world)
    assert "listening on the bus" in screen
    assert "X says" in screen
    assert "ready" not in screen
    assert "0.00" not in screen
    assert "listening on the bus" in "\n".join(text_of(row) for row in page.screen(None, State(), 80, 24))


def test_once_everything_was_heard_it_does_not_wait() -> None:
    world = World(began=NOW).whole()
    assert "6/6 ready" in text(world)


def test_a_system_that_is_down_says_what_to_do() -> None:
    screen = text(World())
    assert "SYSTEM DOWN" in screen
    assert "since this screen was opened" in screen
    assert "make run" in screen
    assert "by itself" in screen
    assert "orders were open" not in screen


def test_a_system_that_goes_down_says_since_when_and_what_may_be_open(world: World) -> None:
    world.now += 12 * SECOND
    world.wall += 12 * SECOND
    screen = text(world)
    assert "No process has been heard for 12s." in screen
    assert "12 orders were open" in screen
    assert f"within {limits.SWITCH_TIMEOUT_S} s" in " ".join(screen.split())
    world.beat("book")
    back = text(world)
    assert "1/6 ready" in back
    assert "12 open?" in back
    assert "P&L not known" in back


def test_halted_and_flattening_are_told_in_the_header(world: World) -> None:
    world.halted = "2023 by me: lunch"
    world.beat("executor", "halted")
    screen = lines(world)
    assert "HALTED" in screen[0]
    assert screen[1].startswith("! halted, r resumes: 2023 by me: lunch")
    world.is_flattening = True
    assert "FLATTENING" in text(world)


@pytest.mark.parametrize(
    ("sandbox", "dry_run", "stake"), [(True, False, "SANDBOX"), (False, True, "DRY RUN"), (False, False, "REAL MONEY")]
)
def test_whose_money_it_is_comes_first(world: World, sandbox: bool, dry_run: bool, stake: str) -> None:
    snapshot = world.snapshot()
    control = msgspec.structs.replace(snapshot.control, sandbox=sandbox, dry_run=dry_run)
    head = page.header(replace(snapshot, control=control), 80)
    assert head[0][0] == stake
    assert (head[0][1] is Tone.ALARM) == (stake == "REAL MONEY")


def test_a_dead_process_is_the_first_trouble(world: World) -> None:
    world.now += 10 * SECOND
    world.wall += 10 * SECOND
    for process in world.config.process_names:
        if process != "executor":
            world.beat(process)
    world.books()
    screen = lines(world)
    assert screen[1].startswith("! executor: dead: last heard 10 s ago")
    assert "12 open?" in screen[0]


def test_a_book_that_is_not_live_has_no_levels_and_says_why(world: World) -> None:
    world.books(BookState.RESYNCING, "bad checksum")
    screen = lines(world)
    assert screen[1].startswith("! BTC/USD, ETH/USD, SOL/USD: book resyncing: bad checksum")
    assert any(line.startswith("BTC/USD resyncing") for line in screen)
    assert any(line.startswith("bad checksum") for line in screen)
    own = [line[:37].split() for line in screen if line.startswith(("ask", "bid"))]
    assert [row[2] for row in own] == ["84004.1", "84000.7", "83999.4", "83996.0"]


def test_orders_that_are_not_reconciled_are_not_sure(world: World) -> None:
    world.orders("BTC/USD", valid=False)
    world.account(valid=False)
    assert "12 open?  P&L not known" in text(world)
    assert "not known until the executor has reconciled" in text(world)


def test_more_troubles_than_room_are_counted(world: World) -> None:
    world.beat("book", "degraded", why="no feed")
    world.beat("collector", "degraded", why="no connection to Kraken")
    line = lines(world)[1]
    assert line.startswith("! collector: degraded: no connection to Kraken")
    assert line.endswith("(+1: a)")


def test_what_was_told_last_is_shown_while_all_is_well(world: World) -> None:
    world.alert("first")
    world.alert("a process was restarted")
    assert lines(world)[1].startswith("nothing is wrong now; last alert 22:13:20 warning: a process was restarted")
    assert "warning: first" in text(world, State(view="alerts"))


def test_messages_that_were_missed_are_counted(world: World) -> None:
    rows = page.screen(counted(world.snapshot(), 12_345, "a note"), State(), 120, 40)
    screen = "\n".join(text_of(row) for row in rows)
    assert "missed 12k" in screen
    assert "! this screen: a note" in screen


def test_the_ladder_shows_the_pair_that_was_chosen(world: World) -> None:
    assert "ETH/USD live mid 2499.995" in text(world, State(pair=1))
    assert "SOL/USD live" in text(world, State(pair=-1))
    assert "BTC/USD live" in text(world, State(pair=3))


def test_a_filter_leaves_orders_fills_and_alerts_that_hold_it(world: World) -> None:
    screen = text(world, State(wanted="sol"))
    orders = [line[38:] for line in screen.splitlines()[9:]]
    assert any("SOL/USD buy" in line for line in orders)
    assert not any("ETH/USD" in line or "BTC/USD" in line for line in orders)
    assert "filter: sol" in screen
    nothing = text(world, State(wanted="DOGE"))
    assert "no order with 'DOGE'" in nothing
    assert "no fill with 'DOGE'" in nothing


@pytest.mark.parametrize(
    ("view", "word"), [("orders", "strategy"), ("fills", "TEXEC5"), ("latency", "by the exchange")]
)
def test_lists_take_the_whole_screen(world: World, view: page.View, word: str) -> None:
    screen = text(world, State(view=view), 200, 40)
    assert word in screen
    assert f"{view}  Esc back" in screen


def test_a_list_scrolls_and_stays_within_what_there_is(world: World) -> None:
    for number in range(6, 90):
        world.fill(number)
    first = lines(world, State(view="fills"), 200)
    down = lines(world, State(view="fills", scroll=1), 200)
    state = State(view="fills", scroll=10_000)
    last = lines(world, state, 200)
    assert "TEXEC89" in first[2]
    assert "TEXEC88" in down[2]
    assert "TEXEC0" in last[-2]
    assert state.scroll == 90 - 21


def test_warnings_are_in_the_list_of_alerts(world: World) -> None:
    line = LogLine(level="error", event="went wrong", fields={"why": "x\x1b[2J"}, src="book", ts=world.wall)
    world.take("log.book", line)
    screen = text(world, State(view="alerts"))
    assert "went wrong why=x [2J" in screen
    assert "\x1b" not in screen


def test_ended_orders_come_after_live_ones(world: World) -> None:
    refused = order("BTC/USD", "b0", 839_000, OrderState.REFUSED, error="EOrder:Post only order")
    world.orders("BTC/USD", refused, order("BTC/USD", "a0", 841_000))
    screen = lines(world, State(view="orders"), 200)
    assert "sell" in screen[2]
    assert "refused" in screen[11]
    assert "EOrder:Post only order" in "\n".join(screen)


def test_own_quotes_are_in_the_ladder_in_what_remains_of_them(world: World) -> None:
    world.orders("BTC/USD", order("BTC/USD", "b0", 839_994, qty=100, filled=40))
    assert any(line.split()[:5] == ["bid", "7", "83999.4", "1.00000006", "0.00000060"] for line in lines(world))


def test_what_came_of_an_act_stands_above_the_keys(world: World) -> None:
    screen = lines(world, State(notice="halted: nothing is open " * 6))
    assert screen[-3].startswith("> halted: nothing is open")
    assert screen[-1].startswith("h halt")
