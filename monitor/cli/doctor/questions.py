"""Asking the exchange, each question with its time limit; what came back, or why nothing did."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection, connect

from shared import limits
from shared.clock import SECOND, parse_rfc3339, wall_ns
from shared.config import Config
from shared.errors import ProxyUnusable, RestError, RestRefused, SecretError
from shared.kraken.rest import Rest
from shared.kraken.rest_names import RestNames
from shared.network.proxies import proxy_for
from shared.process import account_lock
from shared.version import tradebyte_version

PINGS: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer (``value``), Kraken's ``errors``, or the ``trouble`` that kept it away."""

    value: object = None
    errors: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def is_good(self) -> bool:
        """True if there is an answer."""
        return not self.errors and not self.trouble


@dataclass(frozen=True, slots=True)
class Clock:
    """The lead of this machine's clock over the exchange's, give or take."""

    offset_s: float
    uncertain_s: float


@dataclass(slots=True)
class Answers:
    """Everything that was asked; None for what was not."""

    time: Answer
    status: Answer
    socket: Answer
    clock: Clock | None = None
    halt_key: Answer | None = None
    data_key: Answer | None = None
    api_key: Answer | None = None
    volume: Answer | None = None
    open_orders: Answer | None = None
    # Empty where the exchange did not list its pairs.
    names: RestNames = field(default_factory=lambda: RestNames({}, {}))

    def unlisted(self, pairs: list[str]) -> list[str]:
        """Return the pairs that the exchange does not list; none where that is not known."""
        return [pair for pair in pairs if self.names and self.names.altname(pair) is None]


def ask(config: Config) -> Answers:
    """Ask the exchange. The executor's key is used only when no executor on this machine does."""
    return asyncio.run(_ask(config))


def nonces(now_ns: int) -> Iterator[int]:
    """Yield nonces for the executor's key: below those of an executor started in this second (epoch * 10**9).

    A second behind the clock, to the nanosecond, so that asking again at once has higher ones.
    """
    return itertools.count(now_ns - SECOND)


async def _ask(config: Config) -> Answers:
    agent = f"TradeByte/{tradebyte_version()}"
    kraken = config.kraken
    public = Rest(kraken.rest_url, "", "", agent)
    try:
        time_answer, status, (pinged, clock), pairs, assets = await asyncio.gather(
            _timed(public),
            _outcome(public.public("SystemStatus")),
            _pinged(kraken.ws_url, agent),
            _outcome(public.public("AssetPairs")),
            _outcome(public.public("Assets")),
        )
    finally:
        await public.close()
    names = RestNames(*(answer.value if isinstance(answer.value, dict) else {} for answer in (pairs, assets)))
    answers = Answers(time_answer[0], status, pinged, clock or time_answer[1], names=names)
    if not time_answer[0].is_good:
        return answers
    if kraken.halt_key and kraken.halt_secret:
        halting = Rest(kraken.rest_url, kraken.halt_key, kraken.halt_secret, agent)
        try:
            answers.halt_key = await _outcome(halting.private("GetApiKeyInfo", {}, wall_ns()))
        finally:
            await halting.close()
    if kraken.data_key and kraken.data_secret:
        reading = Rest(kraken.rest_url, kraken.data_key, kraken.data_secret, agent)
        try:
            answers.data_key = await _outcome(reading.private("GetApiKeyInfo", {}, wall_ns()))
        finally:
            await reading.close()
    if account_lock.is_account_held(account_lock.account_key(kraken.rest_url, kraken.api_key)):
        return answers
    own = Rest(kraken.rest_url, kraken.api_key, kraken.api_secret, agent)
    nonce = nonces(wall_ns())
    try:
        answers.api_key = await _outcome(own.private("GetApiKeyInfo", {}, next(nonce)))
        # One unlisted pair would have the whole request refused.
        listed = [name for pair in config.trading.pairs if (name := names.altname(pair))]
        answers.volume = await _outcome(own.private("TradeVolume", {"pair": ",".join(listed)}, next(nonce)))
        answers.open_orders = await _outcome(own.private("OpenOrders", {}, next(nonce)))
    finally:
        await own.close()
    return answers


async def _outcome(call: Awaitable[object]) -> Answer:
    try:
        return Answer(await call)
    except RestRefused as refused:
        return Answer(errors=tuple(refused.errors))
    except (RestError, SecretError) as trouble:
        return Answer(trouble=str(trouble))


async def _timed(rest: Rest) -> tuple[Answer, Clock | None]:
    """Return the answer to REST's Time, and the clock by it: whole seconds, so a coarse one."""
    before = wall_ns()
    answer = await _outcome(rest.public("Time"))
    after = wall_ns()
    unixtime = answer.value.get("unixtime") if isinstance(answer.value, dict) else None
    if not isinstance(unixtime, int):
        return (answer if not answer.is_good else Answer(trouble=f"no time in {str(answer.value)[:80]}")), None
    middle = (before + after) / 2 / SECOND
    return answer, Clock(middle - unixtime - 0.5, 0.5 + (after - before) / 2 / SECOND)


async def _pinged(url: str, agent: str) -> tuple[Answer, Clock | None]:
    """Return whether the public WebSocket opens, and the clock by its pongs (version 2 stamps them)."""
    try:
        async with connect(
            url,
            proxy=proxy_for(url),
            compression=None,
            open_timeout=limits.CONNECT_TIMEOUT_S,
            close_timeout=0.2,
            user_agent_header=agent,
        ) as connection:
            if not url.endswith("/v2"):
                return Answer("open"), None
            best: Clock | None = None
            for number in range(1, PINGS + 1):
                before, began = wall_ns(), time.monotonic()
                await connection.send(f'{{"method":"ping","req_id":{number}}}')
                async with asyncio.timeout(limits.REST_TIMEOUT_S):
                    clock = await _pong(connection, number, before, began)
                if clock is not None and (best is None or clock.uncertain_s < best.uncertain_s):
                    best = clock
            return Answer("open"), best
    except ProxyUnusable as trouble:
        return Answer(trouble=str(trouble)), None
    except (OSError, TimeoutError, websockets.WebSocketException, ValueError) as trouble:
        return Answer(trouble=f"{type(trouble).__name__}: {trouble}".rstrip(": ")), None


async def _pong(connection: ClientConnection, number: int, before: int, began: float) -> Clock | None:
    async for frame in connection:
        message = msgspec.json.decode(frame)
        if not isinstance(message, dict) or message.get("method") != "pong" or message.get("req_id") != number:
            continue
        round_trip_s = time.monotonic() - began
        if "time_in" not in message:
            return None
        middle = before / SECOND + round_trip_s / 2
        return Clock(middle - parse_rfc3339(str(message["time_in"])) / SECOND, round_trip_s / 2)
    return None
