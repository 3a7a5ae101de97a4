"""Run whole sessions of published clients, one after the other, and write docs/compat.md.

    python -m tests.compat.run --minutes 10            # all of them
    python -m tests.compat.run --minutes 1 krakenrs    # those named; the rows of the others stay

A client that cannot be had is skipped with the reason. Exits 1 when a session failed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from tests.compat.clients import (
    CLIENTS,
    ROOT,
    WORK,
    Client,
    Kind,
    NotBuilt,
    Skipped,
    command,
    install,
    installed_version,
    without_addresses,
)

PAGE = ROOT / "docs" / "compat.md"
# Beside the minutes of books: the rest of a session, with pauses for Kraken's limits of calls.
REST_S = 400.0
_PART = re.compile(r"([a-z][a-zA-Z ]{2,30}): (.+)")
INTRODUCTION = """\
# Published clients

`make compat MINUTES=m CLIENTS=name`, with the minutes, the name and the date (UTC) of each row.

Unmodified clients, each against a simulator of its own: markets, books for as many minutes as the row says, an order's
life, history, private feed, as far as the client has it. The sessions are in `tests/compat`. "fixed" means that the
client cannot be told another address: it ran in a network namespace in which Kraken's host names lead to the simulator
([how](simulator.md#pointing-a-client-at-it)). The Python clients also run in `make test`, for as long as a few updates
take.

| client | version | language | hosts | what was run | minutes of books | seconds | result | date |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Row:
    """The outcome of one client's session; ``result`` is good, failed or skipped, the latter two with the reason."""

    version: str
    minutes: float
    seconds: float
    result: str
    date: str
    parts: list[str] = field(default_factory=list)


def session(client: Client, minutes: float) -> Row:
    """Install a client, run its session, and return the outcome."""
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    try:
        version = installed_version(client)
        install(client)
        arguments = command(client)
    except Skipped as skipped:
        return Row(client.version or "", minutes, 0.0, f"skipped: {skipped}", date)
    except NotBuilt as error:
        return Row(client.version or "", minutes, 0.0, f"failed: {error}", date)
    began = time.monotonic()
    code, out, errors = run(client, arguments, minutes)
    seconds = time.monotonic() - began
    (client.folder / "out").write_text(out)
    (client.folder / "errors").write_text(errors)
    parts = [f"{match[1]}: {match[2]}" for line in out.splitlines() if (match := _PART.fullmatch(line.strip()))]
    return Row(
        version, minutes, round(seconds, 1), "good" if code == 0 else f"failed: {_why(out, errors)}", date, parts
    )


def run(client: Client, command: list[str], minutes: float) -> tuple[int, str, str]:
    """Run a client's session; return its exit code, output and errors. Nothing of it is left, even when it hangs."""
    environment = {**os.environ, "MINUTES": str(minutes), "PYTHONPATH": str(ROOT)}
    folder = ROOT if client.kind is Kind.PYTEST else client.folder
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, errors = process.communicate(timeout=minutes * 60 + REST_S)
    except subprocess.TimeoutExpired:
        _end(process)
        out, errors = process.communicate()
        errors += f"\nstopped after {minutes * 60 + REST_S:.0f} s"
    finally:
        # Whatever ends this program ends the client and its simulator.
        _end(process)
    return process.returncode, out, errors


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _why(out: str, errors: str) -> str:
    """Return the line that most likely names the failure."""
    lines = [line.strip() for line in (errors.strip() or out.strip()).splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"(\w*Error|FAILED|E  |stopped after)", line)]
    panicked = [after for line, after in pairwise(lines) if line.startswith("thread ") and "panicked" in line]
    return without_addresses((panicked or named or lines or ["no output"])[0][:200])


def page(rows: dict[str, Row]) -> str:
    """Return the text of docs/compat.md."""
    table = []
    for client in CLIENTS:
        if (row := rows.get(client.key)) is None:
            continue
        language = {Kind.NODE: "JavaScript", Kind.RUST: "Rust"}.get(client.kind, "Python")
        hosts = "fixed" if client.fixed_hosts else "set"
        ran = "<br>".join(row.parts).replace("|", "\\|")
        result = row.result.replace("|", "\\|")
        cells = (
            client.name,
            row.version,
            language,
            hosts,
            ran,
            f"{row.minutes:g}",
            f"{row.seconds:.0f}",
            result,
            row.date,
        )
        table.append(f"| {' | '.join(cells)} |\n")
    return INTRODUCTION + "".join(table)


def main() -> int:
    """Run the sessions and write the page."""
    parser = argparse.ArgumentParser(description="Whole sessions of published clients against the simulator.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the books are followed")
    parser.add_argument("names", nargs="*", help="clients; all without any")
    chosen = parser.parse_args()
    known = {client.name for client in CLIENTS}
    if unknown := set(chosen.names) - known:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    # As by Ctrl-C: what is cleaned up on the way out is cleaned up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    WORK.mkdir(parents=True, exist_ok=True)
    kept = WORK / "results.json"
    stored = json.loads(kept.read_text()) if kept.exists() else {}
    rows = {key: Row(**row) for key, row in stored.items()}
    failed = False
    for client in CLIENTS:
        if chosen.names and client.name not in chosen.names:
            continue
        print(f"{client.key}: running", flush=True)
        rows[client.key] = row = session(client, chosen.minutes)
        print(f"{client.key} {row.version}: {row.result} ({row.seconds:.0f} s)", *row.parts, sep="\n  ", flush=True)
        failed |= row.result.startswith("failed")
        kept.write_text(json.dumps({key: asdict(row) for key, row in rows.items()}, indent=1))
        PAGE.write_text(page(rows))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
