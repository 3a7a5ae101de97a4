"""The check's shell: one private connection and REST with the executor's key; each request is answered or given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any  # Any: what Kraken answered, kept as it came

import msgspec

from executor.errors import LiveCheckError
from executor.livecheck.transcript import Call, Push, Transcript
from shared import limits
from shared.clock import boot_ns
from shared.config import Config
from shared.errors import RestError, RestRefused, SecretError
from shared.kraken import v2
from shared.kraken.rest import Rest
from shared.kraken.socket import KrakenSocket
from shared.version import tradebyte_version


class Session:
    """Sends requests and keeps everything in a transcript. A nonce is ``epoch`` * 10**9 + counter."""

    def __init__(self, config: Config, epoch: int) -> None:
        kraken, agent = config.kraken, f"TradeByte/{tradebyte_version()}"
        self.transcript = Transcript()
        self.step = ""
        self.token = ""
        self._rest = Rest(kraken.rest_url, kraken.api_key, kraken.api_secret, agent)
        self._socket = KrakenSocket(kraken.ws_auth_url, self._opened, self._frames, self._closed, agent)
        self._nonce = epoch * 10**9
        self._opened_event = asyncio.Event()
        self._arrived = asyncio.Event()
        self._req_id = 0
        self._count = 0
        self._waiting: dict[int, list[dict[str, Any]]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Fetch a token and connect. Raises :class:`LiveCheckError`."""
        answer = await self.rest("token", "GetWebSocketsToken")
        if answer.error:
            raise LiveCheckError(f"no WebSocket token: {answer.error}")
        self.token = str(answer.answer.get("token"))
        self._reader = asyncio.ensure_future(self._socket.run())
        try:
            await asyncio.wait_for(self._opened_event.wait(), 2 * limits.CONNECT_TIMEOUT_S)
        except TimeoutError:
            raise LiveCheckError(f"no private connection to {self._socket.url}: {self._socket.problem}") from None

    async def close(self) -> None:
        """End both connections."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._rest.close()

    async def ask(self, step: str, method: str, params: dict[str, Any] | None = None) -> Call:
        """Send a request on the private WebSocket and wait for its answer; without one the call's error says so."""
        self.step, self._req_id = step, self._req_id + 1
        req_id, sent = self._req_id, boot_ns()
        self._waiting[req_id] = []
        wanted = {**(params or {}), "token": self.token}
        if not self._socket.send(v2.request(method, wanted, req_id)):
            raise LiveCheckError("the private connection is gone; run it again")
        answers = self._waiting[req_id]
        await self.until(lambda: bool(answers), limits.REQUEST_TIMEOUT_S)
        body = answers[0] if answers else {}
        error = "no answer" if not answers else str(body.get("error") or "")
        call = Call(step, method, dict(params or {}), sent, body, error, body.get("_at", 0), body.get("_order", 0))
        self.transcript.calls.append(call)
        return call

    async def rest(self, step: str, method: str, params: dict[str, str] | None = None, *, public: bool = False) -> Call:
        """Make a REST call; an error is kept in the call."""
        self.step, sent = step, boot_ns()
        answer: dict[str, Any] = {}
        error = ""
        try:
            if public:
                answer = await self._rest.public(method, params)
            else:
                self._nonce += 1
                answer = await self._rest.private(method, params or {}, self._nonce)
        except RestRefused as refused:
            error = ", ".join(refused.errors)
        except (RestError, SecretError) as failed:
            error = str(failed)
        call = Call(step, method, dict(params or {}), sent, answer, error, boot_ns(), self._count)
        self.transcript.calls.append(call)
        return call

    async def until(self, is_there: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``is_there``, for ``seconds`` at most; return whether it came."""
        end = boot_ns() + int(seconds * 1e9)
        while not is_there():
            left_s = (end - boot_ns()) / 1e9
            if left_s <= 0:
                return False
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left_s)
            except TimeoutError:
                return is_there()
        return True

    def _opened(self) -> None:
        self._opened_event.set()

    def _closed(self, _why: str) -> None:
        self._arrived.set()

    def _frames(self, frames: list[bytes]) -> None:
        for raw in frames:
            self._frame(raw)

    def _frame(self, raw: bytes) -> None:
        try:
            body = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            return
        if not isinstance(body, dict) or body.get("channel") in ("heartbeat", "status"):
            return
        self._count += 1
        if body.get("channel") in ("executions", "balances"):
            rows = [row for row in body.get("data") or [] if isinstance(row, dict)]
            kind, sequence = str(body.get("type")), int(body.get("sequence") or 0)
            push = Push(self.step, body["channel"], kind, sequence, rows, self._count, boot_ns())
            self.transcript.pushes.append(push)
        elif body.get("req_id") in self._waiting:
            self._waiting[body["req_id"]].append({**body, "_at": boot_ns(), "_order": self._count})
        self._arrived.set()
