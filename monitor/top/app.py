"""The terminal screen: keys, questions, and the page drawn four times a second at most. A shell over the cores here."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Protocol

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.widgets import Input

from monitor.top import page
from monitor.top.canvas import Canvas
from monitor.top.dialogs import Ask, Choose, Help
from monitor.ui import confirmations
from monitor.ui.controls import Doer, Outcome
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import Tone
from shared import limits


class Source(Protocol):
    """A reader as the screen sees it: the newest snapshot, and why there will be no more."""

    latest: Snapshot | None
    failed: str


class Top(App[str]):
    """``tradebyte top``; returns why it ended, None when a person ended it."""

    ENABLE_COMMAND_PALETTE = False
    # Keys are commands until the filter's line is open.
    AUTO_FOCUS = None
    CSS = """
    Screen { background: ansi_default; }
    Canvas { width: 1fr; height: 1fr; }
    ModalScreen { align: center middle; background: transparent; }
    .box { width: 64; height: auto; max-height: 100%; padding: 0 1; border: solid ansi_default; }
    .box, .box Canvas { background: ansi_default; }
    .box Canvas { width: 100%; }
    .box OptionList { height: auto; max-height: 14; background: ansi_default; border: none; padding: 0; }
    Input { dock: bottom; display: none; }
    Input.asked { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "quit", priority=True),
        Binding("ctrl+z", "suspend_process", "suspend"),
        Binding("q", "quit", "quit"),
        Binding("h", "halt", "halt"),
        Binding("r", "resume", "resume"),
        Binding("f", "flatten", "flatten"),
        Binding("s", "choose", "restart"),
        Binding("slash", "filter", "filter"),
        Binding("n,right", "pair(1)", "next pair"),
        Binding("p,left", "pair(-1)", "previous pair"),
        Binding("m", "view('main')", "main screen"),
        Binding("o", "view('orders')", "orders"),
        Binding("i", "view('fills')", "fills"),
        Binding("l", "view('latency')", "latency"),
        Binding("a", "view('alerts')", "alerts"),
        Binding("down,j", "scroll(1)", "down"),
        Binding("up,k", "scroll(-1)", "up"),
        Binding("pagedown,space", "scroll(10)", "a page down"),
        Binding("pageup", "scroll(-10)", "a page up"),
        Binding("home,g", "scroll(-10000)", "to the top"),
        Binding("end,G", "scroll(10000)", "to the end"),
        Binding("question_mark", "help", "help"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(self, source: Source, doer: Doer, listens: str) -> None:
        # The terminal's own colours; NO_COLOR, which Textual reads here, leaves bold, dim and reverse.
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self._source, self._doer = source, doer
        self.state = page.State(source=listens)
        self._under_way: set[str] = set()
        self._drawn: tuple[Snapshot | None, Size] = (None, Size())
        self._said = 0
        self._canvas = Canvas()
        self._input = Input(placeholder="a pair or any text; Enter keeps it, Esc ends it", compact=True)

    def compose(self) -> ComposeResult:
        """Yield the page and the line for the filter."""
        yield self._canvas
        yield self._input

    def on_mount(self) -> None:
        """Begin to draw."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        self.set_interval(limits.TOP_DRAW_EVERY_S, self.look)
        self.call_after_refresh(self.draw)

    def look(self) -> None:
        """Draw what is new, and what another size needs."""
        if self._source.failed:
            self.exit(self._source.failed)
        snapshot, size = self._drawn
        if self._source.latest is not snapshot or self._canvas.size != size:
            self.draw()

    def draw(self) -> None:
        """Draw now; of the page, only lines that changed go to the terminal."""
        width, height = self._canvas.size
        if width and height:
            snapshot = self._source.latest
            self._drawn = snapshot, self._canvas.size
            self._canvas.put(page.screen(snapshot, self.state, width, height))

    def action_pair(self, step: int) -> None:
        """Show another pair in the ladder."""
        self.state.pair += step
        self.draw()

    def action_view(self, view: page.View) -> None:
        """Show another list, or the main screen."""
        self.state.view, self.state.scroll = view, 0
        self.draw()

    def action_scroll(self, rows: int) -> None:
        """Scroll a list; the page keeps the position within the rows."""
        self.state.scroll += rows
        self.draw()

    def action_help(self) -> None:
        """Show every key."""
        self.push_screen(Help())

    def action_leave(self) -> None:
        """Close what is uppermost: the notice, the list, the filter."""
        if self.state.notice:
            self.state.notice = ""
        elif self.state.view != "main":
            self.state.view, self.state.scroll = "main", 0
        else:
            self.state.wanted = ""
        self.draw()

    def action_filter(self) -> None:
        """Open the line for the filter; the page follows each key."""
        self._input.value = self.state.wanted
        self._input.add_class("asked")
        self._input.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter by what is typed so far."""
        if self._input.has_class("asked"):
            self.state.wanted, self.state.scroll = event.value.strip(), 0
            self.draw()

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Keep the filter."""
        self._close_filter()

    def on_key(self, event: events.Key) -> None:
        """End the filter at Esc in its line."""
        if event.key == "escape" and self._input.has_class("asked"):
            event.stop()
            event.prevent_default()
            self._close_filter()
            self.state.wanted = ""
            self.draw()

    def _close_filter(self) -> None:
        self._input.remove_class("asked")
        self.screen.set_focus(None)

    def action_halt(self) -> None:
        """Ask, then halt."""
        self._ask("halt", confirmations.ask_halt, self._doer.halt)

    def action_resume(self) -> None:
        """Ask, then end a halt, where there is one."""
        if self._source.latest is not None and not self._source.latest.control.halted:
            self._say("not halted: there is nothing to resume", Tone.PLAIN)
        else:
            self._ask("resume", confirmations.ask_resume, self._doer.resume)

    def action_flatten(self) -> None:
        """Ask, then have every position closed."""
        if self._source.latest is not None and self._source.latest.control.halted:
            self._say("flatten: halted, so nothing can be closed; r resumes first", Tone.WARN)
        else:
            self._ask("flatten", confirmations.ask_flatten, self._doer.flatten)

    def action_choose(self) -> None:
        """Let a process be chosen, ask, then restart it."""

        def chosen(process: str | None) -> None:
            if process is not None:
                name = f"restart {process}"
                self._ask(name, lambda _shown: confirmations.ask_restart(process), partial(self._doer.restart, process))

        if self._source.latest is not None:
            self.push_screen(Choose(list(self._source.latest.processes)), chosen)

    def _ask(self, name: str, lines: Callable[[Snapshot], list[str]], act: Callable[[], Outcome]) -> None:
        snapshot = self._source.latest
        if snapshot is None:
            return

        def answered(agreed: bool | None) -> None:
            if agreed:
                self._begin(name, act)

        self.push_screen(Ask(confirmations.money_at_stake(snapshot), lines(snapshot)), answered)

    def _begin(self, name: str, act: Callable[[], Outcome]) -> None:
        """Run an action in a thread, so that the screen goes on; one of a name at a time, and halt never waits."""
        if name in self._under_way:
            self._say(f"{name} is under way already", Tone.WARN)
            return
        self._under_way.add(name)
        self._say(f"{name}: under way…", Tone.PLAIN)

        async def work() -> None:
            try:
                is_done, text = await asyncio.to_thread(act)
            except Exception as error:  # noqa: BLE001 - whatever it is, a person must know that it did not work
                is_done, text = False, f"{type(error).__name__}: {error}"
            self._under_way.discard(name)
            self._say(text if is_done else f"{name} did not work: {text}", Tone.GOOD if is_done else Tone.BAD)

        self.run_worker(work(), exit_on_error=False)

    def _say(self, text: str, tone: Tone) -> None:
        """Show a text above the keys, until the next one, Esc, or for some time."""
        self.state.notice, self.state.notice_tone = text, tone
        self._said += 1
        self.set_timer(limits.VIEW_NOTICE_S, partial(self._unsay, self._said))
        self.draw()

    def _unsay(self, number: int) -> None:
        if number == self._said:
            self.state.notice = ""
            self.draw()
