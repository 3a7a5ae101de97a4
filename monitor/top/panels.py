"""The tables of the screen: each turns a section into rows that fit a width."""

from __future__ import annotations

from itertools import islice
from typing import Final

from monitor.model.ages import SHORT, age
from monitor.model.sections import FillShown, Hop, OrderShown, Process
from monitor.model.view import DEAD
from monitor.ui.profit import NOTHING, first_pairs, markouts, pair_amounts, parts, total_amounts
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import (
    DASH,
    Column,
    Piece,
    Row,
    Tone,
    count,
    cut,
    milliseconds,
    money,
    plain,
    price,
    table,
    toned,
)
from monitor.ui.troubles import clock
from shared import limits
from shared.messages import OrderState

STATES: Final = {"ready": Tone.GOOD, "live": Tone.GOOD, "dead": Tone.BAD, "halted": Tone.WARN}
HOPS: Final = {
    "exchange_to_collector": "to collector",
    "collector_to_book": "to book",
    "book_to_strategy": "to strategy",
    "strategy_to_executor": "to executor",
    "frame_to_order": "frame to order",
    "order_to_acknowledgement": "order to ack",
}
PROCESS_COLUMNS: Final = (
    Column("process", 0, right=False, shrinks_to=12),
    Column("state", 1, right=False),
    Column("up", 2, least=3),
    Column("MB", 4, least=3),
    Column("lag", 6, least=4),
    Column("rst", 3),
    Column("gaps", 5),
    Column("drop", 7),
    Column("pid", 10, least=7),
    Column("heard", 9),
    Column("why", 8, right=False, shrinks_to=30),
)
HOP_COLUMNS: Final = (
    Column("latency ms", 0, right=False),
    Column("p50", 1, least=5),
    Column("p99", 2, least=5),
    Column("p90", 4, least=5),
    Column("p99.9", 5, least=5),
    Column("max", 3, least=5),
    Column("count", 6, least=5),
)
ORDER_COLUMNS: Final = (
    Column("order", 1, right=False),
    Column("side", 2, right=False),
    Column("price", 0),
    Column("quantity", 3),
    Column("state", 4, right=False, shrinks_to=5),
    Column("filled", 5),
    Column("age", 6),
    Column("strategy", 8, right=False, shrinks_to=8),
    Column("slot", 7, right=False),
    Column("id", 9, right=False),
    Column("error", 10, right=False, shrinks_to=10),
)
FILL_COLUMNS: Final = (
    Column("fill", 2, right=False),
    Column("pair", 1, right=False),
    Column("side", 3, right=False),
    Column("price", 0),
    Column("quantity", 4),
    Column("fee", 5),
    Column("strategy", 6, right=False, shrinks_to=8),
    Column("order", 7, right=False),
    Column("id", 8, right=False),
)


def clipped(rows: list[Row], height: int, key: str = "") -> list[Row]:
    """Return a table's rows within a height; count what is left out, and name the key that shows it."""
    if len(rows) <= height or height < 2:
        return rows[: max(0, height)]
    left = len(rows) - height + 1
    return [*rows[: height - 1], ((f"{left} more{f': {key}' if key else ''}", Tone.QUIET),)]


def processes(snapshot: Snapshot, width: int) -> list[Row]:
    """Return every process's state and figures."""
    return table(PROCESS_COLUMNS, [_process(name, process) for name, process in snapshot.processes.items()], width)


def _process(name: str, process: Process) -> list[Piece]:
    tone = STATES.get(process.state, Tone.WARN)
    figures = Tone.QUIET if process.state == DEAD else Tone.PLAIN
    lost = Tone.WARN if process.gaps else figures
    dropped = Tone.WARN if process.drops else figures
    return [
        plain(name),
        plain(process.state, tone),
        (age(process.uptime_s, SHORT), figures),
        ("-" if process.rss_mb is None else f"{process.rss_mb:.0f}", figures),
        (milliseconds(process.loop_lag_ms), figures),
        (count(process.restarts), Tone.WARN if process.restarts else figures),
        (count(process.gaps), lost),
        (count(process.drops), dropped),
        ("-" if process.pid is None else str(process.pid), figures),
        (age(process.heartbeat_age_s, SHORT), figures),
        plain(process.why, tone),
    ]


def latency(snapshot: Snapshot, width: int) -> list[Row]:
    """Return the percentiles of each hop's reaction since this screen was opened, in ms."""
    return table(HOP_COLUMNS, [_hop(hop) for hop in snapshot.latency.hops if hop.hop in HOPS], width)


def _hop(hop: Hop) -> list[Piece]:
    figures = (hop.p50_ms, hop.p99_ms, hop.p90_ms, hop.p999_ms, hop.max_ms)
    return [
        plain(HOPS.get(hop.hop, hop.hop)),
        *((milliseconds(value), Tone.QUIET if value is None else Tone.PLAIN) for value in figures),
        (count(hop.count), Tone.QUIET),
    ]


