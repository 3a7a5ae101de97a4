"""REST calls to Kraken: the shell over :mod:`shared.kraken.signing` (KRAKEN.md 4).

aiohttp is loaded by the first call: 10 MB that a process without calls, such as the collector, does without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any  # Any: Kraken's answers, read by the caller
from urllib.parse import urlencode, urlsplit

import msgspec

from shared import limits
from shared.errors import ProxyUnusable, RestError, RestRefused
from shared.kraken.signing import sign
from shared.network.proxies import is_socks, proxy_for, socks_connector, socks_errors

if TYPE_CHECKING:
    import aiohttp


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Kraken's REST envelope."""

    error: list[str] = []
    result: msgspec.Raw = msgspec.Raw()


def parse_answer(body: bytes) -> Any:
    """Return the ``result`` of an answer (money as text, times as numbers). Raises RestRefused or RestError."""
    try:
        answer = msgspec.json.decode(body, type=Answer)
        errors = [error for error in answer.error if not error.startswith("W")]
        if errors:
            raise RestRefused(errors)
        if not bytes(answer.result):
            return {}
        return msgspec.json.decode(answer.result)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RestError(f"not Kraken's JSON: {body[:80]!r}") from error


class Rest:
    """A session to one address with one key."""

    def __init__(self, url: str, key: str, secret: str, user_agent: str) -> None:
        self._url, self._key, self._secret = url.rstrip("/"), key, secret
        self._user_agent = user_agent
        self._where = urlsplit(url).netloc
        self._session: aiohttp.ClientSession | None = None

    async def public(self, method: str, params: Mapping[str, str] | None = None) -> Any:
        """Return a public call's result. Raises :class:`RestRefused` or :class:`RestError`."""
        query = f"?{urlencode(params)}" if params else ""
        return await self._call("GET", f"/0/public/{method}{query}", b"", {})

    async def private(self, method: str, params: Mapping[str, Any], nonce: int) -> Any:
        """Return a signed call's result; a form, or JSON where a parameter is a list.

        Raises :class:`RestRefused` or :class:`RestError`.
        """
        path = f"/0/private/{method}"
        fields = {"nonce": str(nonce), **params}
        is_form = all(isinstance(value, str) for value in params.values())
        body = urlencode(fields).encode() if is_form else msgspec.json.encode(fields)
        headers = {
            "API-Key": self._key,
            "API-Sign": sign(self._secret, path, str(nonce), body),
            "Content-Type": "application/x-www-form-urlencoded" if is_form else "application/json",
        }
        return await self._call("POST", path, body, headers)

    async def close(self) -> None:
        """End the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self, proxy: str | None) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            connector = None
            if proxy is not None and is_socks(proxy):
                connector = socks_connector(proxy)
            timeout = aiohttp.ClientTimeout(total=limits.REST_TIMEOUT_S)
            agent = {"User-Agent": self._user_agent}
            self._session = aiohttp.ClientSession(timeout=timeout, headers=agent, connector=connector)
        return self._session

    async def _call(self, verb: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        import aiohttp

        from shared.network.http_errors import why_unanswered

        url = self._url + path
        try:
            proxy = proxy_for(url)
            http_proxy = None if proxy is None or is_socks(proxy) else proxy
            async with self._open(proxy).request(
                verb, url, data=body or None, headers=headers, proxy=http_proxy
            ) as answer:
                raw = await answer.content.read(limits.REST_BODY_BYTES)
                while not answer.content.at_eof() and len(raw) < limits.REST_BODY_BYTES:
                    raw += await answer.content.read(limits.REST_BODY_BYTES - len(raw))
                if answer.status != 200:  # pragma: no branch: the way out of a 'with' of several lines is not seen
                    raise RestError(f"HTTP {answer.status}: {raw[:80]!r}")
        except ProxyUnusable as error:
            raise RestError(f"{self._where}: {error}") from error
        except ValueError as error:
            # A header or an address that aiohttp does not take; its text may quote the key.
            raise RestError(f"{self._where}: the request cannot be made; is the key whole?") from error
        except socks_errors() as error:
            raise RestError(f"{self._where}: the SOCKS proxy refuses it: {error}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RestError(f"{self._where}: {why_unanswered(error, limits.REST_TIMEOUT_S)}") from error
        return parse_answer(raw)
