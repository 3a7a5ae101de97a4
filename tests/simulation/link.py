"""A private connection: its two directions lose, delay and reorder, and its messages may come late or twice."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shared.clock import SECOND
from simulator.session import Request
from tests.simulation.oddities import OddSession, hold_until
from tests.simulation.orders import ORDER_METHODS

if TYPE_CHECKING:
    from tests.simulation.kraken import Kraken


class Pipe:
    """One direction of a connection: in order as TCP has it, late at times, and at times stalled."""

    def __init__(self, kraken: Kraken, arrive: Callable[..., None]) -> None:
        self.stalled_until = 0
        self._kraken, self._arrive = kraken, arrive
        self._queue: deque[tuple[int, tuple[Any, ...]]] = deque()
        self._last = 0

    def send(self, *item: Any) -> None:
        """Takes something in; it arrives later."""
        self._last = max(self._last, self._kraken.loop.now + self._kraken.delay())
        self._queue.append((self._last, item))
        self._kraken.loop.at(self._last, self._pump)

    def clear(self) -> None:
        """Lose what is on the way."""
        self._queue.clear()

    def drop(self, wanted: Callable[[tuple[Any, ...]], bool]) -> None:
        """Some of what is on the way is lost."""
        self._queue = deque(entry for entry in self._queue if not wanted(entry[1]))

    def _pump(self) -> None:
        now = self._kraken.loop.now
        if now < self.stalled_until:
            self._kraken.loop.at(self.stalled_until, self._pump)
            return
        while self._queue and self._queue[0][0] <= now:
            self._arrive(*self._queue.popleft()[1])


class Link:
    """One private connection. ``to_client`` takes frames, ``on_end`` hears that it is gone."""

    def __init__(
        self, kraken: Kraken, owner: str, to_client: Callable[[Link, str, int], None], on_end: Callable[[Link], None]
    ) -> None:
        assert kraken.world is not None
        self.kraken, self.owner = kraken, owner
        self.client_open = self.server_open = True
        self.server_gone_at = 0
        self.reached_at = 0  # when the client last got a frame, one that a stall had held up included
        # Requests that the exchange has not acted on: when each was sent, and what it says.
        self.in_flight: dict[int, tuple[int, dict[str, Any]]] = {}
        self.up, self.down = Pipe(kraken, self._arrive), Pipe(kraken, self._reach)
        self.drop_reports = self.repeat_reports = 0
        self.reports_late_until = 0
        self._to_client, self._on_end = to_client, on_end
        self._number = 0
        self._work_last = 0
        self._push_last: dict[str, int] = {}
        self._answers: list[str] | None = None
        self._held = hold_until(kraken.rng, kraken.loop.now) if kraken.is_odd else {}
        self.session = OddSession(kraken, kraken.rng.randrange(2**54, 2**64), self._from_exchange)
        self.session.open(kraken.ts)

    # --- to the exchange -----------------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        """The client hands over a frame."""
        self._number += 1
        self.in_flight[self._number] = (self.kraken.loop.now, json.loads(text, parse_float=Decimal))
        self.up.send(self._number, text)

    def _arrive(self, number: int, text: str) -> None:
        if not self.server_open:
            self.in_flight.pop(number, None)
            return
        loop = self.kraken.loop
        request = self.session.read(text, self.kraken.ts)
        due = loop.now + self.kraken.turnaround(request.method)
        if not self.kraken.reorders or request.method not in ORDER_METHODS:
            due = self._work_last = max(self._work_last, due)
        loop.at(due, self._work, number, request)

    def _work(self, number: int, request: Request) -> None:
        kraken = self.kraken
        _, body = self.in_flight.pop(number, (0, {}))
        if self.session.world is not kraken.world:  # the exchange was down in between
            return
        if not self.server_open and request.method not in ORDER_METHODS:
            return  # orders that arrived are worked on; a subscription goes with its connection
        kraken.on_handle(self, request, body)
        refusal = kraken.refusal(request)
        self._answers = []
        if refusal and not refusal.startswith("after:"):
            self.session.refuse(request, refusal, kraken.ts)
        else:
            self.session.handle(request, kraken.ts)
            if refusal:
                self._answers = []
                self.session.refuse(request, refusal.removeprefix("after:"), kraken.ts)
        answers, self._answers = self._answers, None
        late = kraken.answer_delay(request)
        for text in answers if late is not None else []:
            kraken.note_answer(request, text, bool(refusal))
            kraken.loop.after(late or 0.0, self._down, text, kraken.ts)
        kraken.flush()

    # --- to the client -------------------------------------------------------------------------------------------

    def _from_exchange(self, text: str) -> None:
        if self._answers is not None and not text.startswith('{"channel"'):
            self._answers.append(text)
            return
        kraken = self.kraken
        late, times = kraken.rng.random() * 0.02, 1
        if text.startswith(('{"channel":"executions"', '{"channel":"balances"')):
            if kraken.loop.now < self.reports_late_until:
                late += kraken.rng.uniform(0.3, 1.0)
            if '"type":"update"' in text and self.drop_reports:
                self.drop_reports -= 1
                return
            if '"type":"update"' in text and self.repeat_reports:
                self.repeat_reports -= 1
                times = 2
        # Each channel's messages leave in order; an answer may overtake them or be overtaken.
        channel = text.split('"', 4)[3]
        due = max(self._push_last.get(channel, 0), kraken.loop.now + int(late * SECOND), self._held.get(channel, 0))
        self._push_last[channel] = due
        for _ in range(times):
            kraken.loop.at(due, self._down, text, kraken.ts)

    def _down(self, text: str, sent_ts: int) -> None:
        if self.server_open:
            self.down.send(text, sent_ts)

    def _reach(self, text: str, sent_ts: int) -> None:
        if self.client_open:
            self.reached_at = self.kraken.loop.now
            self._to_client(self, text, sent_ts)

    def beat(self) -> None:
        """The exchange's second."""
        if self.server_open:
            self.session.beat(self.kraken.ts)

    # --- the end -------------------------------------------------------------------------------------------------

    def close_server(self) -> None:
        """The exchange's end is gone; what had not arrived never will."""
        if self.server_open:
            self.server_open = False
            self.server_gone_at = self.kraken.loop.now
            self.session.close()
            self.kraken.links.pop(self, None)
            self.up.clear()
            self.in_flight.clear()

    def close_client(self) -> None:
        """The client's end is gone; what it had sent may still arrive."""
        if self.client_open:
            self.client_open = False
            self.down.clear()
            self._on_end(self)

    def lose_sent(self, since: int) -> None:
        """Lose what the client sent since then: it never left its machine."""
        gone = {number for number, (sent, _) in self.in_flight.items() if sent >= since}
        self.up.drop(lambda item: item[0] in gone)
        for number in gone:
            del self.in_flight[number]
