"""``tradebyte config show``: the configuration in force, defaults and environment included, secrets hidden."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec
import typer
import yaml

from monitor.cli.common import ConfigOption, JsonOption, load, print_json
from monitor.cli.examples import epilog
from shared.config import Config
from shared.config.schema import NOT_FROM_THE_FILE
from shared.config.secret import HIDDEN

SECRETS: Final = ("api_secret", "halt_secret", "data_secret", "secret_key")
KEYS: Final = ("api_key", "halt_key", "data_key")

config = typer.Typer(
    help="The configuration in force.", no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]}
)


@config.callback()
def config_group() -> None:
    """Show the configuration in force."""


@config.command(epilog=epilog("config"))
def show(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Print every key with its value in force; of keys only the last four characters, of secrets nothing."""
    settings = load(config)
    tree = in_force(settings)
    if json:
        print_json({"source": str(settings.source) if settings.source else None, **tree})
        return
    print(f"# in force: {settings.source or 'the built-in defaults'}; relative paths count from {settings.root}")
    print(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), end="")


# Any: the values of every section's fields, as msgspec makes them; they are only printed.
def in_force(settings: Config) -> dict[str, Any]:
    """Return the configuration as a tree of plain values."""
    tree = msgspec.to_builtins(settings, builtin_types=(Decimal,), enc_hook=str)
    return {key: _plain(value, key) for key, value in tree.items() if key not in NOT_FROM_THE_FILE}


def _plain(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner, name) for name, inner in value.items()}
    if key == "webhooks":
        return [{**_plain(webhook, ""), "url": HIDDEN} for webhook in value]
    if isinstance(value, list | tuple):
        return [_plain(inner, "") for inner in value]
    if key in SECRETS and value:
        return HIDDEN
    if key in KEYS and value:
        return f"{HIDDEN}{str(value)[-4:]}"
    return format(value, "f") if isinstance(value, Decimal) else value
