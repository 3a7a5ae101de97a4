"""``tradebyte doctor --go-live``: a person's consent to trade real money with this key, once per key."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Annotated, Any, Final

import typer

from monitor.commands.common import EXIT_CONFIG, ConfigOption, JsonOption, fail, load, print_json
from shared.clock import rfc3339, wall_ns
from shared.config import Config, consent_file
from shared.kraken.rest import Rest, RestError, RestRefused
from shared.kraken.signing import SecretError
from shared.process import tradebyte_version

WORD: Final = "live"


def doctor(
    config: ConfigOption = None,
    json: JsonOption = False,
    go_live: Annotated[bool, typer.Option("--go-live", help="Consent to trade real money with this key.")] = False,
) -> None:
    """Shows limits, key and what the dead man's switch pulls; with --go-live asks for consent."""
    found = load(config, acts=go_live)
    facts = gathered(found)
    if json:
        print_json(facts)
        if go_live:
            fail("consent is a person's word: run 'tradebyte doctor --go-live' without --json on a terminal")
        return
    _show(facts)
    if go_live:
        _consent(found, facts)


def gathered(config: Config) -> dict[str, Any]:
    """What a person should know; of the key only its last four characters."""
    kraken, trading = config.kraken, config.trading
    return {
        "sandbox": kraken.sandbox,
        "key_ends_in": kraken.api_key[-4:],
        "halt_key_set": bool(kraken.halt_key and kraken.halt_secret),
        "rest_url": kraken.rest_url,
        "pairs": trading.pairs,
        "limits": {
            name: str(getattr(trading, name))
            for name in (
                "max_position_size",
                "max_order_size",
                "max_gross_position",
                "max_daily_loss",
                "max_open_orders",
                "price_band_percent",
            )
        },
        "inventory_base": {asset: str(amount) for asset, amount in (trading.inventory_base or {}).items()},
        "consented": kraken.sandbox or consent_file(config).is_file(),
        "switch": "when the executor dies, Kraken pulls EVERY order on the account after 15 s, also those not ours",
    }


def _show(facts: dict[str, Any]) -> None:
    print(f"mode             {'sandbox' if facts['sandbox'] else 'LIVE, real money'} ({facts['rest_url']})")
    print(f"key              ends in {facts['key_ends_in']}; consent given: {'yes' if facts['consented'] else 'no'}")
    print(f"halt key         {'set' if facts['halt_key_set'] else 'not set: halt then relies on the executor alone'}")
    print(f"pairs            {', '.join(facts['pairs'])}")
    for name, value in facts["limits"].items():
        print(f"{name:<20} {value}")
    kept = ", ".join(f"{amount} {asset}" for asset, amount in facts["inventory_base"].items())
    print(f"kept (inventory_base): {kept or 'nothing'}")
    print(f"dead man's switch: {facts['switch']}")


def _consent(config: Config, facts: dict[str, Any]) -> None:
    if facts["sandbox"]:
        fail("kraken.sandbox is true: there is nothing to consent to; set it to false, with your own keys", EXIT_CONFIG)
    if facts["consented"]:
        print("consent for this key was given already")
        return
    rights = permissions(config)
    print(f"this key may: {', '.join(rights)}")
    if any("withdraw" in right.lower() for right in rights):
        fail("this key may withdraw money, which nothing here needs: take that right from it at Kraken, then come back")
    if not sys.stdin.isatty():
        fail("consent is a person's word: run it on a terminal")
    answer = input(f"Type '{WORD}' to let TradeByte trade real money with this key: ")
    if answer.strip() != WORD:
        fail("nothing changed")
    file = consent_file(config)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(f"{rfc3339(wall_ns())} key ending in {facts['key_ends_in']}\n")
        opened.flush()
        os.fsync(opened.fileno())
    print("consent given for this key; start the executor")


def permissions(config: Config) -> list[str]:
    """What the key may do, asked from Kraken; ends the command where Kraken does not tell."""
    try:
        info = asyncio.run(_key_info(config))
    except (RestError, RestRefused, SecretError) as error:
        fail(f"Kraken did not say what this key may do ({error}); without that there is no going live")
    found = info.get("permissions") if isinstance(info, dict) else None
    if not isinstance(found, list) or not found:
        fail(f"Kraken's answer does not list what this key may do ({str(info)[:80]}); without that no going live")
    return [str(right) for right in found]


async def _key_info(config: Config) -> Any:
    kraken = config.kraken
    rest = Rest(kraken.rest_url, kraken.api_key, kraken.api_secret, f"TradeByte/{tradebyte_version()}")
    try:
        # A nonce above the executor's would end it; without consent none runs with this key yet.
        return await rest.private("GetApiKeyInfo", {}, wall_ns())
    finally:
        await rest.close()
