"""``tradebyte flatten``: a wish in a file, like halt; the executor pulls, closes every position, and halts (T11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from monitor import halted
from monitor.commands.common import EXIT_FAILED, ConfigOption, JsonOption, load, print_json, say
from monitor.listen import Listener
from monitor.view import View
from shared import halt as switch
from shared.clock import rfc3339, wall_ns
from shared.config import Config

WAIT_S: Final = 60.0

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def flatten(config: ConfigOption = None, json: JsonOption = False, yes: YesOption = False) -> None:
    """Pulls every order, closes every position down to inventory_base, then halts."""
    found = load(config, acts=True)
    was = halted.text(found)
    if was is not None:
        _refuse(f"halted ({was}): nothing is placed, so nothing can be closed; 'tradebyte resume' first", json)
    with Listener(found, ("account", "heartbeat.executor", "order")) as listener:
        listener.until(lambda view: view.account is not None and "executor" in view.heartbeats, 2.5)
        if "executor" not in listener.view.heartbeats:
            _refuse("the executor is not heard: start it first ('supervisorctl start executor')", json)
        if not json and not yes:
            for symbol, position in _positions(listener.view).items():
                print(f"{symbol}: {position} is to be {'sold' if position > 0 else 'bought'}")
            typer.confirm("Pull every order, close these at the market within the price band, and halt?", abort=True)
        switch.halt(found.flatten_file, f"{rfc3339(wall_ns())} flatten")
        done = listener.until(lambda _view: switch.is_halted(found.halt_file), WAIT_S)
        # The last fill's ledger entries may come just after the halt.
        listener.until(lambda _view: False, 1.2)
        result = _result(found, listener.view, done)
    if json:
        print_json(result)
    elif done:
        print(f"{result['why']}; 'tradebyte resume' ends the halt")
    else:
        say(
            f"tradebyte: not flat after {WAIT_S:.0f} s, and still at it; 'tradebyte position' and 'tradebyte orders' "
            "show how far it is, 'tradebyte halt' stops it"
        )
    if not done:
        raise typer.Exit(EXIT_FAILED)


def _refuse(why: str, json: bool) -> None:
    if json:
        print_json({"flat": False, "error": why})
    say(f"tradebyte: {why}")
    raise typer.Exit(EXIT_FAILED)


def _positions(view: View) -> dict[str, Decimal]:
    """What is to be closed, by pair."""
    told = view.account.positions if view.account is not None else {}
    return {symbol: Decimal(position) for symbol, position in told.items() if Decimal(position)}


def _result(config: Config, view: View, done: bool) -> dict[str, Any]:
    left = {symbol: format(position, "f") for symbol, position in _positions(view).items()}
    return {
        "flat": done,
        "halted": switch.is_halted(config.halt_file),
        "positions": left,
        "open_orders": view.open_orders if view.orders_known else None,
        "why": halted.text(config) or "",
    }
