"""Every command of ``tradebyte --help`` as a person types it, with and without ``--json``: exit code and words.

One system for all that need one that runs; one folder where nothing does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest

from monitor.cli.examples import SHORT
from tests.frames import frames_path
from tests.system import ROOT, System, eager, running, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
CAPTURE = str(frames_path("public_v2/docs_Book_Level_2.jsonl"))
MARKET = str(frames_path("public_v2/book10_trades_BTCUSD_ETHUSD_flashbook.jsonl"))
# Typed, exit code with a system that runs, something that is said then; and the same with one that is down.
Case = tuple[str, int, str, int, str]
LOOKS: list[Case] = [
    ("status", 0, "7 of 7 processes ready", 0, "nothing of this folder's runs"),
    ("tail heartbeat --count 3", 0, "heartbeat.", 1, "nothing runs that could be heard"),
    ("orders", 0, "BTC/USD", 1, "executor"),
    ("fills --count 1", 0, "/USD", 0, "no fills yet"),
    ("position", 0, "BTC/USD", 1, "executor"),
    ("pnl", 0, "markout bp", 1, "the executor said nothing of profit"),
    (f"extract {MARKET} --overwrite --out columns{{0}}", 0, "checksums", 0, "checksums"),
    (f"backtest {MARKET}", 0, "outbound requests", 0, "outbound requests"),
    (f"calibrate {MARKET}", 1, "a fit needs 20", 1, "a fit needs 20"),
    (f"screen {MARKET}", 0, "fills", 0, "fills"),
    ("sweep no-study.yaml", 78, "no-study.yaml", 78, "no-study.yaml"),
    ("reconcile --recording nothing", 1, "nothing", 1, "nothing"),
    ("latency", 0, "order to acknowledgement", 1, "the monitor does not answer"),
    (f"verify {CAPTURE}", 0, "checked", 0, "checked"),
    ("doctor", 0, "nothing keeps it from trading", 1, "nothing runs"),
    ("config show", 0, "trading", 0, "trading"),
    ("why TNOSUCHORDER", 1, "no order", 1, "no journal"),
    ("journal export", 0, "rows", 1, "no journal"),
    ("record --seconds 2 --folder recorded{0}", 0, "message", 1, ""),
]
ACTS: list[Case] = [
    ("pause ETH/USD", 0, "ETH/USD", 0, "ETH/USD"),
    ("pause ETH", 2, "ETH/USD", 2, "ETH/USD"),
    ("resume ETH/USD", 0, "ETH/USD", 0, "ETH/USD"),
    ("alert-test", 0, "", 1, ""),
    ("restart book", 0, "book", 1, "supervisord does not answer"),
    ("restart nonsense", 2, "nonsense", 2, "nonsense"),
    ("flatten --yes", 0, "", 1, "executor"),
    ("halt", 0, "halted", 1, "halted"),
    ("accept", 1, "no asset is held", 1, "the executor is not heard"),
    ("resume", 0, "", 0, ""),
]
# Screens, and what needs an extra or a recording: their own tests run them.
SHOWN_ELSEWHERE = {"top", "web", "desktop", "replay"}


class Ran(NamedTuple):
    """A command's exit code and output."""

    returncode: int
    stdout: str
    stderr: str


def ran(system: System, commands: Sequence[str]) -> list[Ran]:
    """Type commands in a system's folder, several at once; how each ended, in their order."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.monitor.typing_many"],
        input=json.dumps([command.split() for command in commands]),
        cwd=system.folder,
        env=system.environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Ran(*each) for each in json.loads(done.stdout)]


def typed(cases: list[Case]) -> list[tuple[str, Case]]:
    """Return each case as it is, and with --json."""
    # Two recorders at once take a folder each.
    return [(line, case) for case in cases for line in (case[0].format("-a"), f"{case[0].format('-b')} --json")]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("runs"), eager) as made:
        until("a fill", made.fills, 60)
        yield made


@pytest.fixture(scope="module")
def down(tmp_path_factory: pytest.TempPathFactory) -> System:
    return System(tmp_path_factory.mktemp("down"))


def checked(ended: Ran, line: str, code: int, said: str) -> str:
    """Return what is wrong with a command's end; empty where nothing is."""
    both = ended.stdout + ended.stderr
    if ended.returncode != code or "Traceback" in both:
        return f"tradebyte {line}: exit {ended.returncode} instead of {code}: {both[-600:]}"
    if "--json" in line:
        if code == 0:
            try:
                [json.loads(each) for each in ended.stdout.splitlines()]
            except ValueError:
                return f"tradebyte {line}: no JSON: {ended.stdout[-300:]}"
        return ""
    return "" if said in both else f"tradebyte {line}: {said!r} is not in {both[-600:]}"


def test_every_command_is_tried_here() -> None:
    tried = {case[0].split()[0] for case in [*LOOKS, *ACTS]}
    assert tried | SHOWN_ELSEWHERE == set(SHORT)


def test_what_looks_with_a_system_that_runs(system: System) -> None:
    cases = typed(LOOKS)
    ends = ran(system, [line for line, _ in cases])
    wrong = [checked(end, line, case[1], case[2]) for end, (line, case) in zip(ends, cases, strict=True)]
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_what_acts_with_a_system_that_runs(system: System) -> None:
    wrong = []
    for line, case in [*typed(ACTS[:6]), *((case[0], case) for case in ACTS[6:]), *typed(ACTS[7:])]:
        ended = system.tradebyte(*line.split())
        wrong.append(checked(Ran(ended.returncode, ended.stdout, ended.stderr), line, case[1], case[2]))
        if line.startswith("flatten"):
            system.tradebyte("resume")
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_everything_with_a_system_that_is_down(down: System) -> None:
    # Typed several at once, but a halt changes what the others say: it and what ends it come one after the other.
    switches = [case for case in ACTS if case[0] in ("halt", "resume")]
    together = [*typed(LOOKS), *typed([case for case in ACTS if case not in switches])]
    wrong = []
    for cases in (together, *([one] for one in typed(switches))):
        ends = ran(down, [line for line, _ in cases])
        wrong += [checked(end, line, case[3], case[4]) for end, (line, case) in zip(ends, cases, strict=True)]
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_help_is_had_of_everything(down: System) -> None:
    typed_lines = ["--help", "--version", *(f"{name} --help" for name in SHORT)]
    wrong = [checked(end, line, 0, "radebyte") for end, line in zip(ran(down, typed_lines), typed_lines, strict=True)]
    assert not any(wrong), "\n".join(filter(None, wrong))
