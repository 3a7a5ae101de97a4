"""The entry point of ``tradebyte``: a Ctrl-C while it still loads ends it as quietly as one later on."""

from __future__ import annotations

EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command that the arguments name."""
    try:
        from monitor.cli import app
    except KeyboardInterrupt:
        raise SystemExit(EXIT_INTERRUPTED) from None
    app.main()
