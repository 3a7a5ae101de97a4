"""The REST shell: envelopes, keys, signatures, nonces, permissions, the call counter, and the delays."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.typedefs import Handler

from shared.kraken.signing import sign
from simulator import errors
from simulator.errors import KrakenError
from simulator.faults import oddities
from simulator.keys import KeyState
from simulator.rest import private as rest_private, public as rest_public
from simulator.websocket import Clock, Delays
from simulator.wire import NS, Fields, Json, Written, read_json
from simulator.world import World

BODY_BYTES_MAX = 256 * 1024
FIELDS_MAX = 1000
NONCE_MAX = 2**64 - 1
NONCE_DIGITS = 100
# Of a body that comes slowly.
SLOW_PIECES = 8
_log = logging.getLogger("simulator")


class Rest:
    """The REST calls of a world."""

    def __init__(self, world: World, clock: Clock, delays: Delays) -> None:
        self.world = world
        self.clock = clock
        self.delays = delays

    async def public(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/0/public/<method>``; arguments come in the query or, from some clients, in a form."""
        await asyncio.sleep(self.delays.one_way_ns / NS)
        response = await self._public(request)
        await asyncio.sleep(self.delays.one_way_ns / NS)
        return response

    async def _public(self, request: web.Request) -> web.StreamResponse:
        method = rest_public.METHODS.get(request.match_info["method"])
        try:
            if method is None:
                raise KrakenError(errors.UNKNOWN_METHOD)
            fields: dict[str, Json] = dict(request.query)
            if request.method == "POST":
                fields |= {name: str(value) for name, value in _form(await request.read()).items()}
            now, name = self.clock(), request.match_info["method"]
            faults = self.world.faults
            refusal = faults.strike("refuse", now, name, path="rest", method=name) if faults.rules else None
            if refusal is not None:
                raise KrakenError(refusal.text or errors.INTERNAL_ERROR)
            response = _result(method(self.world, fields, now))
            if faults.rules:
                return await self._with_faults(request, response, {"path": "rest", "method": name, "account": ""})
            return response
        except KrakenError as error:
            return _failure(str(error))

    async def private(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/0/private/<method>``."""
        body = await request.read()
        await asyncio.sleep(self.delays.one_way_ns / NS)
        arrived = self.clock()
        try:
            key, fields = self._authenticate(request, body)
            call = rest_private.METHODS.get(request.match_info["method"])
            if call is None:
                raise KrakenError(errors.UNKNOWN_METHOD)
            key.require(*call.permissions)
            if points := call.cost(self.world):
                self.world.charge(key, points, arrived)
            turnaround = self.delays.turnaround_ns(call.turnaround)
            if turnaround:
                await asyncio.sleep(turnaround / NS)
            now = self.clock()
            faults, method = self.world.faults, request.match_info["method"]
            about = {"path": "rest", "method": method, "account": key.account.name}
            refusal = faults.strike("refuse", now, method, **about) if faults.rules else None
            if refusal is not None and not refusal.after:
                raise KrakenError(refusal.text or errors.INTERNAL_ERROR)
            try:
                done = _result(call.run(self.world, key, fields, arrived, now))
            finally:
                self.world.flush(now)
            if refusal is not None:
                raise KrakenError(refusal.text or errors.INTERNAL_ERROR)
            response: web.StreamResponse = done
            if faults.rules:
                response = await self._with_faults(request, done, about)
        except KrakenError as error:
            response = _failure(str(error))
        await asyncio.sleep(self.delays.one_way_ns / NS)
        return response

    async def _with_faults(
        self, request: web.Request, response: web.Response, about: dict[str, str]
    ) -> web.StreamResponse:
        """Return the answer late, broken, or never, as rules say; the request has been carried out."""
        faults, now, method = self.world.faults, self.clock(), about["method"]
        if faults.strike("answer_never", now, method, **about):
            if request.transport is not None:
                request.transport.abort()
            return response
        late = faults.strike("answer_late", now, method, **about)
        if late is not None:
            await asyncio.sleep(late.ms / 1000)
        broken = faults.strike("rest_broken", now, method, **about)
        response = self._distort(response, now, method, about)
        if broken is not None:
            status = int(broken.value or 502)
            page = broken.text or f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
            return web.Response(status=status, text=page, content_type="text/html")
        return await self._send_distorted(request, response, about)

    def _distort(self, response: web.Response, now: int, method: str, about: dict[str, str]) -> web.Response:
        """Return the answer with whatever rules do to its numbers and members; a file has neither."""
        if response.content_type != "application/json" or response.text is None:
            return response
        faults, text = self.world.faults, response.text
        numbers = faults.strike("odd_numbers", now, method, **about)
        members = faults.strike("odd_members", now, method, **about)
        if members is not None:
            text = oddities.odd_rest_members(text, members.value)
        if numbers is not None:
            text = oddities.odd_rest_numbers(text, numbers.value)
        return web.Response(text=text, content_type="application/json")

    async def _send_distorted(
        self, request: web.Request, response: web.Response, about: dict[str, str]
    ) -> web.StreamResponse:
        """Return the answer with half of its body, in slow pieces, or cut in the middle with its connection."""
        faults, now, method = self.world.faults, self.clock(), about["method"]
        body = response.body if isinstance(response.body, bytes) else b""
        if faults.strike("rest_truncated", now, method, **about):
            return web.Response(body=body[: len(body) // 2], content_type=response.content_type)
        cut = faults.strike("rest_cut", now, method, **about)
        slow = None if cut is not None else faults.strike("rest_slow", now, method, **about)
        if cut is None and slow is None:
            return response
        stream = web.StreamResponse(headers={"Content-Type": response.content_type})
        stream.content_length = len(body)
        await stream.prepare(request)
        piece = max(1, len(body) // SLOW_PIECES)
        for begin in range(0, len(body) if cut is None else len(body) // 2, piece):
            await stream.write(body[begin : begin + piece])
            if slow is not None:
                await asyncio.sleep(slow.ms / 1000 / SLOW_PIECES)
        if cut is not None and request.transport is not None:
            request.transport.abort()
        return stream

    def _authenticate(self, request: web.Request, body: bytes) -> tuple[KeyState, Fields]:
        key = self.world.keys.get(request.headers.get("API-Key", ""))
        if key is None:
            raise KrakenError(errors.INVALID_KEY)
        fields = _fields(request, body)
        text = str(fields.get("nonce", ""))
        # Python reads no number of thousands of digits.
        if not text.isascii() or not text.isdigit() or len(text) > NONCE_DIGITS or int(text) > NONCE_MAX:
            raise KrakenError(errors.INVALID_NONCE)
        expected = sign(key.key.api_secret, request.path, text, body)
        if not hmac.compare_digest(expected.encode(), request.headers.get("API-Sign", "").encode(errors="replace")):
            raise KrakenError(errors.INVALID_SIGNATURE)
        nonce = int(text)
        if nonce <= key.nonce:
            raise KrakenError(errors.INVALID_NONCE)
        key.nonce = nonce
        self.world.store.nonce(key.key.api_key, nonce)
        return key, fields


def _fields(request: web.Request, body: bytes) -> Fields:
    if "json" not in request.content_type:
        return _form(body)
    try:
        fields = read_json(body)
    except (ValueError, ArithmeticError) as error:
        raise KrakenError(errors.INVALID_ARGUMENTS) from error
    if not isinstance(fields, dict):
        raise KrakenError(errors.INVALID_ARGUMENTS)
    return fields


def _form(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise KrakenError(errors.INVALID_ARGUMENTS) from error
    fields: dict[str, Json] = dict(pairs)
    return fields


def _result(result: Written | bytes) -> web.Response:
    if isinstance(result, bytes):
        return web.Response(body=result, content_type="application/octet-stream")
    return web.Response(
        text=json.dumps({"error": [], "result": result}, separators=(",", ":")), content_type="application/json"
    )


def _failure(error: str) -> web.Response:
    return web.Response(text=json.dumps({"error": [error]}, separators=(",", ":")), content_type="application/json")


@web.middleware
async def contained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Contain what goes wrong to the one request: log it, answer it, go on."""
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        if error.status == 404:
            return _failure(errors.UNKNOWN_METHOD)
        raise
    except Exception:  # noqa: BLE001 - the bound around each request
        _log.exception("a request failed: %s", request.path[:200])
        return _failure(errors.INTERNAL_ERROR)
    return response
