"""The steps of the check: two orders far from the market are placed, amended and cancelled; nothing is left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any  # Any: what Kraken answered, kept as it came

from executor.errors import LiveCheckError
from executor.livecheck.findings import Placed
from executor.livecheck.session import Session
from executor.livecheck.transcript import Call, Push
from executor.orders import ids
from shared import limits
from shared.clock import wall_ns
from shared.kraken.rest_names import RestNames
from shared.numbers import finite

STRATEGY = "000"  # no strategy's code: the journal's begin at 001
FAR = Decimal("0.5")  # of the best bid: far from any trade
ARM_S = 60
NO_ORDER = "OAAAAA-AAAAA-AAAAAA"  # an order id that nobody has
HISTORY_WAIT_S = 65.0  # Kraken's history lags a minute, as far as we know
SETTLED_S = 5.5  # T17 trusts a snapshot about orders acknowledged 5 s before it was asked for


@dataclass(frozen=True, slots=True)
class Plan:
    """Two bids at about half the market: symbol, price, tick and quantity."""

    symbol: str
    price: Decimal
    tick: Decimal
    qty: Decimal
    names: tuple[str, str]

    @property
    def cost(self) -> Decimal:
        """Return what both reserve, in the quote asset."""
        return 2 * self.price * self.qty


async def plan(session: Session, symbol: str, epoch: int) -> Plan:
    """Return the two orders to place. Raises :class:`LiveCheckError` if the account cannot pay them, or has others."""
    pairs = await session.rest("pairs", "AssetPairs", public=True)
    assets = await session.rest("assets", "Assets", public=True)
    if pairs.error or assets.error:
        raise LiveCheckError(f"the exchange does not say what it lists: {pairs.error or assets.error}")
    names = RestNames(pairs.answer, assets.answer)
    name = names.altname(symbol)
    if name is None:
        raise LiveCheckError(f"Kraken does not list {symbol}; mend trading.pairs")
    row = next(row for key, row in pairs.answer.items() if names.symbol(key) == symbol)
    ticker = await session.rest("ticker", "Ticker", {"pair": name}, public=True)
    if ticker.error:
        raise LiveCheckError(f"no price of {symbol}: {ticker.error}")
    bid = finite(next(iter(ticker.answer.values()))["b"][0])
    made = _sized(symbol, bid, row, epoch)
    await _check_account(session, made, names)
    return made


def _sized(symbol: str, bid: Decimal, row: dict[str, Any], epoch: int) -> Plan:
    """Return the smallest order that the pair takes, at half the bid."""
    decimals = int(row["pair_decimals"])
    tick = finite(row.get("tick_size") or Decimal(1).scaleb(-decimals))
    price = ((bid * FAR) / tick).to_integral_value(ROUND_FLOOR) * tick
    lot = Decimal(1).scaleb(-int(row["lot_decimals"]))
    least = max(finite(row.get("ordermin") or 0), finite(row.get("costmin") or 0) / price)
    # A little more, so that an amend to a lower price still meets the minimum cost.
    qty = (least * Decimal("1.02") / lot).to_integral_value(ROUND_CEILING) * lot
    names = tuple(str(ids.OrderId(epoch, STRATEGY, slot, 1)) for slot in ("c0", "c1"))
    return Plan(symbol, price.quantize(Decimal(1).scaleb(-decimals)), tick, qty, (names[0], names[1]))


async def _check_account(session: Session, made: Plan, names: RestNames) -> None:
    open_orders = await session.rest("open orders", "OpenOrders")
    if open_orders.error:
        raise LiveCheckError(f"the open orders cannot be seen: {open_orders.error}")
    resting = len(open_orders.answer.get("open") or {})
    if resting:
        word = "order rests" if resting == 1 else "orders rest"
        raise LiveCheckError(
            f"{resting} {word} on the account: the check's dead man's switch could pull them; cancel them first"
        )
    balance = await session.rest("balance", "Balance")
    if balance.error:
        raise LiveCheckError(f"the balances cannot be seen: {balance.error}")
    quote = made.symbol.partition("/")[2]
    there = sum(
        (finite(v) for k, v in balance.answer.items() if names.is_spot(k) and names.asset(k) == quote), Decimal(0)
    )
    if there < made.cost * Decimal("1.01"):
        raise LiveCheckError(
            f"{made.cost:.8f} {quote} are reserved for two orders of the least size, {there} are there"
        )


async def run(session: Session, made: Plan, tell: Callable[[str], None]) -> Placed:
    """Carry out the check; whatever happens, its orders are cancelled before this returns."""
    placed = ["", ""]
    try:
        await session.open()
        await _subscribe(session, tell)
        await _trade(session, made, placed, tell)
        await _without_placing(session, made, tell)
    finally:
        await clean_up(session, made, placed)
    await _history(session, made, tell)
    return Placed(made.names, (placed[0], placed[1]))


async def _subscribe(session: Session, tell: Callable[[str], None]) -> None:
    tell("subscribing to executions and balances")
    params = {"channel": "executions", "snap_orders": True, "snap_trades": True, "ratecounter": True}
    await session.ask("subscribe executions", "subscribe", params)
    await session.ask("subscribe balances", "subscribe", {"channel": "balances", "snapshot": True})
    there = session.transcript.snapshot
    await session.until(
        lambda: there("executions") is not None and there("balances") is not None, limits.CONNECTION_DEAD_S
    )


async def _trade(session: Session, made: Plan, placed: list[str], tell: Callable[[str], None]) -> None:
    tell(f"arming the dead man's switch for {ARM_S} s")
    armed = await session.ask("arm", "cancel_all_orders_after", {"timeout": ARM_S})
    if armed.error:
        raise LiveCheckError(f"the dead man's switch cannot be armed ({armed.error}): nothing is placed without it")
    tell(f"placing a bid of {made.qty} {made.symbol} at {made.price}, half the market")
    first = await session.ask("add", "add_order", _order(made, 0))
    placed[0] = _order_id(first)
    if first.error:
        raise LiveCheckError(f"an order of the least size is refused: {first.error}")
    await _reported(session, placed[0], made.names[0], "new")
    tell("waiting until a snapshot must show it, and asking for one")
    await session.until(lambda: False, SETTLED_S)
    await session.ask("subscribe twice", "subscribe", {"channel": "balances", "snapshot": True})
    await session.ask("unsubscribe", "unsubscribe", {"channel": "executions"})
    again = {"channel": "executions", "snap_orders": True, "snap_trades": True, "ratecounter": True}
    before = session.transcript.pushes[-1].order if session.transcript.pushes else 0
    await session.ask("subscribe again", "subscribe", again)
    await session.until(lambda: session.transcript.snapshot("executions", before) is not None, limits.CONNECTION_DEAD_S)
    tell("amending it by a tick")
    lower = {
        "cl_ord_id": made.names[0],
        "limit_price": made.price - made.tick,
        "order_qty": made.qty,
        "post_only": True,
    }
    await session.ask("amend", "amend_order", lower)
    await _reported(session, placed[0], made.names[0], "amended")
    tell("placing a second one, and cancelling both in a batch")
    second = await session.ask("add another", "add_order", _order(made, 1))
    placed[1] = _order_id(second)
    await _reported(session, placed[1], made.names[1], "new")
    order_ids = [order_id for order_id in placed if order_id]
    batch = await session.ask("batch cancel with an unknown order", "batch_cancel", {"orders": [*order_ids, NO_ORDER]})
    if batch.error:
        await session.ask("batch cancel", "batch_cancel", {"orders": order_ids})
    for order_id, name in zip(placed, made.names, strict=True):
        await _reported(session, order_id, name, "canceled")


async def _without_placing(session: Session, made: Plan, tell: Callable[[str], None]) -> None:
    """Send requests that place nothing, for their answers."""
    tell("asking what ended orders, small batches and odd prices are answered with")
    ended = session.transcript.call("add")
    order_id = _order_id(ended) if ended is not None else ""
    if order_id:
        await session.ask("cancel of an ended order", "cancel_order", {"order_id": [order_id]})
        await session.ask("batch cancel of one", "batch_cancel", {"orders": [order_id]})
    validated = _order(made, 0) | {"validate": True}
    await session.ask("validated add", "add_order", validated)
    odd = made.price + made.tick / 10
    await session.ask("too many decimals", "add_order", validated | {"limit_price": odd})
    tell("disarming the switch")
    await session.ask("disarm", "cancel_all_orders_after", {"timeout": 0})


def _order(made: Plan, number: int) -> dict[str, Any]:
    return {
        "order_type": "limit",
        "side": "buy",
        "symbol": made.symbol,
        "order_qty": made.qty,
        "limit_price": made.price,
        "time_in_force": "gtc",
        "post_only": True,
        "cl_ord_id": made.names[number],
        "fee_preference": "quote",
    }


def _order_id(call: Call) -> str:
    result = call.answer.get("result")
    return str(result.get("order_id") or "") if isinstance(result, dict) else ""


async def _reported(session: Session, order_id: str, name: str, kind: str) -> None:
    def is_there() -> bool:
        rows: list[tuple[Push, dict[str, Any]]] = session.transcript.reports(order_id, name)
        return any(row.get("exec_type") == kind for _, row in rows)

    await session.until(is_there, limits.REQUEST_TIMEOUT_S)


def _ours(orders: Call, made: Plan, placed: list[str]) -> list[str]:
    """Return the ids of the check's own orders in an answer of OpenOrders."""
    rows: dict[str, dict[str, object]] = orders.answer.get("open") or {}
    return [key for key, row in rows.items() if row.get("cl_ord_id") in made.names or key in placed]


