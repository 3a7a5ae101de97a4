"""``tradebyte orders``: own live orders, and those ended in the last minute."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from monitor.cli.common import ConfigOption, JsonOption, console, fail, load, print_json, say, table
from monitor.model.ages import PRECISE, age
from monitor.model.listener import gather
from monitor.model.recent import order_fields
from monitor.model.sections import OrderFields
from monitor.model.view import LIVE_ORDER_STATES
from shared.clock import SECOND, rfc3339, wall_ns
from shared.messages import Order, Orders

SymbolOption = Annotated[str | None, typer.Option("--symbol", help="Only this pair, such as BTC/USD.")]


def orders(
    config: ConfigOption = None,
    json: JsonOption = False,
    symbol: SymbolOption = None,
    live: Annotated[bool, typer.Option("--live", help="Only orders that may still trade.")] = False,
) -> None:
    """Print own live orders and those ended in the last minute; with --json a line each."""
    settings = load(config)
    pairs = settings.trading.pairs
    if symbol is not None:
        if symbol not in pairs:
            raise typer.BadParameter(f"{symbol!r} is not traded here; there are: {', '.join(pairs)}")
        pairs = [symbol]
    view = gather(settings, lambda view: all(pair in view.orders for pair in pairs), ("order",))
    known = {pair: view.orders[pair] for pair in pairs if pair in view.orders}
    rows = [
        row(pair_orders, order)
        for pair_orders in known.values()
        for order in pair_orders.orders
        if not live or order.state in LIVE_ORDER_STATES
    ]
    if json:
        for each in rows:
            print_json(each)
    elif rows or len(known) == len(pairs):
        _show(rows)
    _say_what_is_unknown(known, pairs)


class OrderLine(OrderFields, frozen=True, kw_only=True):
    """An order as ``orders --json`` prints it: numbers as decimal text, times RFC 3339."""

    live: bool
    amending: bool
    created: str
    changed: str
    changed_s: float


def row(pair_orders: Orders, order: Order) -> OrderLine:
    """Return an order of a pair's message as the command prints it."""
    return OrderLine(
        **msgspec.structs.asdict(order_fields(pair_orders, order)),
        live=order.state in LIVE_ORDER_STATES,
        amending=order.amending,
        created=rfc3339(order.created_ts),
        changed=rfc3339(order.changed_ts),
        changed_s=round((wall_ns() - order.changed_ts) / SECOND, 3),
    )


def _show(rows: list[OrderLine]) -> None:
    out = console()
    figures = ("price", "qty", "filled")
    lines = table("pair", "side", *figures, "state", "changed", "strategy", "slot", "order", "error", right=figures)
    for each in sorted(rows, key=lambda each: (not each.live, each.symbol, each.side)):
        side = f"[{'green' if each.side == 'buy' else 'red'}]{each.side}[/]"
        lines.add_row(
            each.symbol,
            side,
            each.price,
            each.qty,
            each.filled,
            each.state,
            f"{age(each.changed_s, PRECISE)} ago",
            escape(each.strategy),
            escape(each.slot),
            each.order_id or each.cl_ord_id,
            escape(each.error),
        )
    out.print(lines if rows else "no orders live, none ended in the last minute")


def _say_what_is_unknown(known: dict[str, Orders], pairs: list[str]) -> None:
    """Say on stderr what is not known; an unheard pair fails the command, since no line does not mean no order."""
    unsettled = [pair for pair, pair_orders in known.items() if not pair_orders.valid]
    if unsettled:
        say(f"tradebyte: not reconciled with the exchange yet: {', '.join(unsettled)}")
    unheard = [pair for pair in pairs if pair not in known]
    if unheard:
        fail(f"orders of {', '.join(unheard)} are not known: the executor said nothing; see 'tradebyte status'")
