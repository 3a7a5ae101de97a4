"""The configuration: one YAML file, typed, checked whole before anything starts.

There is a module for each section. ``schema`` puts them together, ``load`` reads the file, and ``checks/`` checks what
types cannot. Other folders import from here.
"""

from __future__ import annotations

from shared.config.bus import Curve
from shared.config.checks.check import check, consent_file, require_consent
from shared.config.kraken import LIVE_REST, Kraken
from shared.config.load import DEFAULT_PATH, load, parse, place
from shared.config.sandbox import SANDBOX_DATA_KEY, SANDBOX_KEYS, VISITOR_KEYS
from shared.config.schema import Config
from shared.config.simulator import Key, SimAccount, Simulator
from shared.config.strategies import Strategy
from shared.config.trading import Trading
from shared.errors import ConfigError

__all__ = [
    "DEFAULT_PATH",
    "LIVE_REST",
    "SANDBOX_DATA_KEY",
    "SANDBOX_KEYS",
    "VISITOR_KEYS",
    "Config",
    "ConfigError",
    "Curve",
    "Key",
    "Kraken",
    "SimAccount",
    "Simulator",
    "Strategy",
    "Trading",
    "check",
    "consent_file",
    "load",
    "parse",
    "place",
    "require_consent",
]
