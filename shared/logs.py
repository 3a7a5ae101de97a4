"""Structured logs: one line an event in ``logs/<process>.log``, rotated, warnings handed to the bus as well."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from shared import limits


def set_up(
    name: str, folder: Path, level: str, on_warning: Callable[[str, str, dict[str, Any]], None]
) -> RotatingFileHandler:
    """Logs of this process to ``folder/name.log`` (and to the terminal when there is one).

    ``on_warning(level, event, fields)`` is called for each line of warning and above. Returns the file's handler:
    the watchdog writes stacks to its stream.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        folder / f"{name}.log", maxBytes=limits.LOG_FILE_BYTES, backupCount=limits.LOG_FILES, encoding="utf-8"
    )
    handlers: list[logging.Handler] = [handler]
    if sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    logging.basicConfig(format="%(message)s", level=level.upper(), handlers=handlers, force=True)
    for chatty in ("asyncio", "websockets", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

    def tell(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if method in ("warning", "error", "critical"):
            fields = {key: str(value) for key, value in event.items() if key not in ("event", "exc_info")}
            on_warning(method, str(event.get("event", "")), fields)
        return event

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            tell,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("event"),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    return handler


def logger(name: str) -> FilteringBoundLogger:
    """The logger of a process."""
    return structlog.get_logger(name)  # type: ignore[no-any-return]
