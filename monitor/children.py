"""Processes of the project's own code that the monitor and its commands start."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from shared.config import Config

PROJECT: Final = Path(__file__).resolve().parents[1]


def environment() -> dict[str, str]:
    """Return this process's environment, with the project's code found wherever the child runs."""
    path = os.pathsep.join(part for part in (str(PROJECT), os.environ.get("PYTHONPATH")) if part)
    return os.environ | {"PYTHONPATH": path}


def command(config: Config, module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module with the configuration in force."""
    source = ["--config", str(config.source)] if config.source else []
    return [sys.executable, "-m", module, *arguments, *source]
