"""A start from the journal: counters come back, and a disk that is full for now is no wrong configuration."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from executor.errors import JournalError, JournalUnavailable
from executor.exchange.connection import Private
from executor.orders import ids
from executor.orders.codec import from_row, to_row
from executor.orders.order import Order
from executor.orders.registry import FOREIGN
from executor.orders.transitions import FillCounted, apply
from executor.record.journal import Journal
from executor.record.restore import restore
from executor.record.rows import REST, SendRow
from shared.clock import SECOND, rfc3339
from shared.errors import RestError, RestRefused
from tests.kit.executor_world import BOOT_TO_WALL, World, buy, configuration, sell
from tests.kit.private_listener import KeepingListener

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
    assert state.session.rest.value(NOW / SECOND) == pytest.approx(max(0, 4 - 3) + 1 - 2, abs=1e-6)


def test_fills_of_an_order_that_is_not_ours_are_counted_by_its_next_life_too(tmp_path: Path) -> None:
    first = World().ready()
    order = {"order_id": "OX", "symbol": "BTC/USD", "side": "buy", "order_status": "partially_filled"}
    trade = {**order, "exec_type": "trade", "last_price": Decimal("83990.0"), "fees": []}
    first.push("executions", [{**order, "limit_price": Decimal("83990.0"), "order_qty": Decimal("0.003")}])
    first.push("executions", [{**trade, "exec_id": "T1", "last_qty": Decimal("0.002"), "cum_qty": Decimal("0.002")}])
    journal = Journal(tmp_path / "journal.sqlite")
    journal.write([*(to_row(live, BOOT_TO_WALL) for live in first.live()), *first.state.account.rows])
    state, _ = restore(configuration(), journal, first.now, BOOT_TO_WALL)
    (restored,) = state.registry.live()
    assert (restored.strategy, restored.counted, restored.filled) == (FOREIGN, 200_000, 200_000)
    apply(restored, FillCounted(100_000), first.now)  # while nobody watched: told by the fill alone
    assert restored.remaining == 0
    journal.close()


def test_every_start_has_an_epoch_of_its_own_however_soon_it_comes(tmp_path: Path) -> None:
    """A second life of the same second, and one after the clock was set back: neither makes an id or nonce again."""
    epochs = []
    for wall in (WALL, WALL + SECOND // 10, WALL + SECOND // 5, WALL - 3600 * SECOND):
        journal = Journal(tmp_path / "journal.sqlite")
        state, _ = restore(configuration(), journal, NOW, wall - NOW)
        epochs.append(state.life.epoch)
        journal.close()
    assert epochs == [WALL // SECOND + n for n in range(4)]


def test_an_epoch_that_no_order_id_can_hold_is_refused_by_name(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    with pytest.raises(JournalError, match="clock"):
        journal.raise_epoch(ids.EPOCH_MAX + 1)
    journal.close()


# --- A start on a slow connection ------------------------------------------------------------------------------------


def inherited(target_s: float | None) -> tuple[World, list[Order]]:
    """A start with two orders of the life before, its strategy's last target so many seconds old."""
    first = World().ready()
    rows = [to_row(order, BOOT_TO_WALL) for order in first.place(buy(), sell())]
    world = World(started=first.now + 10 * SECOND)
    world.now -= int((target_s or 0) * SECOND)
    if target_s is not None:
        world.target(buy(), sell())
    world.now = world.state.life.started
    for row in rows:
        world.state.registry.add(from_row(row, BOOT_TO_WALL))
    world.hear_bus()
    return world, world.live()


def pass_time(world: World, seconds: float) -> None:
    until = world.now + int(seconds * SECOND)
    while world.now < until:
        world.now += SECOND // 5
        world.hear_bus()
        world.turn()


def slow_start(world: World, restored: list[Order]) -> None:
    """Each way takes half a second: the connection, the token, the subscriptions and their snapshots."""
    pass_time(world, 3.0)  # a TCP and a TLS handshake, the token
    world.executor.token_requested(world.now)
    world.executor.opened("TOKEN", world.now)
    world.collect()
    sent = world.taken("subscribe")
    pass_time(world, 0.5)
    taken_at = rfc3339(world.exchange_ts)
    pass_time(world, 0.5)
    for request in sent:
        body = {"method": "subscribe", "req_id": request.req_id, "success": True, "time_in": taken_at}
        world.raw({**body, "time_out": taken_at, "result": {"channel": request.params["channel"]}})
    statuses = [
        {"order_id": o.order_id, "cl_ord_id": o.cl_ord_id, "exec_type": "new", "order_status": "new"} for o in restored
    ]
    world.push("executions", statuses, "snapshot")
    world.push("balances", world.balances(), "snapshot")
    world.turn()
    world.armed()


