"""What the simulated world found in the executor, each as the smallest case of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from executor.carrier import Carrier
from executor.journal import Journal, JournalError
from executor.outbox import RestCall, Told
from executor.registry import from_row, to_row
from shared.clock import SECOND
from shared.messages import Message, OrderState
from tests.unit.executor.worlds import BOOT_TO_WALL, World, buy


class Hands:
    """Hands that keep what they are given."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sent: list[str] = []
        self.told: list[Told] = []

    def now(self) -> int:
        return self.world.now

    def send(self, text: str) -> bool:
        self.sent.append(text)
        return True

    def call(self, call: RestCall) -> None: ...

    def is_halted(self) -> bool:
        return False

    def halt(self, why: str) -> None: ...

    def publish(self, topic: str, message: Message) -> None: ...

    def tell(self, told: Told) -> None:
        self.told.append(told)

    def reconnect(self, why: str) -> None: ...

    def newer_writer(self, why: str) -> None: ...


class FullDisk(Journal):
    """A journal that can be written again once ``full`` is False."""

    full = False

    def write(self, rows: Any) -> None:
        if self.full:
            raise JournalError("disk full")
        super().write(rows)


def test_a_connection_that_went_dead_without_a_word_is_dropped() -> None:
    world = World().ready()
    world.turn(6.1)
    assert "nothing heard" in world.state.out.reconnect


def test_kraken_stating_a_higher_counter_is_believed() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.report("new", order, ratecount=Decimal("101.50"))
    assert world.state.budget.value("BTC/USD", world.now) == pytest.approx(101.5)
    world.report("new", order, ratecount=Decimal("3.00"))
    assert world.state.budget.value("BTC/USD", world.now) == pytest.approx(101.5)


def test_a_cancel_that_a_crash_kept_from_the_journal_counts_at_its_worst() -> None:
    first = World().ready()
    row = to_row(first.place(buy())[0], BOOT_TO_WALL)
    world = World(started=first.now + 2 * SECOND)
    world.state.registry.add(from_row(row, BOOT_TO_WALL))
    world.hear_bus()
    world.connect()  # the snapshot lacks it: cancelled by us, perhaps
    assert world.state.budget.value("BTC/USD", world.now) == pytest.approx(8.0)


def test_an_order_that_somebody_else_cancelled_is_not_placed_again_at_once() -> None:
    world = World().ready()
    order = world.place(buy())[0]
    world.report("canceled", order, reason="User requested")
    world.target(buy())
    world.turn()
    assert order.state is OrderState.CANCELLED
    assert world.taken("add_order") == []
    world.wait(1.5)
    assert len(world.taken("add_order")) == 1


def test_a_full_disk_while_the_epoch_is_raised_is_survived(tmp_path: Path) -> None:
    world = World().ready()
    journal = FullDisk(tmp_path / "journal.sqlite")
    hands = Hands(world)
    carrier = Carrier(world.state, world.executor, journal, hands)
    journal.full = True
    world.state.out.epoch = world.state.epoch + 5
    carrier.turn(world.now)
    assert not world.state.journal_ok
    assert [told.kind for told in hands.told if told.level == "error"] == ["journal"]
    journal.full = False
    carrier.turn(world.now)
    assert world.state.journal_ok
    assert world.state.epoch == world.state.out.epoch
    journal.close()
