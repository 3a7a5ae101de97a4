"""Many ``tradebyte`` commands, each in a process of its own that is forked once everything is imported.

Most of a command's time is spent on imports: a test of every command would take minutes by starting Python for each.
Reads a JSON list of command lines from stdin, and prints a JSON list of [exit code, stdout, stderr] in their order.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from typing import IO, Any

from monitor.cli import app
from monitor.cli.examples import SHORT

AT_ONCE = 8


def begin(arguments: list[str], out: IO[bytes], err: IO[bytes]) -> int:
    """Fork a process for a command; return its pid."""
    pid = os.fork()
    if pid:
        return pid
    code: Any = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.argv = ["tradebyte", *arguments]
        try:
            app.main()
            code = 0
        except SystemExit as ended:
            code = ended.code
        except BaseException:  # noqa: BLE001 - the interpreter would print it just so
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def main() -> None:
    """Run the commands, a few at a time."""
    for name in SHORT:
        app.command(name)
    wanted = json.load(sys.stdin)
    files = [(tempfile.TemporaryFile(), tempfile.TemporaryFile()) for _ in wanted]  # noqa: SIM115 - to the end
    codes: dict[int, int] = {}
    under_way: dict[int, int] = {}
    for number, arguments in enumerate(wanted):
        if len(under_way) >= AT_ONCE:
            end_one(under_way, codes)
        under_way[begin(arguments, *files[number])] = number
    while under_way:
        end_one(under_way, codes)
    json.dump([[codes[number], *map(text_of, both)] for number, both in enumerate(files)], sys.stdout)


def end_one(under_way: dict[int, int], codes: dict[int, int]) -> None:
    """Wait for whichever ends first."""
    pid, status = os.wait()
    codes[under_way.pop(pid)] = os.waitstatus_to_exitcode(status)


def text_of(file: IO[bytes]) -> str:
    """Return all that was written."""
    file.seek(0)
    return file.read().decode()


if __name__ == "__main__":
    main()
