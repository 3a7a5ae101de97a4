"""The API as the page reads it: one fetch per section and tick, shared by everybody who has the page open."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from monitor.api.loopback import OPENER, reason_of, why_unanswered
from monitor.web.sections import Section
from shared import limits

Clock = Callable[[], float]
Params = tuple[tuple[str, str], ...]
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """A section as last fetched: its newest data, when that came (s, monotonic), and why there is nothing newer.

    ``trouble`` is empty when the last try worked; ``is_refused`` if nobody listens there.
    """

    data: T_co | None = None
    at: float | None = None
    trouble: str = ""
    is_refused: bool = False

    def age_s(self, now: float) -> float | None:
        """Return how old the data is; None where there never was any."""
        return None if self.at is None else max(0.0, now - self.at)


@dataclass(frozen=True, slots=True)
class Acted:
    """The outcome of a request that changes state: true if it worked, and a sentence for people."""

    ok: bool
    text: str


class ActionAnswer(msgspec.Struct, frozen=True):
    """An answer to a request that changes state, of which the page shows the outcome."""

    ok: bool = False
    text: str = ""


class ProblemBody(msgspec.Struct, frozen=True):
    """A refusal of the API: what happened, and what to do."""

    text: str = ""
    mend: str = ""


@dataclass(slots=True)
class _Fetched(Generic[T]):
    """A section's last answer; one reader at a time fetches a newer one."""

    answer: Answer[T] = field(default_factory=Answer)
    tried: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


class Client:
    """Reads sections of the API and acts through it; used by many threads at once.

    ``base`` is the API's address, ``token`` the file with the secret that acting takes: it is read here, on the
    server's side, each time, and never sent to a browser.
    """

    def __init__(self, base: str, token: Path, clock: Clock = time.monotonic, wall: Clock = time.time) -> None:
        self.base = base
        self._token = token
        self._clock = clock
        self._wall = wall
        # Any: the type of each answer is the one of the section whose path is in its key.
        self._sections: OrderedDict[tuple[str, Params, float], _Fetched[Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._quiet_until = float("-inf")
        self._trouble: Answer[object] = Answer()

    def now(self) -> float:
        """Return the time by the clock that answers are dated by."""
        return self._clock()

    def get(self, section: Section[T], *, window_s: float = 0.0, **params: str) -> Answer[T]:
        """Return a section's newest data, at most :data:`limits.WEB_FETCH_EVERY_S` old while the API answers.

        ``window_s`` asks for the last so many seconds only, counted from the moment of the fetch.
        """
        fetched = self._fetched((section.path, tuple(sorted(params.items())), window_s))
        if self._clock() - fetched.tried < limits.WEB_FETCH_EVERY_S:
            return fetched.answer
        # Another thread is fetching it: return what is known; only the first reader waits.
        if not fetched.lock.acquire(blocking=fetched.answer.at is None):
            return fetched.answer
        try:
            if self._clock() - fetched.tried >= limits.WEB_FETCH_EVERY_S:
                fetched.answer = self._fetch(fetched.answer, section, window_s, params)
                fetched.tried = self._clock()
            return fetched.answer
        finally:
            fetched.lock.release()

    def _fetched(self, key: tuple[str, Params, float]) -> _Fetched[Any]:
        with self._lock:
            fetched = self._sections.setdefault(key, _Fetched())
            self._sections.move_to_end(key)
            while len(self._sections) > limits.WEB_SECTIONS_KEPT:
                self._sections.popitem(last=False)
            return fetched

    def _fetch(self, known: Answer[T], section: Section[T], window_s: float, params: dict[str, str]) -> Answer[T]:
        # After a failure the API is left alone for a moment: each section in turn would wait in vain.
        if self._clock() < self._quiet_until:
            return replace(known, trouble=self._trouble.trouble, is_refused=self._trouble.is_refused)
        query_params = {**params, "since_ts": f"{self._wall() - window_s:.3f}"} if window_s else params
        query = f"?{urllib.parse.urlencode(query_params)}" if query_params else ""
        try:
            with OPENER.open(f"{self.base}{section.path}{query}", timeout=limits.WEB_FETCH_TIMEOUT_S) as response:
                data = msgspec.json.decode(response.read(), type=section.kind)
        except urllib.error.HTTPError as error:
            return replace(known, trouble=_refusal(error), is_refused=False)
        except msgspec.ValidationError as error:
            # A trouble of this section only: the others are fetched.
            return replace(known, trouble=_why(error), is_refused=False)
        except (OSError, http.client.HTTPException, ValueError) as error:
            is_refused = isinstance(reason_of(error), ConnectionRefusedError)
            failed = replace(known, trouble=_why(error), is_refused=is_refused)
            self._trouble, self._quiet_until = failed, self._clock() + limits.WEB_FETCH_EVERY_S
            return failed
        return Answer(data, self._clock())

    def act(self, path: str, **body: object) -> Acted:
        """Post what changes state, with the token."""
        try:
            token = self._token.read_text().strip()
        except OSError as error:
            return Acted(False, f"{self._token} cannot be read ({error.strerror}); the monitor makes it when it starts")
        request = urllib.request.Request(
            f"{self.base}{path}",
            data=msgspec.json.encode(body),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method="POST",
        )
        try:
            with OPENER.open(request, timeout=limits.WEB_ACT_TIMEOUT_S) as response:
                answer = msgspec.json.decode(response.read(), type=ActionAnswer)
        except urllib.error.HTTPError as error:
            return Acted(False, _refusal(error))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Acted(False, f"nobody knows what came of it: {_why(error)}")
        return Acted(answer.ok, answer.text or "done")


def _refusal(error: urllib.error.HTTPError) -> str:
    """Return what the API said, with its mend."""
    try:
        body = msgspec.json.decode(error.read(), type=ProblemBody)
    except (OSError, ValueError):
        body = ProblemBody()
    return ": ".join(filter(None, (body.text, body.mend))) or f"the API answered {error.code} {error.reason}"


def _why(error: Exception) -> str:
    if isinstance(reason_of(error), ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, msgspec.ValidationError):
        return "an answer of another version; start 'tradebyte web' again"
    if isinstance(error, ValueError):
        return "an answer that is no JSON"
    return why_unanswered(error)