@pytest.mark.parametrize("target_s", [None, 1.0], ids=["no target", "a target that runs out meanwhile"])
def test_t3_a_start_on_a_slow_connection_keeps_the_orders_that_it_inherits(target_s: float | None) -> None:
    world, restored = inherited(target_s)
    slow_start(world, restored)
    pass_time(world, 1.0)  # the strategy hears of its position, and speaks
    world.target(buy(), sell())
    world.raw({"channel": "heartbeat"})
    world.turn()
    assert [request.method for request in world.sent if "cancel" in request.method and request.orders] == []
    assert [order.is_live for order in restored] == [True, True]


def test_t3_a_strategy_that_says_nothing_after_a_slow_start_is_not_waited_for_for_ever() -> None:
    world, restored = inherited(None)
    slow_start(world, restored)
    pass_time(world, 3.3)
    assert len(world.taken("batch_cancel")) == 1


def test_t3_time_that_stays_uncertain_for_long_pulls() -> None:
    world = World().ready()
    world.place(buy())
    world.state.session.clock._high += 2 * SECOND

    def cancels(seconds: float) -> int:
        world.now += int(seconds * SECOND)
        world.hear_bus()
        world.raw({"channel": "heartbeat"})
        world.target(buy())
        world.turn()
        return len(world.taken("cancel_order"))

    assert [cancels(1.1), cancels(2), cancels(2), cancels(1)] == [0, 0, 0, 1]


class Answers:
    """REST that answers every call with the same: a result, or an error."""

    def __init__(self, answer: dict[str, str] | Exception) -> None:
        self.answer = answer

    async def public(self, method: str, params: Mapping[str, str] | None = None) -> dict[str, str]:
        raise AssertionError(f"{method} with {params} is not called here")

    async def close(self) -> None: ...

    async def private(self, _method: str, _params: Mapping[str, str], _nonce: int) -> dict[str, str]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer", [{"token": "T"}, RestError("TimeoutError"), RestRefused(["EGeneral:Internal error"]), {"no": "token"}]
)
def test_a_token_call_counts_and_is_journaled_whatever_comes_of_it(answer: dict[str, str] | Exception) -> None:
    world = World()

    class Asking(KeepingListener):
        def token_requested(self) -> None:
            world.executor.token_requested(world.now)

    async def connect() -> None:
        await Private(configuration(), lambda: 1, Asking(), Answers(answer)).subscribe()

    asyncio.run(connect())
    assert world.state.session.rest.value(world.now / SECOND) == 1
    assert [row.method for row in world.out.rows if isinstance(row, SendRow)] == ["GetWebSocketsToken"]


class Slow(Answers):
    """REST that answers once it may go on."""

    def __init__(self, answer: dict[str, str] | Exception) -> None:
        super().__init__(answer)
        self.called, self.goes_on = asyncio.Event(), asyncio.Event()

    async def private(self, method: str, params: Mapping[str, str], nonce: int) -> dict[str, str]:
        self.called.set()
        await self.goes_on.wait()
        return await super().private(method, params, nonce)


@pytest.mark.parametrize("answer", [{"token": "T"}, RestError("TimeoutError")])
def test_a_token_that_comes_after_its_connection_is_gone_leaves_the_next_one_alone(
    answer: dict[str, str] | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = KeepingListener()
    opened, closed = listener.tokens, listener.closures

    async def connect() -> None:
        slow = Slow(answer)
        private = Private(configuration(), lambda: 1, listener, slow)
        monkeypatch.setattr(private.socket, "_link", SimpleNamespace(abort=str, hand_on=str, waiting=0))
        private.socket.reconnect.attempting(0.0)
        first = asyncio.ensure_future(private.subscribe())
        await slow.called.wait()
        private.socket.reconnect.attempting(1.0)
        slow.goes_on.set()
        await first
        assert (opened, closed) == ([], [])
        await private.subscribe()
        assert (opened, closed) == ((["T"], []) if isinstance(answer, dict) else ([], [private.problem]))

    asyncio.run(connect())


def test_a_disk_that_is_full_for_now_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("executor.record.journal.sqlite3.connect", full)
    with pytest.raises(JournalUnavailable, match="see that the disk has room"):
        Journal(tmp_path / "journal.sqlite")
