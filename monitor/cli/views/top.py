"""``tradebyte top``: everything on one screen of a terminal, until q."""

from __future__ import annotations

import os
import sys

from monitor.cli.common import ConfigOption, fail, load


def top(config: ConfigOption = None) -> None:
    """Show everything in this terminal, until q: processes, quotes in the ladder, orders, fills, profit, latency.

    Keys halt, resume, flatten and restart; each asks first. Works without the monitor; closing it touches nothing.
    """
    settings = load(config, required=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()) or os.environ.get("TERM") == "dumb":
        fail("top needs a terminal to draw in; 'tradebyte status' prints the same once, anywhere")
    # Textual takes half a second to import, which no other command should wait for.
    from monitor.top.app import Top
    from monitor.ui.controls import Actions
    from monitor.ui.reader import Reader

    reader = Reader(settings)
    reader.start()
    try:
        why = Top(reader, Actions(settings, "top"), f"listening where {settings.source} says").run(mouse=False)
    finally:
        reader.stop()
    if why:
        fail(f"the screen ended by itself ({why}); start it again, trading goes on")
