"""Talking to supervisord: XML-RPC over its Unix socket, each call with a time limit."""

from __future__ import annotations

import http.client
import socket
import time
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar
from xml.parsers.expat import ExpatError

import msgspec

from monitor.errors import SupervisorAbsent, SupervisorRefused, SupervisorTooSlow
from shared.config import Config

T = TypeVar("T")
CALL_TIMEOUT_S: Final = 3.0
# supervisord's fault codes (supervisor/xmlrpc.py) for what is the wanted state already.
NOT_RUNNING, ALREADY_STARTED, BAD_NAME = 70, 60, 10


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class ProgramInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A program as supervisord says; ``pid`` is 0 when it does not run, ``exitstatus`` that of its last end."""

    name: str
    statename: str
    pid: int
    exitstatus: int = 0


class Supervisor:
    """One supervisord, with a connection for each call: it may have been restarted by the next."""

    def __init__(self, path: Path, timeout_s: float = CALL_TIMEOUT_S) -> None:
        self.path = path
        self._timeout_s = timeout_s

    def call(self, method: str, *arguments: str | bool) -> object:
        """Return the answer to one XML-RPC call, such as ``call("supervisor.getState")``.

        Raises :class:`SupervisorAbsent` or :class:`SupervisorRefused`.
        """
        connection = _Connection(str(self.path), self._timeout_s)
        try:
            body = xmlrpc.client.dumps(arguments, method).encode()
            connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
            answer = connection.getresponse().read()
            ((result,), _) = xmlrpc.client.loads(answer)
        except xmlrpc.client.Fault as fault:
            raise SupervisorRefused(fault.faultCode, f"supervisord refused {method}: {fault.faultString}") from None
        except (OSError, http.client.HTTPException, ValueError, ExpatError) as error:
            mend = "start it with 'make run', or as a daemon with '.venv/bin/supervisord -c supervisord.conf'"
            raise SupervisorAbsent(f"supervisord does not answer on {self.path} ({error})", mend) from None
        finally:
            connection.close()
        return result

    def wake(self) -> None:
        """Make supervisord look for ended children now instead of at its next poll."""
        self.call("supervisor.getState")

    def info(self, program: str) -> ProgramInfo:
        """Return what supervisord says of a program."""
        return self._read(self.call("supervisor.getProcessInfo", program), ProgramInfo)

    def every(self) -> list[ProgramInfo]:
        """Return the same of every program."""
        return self._read(self.call("supervisor.getAllProcessInfo"), list[ProgramInfo])

    def _read(self, answer: object, kind: type[T]) -> T:
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError:
            raise SupervisorAbsent(f"supervisord's answer on {self.path} cannot be read: {answer!r}") from None

    def stop(self, program: str) -> None:
        """Ask for a stop and return at once; one that is stopped already is fine."""
        self._unless(NOT_RUNNING, lambda: self.call("supervisor.stopProcess", program, False))

    def start(self, program: str) -> None:
        """Ask for a start and return at once; one that runs already is fine."""
        self._unless(ALREADY_STARTED, lambda: self.call("supervisor.startProcess", program, False))

    def hangup(self, program: str) -> None:
        """Send SIGHUP: an executor leaves its orders to its successor."""
        self._unless(NOT_RUNNING, lambda: self.call("supervisor.signalProcess", program, "HUP"))

    @staticmethod
    def _unless(code: int, act: Callable[[], object]) -> None:
        try:
            act()
        except SupervisorRefused as refused:
            if refused.code != code:
                raise


def supervisord_of(config: Config) -> Supervisor:
    """Return the supervisord of a configuration."""
    return Supervisor(config.root / config.monitor.supervisor)


def program_of(config: Config, process: str) -> str:
    """Return supervisord's name of a process: the first strategy is the program ``strategy``."""
    return "strategy" if process == config.strategy_processes[0] else process


STOPPED = frozenset({"STOPPED", "EXITED", "FATAL", "UNKNOWN"})
POLL_S: Final = 0.05
# Above the longest stopwaitsecs in supervisord.conf (the executor's 10 s), after which supervisord kills.
STOP_S: Final = 15.0
START_S: Final = 5.0


def _wait(what: str, seconds: float, done: Callable[[], bool]) -> None:
    """Poll until done; each poll wakes supervisord, which would notice by itself only once a second."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise SupervisorTooSlow(f"{what} within {seconds:.0f} s", "see logs/supervisord.log")
        time.sleep(POLL_S)


def stop(supervisor: Supervisor, program: str) -> None:
    """Stop a program and wait until it has ended."""
    supervisor.stop(program)
    _wait(f"{program} did not stop", STOP_S, lambda: supervisor.info(program).statename in STOPPED)


def start(supervisor: Supervisor, program: str) -> int:
    """Start a program, wait until it runs, and return its pid."""
    supervisor.start(program)
    _wait(f"{program} did not start", START_S, lambda: supervisor.info(program).statename == "RUNNING")
    return supervisor.info(program).pid


def restart(supervisor: Supervisor, program: str) -> None:
    """Stop and start a program."""
    stop(supervisor, program)
    start(supervisor, program)


def hand_over(supervisor: Supervisor, program: str) -> int:
    """End a program by SIGHUP, so that it keeps its orders, and start it; return its pid."""
    before = supervisor.info(program).pid
    supervisor.hangup(program)
    _wait(f"{program} did not end", STOP_S, lambda: supervisor.info(program).pid != before)
    return start(supervisor, program)
