"""The secret values of a configuration, and a mask that keeps them out of logs and messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from shared.config.schema import Config

HIDDEN: Final = "***"
# A shorter text is no key, and hiding it would garble every line.
SHORTEST: Final = 6
# A shorter part of an address is a word, such as sendMessage.
SECRET_PART: Final = 16


def secrets_of(config: Config) -> list[str]:
    """Return every key and secret, longest first."""
    kraken = config.kraken
    secrets = {kraken.api_key, kraken.api_secret, kraken.halt_key, kraken.halt_secret}
    secrets |= {kraken.data_key, kraken.data_secret}
    for account in config.simulator.accounts:
        secrets |= {text for key in account.keys for text in (key.api_key, key.api_secret)}
    if config.curve is not None:
        secrets.add(config.curve.secret_key)
    for webhook in config.monitor.webhooks:
        secrets |= _of_address(webhook.url)
    return sorted((text for text in secrets if len(text) >= SHORTEST), key=len, reverse=True)


def _of_address(url: str) -> set[str]:
    """Return an address that may hold a secret, and each of its parts that an error may quote by itself."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    pieces = {piece for piece in re.split(r"[/?&=]", path) if len(piece) >= SECRET_PART}
    return {url, parts.password or "", *pieces, *({path} if len(path) >= SECRET_PART else ())}


class Mask:
    """Hides secrets in text, also in text that ``repr`` has quoted."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in (secret, repr(secret)[1:-1])}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text with every secret hidden."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        return text
