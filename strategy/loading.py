"""Load a configured strategy: its class by the import path, its settings checked."""

from __future__ import annotations

import functools
import importlib
from typing import Any  # Any: what a person's import path names, checked to be a strategy

import msgspec

from shared.config import Config, place
from shared.config.errors import explained
from shared.errors import ConfigError
from strategy.interface import SettingError, Strategy


def load_strategy(config: Config, name: str) -> tuple[type[Strategy], msgspec.Struct]:
    """Return a configured strategy's class and settings. Raises :class:`ConfigError` that names key and mend."""
    section = config.strategies[name]
    module_name, _, class_name = section.class_.partition(":")
    key = f"strategies.{name}"

    def wrong(part: str, text: str) -> ConfigError:
        return ConfigError(f"{place(config, f'{key}.{part}')}: {key}.{part}: {text}")

    try:
        kind: Any = getattr(importlib.import_module(module_name), class_name)
    except ImportError as error:
        raise wrong("class", f"cannot import {module_name} ({error}); it must be importable here") from error
    except AttributeError:
        raise wrong("class", f"{module_name} has no {class_name}") from None
    if not (isinstance(kind, type) and issubclass(kind, Strategy)):
        raise wrong("class", f"{section.class_} is not a strategy.interface.Strategy")
    try:
        settings = msgspec.convert(section.settings, kind.Settings, strict=False)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, SettingError):
            raise wrong(f"settings.{error.__cause__.key}", str(error.__cause__)) from error
        above, where = f"{key}.settings", functools.partial(place, config)
        raise ConfigError(explained(str(error), section.settings, where, kind.Settings, above)) from error
    except ValueError as error:
        raise wrong("settings", str(error)) from error
    return kind, settings
