"""When a flatten is asked for, and when it is refused with what to do; nothing is written where it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from monitor.cli.app import app
from monitor.control import flattening
from monitor.errors import FlattenRefused
from monitor.model.view import View
from monitor.ui.controls import Actions
from shared import halt
from shared.config import Config, Trading, check
from shared.messages import Account, AssetPosition, Orders, OrderState
from tests.kit.monitor.view import NOW, beat, order, take


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = Config(root=tmp_path, trading=Trading(dry_run=True))
    check(made, lambda _key: "test")
    return made


def test_a_dry_run_refuses_and_says_what_to_do(config: Config) -> None:
    with pytest.raises(FlattenRefused, match="nothing is sent, so nothing can be closed") as refused:
        flattening.request(config)
    assert "tradebyte restart executor" in refused.value.mend
    assert not config.flatten_file.exists()
    done, text = Actions(config, "top").flatten()
    assert not done
    assert "trading.dry_run is true" in text


@pytest.mark.parametrize(
    "why",
    [
        halt.Halt(halt.Cause.PERSON, "lunch, and max_daily_loss is too near", "me@here", "2026-11-30T10:00:00Z"),
        halt.Halt(halt.Cause.FLATTENED, "flattened"),
        halt.Halt(halt.Cause.CRASH_LOOP, "book failed to start 5 times in a row"),
    ],
    ids=lambda why: why.cause,
)
def test_no_halt_but_by_the_days_loss_is_lifted_whatever_its_words(config: Config, why: halt.Halt) -> None:
    config.trading = Trading()
    halt.halt_trading(config.halt_file, why)
    with pytest.raises(FlattenRefused, match="halted"):
        flattening.request(config)
    assert halt.read(config.halt_file) == why


def test_a_halt_file_of_any_other_text_is_of_another_cause(config: Config) -> None:
    config.halt_file.parent.mkdir()
    for text in ("", "the day's loss reached max_daily_loss 50", '{"cause": "daily_loss"}', "[1", "\x00"):
        config.halt_file.write_text(text)
        assert (halt.is_halted(config.halt_file), halt.read(config.halt_file).cause) == (True, halt.Cause.OTHER)


def view_of(config: Config, positions: dict[str, str], *orders: OrderState) -> View:
    view = View(config)
    take(view, "heartbeat.executor", beat("executor"))
    rows = {asset: AssetPosition(position=text, worth="") for asset, text in positions.items()}
    take(view, "account", Account(valid=True, assets=rows))
    live = [order(state) for state in orders]
    take(view, "order.BTC/USD", Orders(symbol="BTC/USD", valid=True, price_precision=1, qty_precision=8, orders=live))
    return view


@pytest.mark.parametrize(
    ("positions", "orders", "said"),
    [
        ({"BTC": "0.002", "ETH": "-0.1", "SOL": "0"}, (), "BTC +0.002, ETH -0.1"),
        ({"BTC": "0.002"}, (OrderState.CANCELLING, OrderState.FILLED), "BTC +0.002, 1 order to end"),
        ({}, (OrderState.OPEN, OrderState.OPEN), "2 orders to end"),
        (
            {},
            (OrderState.UNKNOWN,),
            "1 order to end, BTC/USD waits for an order of unknown outcome, 65 s at the most",
        ),
        ({}, (), "nothing is left but to halt"),
    ],
)
def test_what_is_left_is_said_in_a_line(
    config: Config, positions: dict[str, str], orders: tuple[OrderState, ...], said: str
) -> None:
    assert flattening.left(view_of(config, positions, *orders), NOW) == said


def test_an_executor_that_is_gone_is_said_and_not_what_it_said_last(config: Config) -> None:
    view = view_of(config, {"BTC": "0.002"})
    assert flattening.left(view, NOW + 5 * 10**9).startswith("executor was last heard 5 s ago")


class Interrupted:
    """A listener that hears the executor, and a person who does not wait."""

    def __init__(self, view: View) -> None:
        self.view, self.questions = view, 0

    def __enter__(self) -> Interrupted:
        return self

    def __exit__(self, *_: object) -> None: ...

    def until(self, done: Callable[[View], bool], _seconds: float) -> bool:
        self.questions += 1
        if not done(self.view):
            raise KeyboardInterrupt
        return True


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    made = Config(root=tmp_path)
    check(made, lambda _key: "test")
    monkeypatch.setattr("monitor.cli.control.flatten.load", lambda *_, **__: made)
    view = view_of(made, {"BTC/USD": "0.002"})
    monkeypatch.setattr("monitor.cli.control.flatten.Listener", lambda *_: Interrupted(view))
    return made


@pytest.mark.parametrize("options", [["--yes"], ["--json"]])
def test_ctrl_c_says_that_it_goes_on_and_where_to_look(interrupted: Config, options: list[str]) -> None:
    result: Any = CliRunner().invoke(app, ["flatten", *options])
    assert result.exit_code == 130
    assert "goes on in the executor; 'tradebyte position'" in result.stderr
    assert halt.is_halted(interrupted.flatten_file)
    if "--json" in options:
        assert json.loads(result.stdout)["flat"] is False
    else:
        assert result.stdout == ""
