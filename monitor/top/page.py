"""The whole screen as rows of text, made for 80x24, with more where there is room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from monitor.model.sections import OrderShown
from monitor.top import notices, panels
from monitor.top.ladder import ladder
from monitor.ui import headline, troubles
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import Column, Piece, Row, Tone, count, fill, fitting, plain, table, width_of, wrapped

WIDTH_MIN, HEIGHT_MIN = 60, 18
NOTICE_ROWS: Final = 6
# What this view calls a halt, and itself.
HALTED: Final = "halted, r resumes"
VIEW: Final = "this screen"
LATENCY_WIDTH: Final = 27
ORDERS_WIDTH: Final = 42

View = Literal["main", "orders", "fills", "latency", "alerts"]


@dataclass(slots=True)
class State:
    """A person's choices; ``notice`` is the outcome of an action, ``source`` the bus that is listened to."""

    pair: int = 0
    wanted: str = ""
    view: View = "main"
    scroll: int = 0
    notice: str = ""
    notice_tone: Tone = Tone.PLAIN
    source: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """The shares of rows and columns."""

    alerts: int
    first: int
    second: int
    third: int
    left_first: int
    left_second: int


def shape(width: int, height: int, processes: int, pairs: int) -> Shape:
    """Return the heights of the bands between header and keys, and the widths of their left halves."""
    alerts = 1 if height < 30 else 3 if height < 50 else 6
    room = height - 2 - alerts
    first = min(1 + max(processes, len(panels.HOPS)), max(8, room // 3))
    rest = room - first
    third = min(max(2 + pairs, rest // 3), max(3, rest - 9 if rest >= 14 else rest // 2))
    latency = LATENCY_WIDTH if width < 110 else 46
    left_second = width - 1 - ORDERS_WIDTH if width < 100 else (width - 1) * 9 // 20
    return Shape(alerts, first, rest - third, third, width - 1 - latency, left_second)


def screen(snapshot: Snapshot | None, state: State, width: int, height: int) -> list[Row]:
    """Return exactly ``height`` rows of exactly ``width`` cells."""
    if width < WIDTH_MIN or height < HEIGHT_MIN:
        text = f"This terminal is {width}x{height}: make it larger, 80x24 shows everything. q quits."
        return _page(wrapped(text, width), [], [], width, height)
    keys = [_keys(snapshot, state, width)]
    notice = _notice(state, width)
    if snapshot is None or snapshot.heard == "listening":
        head = [fill((("TradeByte", Tone.STRONG),), width)]
        return _page(head, _centred(notices.listening(state.source, width - 8), width, height - 4), keys, width, height)
    head = [header(snapshot, width)]
    if snapshot.heard == "down":
        body = _centred(notices.down(snapshot, state.source, min(72, width - 8)), width, height - 2)
    elif state.view == "main":
        body = _main(snapshot, state, width, height)
    else:
        body = _list(snapshot, state, width, height - 2)
    return _page([*head, *body], [], [*notice, *keys], width, height)


def header(snapshot: Snapshot, width: int) -> Row:
    """Return whose money, halted or not, how many are ready, what is open, the profit, the time."""
    time = f"{troubles.clock(snapshot.wall / 1e9)} UTC"
    left = fitting(headline.pieces(snapshot, unsure=Tone.WARN), width - len(time) - 2)
    return fill((*left, (" " * (width - width_of(left) - len(time)), Tone.PLAIN), (time, Tone.QUIET)), width)


def _main(snapshot: Snapshot, state: State, width: int, height: int) -> list[Row]:
    room = shape(width, height, len(snapshot.processes), len(snapshot.books))
    right_first, right_second = width - 1 - room.left_first, width - 1 - room.left_second
    symbol = pair_of(snapshot, state)
    first = _beside(
        panels.clipped(panels.processes(snapshot, room.left_first), room.first),
        panels.clipped(panels.latency(snapshot, right_first), room.first, "l"),
        room.left_first,
        right_first,
        room.first,
    )
    second = _beside(
        ladder(symbol, snapshot.books.get(symbol), _orders_of(snapshot, symbol), room.left_second, room.second),
        panels.clipped(panels.orders(snapshot, right_second, state.wanted, symbol), room.second, "o"),
        room.left_second,
        right_second,
        room.second,
    )
    third = _beside(
        panels.clipped(panels.profit(snapshot, room.left_second), room.third),
        panels.fills(snapshot, right_second, state.wanted, room.third - 1),
        room.left_second,
        right_second,
        room.third,
    )
    return [*alerts(snapshot, state.wanted, width, room.alerts), *first, *second, *third]


def pair_of(snapshot: Snapshot, state: State) -> str:
    """Return the pair that the ladder shows."""
    pairs = list(snapshot.books)
    return pairs[state.pair % len(pairs)] if pairs else ""


def _orders_of(snapshot: Snapshot, symbol: str) -> list[OrderShown]:
    return [order for order in snapshot.orders.orders if order.symbol == symbol]


def alerts(snapshot: Snapshot, wanted: str, width: int, height: int) -> list[Row]:
    """Return the worst troubles of now, and in the room left the newest alerts."""
    wrong = troubles.now(snapshot, HALTED, VIEW)
    rows = troubles.matching([*wrong, *troubles.lately(snapshot)], wanted)
    if not wrong and height > 0:
        rows.insert(0, (("nothing is wrong", Tone.QUIET),))
        if height == 1 and len(rows) > 1:
            rows = [(("nothing is wrong now; last alert ", Tone.QUIET), *rows[1])]
    left = len(wrong) - height
    if left > 0:
        more = f"  (+{left}: a)"
        rows[height - 1] = (*fill(rows[height - 1], width - len(more)), (more, Tone.STRONG))
    return [*rows[:height], *[()] * (height - len(rows))]


def _beside(left: list[Row], right: list[Row], left_width: int, right_width: int, height: int) -> list[Row]:
    """Return two blocks side by side."""
    rows: list[Row] = []
    for at in range(height):
        one = fill(left[at] if at < len(left) else (), left_width)
        two = fill(right[at] if at < len(right) else (), right_width)
        rows.append((*one, (" ", Tone.PLAIN), *two))
    return rows


def _list(snapshot: Snapshot, state: State, width: int, height: int) -> list[Row]:
    """Return one table over the whole screen from the scroll position, which is kept within the rows."""
    head, *rows = list_rows(snapshot, state, width)
    state.scroll = max(0, min(state.scroll, len(rows) - height + 1))
    return [fill(head, width), *rows[state.scroll : state.scroll + height - 1]]


def list_rows(snapshot: Snapshot, state: State, width: int) -> list[Row]:
    """Return the heading and all rows of the current list."""
    match state.view:
        case "orders":
            return panels.orders(snapshot, width, state.wanted, pair_of(snapshot, state))
        case "fills":
            return panels.fills(snapshot, width, state.wanted)
        case "latency":
            about: list[Row] = [()]
            for hop in snapshot.latency.hops:
                about += wrapped(f"{panels.HOPS.get(hop.hop, hop.hop)}: {hop.about}", width, Tone.QUIET)
            return [*panels.latency(snapshot, width), *about]
        case _:
            return _alerts_and_log(snapshot, state.wanted, width)


def _alerts_and_log(snapshot: Snapshot, wanted: str, width: int) -> list[Row]:
    wrong = troubles.now(snapshot, HALTED, VIEW) or [(("nothing is wrong", Tone.QUIET),)]
    recent = troubles.lately(snapshot) or [(("no alert since this screen was opened", Tone.QUIET),)]
    lines = [
        [
            (troubles.clock(line.ts), Tone.QUIET),
            plain(line.process),
            plain(line.level, Tone.BAD if line.level in ("error", "critical") else Tone.PLAIN),
            plain(" ".join([line.event, *(f"{key}={value}" for key, value in line.fields.items())])),
        ]
        for line in reversed(snapshot.logs.lines)
    ]
    columns = (
        Column("log", 0, right=False),
        Column("process", 1, right=False, shrinks_to=10),
        Column("level", 2, right=False),
        Column("warning", 3, right=False, shrinks_to=10),
    )
    log_head, *log = table(columns, lines, width)
    if not lines:
        log = [(("no warning since this screen was opened", Tone.QUIET),)]
    rows = [*_folded(wrong, wanted, width), (("recent alerts", Tone.HEAD),), *_folded(recent, wanted, width)]
    heads = {"recent alerts"}
    full = [fill(row, width) if row and row[0][0] in heads else row for row in rows]
    return [(("wrong now", Tone.HEAD),), *full, fill(log_head, width), *troubles.matching(log, wanted)]


def _folded(rows: list[Row], wanted: str, width: int) -> list[Row]:
    """Return the rows, long ones wrapped to their end."""
    folded: list[Row] = []
    for row in troubles.matching(rows, wanted):
        if width_of(row) <= width:
            folded.append(row)
        else:
            folded += wrapped("".join(text for text, _ in row), width, row[-1][1])
    return folded


def _keys(snapshot: Snapshot | None, state: State, width: int) -> Row:
    """Return the keys, what is filtered, and how many messages did not reach this screen."""
    pieces: list[Piece] = []
    if state.view != "main":
        pieces.append((f"{state.view}  Esc back", Tone.STRONG))
    if state.wanted:
        pieces.append(plain(f"filter: {state.wanted}  Esc ends it", Tone.WARN))
    pieces += [(f"{key} {word}", Tone.PLAIN) for key, word in notices.KEYS]
    if snapshot is not None and snapshot.missed:
        pieces.append((f"missed {count(snapshot.missed)}", Tone.QUIET))
    return fitting(pieces, width, gap=1 if width < 90 else 3)


def _notice(state: State, width: int) -> list[Row]:
    if not state.notice:
        return []
    rows = wrapped(state.notice, width - 2, state.notice_tone, NOTICE_ROWS)
    return [(("> " if at == 0 else "  ", state.notice_tone), *row) for at, row in enumerate(rows)]


def _centred(rows: list[Row], width: int, height: int) -> list[Row]:
    """Return a block in the middle."""
    above = max(0, (height - len(rows)) // 2)
    left = max(0, (width - max((width_of(row) for row in rows), default=0)) // 2)
    return [*[()] * above, *(((" " * left, Tone.PLAIN), *row) for row in rows)]


def _page(top: list[Row], middle: list[Row], bottom: list[Row], width: int, height: int) -> list[Row]:
    """Return the rows of the top, with the bottom over its end."""
    rows = [*top, *middle][: max(0, height - len(bottom))]
    rows += [()] * (height - len(bottom) - len(rows))
    return [fill(row, width) for row in [*rows, *bottom][:height]]
