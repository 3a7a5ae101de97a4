"""Keys and buttons of a view, by the code of the commands; each waits for its effect and reports the outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from monitor.control import flattening, halting, restarting
from monitor.errors import ActionRefused, SupervisorError
from shared.config import Config

Outcome = tuple[bool, str]


class Doer(Protocol):
    """The actions that a view offers, each run in a thread."""

    def halt(self) -> Outcome: ...
    def resume(self) -> Outcome: ...
    def flatten(self) -> Outcome: ...
    def restart(self, process: str) -> Outcome: ...


class Actions:
    """The actions on one configuration's system, for a view of this name. Call them in a thread."""

    def __init__(self, config: Config, view: str) -> None:
        self._config = config
        self._reason = f"from tradebyte {view}"

    def halt(self) -> Outcome:
        """Pull every order."""
        return _outcome(self._halt)

    def resume(self) -> Outcome:
        """End a halt."""
        return _outcome(self._resume)

    def flatten(self) -> Outcome:
        """Ask the executor to close every position; do not wait for that."""
        return _outcome(self._flatten)

    def restart(self, process: str) -> Outcome:
        """Stop and start one process."""
        return _outcome(lambda: self._restart(process))

    def _halt(self) -> Outcome:
        result = halting.halt(self._config, self._reason)
        return result.open_orders == 0, halting.describe(result)

    def _resume(self) -> Outcome:
        was = halting.resume(self._config)
        return True, "was not halted" if was is None else f"resumed; it was halted {was}"

    def _flatten(self) -> Outcome:
        closing = flattening.request(self._config)
        what = "; ".join(flattening.describe(closing)) or "nothing is to be closed"
        return True, f"flattening, then halting: {what}"

    def _restart(self, process: str) -> Outcome:
        pids = restarting.restart(self._config, restarting.programs_of(self._config, process))
        return True, "; ".join(restarting.describe(pids, keep=False))


def _outcome(act: Callable[[], Outcome]) -> Outcome:
    try:
        return act()
    except (ActionRefused, SupervisorError) as error:
        return False, str(error)
    except OSError as error:
        return False, f"it could not be done: {error}; see that the disk has room and data/ may be written"
