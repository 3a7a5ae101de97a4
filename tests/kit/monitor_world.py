"""A picture of a whole system that quotes, made from messages as they come over the bus."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from monitor.ui.snapshot import Snapshot, Watch
from shared.bus import Received, topics
from shared.clock import SECOND
from shared.config import Config, check
from shared.messages import (
    Account,
    Alert,
    AssetPosition,
    Book,
    BookInfo,
    BookState,
    BookStatus,
    FeedStatus,
    Fill,
    Heartbeat,
    Instruments,
    Message,
    Order,
    Orders,
    OrderState,
    Position,
    ProcessState,
    Profit,
)

NOW, WALL = 1000 * SECOND, 1_700_000_000 * SECOND
# A pair's touch in ticks, its precision, and the quantity of a quote in lots.
PAIRS = {"BTC/USD": (840_000, 1, 119_029), "ETH/USD": (249_999, 2, 4_000_608), "SOL/USD": (15_006, 2, 66_688_896)}


class World:
    """The views of the messages so far; ``snapshot()`` is what they show now."""

    def __init__(self, began: int = NOW - 60 * SECOND) -> None:
        self.config = Config()
        check(self.config, lambda _key: "test")
        self.watch = Watch(self.config, began)
        self.now, self.wall = NOW, WALL
        self.halted: str | None = None
        self.is_flattening = False

    def take(self, topic: str, message: Message) -> None:
        kind = topics.kind_of(topic)
        assert kind is not None
        self.watch.take(Received(topic, kind, topics.rest_of(topic, kind), message), self.now)

    def snapshot(self) -> Snapshot:
        return self.watch.look(self.now, self.wall, self.halted, flattening=self.is_flattening)

    def beat(self, process: str, state: str = "ready", **changed: Any) -> None:
        fields: dict[str, Any] = {
            "pid": 7,
            "host": "h",
            "version": "0",
            "why": "",
            "uptime_s": 75.0,
            "loop_lag_ms": 0.25,
            "rss_mb": 40.5,
            "messages_in": 1,
            "messages_out": 2,
            "gaps": 0,
            "drops": 0,
            "boot": 1,
            "ts": self.wall,
        }
        self.take(
            f"heartbeat.{process}", Heartbeat(process=process, state=ProcessState(state), **{**fields, **changed})
        )

    def book(self, symbol: str, state: BookState = BookState.LIVE) -> None:
        touch, precision, _ = PAIRS[symbol]
        levels = range(10)
        message = Book(
            symbol=symbol,
            state=state,
            price_precision=precision,
            qty_precision=8,
            bids=[(touch - level, 100_000_000 + level) for level in levels],
            asks=[(touch + 1 + level, 200_000_000 + level) for level in levels],
        )
        self.take(f"book.{symbol}", message)

    def books(self, state: BookState = BookState.LIVE, why: str = "") -> None:
        info = BookInfo(state=state, age_ms=30, checksums_ok=12, checksums_failed=0, why=why)
        self.take("book.status", BookStatus(books=dict.fromkeys(PAIRS, info), ts=self.wall))

    def orders(self, symbol: str, *orders: Order, valid: bool = True) -> None:
        own = list(orders) or quotes(symbol)
        _, precision, _ = PAIRS[symbol]
        message = Orders(symbol=symbol, valid=valid, price_precision=precision, qty_precision=8, orders=own)
        self.take(f"order.{symbol}", message)

    def fill(self, number: int, symbol: str = "BTC/USD", **changed: Any) -> None:
        fields: dict[str, Any] = {"side": "buy", "price": "84000.1", "qty": "0.00119029", "fee": "0.00000"}
        ids = {"exec_id": f"TEXEC{number}", "cl_ord_id": "C", "order_id": "OFILL", "strategy": "market_maker"}
        ts = WALL - (100 - number) * SECOND
        self.take(f"fill.{symbol}", Fill(symbol=symbol, fill_ts=ts, **{**fields, **ids, **changed}))

    def account(self, *, valid: bool = True) -> None:
        profit = Profit(
            realised="1.504", unrealised="-0.25", fees="0.1", qty="0.3", average_price="100", mid="99.5", is_stale=False
        )
        message = Account(
            valid=valid,
            equity="3.4",
            realised="4.512",
            unrealised="-0.75",
            fees_paid="0.3",
            profits=dict.fromkeys(PAIRS, profit),
            positions={"BTC/USD": "-0.00237842", "ETH/USD": "0", "SOL/USD": "0.12633515"},
            assets={
                "BTC": AssetPosition(position="-0.00237842", worth="-200"),
                "ETH": AssetPosition(position="0", worth="0"),
                "SOL": AssetPosition(position="0.12633515", worth="19"),
            },
        )
        self.take("account", message)

    def alert(self, text: str, level: Any = "warning") -> None:
        self.take("alert", Alert(level=level, kind="kind", text=text, src="monitor", ts=self.wall))

    def whole(self) -> World:
        """Make everything well: four quotes in each pair, and a fill."""
        for process in self.config.process_names:
            self.beat(process)
        self.books()
        self.take("feed.status", FeedStatus(connected=True, connection=1, last_byte=1, ts=self.wall))
        self.take("feed.instrument", Instruments())
        for symbol in PAIRS:
            self.book(symbol)
            self.orders(symbol)
            self.take(
                f"position.market_maker.{symbol}",
                Position(
                    strategy="market_maker",
                    symbol=symbol,
                    valid=True,
                    qty_precision=8,
                    account_position=int(Decimal("-0.00237842") * 10**8),
                ),
            )
        self.account()
        for number in range(6):
            self.fill(number, list(PAIRS)[number % 3])
        return self


def order(symbol: str, slot: str, price: int, state: OrderState = OrderState.OPEN, **changed: Any) -> Order:
    """Return an own order; the slot's letter is its side."""
    fields: dict[str, Any] = {
        "cl_ord_id": f"T{symbol}{slot}",
        "order_id": f"O{symbol[:3]}{slot}",
        "strategy": "market_maker",
        "side": "buy" if slot.startswith("b") else "sell",
        "qty": PAIRS[symbol][2],
        "filled": 0,
        "created_ts": WALL - 25 * SECOND,
        "changed_ts": WALL - 5 * SECOND,
    }
    return Order(slot=slot, price=price, state=state, **{**fields, **changed})


def quotes(symbol: str) -> list[Order]:
    """Return two quotes a side: one within the published depth, one beyond it."""
    touch = PAIRS[symbol][0]
    steps = {"b0": -6, "b1": -40, "a0": 7, "a1": 41}
    return [order(symbol, slot, touch + step) for slot, step in steps.items()]
