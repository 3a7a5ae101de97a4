"""Errors of the monitor's rooms.

Each says ``why`` something was not done and, where there is one, the ``mend``; its text is both. Code decides by the
class, people read the text::

    MonitorError
    +-- ActionRefused             an action of a person that is not done
    |   +-- FlattenRefused        nothing can be closed now
    |   +-- AcceptRefused         an asset cannot be accepted now
    |   +-- RestartRefused        there is nothing of that name to restart so
    +-- CancelFailed              Kraken has not said that it cancelled
    +-- SupervisorError           supervisord does not do what it is asked
    |   +-- SupervisorAbsent      it does not answer
    |   +-- SupervisorRefused     it answers that it will not; ``code`` is its fault code
    |   +-- SupervisorTooSlow     a program did not stop or start in time
    |       +-- EndedAgain        a program ended right after its start
    +-- Problem                   a request to the API that is not answered; ``code`` is the HTTP status
    +-- Inexpressible             a change that no JSON merge patch can say
    +-- PageEnded                 a person or a supervisor ends the web page
"""

from __future__ import annotations


class MonitorError(Exception):
    """Something was not done: why, and what to do."""

    def __init__(self, why: str = "", mend: str = "") -> None:
        super().__init__(f"{why}; {mend}" if mend else why)
        self.why, self.mend = why, mend


class ActionRefused(MonitorError):
    """An action of a person that is not done as things are now."""


class FlattenRefused(ActionRefused):
    """Nothing can be closed now."""


class AcceptRefused(ActionRefused):
    """An asset cannot be accepted now."""


class RestartRefused(ActionRefused):
    """There is nothing of that name to restart so; the text says what there is."""


class CancelFailed(MonitorError):
    """Kraken has not said that it cancelled."""


class SupervisorError(MonitorError):
    """A call of supervisord that did not do what it should."""


class SupervisorAbsent(SupervisorError):
    """supervisord does not answer; the text says on which socket and what to do."""


class SupervisorRefused(SupervisorError):
    """supervisord answered that it will not; ``code`` is its fault code."""

    def __init__(self, code: int, why: str, mend: str = "") -> None:
        super().__init__(why, mend)
        self.code = code


class SupervisorTooSlow(SupervisorError):
    """A program did not stop or start in time; the text says which."""


class EndedAgain(SupervisorTooSlow):
    """A program ended again right after its start; the text says which, and where it says why."""


class Problem(MonitorError):
    """A request to the API that is not answered as it was asked; ``error`` is a word for machines."""

    def __init__(self, code: int, error: str, why: str, mend: str) -> None:
        super().__init__(why, mend)
        self.code, self.error = code, error


class Inexpressible(MonitorError):
    """A merge patch cannot say it: in one, null means that a member goes."""


class PageEnded(MonitorError):
    """A person or a supervisor wants the web page to end."""