def orders(snapshot: Snapshot, width: int, wanted: str, first: str) -> list[Row]:
    """Return own orders that hold the wanted text: live ones, the current pair's first, then ended ones."""
    matching = [order for order in snapshot.orders.orders if _holds(_order_text(order), wanted)]
    live = [order for order in matching if order.is_live]
    ended = [order for order in matching if not order.is_live]
    live.sort(key=lambda order: order.symbol != first)
    ended.sort(key=lambda order: -order.changed_ts)
    matching = [*live, *ended]
    rows = table(ORDER_COLUMNS, [_order(order, snapshot) for order in matching], width)
    if not matching:
        word = "no order" if snapshot.orders.known else "orders are not known now"
        rows.append(((f"{word}{f' with {cut(wanted, 20)!r}' if wanted else ''}", Tone.QUIET),))
    return rows


def _order_text(order: OrderShown) -> str:
    fields = (order.symbol, order.side, order.state, order.strategy, order.slot, order.cl_ord_id, order.order_id)
    return " ".join((*fields, order.error))


def _order(order: OrderShown, snapshot: Snapshot) -> list[Piece]:
    tone = Tone.PLAIN if order.is_live and snapshot.orders.known else Tone.QUIET
    is_open = order.state == str(OrderState.OPEN)
    changed = snapshot.wall / 1e9 - order.created_ts if order.created_ts else None
    return [
        plain(order.symbol, tone),
        (order.side, tone),
        (order.price, tone),
        (order.qty, tone),
        plain(order.state, tone if is_open or not order.is_live else Tone.WARN),
        (order.filled, tone),
        (age(changed, SHORT), tone),
        plain(order.strategy, tone),
        plain(order.slot, tone),
        plain(order.order_id or order.cl_ord_id, tone),
        plain(order.error, Tone.WARN),
    ]


def fills(snapshot: Snapshot, width: int, wanted: str, most: int = limits.VIEW_ROWS) -> list[Row]:
    """Return the newest ``most`` own fills that hold the wanted text, newest first."""
    holding = (fill for fill in reversed(snapshot.fills.fills) if _holds(_fill_text(fill), wanted))
    newest = list(islice(holding, most))
    rows = table(FILL_COLUMNS, [_fill(fill) for fill in newest], width)
    if not newest:
        rows.append(((f"no fill{f' with {cut(wanted, 20)!r}' if wanted else ' yet'}", Tone.QUIET),))
    return rows


def _fill_text(fill: FillShown) -> str:
    return " ".join((fill.symbol, fill.side, fill.strategy, fill.exec_id, fill.order_id, fill.cl_ord_id))


def _fill(fill: FillShown) -> list[Piece]:
    return [
        (clock(fill.ts), Tone.QUIET),
        plain(fill.symbol),
        (fill.side, Tone.GOOD if fill.side == "buy" else Tone.BAD),
        (fill.price, Tone.PLAIN),
        (fill.qty, Tone.PLAIN),
        (fill.fee, Tone.PLAIN),
        plain(fill.strategy),
        plain(fill.order_id or fill.cl_ord_id, Tone.QUIET),
        plain(fill.exec_id, Tone.QUIET),
    ]


def _holds(text: str, wanted: str) -> bool:
    return wanted.lower() in text.lower()


def profit(snapshot: Snapshot, width: int) -> list[Row]:
    """Return profit by pair in its quote asset, and in total; positions are the base's over all its pairs.

    They stand beside the first pair of their base.
    """
    currency = snapshot.profit.currency
    columns = (
        Column(f"P&L {currency}", 0, right=False),
        Column("total", 1),
        Column("position", 2),
        Column("worth", 3),
        Column("realised", 5),
        Column("unreal.", 4),
        Column("fees", 6),
        Column("average", 7),
        Column("mid", 8),
    )
    rows: list[list[Piece]] = []
    held = first_pairs(snapshot)
    pairs = snapshot.profit.pairs
    for symbol in dict.fromkeys([*(pair for pair in snapshot.books if pair in pairs), *pairs]):
        each = pairs[symbol]
        row = [plain(symbol), *pair_amounts(snapshot, symbol, each)]
        row[2:2] = held.get(symbol, (DASH, DASH) if symbol not in snapshot.books else (NOTHING, NOTHING))
        stale = Tone.QUIET if each.is_stale else Tone.PLAIN
        rows.append([*row, (price(each.average_price, each.mid), Tone.PLAIN), (each.mid or "-", stale)])
    if snapshot.profit.valid:
        total = [plain("total"), *total_amounts(snapshot)]
        rows.append([*total[:2], NOTHING, NOTHING, *total[2:], NOTHING, NOTHING])
        fx = money(snapshot.profit.total.fx, signed=True)
        if fx != "0.00":
            rows.append([plain("fx"), (fx, toned(fx)), *[NOTHING] * 7])
    lines = table(columns, rows, width)
    if not snapshot.profit.valid:
        lines.append((plain(f"not known: {snapshot.profit.why}", Tone.QUIET),))
    if amounts := parts(snapshot):
        made = [("  ".join(f"{name} {amount}" for name, amount in amounts), Tone.PLAIN)]
        lines.append((plain(f"of which, {currency}: ", Tone.QUIET), *made))
    if means := markouts(snapshot):
        text = "  ".join(f"{horizon} {mean}" for horizon, mean in means)
        lines.append((plain("markouts: ", Tone.QUIET), (text, Tone.PLAIN)))
    return lines
