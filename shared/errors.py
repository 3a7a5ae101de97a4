"""Errors of what the processes share.

The text of each says what is wrong and what to do; code decides by the class::

    SharedError
    +-- ConfigError               the configuration cannot be used
    +-- YamlProblem               a text cannot be read as a configuration's YAML
    +-- UnknownName               no pair and no strategy has that name
    +-- Held                      another process holds what this one needs
    +-- BusAddressInUse           another socket is bound to this process's endpoint
    +-- ProxyUnusable             the environment names a proxy that cannot be used
    +-- PrecisionError            a number does not fit a precision (a ValueError)
    +-- KrakenError               something is wrong between Kraken and us
        +-- FrameError            a frame that is not what Kraken's WebSocket sends (a ValueError)
        +-- CaptureError          a file of frames cannot be read
        +-- SecretError           an API secret is not base64 (a ValueError)
        +-- RestError             a REST answer cannot be used: the call may or may not have been carried out
        +-- RestRefused           Kraken answered with ``errors``

The book has its own errors, which the Rust module and its twin both raise (``book/frames.py``).
"""

from __future__ import annotations

from shared.kraken.errors import explained


class SharedError(Exception):
    """The root of this tree."""


class ConfigError(SharedError):
    """The configuration cannot be used; the text names file, line, key and mend."""


class YamlProblem(SharedError):
    """The text cannot be used; ``line`` counts from 1, ``key`` is empty if the text is no YAML at all."""

    def __init__(self, line: int, key: str, text: str) -> None:
        super().__init__(text)
        self.line, self.key = line, key


class UnknownName(SharedError):
    """No pair and no strategy has that name; the text lists those that exist."""


class Held(SharedError):
    """Another process holds what this one needs; the text says which and by whom."""


class BusAddressInUse(SharedError):
    """Another socket is bound to this process's TCP endpoint; the text names the endpoint."""


class ProxyUnusable(SharedError):
    """The environment names a proxy that cannot be used as it is; the text says what to do."""


class PrecisionError(SharedError, ValueError):
    """A number has more decimals than its precision allows, or is no finite number."""


class KrakenError(SharedError):
    """Something is wrong between Kraken and us."""


class FrameError(KrakenError, ValueError):
    """A frame that is not what WebSocket v1 or v2 sends."""


class CaptureError(KrakenError):
    """The file cannot be read as a capture; the text says why, without the file's name."""


class SecretError(KrakenError, ValueError):
    """The API secret is not base64; the text never contains it."""


class RestError(KrakenError):
    """The answer cannot be used: the call may or may not have been carried out."""


class RestRefused(KrakenError):
    """Kraken answered with errors; ``errors`` are its texts, the exception's own text says what to do about each."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(explained(errors))
        self.errors = errors
