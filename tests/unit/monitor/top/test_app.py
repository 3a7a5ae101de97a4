"""Every key and state of the screen, driven as a person would by Textual's own test driver at 80x24."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from monitor.top.app import Top
from monitor.top.canvas import Canvas
from monitor.top.dialogs import Ask, Choose, Help
from monitor.ui.controls import Outcome
from monitor.ui.snapshot import Snapshot
from shared.clock import SECOND
from tests.kit.fake_actions import FakeActions
from tests.kit.monitor_world import NOW, World


class Source:
    """A reader that serves the snapshots of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.latest: Snapshot | None = world.snapshot()
        self.failed = ""

    def look(self) -> None:
        self.latest = self.world.snapshot()


class Seat:
    """A person at the screen."""

    def __init__(self, app: Top, source: Source, actions: FakeActions, pilot: Pilot[str]) -> None:
        self.app, self.source, self.actions, self.pilot = app, source, actions, pilot
        self.world = source.world

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def until(self, true: Callable[[], bool]) -> None:
        for _ in range(1000):
            if true():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.screen)

    async def news(self) -> None:
        self.source.look()
        self.app.look()
        await self.pilot.pause()

    @property
    def screen(self) -> str:
        """Return the text of what is uppermost: of a question, or of the page."""
        canvas = self.app.screen.query(Canvas).first()
        return "\n".join(canvas.render_line(y).text for y in range(canvas.size.height))

    @property
    def page(self) -> str:
        canvas = self.app.screen_stack[0].query(Canvas).first()
        return "\n".join(canvas.render_line(y).text for y in range(canvas.size.height))


def sit(
    play: Callable[[Seat], Awaitable[None]], world: World | None = None, size: tuple[int, int] = (80, 24)
) -> FakeActions:
    """Play a scene; return what was done in it."""
    source, actions = Source(world or World().whole()), FakeActions()

    async def scene() -> None:
        app = Top(source, actions, "listening where X says")
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await play(Seat(app, source, actions, pilot))

    asyncio.run(scene())
    return actions


def halted() -> World:
    world = World().whole()
    world.halted = "2023 by me: lunch"
    return world


@pytest.mark.parametrize(
    ("keys", "question", "done"),
    [
        (["h"], "pull every order (12 open)", "halt"),
        (["f"], "BTC: -0.00237842 is to be bought", "flatten"),
        (["s", "down", "down", "enter"], "Restart book?", "restart book"),
        (["s", "end", "up", "enter"], "It pulls every order before it goes.", "restart executor"),
    ],
)
def test_an_act_asks_and_is_done_on_y(keys: list[str], question: str, done: str) -> None:
    async def play(seat: Seat) -> None:
        await seat.press(*keys)
        assert isinstance(seat.app.screen, Ask)
        assert "SANDBOX" in seat.screen
        assert question in seat.screen.replace("\n", " ").replace("  ", " ")
        assert seat.actions.done == []
        await seat.press("y")
        await seat.until(lambda: "> it is done" in seat.page)

    actions = sit(play)
    assert actions.done == [done]
    assert threading.main_thread() not in actions.threads


@pytest.mark.parametrize("key", ["n", "escape", "q"])
@pytest.mark.parametrize("act", [["h"], ["f"], ["s", "enter"]])
def test_nothing_is_done_without_y(act: list[str], key: str) -> None:
    async def play(seat: Seat) -> None:
        await seat.press(*act)
        assert isinstance(seat.app.screen, Ask)
        await seat.press("enter", "space", "h")
        assert isinstance(seat.app.screen, Ask)
        await seat.press(key)
        assert "SANDBOX  not halted" in seat.screen

    assert sit(play).done == []


def test_resume_says_why_it_was_halted() -> None:
    async def play(seat: Seat) -> None:
        await seat.press("r")
        assert "2023 by me: lunch" in seat.screen
        await seat.press("y")
        await seat.until(lambda: "> it is done" in seat.page)

    assert sit(play, halted()).done == ["resume"]


def test_what_cannot_be_done_now_is_said_without_a_question() -> None:
    async def not_halted(seat: Seat) -> None:
        await seat.press("r")
        assert "nothing to resume" in seat.screen

    async def is_halted(seat: Seat) -> None:
        await seat.press("f")
        assert "r resumes first" in seat.screen

    assert sit(not_halted).done == []
    assert sit(is_halted, halted()).done == []


def test_an_act_that_does_not_work_says_so_and_the_screen_goes_on() -> None:
    async def play(seat: Seat) -> None:
        seat.actions.outcome = (False, "supervisord does not answer; start it with 'make run'")
        await seat.press("s", "enter", "y")
        await seat.until(lambda: "restart simulator did not work: supervisord does not answer" in seat.page)
        await seat.press("escape")
        assert "did not work" not in seat.page

    sit(play)


def test_an_act_that_fails_in_an_unforeseen_way_is_told() -> None:
    async def play(seat: Seat) -> None:
        def fail() -> Outcome:
            raise RuntimeError("unforeseen")

        seat.actions.halt = fail  # type: ignore[method-assign]
        await seat.press("h", "y")
        await seat.until(lambda: "halt did not work: RuntimeError: unforeseen" in seat.page)

    sit(play)


def test_halt_does_not_wait_for_a_restart_and_none_is_done_twice_at_once() -> None:
    async def play(seat: Seat) -> None:
        seat.actions.gate.clear()
        await seat.press("s", "enter", "y", "s", "enter", "y")
        assert "restart simulator is under way already" in seat.page
        await seat.press("h", "y")
        assert "halt: under way" in seat.page
        seat.actions.gate.set()
        await seat.until(lambda: len(seat.actions.done) == 2)

    assert sorted(sit(play).done) == ["halt", "restart simulator"]


