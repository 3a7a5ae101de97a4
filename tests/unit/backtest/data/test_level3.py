"""Single orders through extract: a file of their own beside the levels, that can be read alone, and what is played."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backtest.data import extract
from backtest.data.by_order import MISSING_NS, played
from backtest.data.columns import BUY, SELL, Flag, Kind, OrderEvent
from backtest.data.sources import read
from shared.clock import SECOND, rfc3339
from shared.kraken.level3 import Change, Event, Level3Book, Side
from shared.messages import FeedFrame
from tests.unit.backtest.data.market_data import MIDNIGHT, NOON, SYMBOL, Bus, Exchange, trade_frame, write_lines

DAY = 86_400 * SECOND
Order = tuple[Event, Side, str, int, int]


class SingleOrderExchange:
    """Kraken's side of a book of single orders: frames with right checksums."""

    def __init__(self) -> None:
        self._book = Level3Book(SYMBOL, 10, 1, 8)

    def frame(self, kind: str, at: int, *orders: Order) -> bytes:
        """Return a frame of a time in ns."""
        if kind == "snapshot":
            self._book.clear()
        sides: dict[Side, list[str]] = {"buy": [], "sell": []}
        for event, side, name, ticks, lots in orders:
            self._book.change(Change(event, side, name, ticks, lots, at))
            sides[side].append(
                f'{{"event":"{event.value}","order_id":"{name}","limit_price":{ticks / 10:.1f},'
                f'"order_qty":{lots / 1e8:.8f},"timestamp":"{rfc3339(at)}"}}'
            )
        element = (
            f'{{"symbol":"{SYMBOL}","checksum":{self._book.checksum()},"bids":[{",".join(sides["buy"])}],'
            f'"asks":[{",".join(sides["sell"])}],"timestamp":"{rfc3339(at)}"}}'
        )
        return f'{{"channel":"level3","type":"{kind}","data":[{element}]}}'.encode()


BEGIN: tuple[Order, ...] = (
    (Event.ADD, "buy", "A", 1000, 5),
    (Event.ADD, "buy", "B", 1000, 7),
    (Event.ADD, "sell", "C", 1001, 9),
)


def level3(begin: int = NOON) -> list[bytes]:
    """Return frames of single orders, and of the book by price and a trade beside them, on two days."""
    exchange, orders = Exchange(), SingleOrderExchange()
    return [
        exchange.frame("snapshot", begin, [(1000, 12)], [(1001, 9)]),
        orders.frame("snapshot", begin, *BEGIN),
        orders.frame("update", begin + SECOND, (Event.MODIFY, "buy", "A", 1000, 2)),
        exchange.frame("update", begin + SECOND, [(1000, 9)]),
        trade_frame(MIDNIGHT + DAY + SECOND, "sell", 1000, 2, 1),
        orders.frame("update", MIDNIGHT + DAY + SECOND, (Event.DELETE, "buy", "A", 1000, 2)),
    ]


@pytest.fixture
def capture(tmp_path: Path) -> str:
    return write_lines(tmp_path / "capture.jsonl", level3())


