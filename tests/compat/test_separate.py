"""Python clients in environments of their own, which ``make compat`` makes: a short session of each that is there."""

from __future__ import annotations

import pytest

from tests.compat.clients import CLIENTS, Client, Kind, Skipped, command
from tests.compat.run import run

pytestmark = pytest.mark.processes
MINUTES = 0.1


@pytest.mark.parametrize("client", [c for c in CLIENTS if c.kind is Kind.PYTHON], ids=lambda client: client.name)
def test_its_whole_session_succeeds(client: Client) -> None:
    if not client.python.exists():
        pytest.skip(f"{client.name} is not installed; 'make compat' installs it")
    try:
        arguments = command(client)
    except Skipped as skipped:
        pytest.skip(str(skipped))
    code, out, errors = run(client, arguments, MINUTES)
    assert code == 0, out + errors
    assert "books: " in out
