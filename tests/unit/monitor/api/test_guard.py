"""Who may ask, and the token that lets change."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.api import guard, token
from monitor.errors import Problem


def code(check: Callable[[], None]) -> int:
    """Return the HTTP status of the refusal, 200 without one."""
    try:
        check()
    except Problem as problem:
        return problem.code if problem.why and problem.mend else 0
    return 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8181", "localhost:8181", "LOCALHOST", "[::1]:8181", "192.168.1.5:8181", "desk.example:1"]
)
def test_this_machine_may_be_asked_by_its_names(host: str) -> None:
    assert code(lambda: guard.require_known_host(host, "desk.example")) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8181", "localhost.evil.example", "", None, "[", "a@b"]
)
def test_a_name_that_was_rebound_may_not(host: str | None) -> None:
    assert code(lambda: guard.require_known_host(host, "127.0.0.1")) == 403


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, 200),
        ("http://127.0.0.1:8181", 200),
        ("http://127.0.0.1:8501", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_pages_of_other_sites_may_not(origin: str | None, expected: int) -> None:
    assert code(lambda: guard.require_own_origin(origin, "127.0.0.1:8181")) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer right", 200),
        ("bearer  right ", 200),
        ("Bearer wrong", 401),
        ("Bearer ", 401),
        ("Basic right", 401),
        ("right", 401),
        ("Bearer r\u00efght", 401),
        ("", 401),
        (None, 401),
    ],
)
def test_only_the_token_lets_change(header: str | None, expected: int) -> None:
    assert code(lambda: guard.require_token(header, "right")) == expected


def test_the_token_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    made = token.read_or_create(tmp_path / "run")
    file = tmp_path / "run" / token.NAME
    assert token.read_or_create(tmp_path / "run") == made == file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert token.read_or_create(tmp_path / "run") == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("content", ["", "\n", "short"])
def test_an_empty_token_is_never_taken(tmp_path: Path, content: str) -> None:
    (tmp_path / token.NAME).write_text(content)
    assert len(token.read_or_create(tmp_path)) >= token.CHARACTERS_MIN
