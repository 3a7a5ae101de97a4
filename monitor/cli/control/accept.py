"""``tradebyte accept``."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.common import EXIT_FAILED, ConfigOption, JsonOption, load, print_json, say, switching
from monitor.control import accepting
from monitor.errors import AcceptRefused

AssetsArgument = Annotated[list[str] | None, typer.Argument(help="Traded bases, such as BTC; all that are held.")]


def accept(assets: AssetsArgument = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Take what there is of an asset as wanted, and quote it again.

    An asset is held when a deposit, a transfer or a trade by hand took it beyond max_position_size, or when it stood
    far beyond it at a start. What is accepted is kept like inventory_base: flatten does not sell it.
    """
    settings = load(config, required=True)
    try:
        with switching("accepting"):
            inventory = accepting.accept(settings, [asset.upper() for asset in assets or []])
    except AcceptRefused as problem:
        if json:
            print_json({"accepted": False, "error": str(problem)})
        say(f"tradebyte: {problem}")
        raise typer.Exit(EXIT_FAILED) from None
    if json:
        print_json({"accepted": True, "inventory": inventory})
        return
    for asset, amount in inventory.items():
        print(f"{asset}: {amount} is kept from now on, and {asset} is quoted again; write it to inventory_base")
