"""Why an HTTP request had no answer, as text for people. It never quotes the address, which may hold a secret."""

from __future__ import annotations

import os
import ssl

import aiohttp


def why_unanswered(error: Exception, timeout_s: float) -> str:
    """Return what went wrong with an aiohttp request; ``timeout_s`` is how long it waited for the answer."""
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its host name is not known here"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot be reached: {_reason(error.os_error)}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "its answer broke off"
    if isinstance(error, aiohttp.ClientResponseError):
        return "its answer is no HTTP"
    if isinstance(error, aiohttp.ClientOSError | ConnectionError):
        return f"the connection broke: {_reason(error)}"
    # The name of the error only: its text may quote the address.
    return f"the request failed ({type(error).__name__})"


def _reason(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLError):  # its number is OpenSSL's, not the system's
        return "it speaks no TLS that is known here"
    # By its number: asyncio puts an address into the text.
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "no connection"
