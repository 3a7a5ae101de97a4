"""Every command of ``tradebyte --help`` as a person types it, with and without ``--json``: exit code and words.

One system for all that need one that runs; one folder where nothing does.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitor.commands.examples import SHORT
from tests.frames import frames_path
from tests.system import System, eager, running, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
CAPTURE = str(frames_path("public_v2/docs_Book_Level_2.jsonl"))
# Typed, exit code with a system that runs, something that is said then; and the same with one that is down.
Case = tuple[str, int, str, int, str]
LOOKS: list[Case] = [
    ("status", 0, "6 of 6 processes ready", 0, "nothing of this folder's runs"),
    ("tail heartbeat --count 3", 0, "heartbeat.", 1, "nothing runs that could be heard"),
    ("orders", 0, "BTC/USD", 1, "executor"),
    ("fills --count 1", 0, "/USD", 0, "no fills yet"),
    ("position", 0, "BTC/USD", 1, "executor"),
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
    ("resume", 0, "", 0, ""),
]
# Screens, and what needs an extra or a recording: their own tests run them.
SHOWN_ELSEWHERE = {"top", "web", "desktop", "replay"}


def typed(cases: list[Case]) -> list[tuple[str, Case]]:
    """Each case as it is, and with --json."""
    # Two recorders at once take a folder each.
    return [(words, case) for case in cases for words in (case[0].format("-a"), f"{case[0].format('-b')} --json")]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("runs"), eager) as made:
        until("a fill", made.fills, 60)
        yield made


@pytest.fixture(scope="module")
def down(tmp_path_factory: pytest.TempPathFactory) -> System:
    return System(tmp_path_factory.mktemp("down"))


def checked(ran: subprocess.CompletedProcess[str], words: str, code: int, said: str) -> str:
    """What is wrong with a command's end; empty where nothing is."""
    both = ran.stdout + ran.stderr
    if ran.returncode != code or "Traceback" in both:
        return f"tradebyte {words}: exit {ran.returncode} instead of {code}: {both[-600:]}"
    if "--json" in words:
        if code == 0:
            try:
                [json.loads(line) for line in ran.stdout.splitlines()]
            except ValueError:
                return f"tradebyte {words}: no JSON: {ran.stdout[-300:]}"
        return ""
    return "" if said in both else f"tradebyte {words}: {said!r} is not in {both[-600:]}"


def test_every_command_is_tried_here() -> None:
    tried = {case[0].split()[0] for case in [*LOOKS, *ACTS]}
    assert tried | SHOWN_ELSEWHERE == set(SHORT)


def test_what_looks_with_a_system_that_runs(system: System) -> None:
    cases = typed(LOOKS)
    with ThreadPoolExecutor(3) as threads:
        ran = list(threads.map(lambda each: system.tradebyte(*each[0].split()), cases))
    wrong = [checked(done, words, case[1], case[2]) for done, (words, case) in zip(ran, cases, strict=True)]
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_what_acts_with_a_system_that_runs(system: System) -> None:
    wrong = []
    for words, case in [*typed(ACTS[:6]), *((case[0], case) for case in ACTS[6:]), *typed(ACTS[7:])]:
        wrong.append(checked(system.tradebyte(*words.split()), words, case[1], case[2]))
        if words.startswith("flatten"):
            system.tradebyte("resume")
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_everything_with_a_system_that_is_down(down: System) -> None:
    cases = [*typed(LOOKS), *typed(ACTS)]
    with ThreadPoolExecutor(8) as threads:  # most of them listen for a while to whom is not there
        ran = list(threads.map(lambda each: down.tradebyte(*each[0].split()), cases))
    wrong = [checked(done, words, case[3], case[4]) for done, (words, case) in zip(ran, cases, strict=True)]
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_help_is_had_of_everything(down: System) -> None:
    typed_words = ["--help", "--version", *(f"{name} --help" for name in SHORT)]
    with ThreadPoolExecutor(4) as threads:
        ran = list(threads.map(lambda words: down.tradebyte(*words.split()), typed_words))
    wrong = [checked(done, words, 0, "radebyte") for done, words in zip(ran, typed_words, strict=True)]
    assert not any(wrong), "\n".join(filter(None, wrong))
