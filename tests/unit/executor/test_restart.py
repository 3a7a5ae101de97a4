"""A start from the journal: counters come back, and a disk that is full for now is no wrong configuration."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from executor.journal import Journal, JournalUnavailable
from executor.private import Private
from executor.restore import restore
from executor.rows import REST, SendRow
from shared.clock import SECOND
from shared.kraken.rest import RestError, RestRefused
from tests.unit.executor.worlds import World, configuration

NOW = 1000 * SECOND
WALL = 1_790_000_000 * SECOND


def test_both_counters_are_rebuilt_from_what_was_sent(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.write(
        [
            SendRow(WALL - 10 * SECOND, "BTC/USD", "batch_cancel", 32.0, "A B C D"),
            SendRow(WALL - 10 * SECOND, REST, "TradesHistory", 4.0, ""),
            SendRow(WALL - 4 * SECOND, REST, "GetWebSocketsToken", 1.0, ""),
        ]
    )
    state, _ = restore(configuration(), journal, NOW, WALL - NOW)
    assert state.budget.value("BTC/USD", NOW) == pytest.approx(32 - 23.4)
    assert state.budget.value(REST, NOW) == 0
    assert state.rest.value(NOW / SECOND) == pytest.approx(max(0, 4 - 3) + 1 - 2, abs=1e-6)


class Answers:
    """REST that answers every call with the same: a result, or an error."""

    def __init__(self, answer: dict[str, str] | Exception) -> None:
        self.answer = answer

    async def private(self, _method: str, _params: Mapping[str, str], _nonce: int) -> dict[str, str]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer", [{"token": "T"}, RestError("TimeoutError"), RestRefused(["EGeneral:Internal error"]), {"no": "token"}]
)
def test_a_token_call_counts_and_is_journaled_whatever_comes_of_it(
    answer: dict[str, str] | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()

    def asks() -> None:
        world.executor.asks_token(world.now)

    def ignore(_: object) -> None: ...

    async def connect() -> None:
        private = Private(configuration(), lambda: 1, asks, ignore, ignore, ignore, ignore)
        monkeypatch.setattr(private, "_rest", Answers(answer))
        await private._subscribe()

    asyncio.run(connect())
    assert world.state.rest.value(world.now / SECOND) == 1
    assert [row.method for row in world.state.out.rows if isinstance(row, SendRow)] == ["GetWebSocketsToken"]


def test_a_disk_that_is_full_for_now_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("executor.journal.sqlite3.connect", full)
    with pytest.raises(JournalUnavailable, match="see that the disk has room"):
        Journal(tmp_path / "journal.sqlite")
