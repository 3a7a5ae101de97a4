"""A table of rows in tones as Qt draws it; of a new set of rows, only those that differ are drawn anew."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PyQt6.QtGui import QBrush, QColor, QFont
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from monitor.desktop.look import LIGHT, Look
from monitor.ui.text import Row, Tone

NONE = QModelIndex()


class Rows(QAbstractTableModel):
    """Holds the rows as they are now."""

    def __init__(self, parent: QObject, heads: Sequence[str], text_columns: Sequence[int]) -> None:
        super().__init__(parent)
        self._heads, self._text_columns = heads, frozenset(text_columns)
        self.rows: list[Row] = []
        self._look = LIGHT
        self._bold = QFont()
        self._bold.setBold(True)

    def put(self, rows: list[Row]) -> None:
        """Replace the rows."""
        old, self.rows = self.rows, rows
        if len(old) < len(rows):
            self.beginInsertRows(NONE, len(old), len(rows) - 1)
            self.endInsertRows()
        elif len(old) > len(rows):
            self.beginRemoveRows(NONE, len(rows), len(old) - 1)
            self.endRemoveRows()
        last = len(self._heads) - 1
        for at, (before, after) in enumerate(zip(old, rows, strict=False)):
            if before != after:
                self.dataChanged.emit(self.index(at, 0), self.index(at, last))

    def apply_look(self, look: Look) -> None:
        """Change the colours."""
        self._look = look
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, len(self._heads) - 1))

    def rowCount(self, parent: QModelIndex = NONE) -> int:
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = NONE) -> int:
        """Return how many headings there are."""
        return 0 if parent.isValid() else len(self._heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a heading, or its alignment."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._aligned(section)
        return self._heads[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a cell's text, colour, font or alignment."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        text, tone = self.rows[index.row()][index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return text
            case Qt.ItemDataRole.TextAlignmentRole:
                return self._aligned(index.column())
            case Qt.ItemDataRole.ForegroundRole if tone in self._look.tones:
                return QBrush(QColor(self._look.tones[tone]))
            case Qt.ItemDataRole.BackgroundRole if tone is Tone.OWN:
                return QBrush(QColor(self._look.soft))
            case Qt.ItemDataRole.FontRole if tone in (Tone.HEAD, Tone.OWN, Tone.STRONG):
                return self._bold
        return None

    def _aligned(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignLeft if column in self._text_columns else Qt.AlignmentFlag.AlignRight
        return side | Qt.AlignmentFlag.AlignVCenter


class Table(QTableView):
    """A read-only view of the rows; one column takes the room that is left."""

    def __init__(self, model: Rows, stretched: int, name: str) -> None:
        super().__init__()
        self._columns, self._stretched = model.columnCount(), stretched
        self.setModel(model)
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        across, down = self.horizontalHeader(), self.verticalHeader()
        if across is not None and down is not None:
            across.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
            across.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
            down.hide()
            down.setDefaultSectionSize(self.fontMetrics().height() + 5)

    def fit(self) -> None:
        """Make columns as wide as their content; at every change that would cost more than all drawing."""
        for column in range(self._columns):
            if column != self._stretched:
                self.resizeColumnToContents(column)
