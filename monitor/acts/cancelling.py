"""Cancelling by REST, with the key that may only cancel: a halt's second way, where the executor does not answer."""

from __future__ import annotations

import asyncio

from shared.clock import wall_ns
from shared.config import Config
from shared.kraken.rest import Rest, RestError, RestRefused
from shared.kraken.signing import SecretError
from shared.process import tradebyte_version


class Failed(Exception):
    """Kraken has not said that it cancelled; the text says why."""


def cancel_all(config: Config) -> int:
    """Cancels every order on the account; how many there were. Raises :class:`Failed`."""
    try:
        return asyncio.run(_cancel_all(config))
    except (RestError, RestRefused, SecretError) as error:
        raise Failed(str(error)) from error


async def _cancel_all(config: Config) -> int:
    kraken = config.kraken
    if not kraken.halt_key or not kraken.halt_secret:
        raise Failed("kraken.halt_key is not set")
    rest = Rest(kraken.rest_url, kraken.halt_key, kraken.halt_secret, f"TradeByte/{tradebyte_version()}")
    try:
        result = await rest.private("CancelAll", {}, wall_ns())
    finally:
        await rest.close()
    count = result.get("count") if isinstance(result, dict) else None
    if not isinstance(count, int):
        raise Failed(f"an answer to CancelAll without a count: {str(result)[:80]}")
    return count
