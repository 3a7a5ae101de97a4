"""The errors of this package, and Kraken's texts for refusals (KRAKEN.md 1.4 and 3.5).

- ``SimulatorError``: whatever this package raises on purpose

  - ``KrakenError``: a request is refused; its text is what the client gets, word for word
  - ``EngineError``: an order or a call that the matching engine cannot take
  - ``FaultError``: a fault that makes no sense here
  - ``StartError``: a simulator that a test started did not come up
  - ``InputError``: the command line, or a file that it names, is wrong

    - ``OptionError``: an argument of the command line
    - ``CertificateError``: a certificate that cannot be made or read
    - ``TableError``: a file of pairs
    - ``RecordingError``: a recording that cannot be read
    - ``FitError``: a recording that is no ground for a style

Texts that are no JSON, number or time raise ValueError, as the standard library does (``wire``).
"""

from __future__ import annotations


class SimulatorError(Exception):
    """The root of the tree above."""


class KrakenError(SimulatorError):
    """A request is refused; ``str()`` is the text that the client gets, word for word."""


class EngineError(SimulatorError, ValueError):
    """An order or a call that the engine cannot take; nothing has changed.

    A ValueError, as the Rust engine's error of this name is.
    """


class FaultError(SimulatorError):
    """A fault that makes no sense here; ``str()`` says what is wrong with it."""


class StartError(SimulatorError, RuntimeError):
    """A simulator that a test started did not come up; ``str()`` has the end of its log."""


class InputError(SimulatorError):
    """The command line, or a file that it names, is wrong; ``str()`` says how."""


class OptionError(InputError):
    """An argument of the command line is wrong."""


class CertificateError(InputError):
    """No certificate could be made or read."""


class TableError(InputError):
    """A file of pairs is wrong; ``str()`` names the entry."""


class RecordingError(InputError):
    """A recording cannot be read; ``str()`` says why, without the file's name."""


class FitError(InputError):
    """A recording is no ground for a style."""


INVALID_KEY = "EAPI:Invalid key"
INVALID_SIGNATURE = "EAPI:Invalid signature"
INVALID_NONCE = "EAPI:Invalid nonce"
API_RATE_LIMIT = "EAPI:Rate limit exceeded"
INVALID_SESSION = "ESession:Invalid session"
TOKEN_NOT_FOUND = "Token(s) not found"
PERMISSION_DENIED = "EGeneral:Permission denied"
UNKNOWN_METHOD = "EGeneral:Unknown method"
INTERNAL_ERROR = "EGeneral:Internal error"
INVALID_ARGUMENTS = "EGeneral:Invalid arguments"
INSUFFICIENT_FUNDS = "EOrder:Insufficient funds"
ORDER_MINIMUM = "EOrder:Order minimum not met"
COST_MINIMUM = "EOrder:Cost minimum not met"
TICK_SIZE = "EOrder:Tick size check failed"
INVALID_PRICE = "EOrder:Invalid price"
INVALID_ORDER = "EOrder:Invalid order"
INDEX_UNAVAILABLE = "EGeneral:Invalid arguments:Index unavailable"
UNKNOWN_ORDER = "EOrder:Unknown order"
ORDER_RATE_LIMIT = "EOrder:Rate limit exceeded"
ORDERS_LIMIT = "EOrder:Orders limit exceeded"
POST_ONLY = "EOrder:Post only order"
UNKNOWN_PAIR = "EQuery:Unknown asset pair"
UNKNOWN_ASSET = "EQuery:Unknown asset"
DEADLINE_ELAPSED = "EService:Deadline elapsed"
UNAVAILABLE = "EService:Unavailable"
CANCEL_ONLY = "EService:Market in cancel_only mode"
POST_ONLY_MODE = "EService:Market in post_only mode"
LIMIT_ONLY_MODE = "EService:Market in limit_only mode"
REDUCE_ONLY = "EOrder:Reduce only:No position exists"
REDUCE_ONLY_SPOT = "EOrder:Reduce only:Non-PC"
POSITION_SIZE = "EOrder:Margin position size exceeded"
INSUFFICIENT_MARGIN = "EOrder:Insufficient margin"
UNKNOWN_POSITION = "EOrder:Unknown position"
FUNDING_ASSET = "EFunding:Unknown asset"
FUNDING_METHOD = "EFunding:No funding method"
FUNDING_KEY = "EFunding:Unknown withdraw key"
FUNDING_AMOUNT = "EFunding:Invalid amount"
FUNDING_FUNDS = "EFunding:Insufficient funds"

PRIVATE_ON_PUBLIC = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
PUBLIC_ON_PRIVATE = "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com"
DEPTH_NOT_SUPPORTED = "Subscription depth not supported"
INTERVAL_NOT_SUPPORTED = "Subscription ohlc interval not supported"
UNSUPPORTED_EVENT = "Unsupported event"
MALFORMED = "Malformed request"
CHANNEL_INVALID = "Subscription name invalid"
ALREADY_SUBSCRIBED = "Already subscribed"
NOT_SUBSCRIBED = "Subscription Not Found"
MESSAGE_RATE = "Exceeded msg rate"


def invalid(name: str) -> KrakenError:
    """Return the refusal of an argument, which names it."""
    return KrakenError(f"{INVALID_ARGUMENTS}:{name}")


def unsupported_pair(symbol: str) -> str:
    """Return the refusal of a symbol that this exchange does not list (KRAKEN.md 1.4)."""
    if "/" not in symbol:
        return f"Currency pair not in ISO 4217-A3 format {symbol}"
    return f"Currency pair not supported {symbol}"


def unsupported_field(name: str, method: str) -> str:
    """Return the refusal of a member that the message type does not have."""
    return f"Unsupported field: '{name}' for the given msg type: {method}"


def price_decimals(wsname: str, decimals: int) -> KrakenError:
    """Return the refusal of a price with too many decimals; Kraken names the pair as version 1 does (KRAKEN.md 4.5)."""
    return KrakenError(f"{INVALID_PRICE}:{wsname} price can only be specified up to {decimals} decimals.")
