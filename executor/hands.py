"""The executor's hands: what the dispatcher needs of a real process, its private connection and its files."""

from __future__ import annotations

from executor.effects import RestCall
from executor.exchange.connection import Private
from executor.halt_switch import HaltSwitch
from shared import halt
from shared.clock import boot_ns
from shared.errors import Held
from shared.process import effects
from shared.process.loop import Process


class ProcessHands:
    """The :class:`executor.dispatch.Hands` of a real process."""

    def __init__(self, process: Process, private: Private, switch: HaltSwitch) -> None:
        self._process, self._private, self._switch = process, private, switch

    def now(self) -> int:
        """Return ns of CLOCK_BOOTTIME."""
        return boot_ns()

    def send(self, text: str) -> bool:
        """Hand a frame to the socket."""
        return self._private.socket.send(text)

    def call(self, call: RestCall) -> None:
        """Start a REST call."""
        self._private.start(call)

    def is_halted(self) -> bool:
        """True while the halt file is there, or should be."""
        return self._switch.is_on()

    def halt(self, halt: halt.Halt) -> None:
        """Turn the halt switch on."""
        self._switch.turn_on(halt)

    def end_flatten(self) -> None:
        """Remove the flatten file."""
        halt.resume(self._process.config.flatten_file)

    def dispatch(self, common: effects.Effects) -> None:
        """Publish messages and write lines to the log."""
        self._process.dispatch(common)

    def reconnect(self, why: str) -> None:
        """Drop the connection; the socket makes a new one."""
        self._private.socket.close(why)

    def end(self, newer_writer: str) -> None:
        """End the process with the exit code of a lock that is held."""
        self._process.alert("critical", "newer-writer", newer_writer)
        self._process.held(Held(f"{newer_writer}; stop that one first"))
