"""config/config.yaml, which people edit, says what the built-in defaults are."""

from __future__ import annotations

from pathlib import Path

import msgspec

from shared import config
from strategy.market_maker import Settings

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "config" / "config.yaml"


def test_the_file_equals_the_built_in_defaults() -> None:
    written = config.load(FILE, environ={})
    built_in = config.Config()
    built_in.bus["relay"] = "ipc://run/bus/relay"  # the one thing that is there only where it is written
    config.check(built_in, lambda _key: "built-in defaults")
    for field in msgspec.structs.fields(config.Config):
        if field.name in ("root", "source", "lines", "strategies"):
            continue
        assert getattr(written, field.name) == getattr(built_in, field.name), field.name


def test_the_strategy_is_the_default_one_but_for_its_settings_spelled_out() -> None:
    (written,) = config.load(FILE, environ={}).strategies.values()
    assert msgspec.structs.replace(written, settings={}) == config.Strategy()


def test_the_strategys_settings_spelled_out_are_the_market_makers_defaults() -> None:
    (written,) = config.load(FILE, environ={}).strategies.values()
    assert msgspec.convert(written.settings, Settings, strict=False) == Settings()


def test_it_spells_out_what_people_edit_one_a_line() -> None:
    lines = {line.strip() for line in FILE.read_text().splitlines()}
    assert {"sandbox: true", "max_position_size: 1000", "min_order_size: 10"} <= lines
    assert any(line.startswith("api_key: ") for line in lines)


def test_it_names_an_endpoint_for_every_process() -> None:
    written = config.load(FILE, environ={})
    text = FILE.read_text()
    assert all(f"\n  {name}: ipc://run/bus/{name}\n" in text for name in written.process_names)


def test_its_accounts_have_the_keys_that_the_design_names() -> None:
    written = config.load(FILE, environ={})
    maker, visitor = written.simulator.accounts
    assert maker.keys[0].api_key == written.kraken.api_key
    assert maker.keys[1].api_key != maker.keys[0].api_key
    assert (maker.keys[2].api_key, maker.keys[2].permissions) == (written.kraken.halt_key, ["cancel"])
    assert (maker.keys[3].api_key, maker.keys[3].permissions) == (written.kraken.data_key, ["websocket"])
    assert len(visitor.keys) == 1
