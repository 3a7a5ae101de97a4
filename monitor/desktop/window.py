"""The window: badges and buttons on top, the alerts line, ladder, chart and tables. It draws what it is handed."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QFontDatabase
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMessageBox,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from monitor.desktop import header, look as looks, tables
from monitor.desktop.chart import Chart
from monitor.desktop.frame import Frame
from monitor.desktop.rows import Rows, Table
from monitor.desktop.worker import ActionThreads
from monitor.ui import confirmations
from monitor.ui.controls import Doer, Outcome
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import Tone
from shared import limits

SIZE = (1280, 800)
BADGES = 6
FIT_EVERY_MS = 1000


class Window(QMainWindow):
    """Emits ``taken`` after each frame; ``source`` says where it listens."""

    taken = pyqtSignal()

    def __init__(self, pairs: list[str], doer: Doer, source: str) -> None:
        super().__init__()
        self._doer, self._source = doer, source
        self.frame: Frame | None = None
        self.acting = ActionThreads()
        self.acting.done.connect(self._report)
        self.box: QMessageBox | None = None
        self._look = looks.LIGHT
        self.setWindowTitle("TradeByte")
        self.resize(*SIZE)

        self.badges = [QLabel() for _ in range(BADGES)]
        self.banner, self.alerts, self.notice = _line(), _line(), _line()
        self.banner.setText(f"{header.LISTENING} {source}")
        self.pair = QComboBox()
        self.pair.addItems(pairs)
        self.pair.setAccessibleName("pair")
        self.pair.currentTextChanged.connect(lambda _pair: self.draw())
        self.halt = _button("&Halt", lambda: self._ask("halt", confirmations.ask_halt, doer.halt))
        self.resume = _button("&Resume", lambda: self._ask("resume", confirmations.ask_resume, doer.resume))
        self.flatten = _button("&Flatten", lambda: self._ask("flatten", confirmations.ask_flatten, doer.flatten))
        self.ladder = Rows(self, tables.LADDER, (0,))
        self.profit = Rows(self, tables.PROFIT, (0,))
        self.processes = Rows(self, tables.PROCESSES, (0, 1))
        self.chart = Chart()
        self._notice_timer = QTimer(self)
        self._notice_timer.setSingleShot(True)
        self._notice_timer.timeout.connect(lambda: self._say("", Tone.PLAIN))
        self._fit_timer = QTimer(self)
        self._fit_timer.setInterval(FIT_EVERY_MS)
        self.setCentralWidget(self._laid_out())
        self._fit_timer.start()
        self._apply_look()

    def take(self, frame: Frame) -> None:
        """Draw a new frame now; only then is the next one handed over."""
        self.frame = frame
        try:
            if not self.isMinimized():
                self.draw()
        finally:
            self.taken.emit()

    def draw(self) -> None:
        """Draw the newest frame; only what differs from what is drawn."""
        frame = self.frame
        if frame is None:
            return
        snapshot, pair = frame.snapshot, self.pair.currentText()
        for label, (text, tone) in zip(self.badges, header.badges(snapshot), strict=True):
            _put(label, text, looks.badge(self._look, tone))
        _put(self.banner, header.banner(snapshot, self._source), looks.badge(self._look, Tone.BAD))
        text, tone = header.alerts(snapshot)
        _put(self.alerts, text, looks.badge(self._look, tone if tone is not Tone.ALARM else Tone.BAD))
        self.ladder.put(tables.ladder(snapshot, pair))
        self.profit.put(tables.profit(snapshot))
        self.processes.put(tables.processes(snapshot))
        self.chart.put(frame, pair)
        self.halt.setEnabled(True)
        self.resume.setEnabled(snapshot.control.halted)
        self.flatten.setEnabled(not snapshot.control.halted)

    def fail(self, why: str) -> None:
        """Say that something does not work any more."""
        self.banner.setText(f"This window failed ({why}). Close it and start it again; trading goes on.")
        self.banner.show()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the desktop between light and dark."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and hasattr(self, "_notice_timer"):
            self._apply_look()

    def _apply_look(self) -> None:
        palette = self.palette()
        self._look = looks.DARK if palette.window().color().lightness() < 128 else looks.LIGHT
        for model in (self.ladder, self.profit, self.processes):
            model.apply_look(self._look)
        self.chart.apply_look(self._look, palette)
        self.draw()

    def _laid_out(self) -> QWidget:
        top = QHBoxLayout()
        for label in self.badges:
            label.setTextFormat(Qt.TextFormat.PlainText)
            top.addWidget(label)
        top.addStretch(1)
        for button in (self.halt, self.resume, self.flatten):
            top.addWidget(button)
        ladder = Table(self.ladder, 3, "ladder")
        profit = Table(self.profit, 0, "positions and profit")
        processes = Table(self.processes, 1, "processes")
        for view in (ladder, profit, processes):
            self._fit_timer.timeout.connect(view.fit)
        ladder.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        left = _column(self.pair, ladder)
        tall = QSplitter(Qt.Orientation.Vertical)
        below = QSplitter(Qt.Orientation.Horizontal)
        below.addWidget(profit)
        below.addWidget(processes)
        tall.addWidget(self.chart)
        tall.addWidget(below)
        tall.setSizes([480, 240])
        wide = QSplitter(Qt.Orientation.Horizontal)
        wide.addWidget(left)
        wide.addWidget(tall)
        wide.setSizes([430, 850])
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.addLayout(top)
        for line in (self.banner, self.alerts):
            layout.addWidget(line)
        layout.addWidget(wide, 1)
        layout.addWidget(self.notice)
        return whole

    def _ask(self, name: str, lines: Callable[[Snapshot], list[str]], act: Callable[[], Outcome]) -> None:
        """Ask without holding up the drawing; only Yes agrees."""
        if self.frame is None or self.box is not None:
            return
        snapshot = self.frame.snapshot
        question, *more = lines(snapshot)
        box = QMessageBox(self)
        box.setWindowTitle(f"{name.capitalize()}: {confirmations.money_at_stake(snapshot)[0]}")
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"{confirmations.money_at_stake(snapshot)[0]}\n\n{question}")
        box.setInformativeText("\n".join(more))
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No)
        box.setDefaultButton(QMessageBox.StandardButton.No)
        box.finished.connect(lambda answer: self._answered(name, act, answer))
        self.box = box
        box.open()

    def _answered(self, name: str, act: Callable[[], Outcome], answer: int) -> None:
        if self.box is not None:
            self.box.deleteLater()
            self.box = None
        if answer != QMessageBox.StandardButton.Yes.value:
            return
        if self.acting.begin(name, act):
            self._say(f"{name}: under way…", Tone.PLAIN)
        else:
            self._say(f"{name} is under way already", Tone.WARN)

    def _report(self, _name: str, is_done: bool, text: str) -> None:
        self._say(text, Tone.GOOD if is_done else Tone.BAD)

    def _say(self, text: str, tone: Tone) -> None:
        """Show a text below everything, until the next one or for some time."""
        _put(self.notice, text, looks.badge(self._look, tone))
        if text:
            self._notice_timer.start(int(limits.VIEW_NOTICE_S * 1000))


def _put(label: QLabel, text: str, style: str) -> None:
    """Set only what differs: setting either costs a layout."""
    if label.text() != text:
        label.setText(text)
    if label.styleSheet() != style:
        label.setStyleSheet(style)
    if label.isHidden() != (not text):
        label.setVisible(bool(text))


def _line() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _button(text: str, clicked: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setEnabled(False)
    button.clicked.connect(lambda _checked: clicked())
    return button


def _column(*parts: QWidget) -> QWidget:
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
    return column
