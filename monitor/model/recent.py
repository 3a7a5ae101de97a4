"""Orders and fills in the form of the views, and recent events of each kind up to its bound."""

from __future__ import annotations

from bisect import insort
from collections import deque

import msgspec

from monitor.model.sections import FillFields, FillShown, LogShown, OrderFields, OrderShown, RecentAlert, TradeShown
from monitor.model.view import LIVE_ORDER_STATES
from shared import limits, numbers
from shared.clock import SECOND
from shared.messages import Alert, FeedTrades, Fill, LogLine, Order, Orders


def seconds(ns: int) -> float:
    """Return a time of the bus in seconds, for charts."""
    return ns / SECOND


def fill_shown(fill: msgspec.Struct, ts: float) -> FillShown:
    """Return a fill of the bus or of the journal as the views show it."""
    return FillShown(**{name: getattr(fill, name) for name in FillFields.__struct_fields__}, ts=ts)


def order_fields(pair_orders: Orders, order: Order) -> OrderFields:
    """Return an order of a pair's message with its numbers as decimal text."""
    return OrderFields(
        cl_ord_id=order.cl_ord_id,
        order_id=order.order_id,
        strategy=order.strategy,
        symbol=pair_orders.symbol,
        slot=order.slot,
        side=order.side,
        price=numbers.text(order.price, pair_orders.price_precision),
        qty=numbers.text(order.qty, pair_orders.qty_precision),
        filled=numbers.text(order.filled, pair_orders.qty_precision),
        state=str(order.state),
        error=order.error,
    )


def order_shown(pair_orders: Orders, order: Order) -> OrderShown:
    """Return an order of a pair's message as the views show it."""
    return OrderShown(
        **msgspec.structs.asdict(order_fields(pair_orders, order)),
        is_live=order.state in LIVE_ORDER_STATES,
        created_ts=seconds(order.created_ts),
        changed_ts=seconds(order.changed_ts),
    )


class Trades:
    """The market's last trades by symbol, oldest first."""

    def __init__(self, symbols: list[str]) -> None:
        self._by_symbol: dict[str, deque[TradeShown]] = {
            symbol: deque(maxlen=limits.TRADES_SHOWN) for symbol in symbols
        }

    def take(self, message: FeedTrades) -> None:
        """Keep the trades of one frame."""
        kept = self._by_symbol.get(message.symbol)
        if kept is None:
            return
        for trade in message.trades:
            row = TradeShown(
                side=trade.side,
                price=numbers.text(trade.price, message.price_precision),
                qty=numbers.text(trade.qty, message.qty_precision),
                ts=seconds(trade.trade_ts or message.ts),
            )
            kept.append(row)

    def by_symbol(self) -> dict[str, list[TradeShown]]:
        """Return all kept trades."""
        return {symbol: list(kept) for symbol, kept in self._by_symbol.items()}


class Fills:
    """The newest own fills, each once, from the bus and from the journal alike."""

    def __init__(self) -> None:
        self._sorted: list[tuple[float, str]] = []
        self._by_id: dict[str, FillShown] = {}

    def take(self, message: Fill) -> None:
        """Keep a fill that the executor published."""
        self.add(fill_shown(message, seconds(message.fill_ts)))

    def add(self, fill: FillShown) -> None:
        """Add a fill, unless it is known already or older than all that is kept when that is full."""
        if fill.exec_id in self._by_id:
            return
        self._by_id[fill.exec_id] = fill
        insort(self._sorted, (fill.ts, fill.exec_id))
        if len(self._sorted) > limits.FILLS_SHOWN:
            _, oldest = self._sorted.pop(0)
            del self._by_id[oldest]

    def newest(self, symbol: str, most: int) -> list[FillShown]:
        """Return the last ``most`` fills of a symbol (empty: all), oldest first."""
        newest_first: list[FillShown] = []
        for _, exec_id in reversed(self._sorted):
            if len(newest_first) == most:
                break
            fill = self._by_id[exec_id]
            if not symbol or fill.symbol == symbol:
                newest_first.append(fill)
        return newest_first[::-1]


class Notices:
    """The newest alerts and warnings of all processes."""

    def __init__(self) -> None:
        self.alerts: deque[RecentAlert] = deque(maxlen=limits.ALERTS_SHOWN)
        self.lines: deque[LogShown] = deque(maxlen=limits.LINES_SHOWN)

    def alert(self, message: Alert) -> None:
        """Keep an alert."""
        text = message.text[: limits.TEXT_SHOWN]
        kind = message.kind[: limits.TEXT_SHOWN]
        ts = seconds(message.ts)
        self.alerts.append(RecentAlert(ts=ts, src=message.src, level=message.level, kind=kind, text=text))

    def line(self, message: LogLine) -> None:
        """Keep a warning or error; skip an alert's own line, since the alert comes as well."""
        if message.event == "alert":
            return
        fields = {str(key)[:100]: _plain(value) for key, value in list(message.fields.items())[: limits.FIELDS_SHOWN]}
        self.lines.append(
            LogShown(
                ts=seconds(message.ts),
                process=message.src,
                level=message.level,
                event=message.event[: limits.TEXT_SHOWN],
                fields=fields,
            )
        )


def _plain(value: object) -> str | int | float | bool | None:
    """Return a field as JSON can hold it, whatever a stranger put there."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return (value if isinstance(value, str) else repr(value))[: limits.TEXT_SHOWN]