def test_no_process_may_be_chosen_too() -> None:
    async def play(seat: Seat) -> None:
        await seat.press("s")
        assert isinstance(seat.app.screen, Choose)
        await seat.press("escape")
        assert "not halted" in seat.screen

    assert sit(play).done == []


def test_pairs_go_round_in_both_directions() -> None:
    async def play(seat: Seat) -> None:
        for key, pair in (("n", "ETH"), ("n", "SOL"), ("n", "BTC"), ("p", "SOL")):
            await seat.press(key)
            assert f"{pair}/USD live" in seat.screen

    sit(play)


def test_the_filter_follows_what_is_typed_stays_and_ends() -> None:
    async def play(seat: Seat) -> None:
        await seat.press("slash", "s", "o", "l")
        assert "SOL/USD buy" in seat.screen
        assert "ETH/USD buy" not in seat.screen
        await seat.press("enter")
        assert "filter: sol" in seat.screen
        await seat.press("n")
        assert "ETH/USD live" in seat.screen
        await seat.press("escape")
        assert "ETH/USD buy" in seat.screen
        await seat.press("slash", "d", "o", "g", "e")
        assert "no order with 'doge'" in seat.screen
        await seat.press("escape")
        assert "ETH/USD buy" in seat.screen
        await seat.press("h")
        assert isinstance(seat.app.screen, Ask)

    assert sit(play).done == []


@pytest.mark.parametrize(("key", "view"), [("o", "orders"), ("i", "fills"), ("l", "latency"), ("a", "alerts")])
def test_lists_open_scroll_and_close(key: str, view: str) -> None:
    async def play(seat: Seat) -> None:
        await seat.press(key, "down", "pagedown", "end", "home", "up")
        assert f"{view}  Esc back" in seat.screen
        await seat.press("escape")
        assert "process" in seat.screen
        await seat.press(key, "m")
        assert "Esc back" not in seat.screen

    sit(play)


def test_help_names_every_key_and_any_key_ends_it() -> None:
    async def play(seat: Seat) -> None:
        await seat.press("question_mark")
        assert isinstance(seat.app.screen, Help)
        for text in ("halt: pull every order", "end a halt", "flatten:", "restart one process", "filter", "next"):
            assert text in seat.screen
        await seat.press("h")
        assert "SANDBOX  not halted" in seat.screen

    sit(play)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_q_and_ctrl_c_quit(key: str) -> None:
    async def play(seat: Seat) -> None:
        await seat.press(key)
        await seat.until(lambda: not seat.app.is_running)
        assert seat.app.return_value is None

    sit(play)


def test_a_reader_that_failed_ends_the_screen_with_its_reason() -> None:
    async def play(seat: Seat) -> None:
        seat.source.failed = "ValueError: no bus"
        await seat.until(lambda: not seat.app.is_running)
        assert seat.app.return_value == "ValueError: no bus"

    sit(play)


def test_it_starts_quietly_goes_down_and_comes_back_by_itself() -> None:
    async def play(seat: Seat) -> None:
        assert "listening on the bus" in seat.screen
        await seat.press("n", "o", "slash", "escape")
        seat.world.whole()
        await seat.news()
        assert "6/6 ready" in seat.screen
        seat.world.now += 10 * SECOND
        await seat.news()
        assert "The system is down" in seat.screen
        assert "make run" in seat.screen
        seat.world.whole()
        await seat.news()
        assert "6/6 ready" in seat.screen

    sit(play, World(began=NOW))


def test_halt_may_be_pressed_when_the_system_is_down() -> None:
    async def play(seat: Seat) -> None:
        seat.world.now += 10 * SECOND
        await seat.news()
        await seat.press("h")
        assert "12 open when last heard" in seat.screen.replace("\n", " ").replace("  ", " ")
        await seat.press("y")
        await seat.until(lambda: seat.actions.done == ["halt"])

    sit(play)


def test_only_lines_that_changed_are_drawn_again() -> None:
    async def play(seat: Seat) -> None:
        canvas = seat.app.screen.query(Canvas).first()
        drawn: list[int] = []
        real = canvas.refresh

        def refresh(*regions: object, **more: bool) -> Canvas:
            drawn.extend(region.y for region in regions)  # type: ignore[attr-defined]
            return real(*regions, **more)  # type: ignore[arg-type]

        canvas.refresh = refresh  # type: ignore[method-assign]
        await seat.news()
        assert drawn == []
        seat.world.wall += SECOND
        await seat.news()
        assert drawn == [0]

    sit(play)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (50, 10)])
def test_it_fills_terminals_of_every_size(size: tuple[int, int]) -> None:
    async def play(seat: Seat) -> None:
        assert len(seat.screen.splitlines()) == size[1]
        await seat.pilot.resize_terminal(100, 30)
        await seat.until(lambda: "6/6 ready" in seat.screen)
        assert len(seat.screen.splitlines()) == 30

    sit(play, size=size)


@pytest.mark.parametrize("colourless", [True, False])
def test_colours_are_the_terminals_own_and_none_with_no_color(
    colourless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if colourless:
        monkeypatch.setenv("NO_COLOR", "1")

    async def play(seat: Seat) -> None:
        strips = seat.app.screen._compositor.render_strips()
        filters = seat.app.get_line_filters()
        styles = []
        for strip in strips:
            for each in filters:
                strip = strip.apply_filter(each, seat.app.background_colors[0])
            styles += [segment.style for segment in strip if segment.style is not None]
        colours = {style.color.name for style in styles if style.color is not None}
        assert colours <= {"default"} if colourless else {"green", "cyan"} <= colours
        assert not any(name.startswith("#") for name in colours)
        assert any(style.reverse for style in styles)

    sit(play)
