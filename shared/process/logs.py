"""Structured logs: a line for each event in ``logs/<process>.log``, rotated; warnings go to the bus as well.

Lines of libraries are treated as our own: by level, secrets hidden, a flood of one kind counted.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from time import monotonic
from types import TracebackType
from typing import IO, Any, Final  # Any: structlog's own

from shared import limits
from shared.config.schema import Config
from shared.config.secret import Mask, secrets_of
from shared.process.flood import Flood

# structlog loads rich, where it is installed, for coloured tracebacks: 13 MB that no process here shows to anybody.
_WITHOUT_RICH = "rich" not in sys.modules
if _WITHOUT_RICH:
    sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402 - see above
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger  # noqa: E402

if _WITHOUT_RICH:
    del sys.modules["rich"]

OnWarning = Callable[[str, str, dict[str, object]], None]
WARNINGS: Final = ("warning", "error", "critical")
# Libraries that log too much below a warning, unless the configuration asks for it.
CHATTY: Final = ("asyncio", "picows", "aiohttp.access")
STAMP: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)
# Not put on the bus as fields: they are members of the message already, or too long.
HIDDEN_FIELDS: Final = ("event", "level", "exc_info")
HELD_BACK: Final = "the same again, not written"


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """The last step of every line: hides all secrets in it."""

    def __init__(self, mask: Mask, **options: Any) -> None:  # structlog's own
        super().__init__(**options)
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(super().format(record))


class Logs:
    """The logs of one process. ``on_warning(level, event, fields)`` is called for each line of warning and above."""

    def __init__(self, name: str, config: Config, on_warning: OnWarning) -> None:
        self._name, self._on_warning = name, on_warning
        self._mask = Mask(secrets_of(config))
        self._flood = Flood()
        config.logs.mkdir(parents=True, exist_ok=True)
        self._file = RotatingFileHandler(
            config.logs / f"{name}.log", maxBytes=limits.LOG_FILE_BYTES, backupCount=limits.LOG_FILES, encoding="utf-8"
        )
        handlers: list[logging.Handler] = [self._file]
        if sys.stderr.isatty():
            handlers.append(logging.StreamHandler())
        formatter = self._formatter()
        for handler in handlers:
            handler.setFormatter(formatter)
        logging.basicConfig(level=config.logging.level.upper(), handlers=handlers, force=True)
        # On the first handler only: a line is counted, and put on the bus, once.
        self._file.addFilter(self._foreign)
        levels = dict.fromkeys(CHATTY, "warning") | config.logging.levels
        for module, level in levels.items():
            logging.getLogger(module).setLevel(level.upper())
        self._configure(min(logging.getLevelName(level.upper()) for level in [config.logging.level, *levels.values()]))
        sys.excepthook = self._uncaught

    @property
    def stream(self) -> IO[str] | None:
        """Return the file that is open now; the watchdog writes stacks to it."""
        return self._file.stream

    def turn(self) -> None:
        """Log how many lines were kept back, once their window is over. Call every few seconds."""
        for kind, times in self._flood.over(monotonic()):
            level, event, *_ = kind if isinstance(kind, tuple) else ("warning", str(kind))
            getattr(logger(self._name), level)(f"{event}: {HELD_BACK}", times=times)

    def _configure(self, lowest: int) -> None:
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.processors.add_log_level,
                self._no_flood,
                self._tell,
                structlog.processors.format_exc_info,
                STAMP,
                structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(lowest),
            logger_factory=structlog.stdlib.LoggerFactory(),
            cache_logger_on_first_use=False,
        )

    def _formatter(self) -> logging.Formatter:
        foreign: list[Processor] = [
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.format_exc_info,
            STAMP,
        ]
        return _Formatter(
            self._mask,
            foreign_pre_chain=foreign,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
            ],
        )

    # --- what every line passes ----------------------------------------------------------------------------------

    def _no_flood(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        kind = (event.get("level", method), str(event.get("event", "")), str(event.get("kind", "")))
        if method != "debug" and not self._flood.allows(kind, monotonic()):
            raise structlog.DropEvent
        return event

    def _tell(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if method in WARNINGS:
            public = {key: value for key, value in event.items() if key not in HIDDEN_FIELDS}
            fields: dict[str, object] = {key: self._mask(str(value)) for key, value in public.items()}
            self._on_warning(method, self._mask(str(event.get("event", ""))), fields)
        return event

    def _foreign(self, record: logging.LogRecord) -> bool:
        """True if a library's line is to be written. It is counted, and put on the bus if it is the main thread's."""
        if isinstance(record.msg, dict):
            return True
        level = record.levelname.lower()
        event = str(record.msg)
        if level != "debug" and not self._flood.allows((level, event, record.name), monotonic()):
            return False
        if level in WARNINGS and threading.current_thread() is threading.main_thread():
            self._on_warning(level, self._mask(record.getMessage()), {"logger": record.name})
        return True

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Write the exception that ends the process to stderr, as Python does but with secrets hidden."""
        sys.stderr.write(self._mask("".join(traceback.format_exception(kind, error, trace))))


def logger(name: str) -> FilteringBoundLogger:
    """Return the logger of a process."""
    return structlog.get_logger(name)  # type: ignore[no-any-return]
