"""``make compat``: a row for each client, with what was run or the reason why not; no session outlives it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.compat import clients, run as compat
from tests.compat.clients import CLIENTS, Client, Kind, NotBuilt, Skipped
from tests.compat.run import Row, page, run, session

CLIENT = Client("krakenrs", Kind.RUST, "6.6.0", fixed_hosts=True)


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client whose folder is a temporary one."""
    monkeypatch.setattr(clients, "WORK", tmp_path)
    CLIENT.folder.mkdir(parents=True)
    return CLIENT


def test_a_row_has_what_was_run_and_the_result() -> None:
    rows = {CLIENT.key: Row("6.6.0", 10, 612.4, "good", "2026-01-01 00:00", ["markets: 3 pairs", "books: a|b"])}
    last = page(rows).splitlines()[-1]
    assert last == (
        "| krakenrs | 6.6.0 | Rust | fixed | markets: 3 pairs<br>books: a\\|b | 10 | 612 | good | 2026-01-01 00:00 |"
    )


def test_the_rows_are_in_the_order_of_the_table_and_only_those_that_ran() -> None:
    row = Row("1", 1, 1, "good", "2026-01-01 00:00")
    names = [
        line.split(" | ")[0] for line in page({c.key: row for c in reversed(CLIENTS)}).splitlines()[-len(CLIENTS) :]
    ]
    assert names == [f"| {client.name}" for client in CLIENTS]
    assert "krakenrs" not in page({})


def test_a_session_s_output_becomes_its_row(away: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "print('markets: 3 pairs'); print('noise'); print('order over REST: add')"
    monkeypatch.setattr(compat, "install", lambda _client: None)
    monkeypatch.setattr(compat, "command", lambda _client: [sys.executable, "-c", program])
    row = session(away, 0)
    assert (row.result, row.parts) == ("good", ["markets: 3 pairs", "order over REST: add"])
    monkeypatch.setattr(compat, "command", lambda _client: [sys.executable, "-c", "raise ValueError('why')"])
    assert session(away, 0).result == "failed: ValueError: why"


def test_what_cannot_be_had_is_skipped_and_what_does_not_build_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    for error, result in ((Skipped("no Node.js here"), "skipped: no Node.js here"), (NotBuilt("x"), "failed: x")):

        def install(_client: Client, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(compat, "install", install)
        assert session(CLIENT, 0).result == result


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("error: could not compile at /home/me/x.rs:3", "error: could not compile at …"),
        ("npm error 404 - GET https://files.example:443/a/b - no", "npm error 404 - GET … - no"),
        ("HTTPSConnectionPool(host='files.example', port=8443): timed out", "HTTPSConnectionPool(…, …): timed out"),
        ("AssertionError: BTC/USD is crossed", "AssertionError: BTC/USD is crossed"),
    ],
)  # fmt: skip
def test_a_reason_names_no_place_of_this_machine(line: str, kept: str) -> None:
    assert clients.without_addresses(line) == kept


@pytest.mark.parametrize("kind", [Kind.NODE, Kind.RUST])
def test_a_missing_toolchain_is_the_reason(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "WORK", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(Skipped, match=r"no Node\.js here|no Rust toolchain here"):
        clients.install(Client("x", kind, "1"))


def test_a_machine_without_namespaces_skips_clients_with_fixed_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise FileNotFoundError("unshare")

    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(Skipped, match="no network namespace"):
        clients.command(CLIENT)


def test_a_session_that_hangs_is_stopped_with_all_that_it_started(
    away: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compat, "REST_S", 1.0)
    pid = away.folder / "pid"
    child = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    began = time.monotonic()
    code, _out, errors = run(away, [sys.executable, "-c", parent], 0)
    # Not when the child had slept its minute.
    assert time.monotonic() - began < 30
    assert code != 0
    assert "stopped after 1 s" in errors
    _gone, left = psutil.wait_procs([p for p in psutil.process_iter() if p.pid == int(pid.read_text())], 5)
    assert [p for p in left if p.status() != psutil.STATUS_ZOMBIE] == []