def test_single_orders_are_a_file_a_day_beside_the_levels(capture: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        extract.main([capture, "--out", str(tmp_path / "out")])
    assert ended.value.code == 0
    names = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.parquet"))
    days = [f"BTC-USD/2026-07-2{day}" for day in (4, 5)]
    assert names == [name for day in days for name in (f"{day}.level3.parquet", f"{day}.parquet")]
    before, after = (read([path]).columns[SYMBOL] for path in (capture, str(tmp_path / "out")))
    assert before.orders
    assert after.orders
    assert after.table.equals(before.table)
    assert after.orders.table.equals(before.orders.table)
    assert after.orders.depth == before.orders.depth == 10
    second = pq.read_table(tmp_path / "out" / f"{days[1]}.level3.parquet").to_pylist()
    stated = [(row["event"], row["order_id"], row["lots"], row["flags"]) for row in second[:3]]
    assert stated == [
        (OrderEvent.SNAPSHOT, "A", 2, Flag.FIRST), (OrderEvent.SNAPSHOT, "B", 7, 0), (OrderEvent.SNAPSHOT, "C", 9, 1)
    ]  # fmt: skip


def test_a_part_of_the_time_begins_with_the_queues_as_they_were(capture: str) -> None:
    begin = NOON + 10 * SECOND
    columns = read([capture], begin=begin).columns[SYMBOL]
    assert columns.orders is not None
    rows = columns.orders.table.to_pylist()
    assert [(row["exchange_ts"], row["event"], row["order_id"], row["lots"]) for row in rows[:3]] == [
        (begin, OrderEvent.SNAPSHOT, "A", 2), (begin, OrderEvent.SNAPSHOT, "B", 7), (begin, OrderEvent.SNAPSHOT, "C", 9)
    ]  # fmt: skip
    assert read([capture], end=NOON + SECOND).columns[SYMBOL].orders is not None


def test_a_recording_has_the_times_at_which_they_were_heard(tmp_path: Path) -> None:
    bus = Bus(MIDNIGHT)
    bus.instruments(NOON)
    heard = NOON + SECOND // 50
    frame = SingleOrderExchange().frame("snapshot", NOON, *BEGIN)
    message = FeedFrame(symbol=SYMBOL, frame=frame, connection=1, received=heard - MIDNIGHT)
    bus.send(f"feed.level3.{SYMBOL}", message, heard)
    columns = read([str(bus.write(tmp_path / "recording"))]).columns[SYMBOL]
    assert columns.orders is not None
    assert {(row["exchange_ts"], row["heard_ts"]) for row in columns.orders.table.to_pylist()} == {
        (NOON, heard + 40_000)
    }


def test_single_orders_are_played_instead_of_levels(capture: str) -> None:
    rows = [
        (row["kind"], row["side"], row["ticks"], row["lots"], row["order"])
        for row in played(read([capture]).columns[SYMBOL]).to_pylist()
    ]
    snapshot = [(Kind.ORDER_SNAPSHOT, BUY, 1000, 5, 1), (Kind.ORDER_SNAPSHOT, BUY, 1000, 7, 2)]
    snapshot.append((Kind.ORDER_SNAPSHOT, SELL, 1001, 9, 3))
    assert rows[:4] == [*snapshot, (Kind.ORDER, BUY, 1000, 2, 1)]
    # At midnight all is stated anew; a trade comes before the change that it causes, and its order leaves.
    assert rows[-2:] == [(Kind.TRADE, SELL, 1000, 2, 0), (Kind.ORDER, BUY, 1000, 0, 1)]
    assert all(kind in (Kind.ORDER_SNAPSHOT, Kind.ORDER, Kind.TRADE) for kind, *_ in rows)


def test_levels_are_played_where_single_orders_are_missing_for_long(tmp_path: Path) -> None:
    exchange, orders = Exchange(), SingleOrderExchange()
    late = NOON + 2 * MISSING_NS
    frames = [
        exchange.frame("snapshot", NOON, [(1000, 12)], [(1001, 9)]),
        exchange.frame("update", NOON + SECOND, [(1000, 10)]),
        orders.frame("snapshot", late, *BEGIN),
        exchange.frame("update", late + SECOND, [(1000, 12)]),
        exchange.frame("update", late + 2 * MISSING_NS, [(1000, 13)]),
    ]
    rows = played(read([write_lines(tmp_path / "late.jsonl", frames)]).columns[SYMBOL]).to_pylist()
    kinds = [(row["exchange_ts"] - NOON, row["kind"], row["lots"]) for row in rows]
    # After the last single order the book by price is stated as it was then.
    assert [kind for _, kind, _ in kinds] == [
        *[Kind.SNAPSHOT] * 2, Kind.LEVEL, *[Kind.ORDER_SNAPSHOT] * 3, *[Kind.SNAPSHOT] * 2, *[Kind.LEVEL] * 2
    ]  # fmt: skip
    assert kinds[6][2] == 10
    assert [lots for _, _, lots in kinds[-2:]] == [12, 13]
