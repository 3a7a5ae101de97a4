"""Flatten: a request in a file, like halt; the executor pulls, closes every position, and halts (T11)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from monitor.errors import FlattenRefused
from monitor.model import halted
from monitor.model.listener import Listener
from monitor.model.view import View
from shared import halt as switch, limits
from shared.clock import boot_ns, rfc3339, wall_ns
from shared.config import Config
from shared.messages import OrderState

WANTED: Final = ("account", "heartbeat.executor", "order")
HEARD_S: Final = 2.5
# After that it returns what remains; the executor goes on. An order of unknown outcome alone can take 65 s.
WAIT_S: Final = limits.FLATTEN_RETURNS_S
# The last fill's ledger entries may come just after the halt.
ENTRIES_S: Final = 1.2


class FlattenResult(msgspec.Struct, frozen=True, kw_only=True):
    """The object that ``flatten --json`` prints; ``left`` says what remains where it is not done."""

    flat: bool
    halted: bool
    positions: dict[str, str]
    assets: dict[str, str]
    left: str
    open_orders: int | None
    why: str


def request(
    config: Config, agreed: Callable[[dict[str, Decimal]], bool] = lambda _positions: True
) -> dict[str, Decimal]:
    """Ask the executor to close every position; return what is to be closed, by asset.

    Ask nothing unless ``agreed``, called with the same, is true. Raises :class:`FlattenRefused`.
    """
    with Listener(config, WANTED) as listener:
        return begin(config, listener, agreed)


def begin(config: Config, listener: Listener, agreed: Callable[[dict[str, Decimal]], bool]) -> dict[str, Decimal]:
    """Ask the executor like :func:`request`, over a listener that goes on; ask nothing where ``agreed`` says no."""
    if config.trading.dry_run:
        mend = "set it to false and 'tradebyte restart executor', or close the position on Kraken's own site"
        raise FlattenRefused("trading.dry_run is true: nothing is sent, so nothing can be closed", mend)
    was = halted.text(config)
    # After a halt by the daily loss, closing the position is the next step.
    if was is not None and switch.read(config.halt_file).cause is not switch.Cause.DAILY_LOSS:
        raise FlattenRefused(f"halted ({was}): nothing is placed, so nothing can be closed", "'tradebyte resume' first")
    listener.until(lambda view: view.account is not None and "executor" in view.heartbeats, HEARD_S)
    if "executor" not in listener.view.heartbeats:
        raise FlattenRefused("the executor is not heard", "start it first ('supervisorctl start executor')")
    closing = positions(listener.view)
    if agreed(closing):
        switch.halt(config.flatten_file, f"{rfc3339(wall_ns())} flatten")
        if was is not None:
            switch.resume(config.halt_file)  # after the request: nothing is quoted in between
    return closing


def finish(config: Config, listener: Listener, show: Callable[[str], None] = lambda _left: None) -> FlattenResult:
    """Wait until all is closed, showing what is left; return what ``flatten --json`` prints."""

    def is_done(view: View) -> bool:
        show(left(view, boot_ns()))
        return switch.is_halted(config.halt_file)

    done = listener.until(is_done, WAIT_S)
    listener.until(lambda _view: False, ENTRIES_S)
    view = listener.view
    return FlattenResult(
        flat=done and not remaining(view),
        halted=switch.is_halted(config.halt_file),
        positions=view.position_texts(),
        assets={asset: format(position, "f") for asset, position in positions(view).items()},
        left="" if done else left(view, boot_ns()),
        open_orders=view.open_orders if view.orders_known(boot_ns()) else None,
        why=halted.text(config) or "",
    )


def remaining(view: View) -> dict[str, Decimal]:
    """Return what is not dust of what is to be closed, by asset."""
    rows = view.account.assets if view.account is not None else {}
    return {asset: amount for asset, amount in positions(view).items() if abs(amount) >= Decimal(rows[asset].least)}


def positions(view: View) -> dict[str, Decimal]:
    """Return what is to be closed, by asset; what is held is left alone."""
    rows = view.account.assets if view.account is not None else {}
    return {asset: Decimal(row.position) for asset, row in rows.items() if Decimal(row.position) and not row.held}


def left(view: View, now: int) -> str:
    """Return what is still to be done, in a line; ``now`` is ns of CLOCK_BOOTTIME."""
    silent = view.silence("executor", now)
    if silent:
        return f"{silent}: what is left is done when it is back"
    parts = [f"{asset} {position:+f}" for asset, position in positions(view).items()]
    parts += [f"{view.open_orders} order{'' if view.open_orders == 1 else 's'} to end"] if view.open_orders else []
    for symbol, orders in sorted(view.orders.items()):
        if any(order.state is OrderState.UNKNOWN for order in orders.orders):
            parts.append(f"{symbol} waits for an order of unknown outcome, 65 s at the most")
    return ", ".join(parts) or "nothing is left but to halt"


def describe(amounts: dict[str, Decimal]) -> list[str]:
    """Return what is to be done about each position."""
    return [
        f"{asset}: {position} is to be {'sold' if position > 0 else 'bought'}" for asset, position in amounts.items()
    ]
