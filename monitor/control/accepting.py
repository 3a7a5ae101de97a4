"""Accept: take what there is of a held asset as wanted, by a file that the executor reads, like halt."""

from __future__ import annotations

from typing import Final

from monitor.errors import AcceptRefused
from monitor.model.listener import Listener
from monitor.model.view import View
from shared import halt as switch
from shared.config import Config

WANTED: Final = ("account", "heartbeat.executor")
HEARD_S: Final = 2.5
WAIT_S: Final = 5.0


def held(view: View) -> dict[str, str]:
    """Return the assets that are held, each with the reason."""
    rows = view.account.assets if view.account is not None else {}
    return {asset: row.held for asset, row in rows.items() if row.held}


def accept(config: Config, assets: list[str]) -> dict[str, str]:
    """Have the executor take assets as they are (all that are held, when none is named); returns the inventory of each.

    Raises :class:`AcceptRefused`.
    """
    with Listener(config, WANTED) as listener:
        listener.until(lambda view: view.account is not None and "executor" in view.heartbeats, HEARD_S)
        account = listener.view.account
        if "executor" not in listener.view.heartbeats or account is None:
            raise AcceptRefused("the executor is not heard", "start it first ('supervisorctl start executor')")
        for asset in assets:
            if asset not in account.assets:
                known = ", ".join(sorted(account.assets))
                raise AcceptRefused(f"{asset} is no traded base", f"those are {known}")
        chosen = assets or sorted(held(listener.view))
        if not chosen:
            raise AcceptRefused("no asset is held: there is nothing to accept ('tradebyte position' shows all of them)")
        switch.halt(config.accept_file, " ".join(chosen))
        if not listener.until(lambda _view: not switch.is_halted(config.accept_file), WAIT_S):
            raise AcceptRefused(
                f"the executor has not answered within {WAIT_S:.0f} s",
                f"it takes {', '.join(chosen)} as soon as it is reconciled ('tradebyte status')",
            )
        listener.until(lambda view: not set(chosen) & set(held(view)), WAIT_S)
        account = listener.view.account or account
        return {asset: account.assets[asset].inventory for asset in chosen}