async def clean_up(session: Session, made: Plan, placed: list[str]) -> None:
    """Cancel our resting orders, by the WebSocket and by REST; disarm unless one is left, which the report names."""
    for name in made.names:
        with contextlib.suppress(LiveCheckError):
            if session.token:
                await session.ask("clean up", "cancel_order", {"cl_ord_id": [name]})
    left = await session.rest("open orders at the end", "OpenOrders")
    ours = _ours(left, made, placed)
    for order_id in ours:
        await session.rest("clean up by REST", "CancelOrder", {"txid": order_id})
    if ours:
        left = await session.rest("open orders at the end", "OpenOrders")
        if left.error or _ours(left, made, placed):
            return  # the switch stays armed, and pulls what cannot be cancelled
    with contextlib.suppress(LiveCheckError):
        if session.token:
            await session.ask("disarm at the end", "cancel_all_orders_after", {"timeout": 0})


async def _history(session: Session, made: Plan, tell: Callable[[str], None]) -> None:
    # All calls together stay below the smallest counter, 15 points, as long as the history lags less than its wait.
    tell("asking the history for what was cancelled, which may take a minute to show it")
    began = wall_ns()
    while True:
        closed = await session.rest("closed orders", "ClosedOrders", {"cl_ord_id": made.names[0]})
        names = {row.get("cl_ord_id") for row in (closed.answer.get("closed") or {}).values()}
        if made.names[0] in names or closed.error or wall_ns() - began > HISTORY_WAIT_S * 1e9:
            break
        await session.until(lambda: False, 12.0)  # the call costs 4 points, half a point a second comes back
    await session.rest("ledgers", "Ledgers", {"type": "trade"})
    await session.rest("trades", "TradesHistory")
