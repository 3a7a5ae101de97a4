"""Checks of keys and secrets: each is whole, and meant for this exchange. No error text quotes one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from shared.config.sandbox import SANDBOX_DATA_KEY, SANDBOX_KEYS, VISITOR_KEYS
from shared.config.schema import Config

Wrong = Callable[[str, str], Exception]
NAMES: Final = ("api_key", "api_secret", "halt_key", "halt_secret", "data_key", "data_secret")
OPTIONAL: Final = ("halt", "data")
PARTS: Final = (("key", "secret"), ("secret", "key"))
# Printable, without spaces, quotes and characters that are special to a shell. Doctor checks that secrets are base64.
KEY: Final = re.compile(r"[!#%&(-\[\]-_a-~]*")
SHIPPED: Final = frozenset(text for pair in (*SANDBOX_KEYS, SANDBOX_DATA_KEY, *VISITOR_KEYS) for text in pair)


def check_keys(config: Config, wrong: Wrong) -> None:
    """Raise ``wrong(key, text)`` for a credential that cannot work."""
    kraken = config.kraken
    for name in NAMES:
        _check_text(f"kraken.{name}", getattr(kraken, name), wrong)
    for number, account in enumerate(config.simulator.accounts):
        for index, key in enumerate(account.keys):
            for name in ("api_key", "api_secret"):
                _check_text(f"simulator.accounts[{number}].keys[{index}].{name}", getattr(key, name), wrong)
    for name, other in [(f"{use}_{one}", f"{use}_{two}") for use in OPTIONAL for one, two in PARTS]:
        if getattr(kraken, name) and not getattr(kraken, other):
            raise wrong(f"kraken.{name}", f"is set, but {other} is not; set both, or neither")
    if kraken.halt_key and kraken.halt_key == kraken.api_key:
        text = "is api_key too: its nonces would shut the executor out; make a second key that may only cancel"
        raise wrong("kraken.halt_key", text)
    for name in ("api_key", "halt_key"):
        if kraken.data_key and kraken.data_key == getattr(kraken, name):
            text = f"is {name} too: the nonces of one would shut the other out; make a key that may only use WebSockets"
            raise wrong("kraken.data_key", text)
    if kraken.sandbox:
        return
    mend = "create a key at Kraken, set it here or by ${NAME}"
    for name in ("api_key", "api_secret"):
        value = getattr(kraken, name)
        if not value or value in SHIPPED:
            raise wrong(f"kraken.{name}", f"sandbox is false but this is no Kraken credential; {mend}")
    for name in ("halt_key", "halt_secret"):
        if getattr(kraken, name) in SHIPPED:
            text = (
                "sandbox is false but this is the sandbox's: 'tradebyte halt' could cancel nothing with it; create "
                'a key at Kraken that may only cancel, or set it to "" to go without'
            )
            raise wrong(f"kraken.{name}", text)
    for name in ("data_key", "data_secret"):
        if getattr(kraken, name) in SHIPPED:
            text = "sandbox is false but this is the sandbox's; create a key at Kraken, or leave it out"
            raise wrong(f"kraken.{name}", text)


def fill_data_key(config: Config) -> None:
    """Use the sandbox's key for single orders where the file names none and the simulator knows it."""
    kraken = config.kraken
    known = {(key.api_key, key.api_secret) for account in config.simulator.accounts for key in account.keys}
    if kraken.sandbox and not kraken.data_key and not kraken.data_secret and SANDBOX_DATA_KEY in known:
        key, secret = SANDBOX_DATA_KEY
        config.kraken = msgspec.structs.replace(kraken, data_key=key, data_secret=secret)


def _check_text(key: str, text: str, wrong: Wrong) -> None:
    if KEY.fullmatch(text):
        return
    if text.startswith("$"):
        why = "begins with '$': an environment variable is written ${NAME}, in braces"
    elif text.endswith(("\r", "\n")):
        why = "ends in a line break, as from a file with Windows line ends; remove it where the variable is set"
    elif text[:1] in "\"'" or text[-1:] in "\"'":
        why = "has quotes in it, as from a file that keeps them; remove them where the variable is set"
    elif re.search(r"\s", text):
        why = "has a space or line break in it; copy it again, whole"
    else:
        why = "has a character that no key of Kraken's has; copy it again, whole"
    raise wrong(key, why)
