"""The section ``logging``: levels, and the folders of what a run writes."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["debug", "info", "warning", "error"]


class Logging(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The log level (the environment's ``LOG_LEVEL`` wins), and the folders of everything a run writes.

    ``levels`` gives single modules their own: a process's name, or a library's such as ``aiohttp``.
    """

    level: Level = "info"
    levels: dict[str, Level] = msgspec.field(default_factory=dict)
    logs: str = "logs"
    run: str = "run"
    data: str = "data"
