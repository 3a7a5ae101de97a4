"""Every state of the window and every button, fed by hand; run by test_window.py in a process of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest
from PyQt6.QtCore import QObject
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication, QMessageBox

from monitor.desktop.frame import Framer
from monitor.desktop.look import DARK, LIGHT
from monitor.desktop.window import Window
from monitor.ui.text import Tone
from shared.clock import SECOND
from shared.messages import BookState
from tests.kit.fake_actions import FakeActions
from tests.kit.monitor_world import World

APP = QApplication.instance() or QApplication(["test"])
Button = QMessageBox.StandardButton
# Python would take a closed window apart piece by piece, in an order that Qt does not bear.
KEPT: list[Window] = []


class Seat:
    def __init__(self) -> None:
        self.world, self.actions = World().whole(), FakeActions()
        self.framer = Framer(self.world.config)
        self.window = Window(self.world.config.trading.pairs, self.actions, "there")
        KEPT.append(self.window)
        self.window.show()

    def feed(self, *, real_money: bool = False) -> None:
        snapshot = self.world.snapshot()
        if real_money:
            snapshot = replace(snapshot, control=msgspec.structs.replace(snapshot.control, sandbox=False))
        self.window.take(self.framer.frame(self.world.watch, snapshot))
        APP.processEvents()

    def badges(self) -> list[str]:
        return [label.text() for label in self.window.badges]

    def answer(self, button: Button) -> str:
        box = self.window.box
        assert box is not None
        text = f"{box.text()}\n{box.informativeText()}"
        pressed = box.button(button)
        assert pressed is not None
        pressed.click()
        APP.processEvents()
        return text

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not true():
            APP.processEvents()
            assert time.monotonic() < end, self.window.notice.text()
            time.sleep(0.005)


@pytest.fixture
def seat() -> Iterator[Seat]:
    made = Seat()
    yield made
    made.actions.gate.set()
    made.window.acting.finish()
    made.window.close()


def test_before_anything_is_heard_nothing_can_be_pressed(seat: Seat) -> None:
    assert "Listening" in seat.window.banner.text()
    assert not any(button.isEnabled() for button in (seat.window.halt, seat.window.resume, seat.window.flatten))


def test_a_whole_system(seat: Seat) -> None:
    seat.feed()
    assert seat.badges()[:4] == ["SANDBOX", "not halted", "6/6 ready", "12 open"]
    assert not seat.window.banner.isVisible()
    assert seat.window.ladder.rowCount() == 23
    assert seat.window.profit.rowCount() == 4
    assert seat.window.processes.rowCount() == 6
    seat.window.pair.setCurrentText("ETH/USD")
    assert seat.window.ladder.rows[11][2][0] == "2499.995"
    assert len(seat.window.chart.mid.getData()[0]) == 1


def test_halted_down_real_money_and_back(seat: Seat) -> None:
    seat.world.halted = "lunch"
    seat.world.books(BookState.SYNCING, "waits for a snapshot")
    seat.feed(real_money=True)
    assert seat.badges()[:2] == ["REAL MONEY", "HALTED"]
    assert seat.window.ladder.rowCount() == 5
    seat.world.now += 40 * SECOND
    seat.feed()
    assert seat.badges()[2] == "SYSTEM DOWN"
    assert "make run" in seat.window.banner.text()
    seat.world.halted = None
    seat.world.whole()
    seat.feed()
    assert seat.badges()[1:3] == ["not halted", "6/6 ready"]
    assert not seat.window.banner.isVisible()


@pytest.mark.parametrize("name", ["halt", "resume", "flatten"])
def test_a_button_asks_and_acts_only_on_yes_in_a_thread_of_its_own(seat: Seat, name: str) -> None:
    seat.world.halted = "lunch" if name == "resume" else None
    seat.feed()
    button = getattr(seat.window, name)
    button.click()
    assert "SANDBOX" in seat.answer(Button.No)
    assert seat.actions.done == []
    button.click()
    assert name.capitalize() in seat.answer(Button.Yes)
    seat.until(lambda: seat.window.notice.text() == "it is done")
    assert seat.actions.done == [name]
    assert threading.main_thread() not in seat.actions.threads
    assert seat.window.resume.isEnabled() == (name == "resume")


def test_an_act_that_fails_is_told_and_one_under_way_is_not_begun_again(seat: Seat) -> None:
    seat.feed()
    seat.actions.outcome = OSError("no room")
    seat.actions.gate.clear()
    for _ in range(2):
        seat.window.halt.click()
        seat.answer(Button.Yes)
    assert seat.window.notice.text() == "halt is under way already"
    seat.feed()
    seat.actions.gate.set()
    seat.until(lambda: seat.window.notice.text() == "halt did not work: OSError: no room")
    assert seat.actions.done == ["halt"]


def test_it_follows_the_palette(seat: Seat) -> None:
    seat.feed()
    for shade, look in (("#202020", DARK), ("#f0f0f0", LIGHT)):
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Window, QColor(shade))
        seat.window.setPalette(palette)
        APP.processEvents()
        assert look.tones[Tone.GOOD] in seat.window.badges[0].styleSheet()


def test_thousands_of_updates_grow_nothing(seat: Seat) -> None:
    """Objects of Qt's and points on the chart, after as many updates as ten seconds and two minutes bring."""
    seen = set()
    for number in range(2_600):
        seat.world.wall += SECOND // 2
        seat.feed()
        if number % 100 == 99 and number > 2_000:
            seen.add((len(seat.window.findChildren(QObject)), len(seat.window.chart.plot.items())))
    assert len(seen) == 1
    assert all(len(curve) <= curve.capacity for curve in seat.framer.curves.values())


def test_a_market_that_stands_still_has_an_axis_that_can_be_read(seat: Seat) -> None:
    seat.feed()
    plot = seat.window.chart.plot
    axis = plot.getPlotItem().getAxis("left")
    plot.setYRange(84_000.05, 84_000.06, padding=0)
    APP.processEvents()
    low, high = axis.range
    assert high - low >= 1e-5 * low
    spacing, ticks = axis.tickValues(84_000.0, 84_000.1, 300)[0]
    labels = axis.tickStrings(ticks, 1.0, spacing)
    assert len(set(labels)) == len(labels) > 1
