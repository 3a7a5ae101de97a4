"""Window and bus thread on a bus whose processes are pretended; run by test_desktop.py in a process of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from PyQt6.QtCore import QThread
from PyQt6.QtWidgets import QApplication

from monitor.desktop import app
from monitor.desktop.window import Window
from tests.integration.monitor.conftest import World


def wait(window: Window, what: str, true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        QApplication.processEvents()
        time.sleep(0.005)
        assert time.monotonic() < end, (what, [label.text() for label in window.badges], window.banner.text())


def test_the_bus_goes_away_and_comes_back(world: World) -> None:
    """The window says how old the picture is and what to type, goes on by itself, and ends without a trace."""
    world.whole()
    world.beat("monitor")
    failures: list[BaseException] = []
    threads: set[object] = set()

    def look(window: Window) -> None:
        draw = window.draw

        def draw_and_note() -> None:
            threads.add(QThread.currentThread())
            draw()

        window.draw = draw_and_note  # type: ignore[method-assign]
        try:
            wait(window, "seen", lambda: window.badges[2].text() == "6/6 ready" and window.ladder.rowCount() == 4)
            for name in world.config.process_names:
                world.hush(f"heartbeat.{name}")
            wait(window, "down", lambda: "no process was heard for" in window.banner.text())
            assert "make run" in window.banner.text()
            world.whole()
            world.beat("monitor")
            wait(window, "back", lambda: window.badges[2].text() == "6/6 ready" and not window.banner.isVisible())
            window.halt.click()
            assert window.box is not None
            window.box.reject()
        except BaseException as error:  # noqa: BLE001 - Qt would abort the process
            failures.append(error)
        finally:
            window.close()

    before = set(threading.enumerate())
    assert app.run(world.config, look) == []
    assert not failures, failures[0]
    assert len(threads) == 1
    # Python keeps a name for Qt's thread after its end; that it has ended app.run says itself.
    left = [one for one in threading.enumerate() if not isinstance(one, threading._DummyThread)]
    assert set(left) <= before
    assert not world.config.halt_file.exists()
