"""Kraken's error texts: their meaning for the sender of a request, and what a person can do (KRAKEN.md 3.5)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Meaning(Enum):
    """The meaning of an error for the sender of the request."""

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
    ("EService:Timeout", Meaning.BUSY),
    ("EService: Throttled", Meaning.BUSY),
    ("EGeneral:Internal error", Meaning.BUSY),
    ("EDatabase:", Meaning.BUSY),
)


def meaning(error: str) -> Meaning:
    """Return the meaning of one error text; a text that is not in the table rejects this request."""
    for prefix, kind in _PREFIXES:
        if error.startswith(prefix):
            return kind
    return Meaning.REFUSED


def is_post_only(text: str) -> bool:
    """True if an error's text or a report's reason says that a post-only order or amend would have taken."""
    return "Post only" in text


def is_by_switch(reason: str) -> bool:
    """True if a cancelled order's reason says that the dead man's switch pulled it."""
    return "CancelAllOrdersAfter" in reason


def is_lockout(error: str) -> bool:
    """True if Kraken rejects every call of this key for a while."""
    return error.startswith("EGeneral:Temporary lockout")


# Kraken also returns these for requests that it carried out: the outcome is unknown until reconciled.
_UNCERTAIN = ("EService:Unavailable", "EService:Busy", "EService:Timeout", "EGeneral:Internal error", "EDatabase:")


def is_certain(error: str) -> bool:
    """True if this error proves that the request was not carried out."""
    return not error.startswith(_UNCERTAIN)


_PERMISSION = (
    "the key is valid but may not do this: at Kraken give it the rights to query funds, query orders and trades, "
    "create and modify orders, cancel orders, and use WebSockets (never to withdraw)"
)
_SLOW_DOWN = "too many requests from this key or address: it decays by itself; see that nothing else uses this key"
_LATER = "the exchange is busy or in maintenance: wait, it is tried again"
_MENDS = (
    (
        "EAPI:Invalid key",
        "Kraken does not know this API key: it is mistyped, deleted or expired; set kraken.api_key and "
        "kraken.api_secret to a key that Kraken lists as active",
    ),
    (
        "EAPI:Invalid signature",
        "the API secret does not belong to this key: copy kraken.api_secret again, whole, or create a new key",
    ),
    (
        "EAPI:Invalid nonce",
        "Kraken has seen a higher nonce for this key: another program or a newer executor uses it (give each program a "
        "key of its own), or this machine's clock was set back (set it right, or create a new key)",
    ),
    ("EGeneral:Permission denied", _PERMISSION),
    ("EAccount:Invalid permissions", "this account may not trade that pair: choose other trading.pairs, or ask Kraken"),
    ("EGeneral:Temporary lockout", "too many calls with a wrong key: mend the key, then wait 15 minutes"),
    ("EAuth:Account temporary disabled", "the account is disabled for now: log in at Kraken and see why"),
    ("EAuth:Account unconfirmed", "the account is not confirmed: confirm it at Kraken"),
    ("ESession:Invalid session", "the WebSocket token has expired: a new one is fetched with the next connection"),
    ("EAPI:Rate limit exceeded", _SLOW_DOWN),
    ("EAuth:", _SLOW_DOWN),
    ("EGeneral:Too many requests", _SLOW_DOWN),
    ("Exceeded msg rate", _SLOW_DOWN),
    (
        "EOrder:Rate limit exceeded",
        "the pair's order counter is full: it decays by itself; fewer levels or a larger tolerance_bps cost less, and "
        "trading.tier must be the account's own",
    ),
    ("EOrder:Domain rate limit exceeded", "the order counter of master and sub-accounts together is full: trade less"),
    ("EOrder:Insufficient funds", "the balance does not cover the order: deposit, or lower size or levels"),
    ("EOrder:Order minimum not met", "the quantity is below Kraken's minimum for the pair: raise size"),
    ("EOrder:Cost minimum not met", "the value is below Kraken's minimum for the pair: raise size"),
    ("EOrder:Orders limit exceeded", "too many open orders on the pair: lower levels, or cancel others"),
    ("EOrder:Post only", "the price would have traded at once: it is tried again when the touch has moved"),
    ("Post only", "the price would have traded at once: it is tried again when the touch has moved"),
    (
        "EOrder:Tick size check failed",
        "the price is off the pair's tick: instrument data is renewed",
    ),
    ("EOrder:Invalid price", "the price has too many decimals for the pair: instrument data is renewed"),
    ("EService:Market in", "the pair is not online: quotes are pulled until it is; nothing to mend here"),
    ("EService:Deadline elapsed", "the order came too late to be placed, by our own deadline: look at the connection"),
    ("EService: Throttled", _SLOW_DOWN),
    ("EService:", _LATER),
    ("EGeneral:Internal error", _LATER),
    ("EDatabase:", _LATER),
    ("EQuery:Unknown asset pair", "Kraken does not know this pair: mend trading.pairs (such as BTC/USD)"),
    ("EGeneral:Unknown method", "Kraken does not offer this call"),
    ("EGeneral:Invalid arguments", "Kraken did not understand the request: please report it with the log"),
)


def mend(error: str) -> str:
    """Return what a person can do about one error text; empty if there is nothing to add."""
    for prefix, text in _MENDS:
        if error.startswith(prefix):
            return text
    return ""


def explained(errors: Iterable[str]) -> str:
    """Return error texts, each followed by its mend."""
    return "; ".join(f"{error} ({advice})" if (advice := mend(error)) else error for error in errors)
