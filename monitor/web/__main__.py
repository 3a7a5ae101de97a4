"""The page's own process, started by ``tradebyte web``: it gives way to trading and ends with the command."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time

from streamlit.web import cli

NICE = 10
PARENT_EVERY_S = 0.5


def end_with(parent: int) -> None:
    """End this process, as by SIGTERM, when the one that started it is gone."""
    while os.getppid() == parent:
        time.sleep(PARENT_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


def is_news(record: logging.LogRecord) -> bool:
    """False for a tab that was closed while something was sent to it: that is no error."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ != "WebSocketDisconnected"


def main() -> None:
    """Run ``streamlit run`` with the arguments after the parent's pid, at a lower priority than whatever trades."""
    os.nice(NICE)
    logging.getLogger("uvicorn.error").addFilter(is_news)
    parent, *arguments = sys.argv[1:]
    threading.Thread(target=end_with, args=(int(parent),), daemon=True).start()
    sys.argv = ["streamlit", "run", *arguments]
    cli.main()


if __name__ == "__main__":
    main()
