"""Cancelling by REST, with the key that may only cancel: a halt's second way, where the executor does not answer.

What is ours is what the journal says, and what the executor said last: other orders of the account stay. Only where
neither can be had is everything on the account cancelled, since an order of ours that rests unwatched is worse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.control.journal_orders import OrderIds
from monitor.errors import CancelFailed
from monitor.model.view import View
from shared import limits
from shared.clock import wall_ns
from shared.config import Config
from shared.errors import RestError, RestRefused, SecretError
from shared.kraken.errors import Meaning, meaning
from shared.kraken.rest import Rest
from shared.version import tradebyte_version


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The number of orders that Kraken cancelled: ours, or every one on the account."""

    count: int
    is_whole_account: bool


def ours(journal: list[OrderIds] | None, view: View) -> list[OrderIds] | None:
    """Return our live orders by all that is known, each once; None where nothing is known at all."""
    heard = [OrderIds(order.cl_ord_id, order.order_id) for order in view.own_orders()]
    if journal is None and not view.orders:
        return None
    return list({order.cl_ord_id: order for order in [*heard, *(journal or [])]}.values())


def cancel(config: Config, orders: list[OrderIds] | None) -> Cancelled:
    """Cancel these orders, or every one on the account where they are not known. Raises :class:`CancelFailed`."""
    try:
        return asyncio.run(_cancel(config, orders))
    except (RestError, RestRefused, SecretError) as error:
        raise CancelFailed(str(error)) from error


async def _cancel(config: Config, orders: list[OrderIds] | None) -> Cancelled:
    kraken = config.kraken
    if not kraken.halt_key or not kraken.halt_secret:
        raise CancelFailed("kraken.halt_key is not set")
    rest = Rest(kraken.rest_url, kraken.halt_key, kraken.halt_secret, f"TradeByte/{tradebyte_version()}")
    try:
        if orders is None:
            return Cancelled(_count(await rest.private("CancelAll", {}, wall_ns())), is_whole_account=True)
        count = 0
        for start in range(0, len(orders), limits.BATCH_CANCEL_IDS):
            count += await _cancel_batch(rest, orders[start : start + limits.BATCH_CANCEL_IDS])
        return Cancelled(count, is_whole_account=False)
    finally:
        await rest.close()


async def _cancel_batch(rest: Rest, orders: list[OrderIds]) -> int:
    """Cancel up to 50 together; where Kraken refuses that, since one has ended or otherwise, one by one."""
    params = {
        "orders": [order.order_id for order in orders if order.order_id],
        "cl_ord_ids": [order.cl_ord_id for order in orders if not order.order_id],
    }
    try:
        return _count(await rest.private("CancelOrderBatch", {k: v for k, v in params.items() if v}, wall_ns()))
    except RestRefused as refused:
        if any(meaning(text) is Meaning.CREDENTIALS for text in refused.errors):
            raise
    return sum([await _cancel_one(rest, order) for order in orders])


async def _cancel_one(rest: Rest, order: OrderIds) -> int:
    params = {"txid": order.order_id} if order.order_id else {"cl_ord_id": order.cl_ord_id}
    try:
        return _count(await rest.private("CancelOrder", params, wall_ns()))
    except RestRefused as refused:
        if _has_ended(refused.errors):
            return 0
        raise


def _has_ended(errors: Iterable[str]) -> bool:
    return all(meaning(text) is Meaning.UNKNOWN_ORDER for text in errors)


def _count(result: object) -> int:
    count = result.get("count") if isinstance(result, dict) else None
    if not isinstance(count, int):
        raise CancelFailed(f"an answer to a cancel without a count: {str(result)[:80]}")
    return count
