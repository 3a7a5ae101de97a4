"""The monitor process; with a command, ``tradebyte`` (``python -m monitor status`` is ``tradebyte status``)."""

from __future__ import annotations

import argparse
import sys


def main() -> None:
    """Run the process, or the command that the arguments name."""
    options = argparse.ArgumentParser("python -m monitor", add_help=False)
    options.add_argument("--config")
    _, command = options.parse_known_args([word for word in sys.argv[1:] if word not in ("-h", "--help")])
    # Each imports its own: a command must not wait for what the process needs.
    if command:
        from monitor.cli import app

        app.main()
    else:
        from monitor import shell

        shell.main()


if __name__ == "__main__":
    main()
