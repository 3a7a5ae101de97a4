"""``python -m executor live-check``, which ``tradebyte doctor --live-check`` runs: consent, check, report file."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any  # Any: the report as JSON

from executor.errors import JournalError, LiveCheckError
from executor.livecheck import steps
from executor.livecheck.findings import Finding, Outcome, judge
from executor.livecheck.session import Session
from executor.record.journal import Journal
from shared.clock import rfc3339, wall_ns
from shared.config import Config
from shared.errors import Held
from shared.process.account_lock import MachineLock, account_key
from shared.process.command_line import EXIT_CONFIG, EXIT_HELD, load_config, refuse

NAME = "live-check"
WORD = "place"
MARKS = {Outcome.CONFIRMED: "confirmed", Outcome.DIFFERS: "DIFFERS", Outcome.NOT_SEEN: "not seen"}


def main(arguments: list[str]) -> None:
    """Run the check; exit 0 if nothing that trading relies on differs and no order is left, else 1."""
    options = argparse.ArgumentParser(prog="python -m executor live-check", description=__doc__)
    options.add_argument("--config", metavar="PATH")
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--yes", action="store_true", help="do not ask (in the sandbox only)")
    chosen = options.parse_args(arguments)
    config = load_config(NAME, chosen.config)
    if chosen.yes and not config.kraken.sandbox:
        refuse(EXIT_CONFIG, NAME, "--yes is for the sandbox: with real money the word is typed")
    try:
        lock = MachineLock(account_key(config.kraken.rest_url, config.kraken.api_key))
    except Held as held:
        refuse(
            EXIT_HELD, NAME, f"an executor runs, and only one may use its key: {held} ('supervisorctl stop executor')"
        )
    try:
        journal = Journal(config.data / "journal.sqlite")
        epoch = journal.next_epoch(wall_ns() // 10**9)
        journal.close()
        report = asyncio.run(_check(config, epoch, asks=not chosen.yes, is_quiet=chosen.json))
    except (LiveCheckError, JournalError) as problem:
        if chosen.json:
            print(json.dumps({"checked": False, "error": str(problem)}))
        refuse(1, NAME, str(problem))
    finally:
        lock.release()
    path = _write(config, report)
    _show(report, path, as_json=chosen.json)
    sys.exit(1 if report["unsafe"] or report["left"] else 0)


async def _check(config: Config, epoch: int, *, asks: bool, is_quiet: bool) -> dict[str, Any]:
    def tell(text: str) -> None:
        if not is_quiet:
            print(f"  {text}", flush=True)

    session = Session(config, epoch)
    try:
        made = await steps.plan(session, config.trading.default_pair, epoch)
        if asks:
            _consent(config, made)
        placed = await steps.run(session, made, tell)
    finally:
        await session.close()
    findings = judge(session.transcript, placed)
    left = session.transcript.call("open orders at the end")
    rows = left.answer.get("open") or {} if left is not None else {}
    return {
        "checked": True,
        "at": rfc3339(wall_ns()),
        "exchange": config.kraken.rest_url,
        "sandbox": config.kraken.sandbox,
        "pair": made.symbol,
        "orders": list(placed.cl_ord_ids),
        "left": sorted(key for key, row in rows.items() if row.get("cl_ord_id") in placed.cl_ord_ids),
        "unsafe": [finding.name for finding in findings if finding.is_unsafe],
        "unconfirmed": {f.switch: f.value for f in findings if f.switch and f.value not in ("", None)},
        "findings": [_as_dict(finding) for finding in findings],
    }


def _as_dict(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "outcome": finding.outcome.value}


def _consent(config: Config, made: steps.Plan) -> None:
    money = "the sandbox's made-up money" if config.kraken.sandbox else "REAL money"
    print(f"This places two bids of {made.qty} {made.symbol} at {made.price} (half the market) with {money},")
    print("amends and cancels them, and arms the account's dead man's switch for a minute. It leaves nothing behind.")
    if not sys.stdin.isatty() and not config.kraken.sandbox:
        raise LiveCheckError("consent is a person's word: run it on a terminal")
    try:
        answer = input(f"Type '{WORD}' to go on: ").strip()
    except EOFError:
        answer = ""
    if answer != WORD:
        raise LiveCheckError("not agreed to: nothing was placed")


def _write(config: Config, report: dict[str, Any]) -> Path:
    folder = config.data / "live-checks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report['at'][:19].replace(':', '-')}Z.json"
    path.write_text(json.dumps(report, indent=2, default=str) + "\n", encoding="utf-8")
    return path


def _show(report: dict[str, Any], path: Path, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report | {"report": str(path)}, default=str))
        return
    for row in report["findings"]:
        mark = MARKS[Outcome(row["outcome"])] + (", NOT SAFE" if row["is_unsafe"] else "")
        print(f"{mark:<20} {row['belief']}")
        if row["seen"]:
            print(f"{'':<20} seen: {row['seen'][:150]}")
    if report["left"]:
        print(f"LEFT OPEN: {', '.join(report['left'])}; cancel them on Kraken's own site")
    if report["unsafe"]:
        print(f"Do not trade before these are understood: {', '.join(report['unsafe'])} (docs/live-assumptions.md)")
    print(f"report: {path}")
