"""When the journal is read: at the start, after a missed fill, at the executor's new start; never twice at a time."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest

from monitor.model.past_fills import Reader
from monitor.model.picture import Picture
from shared import limits
from shared.bus import Received, topics
from shared.clock import SECOND
from shared.config import Config, check
from shared.messages import Message
from tests.kit.monitor.messages import fill
from tests.kit.monitor.view import beat

AGAIN = int(limits.JOURNAL_AGAIN_S * SECOND)


class Begun(list[Coroutine[Any, Any, None]]):
    """The reads that were begun, none of which goes on."""

    def finish(self, reader: Reader) -> int:
        """End all of them; return how many there were."""
        count = len(self)
        for work in self:
            work.close()
        self.clear()
        reader._reading = False
        return count


@pytest.fixture
def begun() -> Begun:
    return Begun()


@pytest.fixture
def reader(begun: Begun) -> Reader:
    config = Config()
    check(config, lambda _key: "test")
    return Reader(config, Picture(config), begun.append)


def hear(reader: Reader, topic: str, message: Message, missed: int = 0) -> None:
    kind = topics.kind_of(topic)
    assert kind is not None
    reader.take(Received(topic, kind, topics.rest_of(topic, kind), message, missed))


def test_it_is_read_at_the_start_and_not_again(reader: Reader, begun: Begun) -> None:
    reader.turn(0)
    assert begun.finish(reader) == 1
    reader.turn(10 * AGAIN)
    assert begun.finish(reader) == 0


def test_a_missed_fill_is_looked_up_but_not_more_often_than_allowed(reader: Reader, begun: Begun) -> None:
    reader.turn(0)
    begun.finish(reader)
    hear(reader, "fill.BTC/USD", fill(1))
    reader.turn(AGAIN)
    assert begun.finish(reader) == 0
    hear(reader, "fill.BTC/USD", fill(3), missed=1)
    reader.turn(AGAIN - 1)
    assert begun.finish(reader) == 0
    reader.turn(AGAIN)
    assert begun.finish(reader) == 1


def test_a_new_start_of_the_executor_is_looked_up(reader: Reader, begun: Begun) -> None:
    hear(reader, "heartbeat.executor", beat("executor", boot=1))
    reader.turn(0)
    begun.finish(reader)
    hear(reader, "heartbeat.executor", beat("executor", boot=1))
    hear(reader, "heartbeat.book", beat("book", boot=5))
    reader.turn(2 * AGAIN)
    assert begun.finish(reader) == 0
    hear(reader, "heartbeat.executor", beat("executor", boot=2))
    reader.turn(2 * AGAIN)
    assert begun.finish(reader) == 1


def test_two_reads_never_run_at_a_time(reader: Reader, begun: Begun) -> None:
    reader.turn(0)
    hear(reader, "fill.BTC/USD", fill(3), missed=1)
    reader.turn(2 * AGAIN)
    assert begun.finish(reader) == 1
