"""Promises of ``tradebyte --help``: examples that can be typed, completion for shells, plain text."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from monitor.cli.app import app
from monitor.cli.examples import EXAMPLES, FIRST, SHORT

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
# What takes long to load, and who takes it.
HEAVY = {"aiohttp", "websockets", "structlog", "uvloop", "textual", "streamlit", "plotly", "pyarrow", "PyQt6"}
ASKS_OTHERS = {"doctor", "alert-test"}


def test_every_command_has_examples_and_no_example_is_left_over() -> None:
    assert set(EXAMPLES) == set(SHORT) == set(COMMANDS)


def test_the_list_of_commands_cuts_no_sentence_short() -> None:
    result = CliRunner().invoke(app, ["--help"], terminal_width=80)
    listed = result.output.partition("Commands:")[2]
    assert "status" in listed
    assert "..." not in listed


@pytest.mark.parametrize("line", [line for lines in (FIRST, *EXAMPLES.values()) for line in lines])
def test_an_example_can_be_typed_as_it_is(line: str) -> None:
    program, name, *arguments = shlex.split(line)
    assert program == "tradebyte"
    COMMANDS[name].make_context(name, arguments)  # raises for a word that the command does not know


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_help_shows_the_examples_a_line_each(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"], terminal_width=100)
    assert result.exit_code == 0
    assert set(EXAMPLES[name]) <= {line.strip() for line in result.output.splitlines()}
    assert "\x1b" not in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_offered(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Else typer looks for the shell that it runs in, and a run from a service has none.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    result = CliRunner().invoke(app, ["--show-completion", shell], prog_name="tradebyte")
    assert result.exit_code == 0
    assert "_TRADEBYTE_COMPLETE" in result.output


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tradebyte rest", {"restart"}),
        ("tradebyte restart st", {"strategy", "strategy.market_maker"}),
        ("tradebyte tail boo", {"book", "book.status"}),
    ],
)
def test_a_shell_completes_commands_processes_and_topics(typed: str, offered: set[str]) -> None:
    environment = {"_TRADEBYTE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    result = CliRunner().invoke(app, [], prog_name="tradebyte", env=environment)
    assert set(result.output.split()) == offered


def test_ctrl_c_while_it_still_loads_ends_it_without_a_traceback() -> None:
    interrupted = (
        "import builtins, runpy; imported = builtins.__import__\n"
        "def interrupt(name, *rest):\n"
        "    if name == 'typer': raise KeyboardInterrupt\n"
        "    return imported(name, *rest)\n"
        "builtins.__import__ = interrupt\n"
        "from monitor.entry import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def _loaded(code: str, *words: str) -> set[str]:
    """Return the modules that Python has loaded when this is over."""
    report = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    done = subprocess.run([sys.executable, "-c", report + code, *words], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_who_types_a_command_waits_for_nothing_that_others_take() -> None:
    light = sorted(set(COMMANDS) - ASKS_OTHERS)
    loaded = _loaded(f"from monitor.cli.app import command; [command(name) for name in {light}]")
    assert {"monitor.cli.control.halt", "monitor.cli.views.desktop"} <= loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("arguments", [["halt", "--help"], ["--config", "none.yaml", "halt", "--help"]])
def test_as_a_module_it_loads_the_command_and_neither_the_process_nor_another_command(arguments: list[str]) -> None:
    loaded = _loaded("import runpy; runpy.run_module('monitor', run_name='__main__')", *arguments)
    assert {name for name in loaded if name.startswith("monitor.cli.")} == {
        "monitor.cli.app",
        "monitor.cli.common",
        "monitor.cli.control",
        "monitor.cli.control.halt",
        "monitor.cli.examples",
    }
    assert loaded & (HEAVY | {"monitor.shell"}) == set()
