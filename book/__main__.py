"""``python -m book``: the books' process, and the commands that belong to it."""

from __future__ import annotations

import sys

from book import verify


def main(argv: list[str]) -> int:
    """Runs what the first word asks for; returns the exit code."""
    if argv[:1] == ["verify"]:
        return verify.main(argv[1:])
    print("usage: python -m book verify FILE...", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
