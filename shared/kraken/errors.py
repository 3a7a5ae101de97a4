"""What Kraken's error texts mean for who sent the request (KRAKEN.md 3.5)."""

from __future__ import annotations

from enum import Enum


class Meaning(Enum):
    """What follows from an error."""

    REFUSED = "refused"  # this request was never carried out
    NEWER_WRITER = "newer writer"  # another process uses this key with higher nonces
    SESSION = "session"  # the WebSocket token is not valid (any more)
    RATE = "rate"  # too many requests
    CREDENTIALS = "credentials"  # the key is wrong, expired, or may not do this
    BUSY = "busy"  # the service is unavailable for now
    UNKNOWN_ORDER = "unknown order"  # no such open order


_PREFIXES = (
    ("EAPI:Invalid nonce", Meaning.NEWER_WRITER),
    ("ESession:Invalid session", Meaning.SESSION),
    ("Token(s) not found", Meaning.SESSION),
    ("EAPI:Rate limit exceeded", Meaning.RATE),
    ("EOrder:Rate limit exceeded", Meaning.RATE),
    ("EOrder:Domain rate limit exceeded", Meaning.RATE),
    ("EAuth:Rate limit exceeded", Meaning.RATE),
    ("EAuth:Too many requests", Meaning.RATE),
    ("EGeneral:Too many requests", Meaning.RATE),
    ("Exceeded msg rate", Meaning.RATE),
    ("EAPI:Invalid key", Meaning.CREDENTIALS),
    ("EAPI:Invalid signature", Meaning.CREDENTIALS),
    ("EGeneral:Permission denied", Meaning.CREDENTIALS),
    ("EGeneral:Temporary lockout", Meaning.CREDENTIALS),
    ("EAccount:Invalid permissions", Meaning.CREDENTIALS),
    ("EAuth:", Meaning.CREDENTIALS),
    ("EOrder:Unknown order", Meaning.UNKNOWN_ORDER),
    ("EService:Unavailable", Meaning.BUSY),
    ("EService:Busy", Meaning.BUSY),
    ("EService: Throttled", Meaning.BUSY),
    ("EGeneral:Internal error", Meaning.BUSY),
    ("EDatabase:Internal error", Meaning.BUSY),
)


def meaning(error: str) -> Meaning:
    """The meaning of one error text; a text not in the table names this request and refuses it."""
    for prefix, found in _PREFIXES:
        if error.startswith(prefix):
            return found
    return Meaning.REFUSED


# An internal error may come after the work was done: the outcome is unknown until reconciled.
def is_certain(error: str) -> bool:
    """Does this error prove that the request was not carried out."""
    return not error.startswith(("EGeneral:Internal error", "EDatabase:Internal error", "EService:Busy"))
